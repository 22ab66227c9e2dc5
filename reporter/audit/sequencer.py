"""
The sequencer: turns waiting events into leaves, one batch in one transaction, one sequencer at a time.

What waits is what is in the outbox, whatever its number: PostgreSQL gives numbers before it commits, so a lower one may
come late. A batch takes its events out of the outbox in the transaction that makes them leaves, so a crash loses and
doubles nothing. Whoever records an event waits for none of this.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from sqlalchemy import Connection, Engine, delete, insert, select, text
from sqlalchemy.exc import IntegrityError

from reporter.audit import tree
from reporter.audit.kinds import DESTROYED
from reporter.audit.model import SALT_BYTES, leaf_of, listed_positions, parsed
from reporter.audit.tables import Outbox, Record
from reporter.db.engine import reading, transaction
from reporter.errors import LogDamagedError

#: Events in one transaction: as many as take a few hundredths of a second, for SQLite has one writer.
BATCH = 1000

_OUTBOX = Outbox.__table__  # type: ignore[attr-defined]
_RECORD = Record.__table__  # type: ignore[attr-defined]
_WAITING = select(_OUTBOX.c.id, _OUTBOX.c.content).order_by(_OUTBOX.c.id)


class Sequencer:
    """Appends to the log."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(self) -> int:
        """
        Make leaves of all that waits; give how many.

        Raises:
            LogDamagedError: The tree is damaged; what waits goes on waiting.
            EnvironmentTroubleError: The database does not work.
        """
        done = 0
        while self._waits():
            done += self._batch()
        return done

    def _waits(self) -> bool:
        with reading(self._engine) as connection:
            return connection.execute(_WAITING.limit(1)).first() is not None

    def _batch(self) -> int:
        try:
            return self._made()
        except IntegrityError as error:  # something stands where the next leaf or node belongs
            raise LogDamagedError(
                "The custody log is damaged: its next place is taken.", next_step="Run: reporter audit verify"
            ) from error

    def _made(self) -> int:
        with transaction(self._engine) as connection:
            tree.hold(connection)
            waiting = connection.execute(_WAITING.limit(BATCH)).all()
            if waiting:
                self._append(connection, [row.content for row in waiting])
                connection.execute(delete(_OUTBOX).where(_OUTBOX.c.id.in_([row.id for row in waiting])))
            return len(waiting)

    def _append(self, connection: Connection, contents: Iterable[str]) -> None:
        frontier = tree.frontier(connection)
        nodes, records = [], []
        destroyed: list[range] = []
        for content in contents:
            position, salt = frontier.size, os.urandom(SALT_BYTES)
            reference, kind = None, ""
            try:
                event = parsed(content)
                reference, kind = event.reference, event.kind
                if kind == DESTROYED:
                    destroyed += listed_positions(event.detail, below=position)
            except ValueError:
                pass  # somebody changed it while it waited: it becomes a leaf all the same, for verify to name
            row = {"position": position, "reference": reference, "kind": kind, "salt": salt, "content": content}
            records.append(row)
            nodes += [
                {"level": place.level, "position": place.position, "hash": value}
                for place, value in frontier.append(leaf_of(salt, content))
            ]
        connection.execute(insert(tree.NODE), nodes)
        connection.execute(insert(_RECORD), records)
        _destroy(connection, destroyed)


def _destroy(connection: Connection, listed: Iterable[range]) -> None:
    """Remove records, now that their destruction is a leaf; SQLite is told to overwrite what it frees."""
    for positions in listed:
        if connection.dialect.name == "sqlite":
            connection.execute(text("PRAGMA secure_delete = ON"))
        connection.execute(
            delete(_RECORD).where(
                _RECORD.c.position >= positions.start, _RECORD.c.position < positions.stop, _RECORD.c.kind != DESTROYED
            )
        )
