"""The Merkle tree as the database keeps it: every complete subtree has a row, so anything is a handful of reads."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, and_, func, or_, select, text

from reporter.audit.merkle import Frontier, Place, Span, consistency, extends, fold, places
from reporter.audit.tables import Node
from reporter.errors import LogDamagedError

NODE = Node.__table__  # type: ignore[attr-defined]
#: Any constant will do, as long as every release uses the same one; and no worker waits longer for another one's batch.
_ADVISORY_LOCK, _LOCK_TIMEOUT = 7_245_119_032, "10s"


def hold(connection: Connection) -> None:
    """Be the only one who changes the log until this transaction ends (SQLite has one writer in any case)."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})


def size_of(connection: Connection) -> int:
    """Count the leaves."""
    last = connection.execute(select(func.max(NODE.c.position)).where(NODE.c.level == 0)).scalar_one()
    return 0 if last is None else int(last) + 1


def frontier(connection: Connection, size: int | None = None) -> Frontier:
    """
    Give the right edge of the tree, to append to; or the one that it had at an earlier size.

    Raises:
        LogDamagedError: A part of it is missing.
    """
    size = size_of(connection) if size is None else size
    span = places(Span(0, size))
    found = _hashes(connection, span)
    return Frontier(size, [found[place] for place in span])


def roots(connection: Connection, spans: Sequence[Span]) -> list[bytes]:
    """
    Give the root above each span, as proofs are made of.

    Raises:
        LogDamagedError: A part of the tree is missing.
    """
    parts = [places(span) for span in spans]
    found = _hashes(connection, [place for part in parts for place in part])
    return [fold([found[place] for place in part]) for part in parts]


def continues(connection: Connection, old: int, old_root: bytes, now: Frontier) -> bool:
    """
    Whether the tree as it is now begins with the one of ``old`` leaves and that root; O(log n).

    Raises:
        LogDamagedError: A part of the tree is missing.
    """
    if old > now.size:
        return False
    return extends(old, old_root, now.size, now.root, roots(connection, consistency(old, now.size)))


def _hashes(connection: Connection, wanted: Sequence[Place]) -> dict[Place, bytes]:
    if not wanted:
        return {}
    # Not a list of pairs, for which SQLite reads the whole table.
    of_each = (and_(NODE.c.level == level, NODE.c.position == position) for level, position in dict.fromkeys(wanted))
    query = select(NODE.c.level, NODE.c.position, NODE.c.hash).where(or_(*of_each))
    found = {Place(row.level, row.position): bytes(row.hash) for row in connection.execute(query)}
    for place in wanted:
        if place not in found:
            raise LogDamagedError(
                f"The custody log is damaged: its tree lacks node {place.position} of level {place.level}.",
                next_step="Run: reporter audit verify",
            )
    return found
