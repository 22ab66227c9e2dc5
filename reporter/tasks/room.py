"""The tasks room, built from its configuration."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from reporter.actors.service import Require
from reporter.clock import Clock
from reporter.config import Configuration
from reporter.evidence.bodies import BodyVault
from reporter.tasks.desk import TaskDesk


@dataclass(frozen=True, slots=True)
class TaskRoom:
    """The use cases of the tasks room."""

    desk: TaskDesk


def task_room(
    engine: Engine, clock: Clock, bodies: BodyVault, configuration: Configuration, require: Require
) -> TaskRoom:
    """Build it."""
    return TaskRoom(TaskDesk(engine, clock, bodies, configuration.approval.people, require))
