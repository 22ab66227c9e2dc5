"""Reading and writing the rows of exports, inside a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from reporter.errors import NotFoundError
from reporter.export.model import Copy, Envelope, Export, Recipient
from reporter.export.tables import ExportCopy, ExportItem, ExportRequest

REQUEST: Final = ExportRequest.__table__  # type: ignore[attr-defined]
ITEM: Final = ExportItem.__table__  # type: ignore[attr-defined]
COPY: Final = ExportCopy.__table__  # type: ignore[attr-defined]


def row_of(connection: Connection, export: str, *, held: bool = False) -> Row[Any]:
    """
    Give the row of an export; ``held`` until the transaction ends.

    Raises:
        NotFoundError: There is none of that id.
    """
    query = select(REQUEST).where(REQUEST.c.id == export)
    row = connection.execute(query.with_for_update() if held else query).one_or_none()
    if row is None:
        raise NotFoundError("There is no export of that id.", next_step="See: reporter export list")
    return row


def export_of(connection: Connection, row: Row[Any]) -> Export:
    """Give the export that a row is about."""
    copies = connection.execute(select(COPY).where(COPY.c.export == row.id).order_by(COPY.c.at, COPY.c.sha256))
    return Export(
        id=row.id,
        reference=row.reference,
        demand=row.demand,
        recipient=Recipient(row.recipient, Envelope(row.envelope), row.fingerprint),
        content=row.content,
        digest=row.digest,
        asked_at=row.asked_at,
        asked_by=row.asked_by,
        approved_at=row.approved_at,
        approved_by=row.approved_by,
        sealed_at=row.sealed_at,
        checkpoint=row.checkpoint,
        stamped_at=row.stamped_at,
        size=row.size,
        withdrawn_at=row.withdrawn_at,
        withdrawn_by=row.withdrawn_by,
        copies=tuple(
            Copy(copy.at, copy.by, copy.sha256, copy.size, copy.received_at, copy.received_by) for copy in copies
        ),
    )


def exports(connection: Connection, reference: str | None = None) -> Sequence[Export]:
    """Give the exports of a case, or all, oldest first."""
    query = select(REQUEST).order_by(REQUEST.c.asked_at, REQUEST.c.id)
    if reference is not None:
        query = query.where(REQUEST.c.reference == reference)
    return [export_of(connection, row) for row in connection.execute(query).all()]


def items_of(connection: Connection, export: str) -> list[Row[Any]]:
    """Give the rows of the items whose bytes leave with an export, by id."""
    return list(connection.execute(select(ITEM).where(ITEM.c.export == export).order_by(ITEM.c.evidence_id)).all())
