"""Writing and reading the custody log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select
from sqlmodel import col

from reporter.audit.tables import CustodyEvent


def record(
    connection: Connection,
    *,
    at: datetime,
    actor: str,
    kind: str,
    reference: str | None = None,
    item: str | None = None,
    detail: str = "",
) -> None:
    """
    Append one event, in the transaction of the thing it tells of.

    ``detail`` holds ids, codes and digests; never content, personal data or secrets.
    """
    connection.execute(
        insert(CustodyEvent).values(at=at, actor=actor, kind=kind, reference=reference, item=item, detail=detail)
    )


def events(connection: Connection, reference: str | None = None) -> Sequence[CustodyEvent]:
    """Give the events of one case, or all, oldest first."""
    query = select(CustodyEvent.__table__).order_by(col(CustodyEvent.id))  # type: ignore[attr-defined]
    if reference is not None:
        query = query.where(col(CustodyEvent.reference) == reference)
    return [CustodyEvent.model_validate(dict(row)) for row in connection.execute(query).mappings()]
