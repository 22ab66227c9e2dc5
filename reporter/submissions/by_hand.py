"""Submissions that people hand over: in place of a queue there is a task, kept in the transaction of what moves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from reporter.submissions.dispatch import Dispatch
from reporter.submissions.duties import lane_matter
from reporter.submissions.model import State
from reporter.submissions.packaging import Desk
from reporter.tasks.model import Basis, Kind
from reporter.tasks.service import close_task, open_task, open_tasks

KINDS = (Kind.HAND_OVER, Kind.RECEIPT)
_HOUSE: Final = "reporter"
#: What a person has to do next; in every other state, nothing of these two.
_NEXT: Mapping[State, Kind] = {
    State.APPROVED: Kind.HAND_OVER,
    State.DELIVERING: Kind.RECEIPT,
    State.ATTENTION: Kind.RECEIPT,
}


def pass_on(connection: Connection, now: datetime, desk: Desk, dispatch: Dispatch, row: Any, actor: str) -> None:
    """Give an approved submission to whoever tells its authority: the queue of the workers, or people."""
    if desk.by_hand:
        keep(connection, now, row, State.APPROVED, actor)
    else:
        lane = f"{row.authority}:{row.environment}"
        dispatch.enqueue(connection, row.id, lane=lane, urgent=row.urgent, at=now)


def take_back(
    connection: Connection, now: datetime, desks: Mapping[str, Desk], dispatch: Dispatch, rows: Sequence[Any]
) -> None:
    """Take what a revision of its case made stale out of the queue, and from people."""
    dispatch.recall(connection, [row.id for row in rows])
    for row in rows:
        if row.authority in desks and desks[row.authority].by_hand:
            keep(connection, now, row, State.READY, _HOUSE)


def keep(connection: Connection, now: datetime, row: Any, state: State, actor: str) -> None:
    """Open and close the tasks of a submission that comes to ``state``; its clock is that of the report asked for."""
    standing = open_tasks(connection, reference=row.reference, kinds=(*KINDS, Kind.REPORT))
    report = lane_matter(row.reference, row.authority, row.environment)
    clock = next((task for task in standing if task.about in (row.id, report)), None)
    wanted = _NEXT.get(state)
    for task in standing:
        if task.about == row.id and task.kind is not wanted:
            close_task(connection, now, kind=task.kind, about=row.id, actor=actor, outcome=state.value)
    if wanted is not None:
        open_task(
            connection, now, kind=wanted, about=row.id, reference=row.reference, authority=row.authority,
            level=clock.level if clock else None, due=clock.due if clock else None,
            basis=clock.basis if clock else Basis.TARGET, rule=clock.rule if clock else "", actor=actor,
        )  # fmt: skip
