"""Writing and reading the custody log."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, null, select, union_all

from reporter.audit import tree
from reporter.audit.kinds import DESTROYED
from reporter.audit.model import Event, canonical, parsed, written_positions
from reporter.audit.tables import Outbox, Record
from reporter.errors import NotFoundError, PolicyError

_OUTBOX = Outbox.__table__  # type: ignore[attr-defined]
_RECORD = Record.__table__  # type: ignore[attr-defined]
_ADD = insert(_OUTBOX)
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """An event with its position in the log; None while it waits in the outbox."""

    position: int | None
    event: Event


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


def forget(
    connection: Connection, positions: Iterable[int], *, at: datetime, actor: str, certificate: str | None = None
) -> None:
    """
    Destroy the records behind leaves; the leaves stay, and say nothing any more.

    They go when this becomes a leaf itself (``Sequencer.run``), which lists their positions and nothing else of them.
    Whether they may go is for the caller to know. ``certificate`` is the id of what vouches for it.

    Raises:
        NotFoundError: There is no such leaf.
        PolicyError: A record of an earlier destruction is among them.
    """
    wanted = sorted(set(positions))
    if not wanted:
        return
    size = tree.size_of(connection)
    if wanted[0] < 0 or wanted[-1] >= size:
        raise NotFoundError(f"The custody log has the positions 0 to {size - 1}.")
    query = select(_RECORD.c.position).where(_RECORD.c.kind == DESTROYED, _RECORD.c.position <= wanted[-1])
    if kept := set(connection.execute(query).scalars()).intersection(wanted):
        raise PolicyError(f"Position {min(kept)} of the custody log says what was destroyed, and stays.")
    record(connection, at=at, actor=actor, kind=DESTROYED, item=certificate, detail=written_positions(wanted))


def events(connection: Connection, reference: str | None = None) -> list[Event]:
    """Give the events of one case, or all, oldest first; those destroyed are not among them."""
    return [entry.event for entry in entries(connection, reference)]


def latest(connection: Connection, kinds: Collection[str]) -> Event | None:
    """Give the newest event of one of these kinds; of what waits, all is newer than the log."""
    waiting = connection.execute(select(_OUTBOX.c.content).order_by(_OUTBOX.c.id.desc())).scalars()
    for event in map(parsed, waiting):
        if event.kind in kinds:
            return event
    query = select(_RECORD.c.content).where(_RECORD.c.kind.in_(kinds)).order_by(_RECORD.c.position.desc()).limit(1)
    content: str | None = connection.execute(query).scalar_one_or_none()
    return parsed(content) if content is not None else None


def entries(connection: Connection, reference: str | None = None) -> Iterator[Entry]:
    """Give the events of one case, or all, oldest first, with their positions; page by page."""
    records = select(_RECORD.c.position, null().label("id"), _RECORD.c.content)
    if reference is not None:
        records = records.where(_RECORD.c.reference == reference)
    after, full = -1, True
    while full:
        page = connection.execute(
            records.where(_RECORD.c.position > after).order_by(_RECORD.c.position).limit(_PAGE)
        ).all()
        full = len(page) == _PAGE
        if full:
            after = page[-1].position
            yield from (Entry(row.position, parsed(row.content)) for row in page)
    waiting = select(null(), _OUTBOX.c.id, _OUTBOX.c.content)
    last = union_all(records.where(_RECORD.c.position > after), waiting)  # one statement: what moves is seen once
    for row in sorted(connection.execute(last), key=_place):
        event = parsed(row.content)
        if reference in (None, event.reference):
            yield Entry(row.position, event)


def _place(row: Row[Any]) -> tuple[bool, int]:
    """Sort leaves before what waits."""
    return (True, row.id) if row.position is None else (False, row.position)
