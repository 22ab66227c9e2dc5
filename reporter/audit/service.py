"""Writing and reading the custody log."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, insert, select

from reporter.audit.model import Event, canonical, parsed
from reporter.audit.tables import Outbox

_OUTBOX = Outbox.__table__  # type: ignore[attr-defined]
_ADD = insert(_OUTBOX)


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

    ``kind`` is one of ``reporter.audit.kinds``; ``detail`` holds ids, codes and digests, never content, personal data
    or secrets.
    """
    connection.execute(_ADD, {"content": canonical(Event(at, actor, kind, reference, item, detail))})


def record_all(connection: Connection, events: Iterable[Event]) -> None:
    """Append events in this order, in the transaction of the things they tell of; one statement for all of them."""
    rows = [{"content": canonical(event)} for event in events]
    if rows:
        connection.execute(_ADD, rows)


def events(connection: Connection, reference: str | None = None) -> list[Event]:
    """Give the events of one case, or all, oldest first."""
    waiting = connection.execute(select(_OUTBOX.c.content).order_by(_OUTBOX.c.id)).scalars()
    return [event for event in map(parsed, waiting) if reference in (None, event.reference)]
