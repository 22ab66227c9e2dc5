"""
Reads what is open: tasks, the submissions that they wait for, submissions that nobody must make, expiring credentials.

Nothing is unsealed and nothing is written, so it is quick with thousands of lines and safe for a monitor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, Row, select
from sqlmodel import col

from reporter.actors.policy import RULES
from reporter.board.model import Line
from reporter.clock import Clock
from reporter.db.engine import snapshot
from reporter.delivery.clocks import accepted_report
from reporter.delivery.forgotten import standing
from reporter.delivery.model import lane_name
from reporter.delivery.tables import Circuit, LanePause
from reporter.submissions.by_hand import KINDS as BY_HAND
from reporter.submissions.duties import lane_matter
from reporter.submissions.latest import is_latest
from reporter.submissions.model import State
from reporter.submissions.routing import Router
from reporter.submissions.tables import Submission
from reporter.tasks.model import Basis, Kind, Task
from reporter.tasks.service import TASK, open_tasks

#: What no person moves, but a worker that runs.
WORKER = ("a worker",)
_OVER = (State.ACCEPTED, State.WITHDRAWN)
_ON_ITS_WAY = (State.APPROVED, State.DELIVERING)


@dataclass(frozen=True, slots=True)
class _Way:
    """What something waits for, who moves it, and how."""

    waits_for: str
    movers: tuple[str, ...]
    next_step: str


class Board:
    """Everything open. ``expiries`` gives the credentials that have an end, and ``early`` before it they are shown."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        router: Router,
        expiries: Callable[[], Mapping[str, datetime]],
        early: timedelta,
    ) -> None:
        self._engine, self._clock, self._expiries, self._early = engine, clock, expiries, early
        self._verified = router.verified()

    def lines(self) -> tuple[datetime, Sequence[Line]]:
        """Give the moment, and everything that is open then, the worst first."""
        with snapshot(self._engine) as connection:
            tasks, latest, lanes = open_tasks(connection), _latest(connection), _lanes(connection)
        now = self._clock.now()
        lanes |= {
            task.about: _Way(task.waits_for, task.movers, task.next_step) for task in tasks if task.kind in BY_HAND
        }
        lines = [*self._of_tasks(tasks, latest, lanes), *_chosen(tasks, latest, lanes), *self._expiring(now)]
        return now, sorted(lines, key=lambda line: line.order)

    def _of_tasks(
        self, tasks: Sequence[Task], latest: Mapping[str, Row[Any]], lanes: Mapping[str, _Way]
    ) -> Iterator[Line]:
        for task in tasks:
            if task.kind in BY_HAND:  # the line of its submission says so
                continue
            line = Line(
                task.kind.value, task.authority, task.waits_for, task.movers, task.next_step, task.reference, "",
                task.level, task.due, task.basis if task.due else None, task.rule, self._verified.get(task.rule),
                "", task.id,
            )  # fmt: skip
            if task.kind is not Kind.REPORT:
                yield line
                continue
            row = latest.get(task.about)
            if row is None:
                yield replace(
                    line, environment=task.about.rpartition(" ")[2], state="not_approved", waits_for="approval"
                )
            elif row.state != State.ACCEPTED:  # the next look of a worker closes the task
                way = _way(row, lanes)
                yield replace(
                    line, environment=row.environment, state=row.state, waits_for=way.waits_for, movers=way.movers,
                    next_step=way.next_step,
                )  # fmt: skip

    def _expiring(self, now: datetime) -> Iterator[Line]:
        for name, end in self._expiries().items():
            if end - self._early <= now:
                yield Line(
                    "credential", "", f"the credential {name} to be set anew", _roles("secret set"),
                    f"reporter secret set {name}", due=end, basis=Basis.TARGET,
                )  # fmt: skip


def _chosen(tasks: Sequence[Task], latest: Mapping[str, Row[Any]], lanes: Mapping[str, _Way]) -> Iterator[Line]:
    """Give the submissions that are open without a rule that asks for them."""
    asked = {task.about for task in tasks if task.kind is Kind.REPORT}
    for about, row in latest.items():
        if about not in asked and row.state not in _OVER:
            way = _way(row, lanes)
            yield Line(
                "submission", row.authority, way.waits_for, way.movers, way.next_step, row.reference,
                row.environment, row.level, state=row.state,
            )  # fmt: skip


def _way(row: Row[Any], lanes: Mapping[str, _Way]) -> _Way:
    """Say how a submission gets on; ``lanes`` are what stands in its way, by lane, or who moves it, by its id."""
    state, to = State(row.state), f"{row.reference} --to {row.authority}"
    if state in _ON_ITS_WAY:
        held = lanes.get(row.id, lanes.get(lane_name(row.authority, row.environment), lanes.get("")))
        return held or _Way("a worker to deliver it", WORKER, "reporter deliver --until-idle")
    match state:
        case State.IN_DOUBT | State.ATTENTION:
            waits = "people to ask the authority, and settle it" if state is State.IN_DOUBT else "people to settle it"
            return _Way(waits, _roles("delivery resolve"), f"reporter delivery show {row.reference}")
        case State.REJECTED:
            return _Way(
                "the case to be corrected: the authority refused it", _roles("case revise"),
                f"reporter delivery show {row.reference}",
            )  # fmt: skip
        case State.WITHDRAWN:
            waits = "a new approval: it was withdrawn"
        case _:
            waits = "another approval"
    return _Way(waits, _roles("submission approve"), f"reporter submission approve {to}")


def _latest(connection: Connection) -> dict[str, Row[Any]]:
    """Give the latest submission to each authority, by what a report is about; accepted ones only if a report waits."""
    names = ("id", "reference", "authority", "environment", "state", "level")
    columns = [getattr(Submission, name) for name in names]
    still = select(*columns).where(col(Submission.state).not_in([State.ACCEPTED]), is_latest())
    rows = list(connection.execute(still))
    waited_for = select(*columns).join(TASK, accepted_report()).where(TASK.c.closed_at.is_(None))
    rows += connection.execute(waited_for)
    return {lane_matter(row.reference, row.authority, row.environment): row for row in rows}


def _lanes(connection: Connection) -> dict[str, _Way]:
    """Give the lanes that stand still, with what lets each go on; the empty name is every lane."""
    ways = {}
    for (lane,) in connection.execute(select(col(Circuit.lane))):
        ways[lane] = _Way(
            "the authority to answer again", WORKER, f"reporter authority status {lane.partition(':')[0]}"
        )
    for (lane,) in connection.execute(select(col(LanePause.lane))):
        ways[lane] = _Way("credentials that the authority takes", _roles("secret set"), "reporter doctor")
    if standing(connection) is not None:
        way = _Way("the quarantine to be released", _roles("db release-quarantine"), "reporter db status")
        ways = {"": way}
    return ways


@cache
def _roles(verb: str) -> tuple[str, ...]:
    return tuple(sorted(RULES[verb].roles))
