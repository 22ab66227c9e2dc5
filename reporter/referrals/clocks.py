"""What of a referral waits for people, as tasks with clocks: the operator's own targets, which no law sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from reporter.referrals.model import State
from reporter.referrals.store import ITEM
from reporter.tasks.model import Kind
from reporter.tasks.service import close_task, open_task, open_tasks

_HOUSE = "reporter"
#: Undecided items and second looks are one kind, so that nobody learns from a task that there is a first decision.
_KINDS: Mapping[Kind, tuple[State, ...]] = {
    Kind.REFERRAL: (State.UNDECIDED, State.SECOND_LOOK),
    Kind.REFERRAL_LEAD: (State.LEAD,),
}


@dataclass(frozen=True, slots=True)
class Clocks:
    """How long each may wait; ``unasked`` is for content that nobody asked for."""

    targets: Mapping[State, timedelta]
    unasked: timedelta

    def set(self, connection: Connection, now: datetime, referral: str) -> None:
        """
        Have the tasks of a referral say what its items wait for, by the soonest of their clocks.

        The house does it: a task that names whoever decided would tell of a first decision.
        """
        rows = connection.execute(select(ITEM.c.state, ITEM.c.opened_at).where(ITEM.c.referral_id == referral)).all()
        standing = {task.kind: task for task in open_tasks(connection, reference=referral, kinds=_KINDS)}
        for kind, states in _KINDS.items():
            waiting = [row for row in rows if row.state in states]
            due = min((row.opened_at + self.targets[State(row.state)] for row in waiting), default=None)
            task = standing.get(kind)
            if task and task.due != due:
                outcome = "later" if due else "settled"
                close_task(connection, now, kind=kind, about=referral, actor=_HOUSE, outcome=outcome)
            if due and (task is None or task.due != due):
                open_task(connection, now, kind=kind, about=referral, reference=referral, due=due, actor=_HOUSE)

    def content_came(self, connection: Connection, now: datetime, referral: str, actor: str) -> None:
        """Have somebody decide what becomes of content that came along."""
        due = now + self.unasked
        open_task(connection, now, kind=Kind.UNASKED, about=referral, reference=referral, due=due, actor=actor)
