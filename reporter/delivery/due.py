"""Which clocks a person must hear of: those that run out soon or have run out, and what one person approved alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from reporter.alarms.model import Kind, Matter
from reporter.tasks.model import Kind as Task
from reporter.tasks.service import TASK

#: What is done by the dozen every day is told of once for each authority, by its soonest clock; the board has the rest.
_TOGETHER = (Task.JUDGE.value, Task.REPORT.value)


def clocks_running_out(connection: Connection, now: datetime, early: timedelta) -> Iterator[Matter]:
    """Give the tasks whose clock has run out or does so within ``early``, and reviews that are outstanding."""
    open_ones = TASK.c.closed_at.is_(None)
    alone = select(TASK.c.about, TASK.c.reference, TASK.c.authority, TASK.c.opened_at)
    for row in connection.execute(alone.where(open_ones, TASK.c.kind == Task.REVIEW.value)):
        yield Matter(Kind.BREAK_GLASS, row.about, row.opened_at, row.reference, row.authority)
    late = open_ones & (TASK.c.due <= now + early)
    each = select(TASK.c.id, TASK.c.kind, TASK.c.due, TASK.c.reference, TASK.c.authority)
    for row in connection.execute(each.where(late, TASK.c.kind.not_in(_TOGETHER))):
        yield Matter(_kind(row.due, now), f"task {row.id}", row.due, row.reference, row.authority)
    soonest = select(TASK.c.kind, TASK.c.authority, func.min(TASK.c.due).label("due"))
    for row in connection.execute(
        soonest.where(late, TASK.c.kind.in_(_TOGETHER)).group_by(TASK.c.kind, TASK.c.authority)
    ):
        yield Matter(_kind(row.due, now), f"{row.kind} {row.authority}".rstrip(), row.due, lane=row.authority)


def _kind(due: datetime, now: datetime) -> Kind:
    return Kind.TASK_OVERDUE if due <= now else Kind.TASK_DUE
