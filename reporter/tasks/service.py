"""
The register of tasks: what other rooms open and close, each time in the transaction of the thing that asks for it.

The caller holds what the task is about, such as the case; where two open one task at once, one of them wins.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from reporter.audit import service as audit
from reporter.tasks.model import Basis, Kind, Task
from reporter.tasks.tables import TaskRecord

TASK = TaskRecord.__table__  # type: ignore[attr-defined]


def open_task(
    connection: Connection,
    now: datetime,
    *,
    kind: Kind,
    about: str,
    reference: str | None = None,
    authority: str = "",
    level: int | None = None,
    due: datetime | None = None,
    basis: Basis = Basis.TARGET,
    rule: str = "",
    actor: str,
    exactly: bool = False,
) -> int:
    """
    Open a task and give its id; an open one of the same kind and matter is kept, and takes the sooner clock.

    Args:
        connection: The transaction of what asks for it.
        now: When.
        kind: What a person must do.
        about: What it concerns; an id or a code.
        reference: The case (or referral) that it belongs to.
        authority: Whom it concerns.
        level: The priority level of the report, 1 to 3.
        due: By when.
        basis: Whether the law sets that time, or it is the operator's own target.
        rule: The rule that started the clock, with its version.
        actor: Who does what opens it.
        exactly: Whether an open one takes this clock even where its own is sooner.
    """
    clock = {"due": due, "basis": basis.value, "rule": rule, "level": level}
    values = {"kind": kind.value, "about": about, "reference": reference, "authority": authority, **clock}
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = {**values, "opened_at": now, "opened_by": actor, "outcome": "", "receipt": ""}
    new = dialect.insert(TASK).values(row).on_conflict_do_nothing().returning(TASK.c.id)
    standing = None
    while standing is None:  # whoever closes the one that stood in the way has done so by the second round
        number = connection.execute(new).scalar_one_or_none()
        if number is not None:
            _tell(connection, "task_opened", now, actor, number, reference, f"{kind} {about}{_until(due, basis)}")
            return int(number)
        standing = connection.execute(_open(kind, about).with_for_update()).one_or_none()
    sooner = due is not None and (standing.due is None or due < standing.due)
    if sooner or (exactly and any(getattr(standing, name) != value for name, value in clock.items())):
        connection.execute(update(TASK).where(TASK.c.id == standing.id).values(clock))
        _tell(connection, "task_clock", now, actor, standing.id, reference, f"{kind} {about}{_until(due, basis)}")
    return int(standing.id)


def close_task(
    connection: Connection, now: datetime, *, kind: Kind, about: str, actor: str, outcome: str, receipt: str = ""
) -> bool:
    """Close the open task of this kind and matter, if there is one; say whether there was. ``outcome`` is a code."""
    row = connection.execute(_open(kind, about).with_for_update()).one_or_none()
    if row is None:
        return False
    close_row(connection, now, row, actor=actor, outcome=outcome, receipt=receipt)
    return True


def close_row(connection: Connection, now: datetime, row: Row[Any], *, actor: str, outcome: str, **more: Any) -> None:
    """Close a task that the caller holds; ``more`` are further columns."""
    values = {"outcome": outcome, "closed_by": actor, "closed_at": now, **more}
    connection.execute(update(TASK).where(TASK.c.id == row.id).values(values))
    _tell(connection, "task_closed", now, actor, row.id, row.reference, f"{row.kind} {row.about} {outcome}")


def open_tasks(connection: Connection, *, reference: str | None = None, kinds: Iterable[Kind] = ()) -> list[Task]:
    """Give the open tasks, of one case or of some kinds where it says so, what is due first before all."""
    query = select(TASK).where(TASK.c.closed_at.is_(None))
    if reference is not None:
        query = query.where(TASK.c.reference == reference)
    if wanted := [kind.value for kind in kinds]:
        query = query.where(TASK.c.kind.in_(wanted))
    order = (TASK.c.due.is_(None), TASK.c.due, TASK.c.id)
    return [task_of(row) for row in connection.execute(query.order_by(*order))]


def forget(connection: Connection, reference: str) -> None:
    """Remove the tasks of a destroyed case, but for the references by which authorities were told of it by hand."""
    told = TASK.c.closed_at.is_not(None) & (TASK.c.receipt != "")
    connection.execute(delete(TASK).where(TASK.c.reference == reference, ~told))


def task_of(row: Row[Any]) -> Task:
    """Give the task that a row holds."""
    values = {name: getattr(row, name) for name in Task.__dataclass_fields__}
    return Task(**{**values, "kind": Kind(row.kind), "basis": Basis(row.basis)})


def _open(kind: Kind, about: str) -> Any:
    return select(TASK).where(TASK.c.kind == kind.value, TASK.c.about == about, TASK.c.closed_at.is_(None))


def _until(due: datetime | None, basis: Basis) -> str:
    return f" {basis}:{due.isoformat(timespec='seconds')}" if due else ""


def _tell(
    connection: Connection, kind: str, now: datetime, actor: str, number: int, reference: str | None, detail: str
) -> None:
    audit.record(connection, at=now, actor=actor, kind=kind, reference=reference, item=str(number), detail=detail)
