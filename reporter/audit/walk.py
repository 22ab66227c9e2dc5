"""
One pass over the log, or a part of it: everything is computed again from the records, and compared with all that
vouches for it.

The log is read page by page, so memory does not grow with it but for one bit for each leaf. The pass ends at the first
bad entry and names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select, true

from reporter.audit import diagnosis, tree
from reporter.audit.faults import Fault, Wrong
from reporter.audit.kinds import DESTROYED
from reporter.audit.merkle import Frontier, Place
from reporter.audit.model import leaf_of, listed_positions, parsed
from reporter.audit.notes import Checkpoint
from reporter.audit.tables import Record

#: Leaves read at once: a power of two, so that the nodes above a page are about a page too.
PAGE = 4096

_RECORD = Record.__table__  # type: ignore[attr-defined]
_LEAVES = (
    select(
        tree.NODE.c.position,
        tree.NODE.c.hash,
        *(_RECORD.c[name] for name in ("salt", "content", "reference", "kind")),
    )
    .outerjoin(_RECORD, _RECORD.c.position == tree.NODE.c.position)
    .where(tree.NODE.c.level == 0)
    .order_by(tree.NODE.c.position)
)


class Walk:
    """
    One pass over the log, from its first leaf to its last or to the first bad one.

    A part of it goes on from ``begin``, which somebody vouches for, for so many ``leaves``; ``signed`` are the
    checkpoints of these sizes.
    """

    def __init__(
        self,
        connection: Connection,
        signed: Sequence[Checkpoint],
        begin: Frontier | None = None,
        leaves: int | None = None,
    ) -> None:
        self._connection = connection
        self._signed = sorted(signed, key=lambda checkpoint: checkpoint.size)
        self._leaves = self._count(tree.NODE.c.level == 0)
        self._gone = self._listed()
        self._pending: dict[Place, bytes] = {}
        self.frontier = begin or Frontier()
        self._agreed_size = self.frontier.size
        self._stop = None if leaves is None else self.frontier.size + leaves
        self.agreed = self.destroyed = 0

    def run(self) -> Fault | None:
        """Give the first fault."""
        fault = self._compare()
        while fault is None:
            left = PAGE if self._stop is None else min(PAGE, self._stop - self.frontier.size)
            if left == 0:
                return None
            query = _LEAVES.where(tree.NODE.c.position >= self.frontier.size).limit(left)
            page = self._connection.execute(query).all()
            if not page:
                break
            fault = self._page(page)
        return fault or self._ends()

    def _listed(self) -> bytearray:
        """Give a bit for each leaf: whether a later one says that its record was destroyed."""
        bits = bytearray(self._leaves // 8 + 1)
        query = select(_RECORD.c.position, _RECORD.c.content).where(_RECORD.c.kind == DESTROYED)
        for row in self._connection.execute(query):
            try:
                listed = [*listed_positions(parsed(row.content).detail, below=min(row.position, self._leaves))]
            except ValueError:
                continue  # it was altered, and is named when its turn comes
            for positions in listed:
                for position in positions:
                    bits[position >> 3] |= 1 << (position & 7)
        return bits

    def _page(self, page: Sequence[Any]) -> Fault | None:
        for row in page:
            fault = self._leaf(row)
            if fault is not None:
                return self._nodes() or fault  # a node before it may be the first that is wrong
            for place, value in self.frontier.append(bytes(row.hash))[1:]:
                self._pending[place] = value
            if fault := self._compare():
                return self._nodes() or fault
        return self._nodes()

    def _leaf(self, row: Any) -> Fault | None:
        position, leaf = self.frontier.size, bytes(row.hash)
        if row.position != position:
            return Fault(Wrong.LEAF_MISSING, position, f"There is no leaf at {position}.")
        if row.content is None:
            if self._gone[position >> 3] >> (position & 7) & 1:
                self.destroyed += 1
                return None
            message = f"There is no record at {position}, and no later entry says that it was destroyed."
            return Fault(Wrong.RECORD_MISSING, position, message)
        by_record = leaf_of(bytes(row.salt), row.content)
        if by_record != leaf:
            return diagnosis.leaf_and_record(self._connection, position, by_record)
        try:
            event = parsed(row.content)
            if (event.reference, event.kind) == (row.reference, row.kind):
                return None
        except ValueError:
            pass
        message = f"The record at {position} is filed under another case or kind, or was altered while it waited."
        return Fault(Wrong.RECORD_ALTERED, position, message)

    def _nodes(self) -> Fault | None:
        """Compare the nodes computed since with those stored, in the order in which they were completed."""
        levels: dict[int, list[int]] = {}
        for place in self._pending:
            levels.setdefault(place.level, []).append(place.position)
        stored: dict[Place, bytes] = {}
        for level, positions in levels.items():
            query = select(tree.NODE.c.position, tree.NODE.c.hash).where(
                tree.NODE.c.level == level, tree.NODE.c.position.between(min(positions), max(positions))
            )
            stored |= {Place(level, row.position): bytes(row.hash) for row in self._connection.execute(query)}
        computed, self._pending = self._pending, {}
        wrong = [place for place, value in computed.items() if stored.get(place) != value]
        if not wrong:
            return None
        place = min(wrong, key=lambda place: ((place.position + 1) << place.level, place.level))
        return diagnosis.inner_node(self._connection, place, stored.get(place))

    def _signed_next(self) -> int | None:
        return self._signed[self.agreed].size if self.agreed < len(self._signed) else None

    def _compare(self) -> Fault | None:
        """Compare the root with what was signed at this size."""
        while self._signed_next() == self.frontier.size:
            if self._signed[self.agreed].root != self.frontier.root:
                message = (
                    f"The first {self.frontier.size} entries are not those that were signed; the first that differs "
                    f"stands at {self._agreed_size} or later."
                )
                return Fault(Wrong.HISTORY_REWRITTEN, self._agreed_size, message)
            self.agreed += 1
            self._agreed_size = self.frontier.size
        return None

    def _ends(self) -> Fault | None:
        """Say whether anything is left over: of what was signed, of the tree, of the records."""
        size = self.frontier.size
        if self._signed_next() is not None:
            message = f"The log ends before position {size}, but {self._signed[-1].size} entries were signed."
            return Fault(Wrong.LOG_CUT, size, message)
        beyond = select(_RECORD.c.position).where((_RECORD.c.position < 0) | (_RECORD.c.position >= size)).limit(1)
        if (position := self._connection.execute(beyond).scalar()) is not None:
            return Fault(Wrong.LEAF_MISSING, position, f"There is a record at {position}, but no leaf.")
        if self._count(true()) != 2 * size - size.bit_count():
            return Fault(Wrong.NODE_ALTERED, size, "The tree has nodes that belong to no leaf.")
        return None

    def _count(self, which: ColumnElement[bool]) -> int:
        return int(self._connection.execute(select(func.count()).select_from(tree.NODE).where(which)).scalar_one())
