"""
Circuits: while an authority does not answer, its lane rests and one probe at a time asks whether it is back.

An open circuit costs no delivery an attempt. Deliveries whose filing call may have arrived are not held back by it:
they repeat that call, minutes apart, while the draft can live.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, CursorResult, Engine, delete, func, select, update
from sqlmodel import col

from reporter.audit import service as audit
from reporter.authority import Outcome
from reporter.clock import Clock
from reporter.db.engine import reading, transaction
from reporter.db.statements import inserting
from reporter.delivery.model import Entry
from reporter.delivery.tables import Circuit

#: So many calls in a row without an answer, whichever deliveries they were for, are an outage.
THRESHOLD = 5
#: Probes are at most this far apart.
LONGEST = timedelta(minutes=5)
_NO_ANSWER = (Outcome.NOT_SENT, Outcome.UNKNOWN)


def open_circuits(engine: Engine) -> Mapping[str, tuple[datetime, datetime]]:
    """Give the lanes that rest, each with since when and the moment of its next probe."""
    with reading(engine) as connection:
        rows = connection.execute(select(col(Circuit.lane), col(Circuit.opened_at), col(Circuit.probe_at)))
        return {row.lane: (row.opened_at, row.probe_at) for row in rows}


class Breaker:
    """Opens, probes and closes circuits; one instance may serve many threads."""

    def __init__(self, engine: Engine, clock: Clock, base: timedelta) -> None:
        self._engine, self._clock, self._base = engine, clock, base
        self._unanswered: Counter[str] = Counter()
        self._lock = threading.Lock()

    def note(self, lane: str, last: Entry | None) -> None:
        """Take notice of how the last call of a delivery ended; the circuit opens after too many without an answer."""
        if last is None:
            return
        with self._lock:
            self._unanswered[lane] = self._unanswered[lane] + 1 if last.outcome in _NO_ANSWER else 0
            opens = self._unanswered[lane] == THRESHOLD
        if opens:
            with transaction(self._engine) as connection:
                self._open(connection, lane)

    def probes_due(self, lanes: Sequence[str]) -> list[str]:
        """Give the lanes whose authority is to be probed now, each to one caller only."""
        now, claimed = self._clock.now(), []
        with transaction(self._engine) as connection:
            due = select(col(Circuit.lane), col(Circuit.probes), col(Circuit.probe_at))
            for row in connection.execute(due.where(col(Circuit.lane).in_(lanes), col(Circuit.probe_at) <= now)).all():
                mine: CursorResult[tuple[object]] = connection.execute(
                    update(Circuit)
                    .where(col(Circuit.lane) == row.lane, col(Circuit.probe_at) == row.probe_at)
                    .values(probes=row.probes + 1, probe_at=now + self._interval(row.probes + 1))
                )
                claimed += [row.lane] * mine.rowcount
        return claimed

    def next_probe(self, lanes: Sequence[str]) -> datetime | None:
        """Give the moment of the next probe, if a circuit is open."""
        query = select(func.min(col(Circuit.probe_at))).where(col(Circuit.lane).in_(lanes))
        with transaction(self._engine) as connection:
            moment: datetime | None = connection.execute(query).scalar_one_or_none()
        return moment

    def close(self, lane: str) -> None:
        """Let a lane go on whose authority has answered."""
        with self._lock:
            self._unanswered[lane] = 0
        with transaction(self._engine) as connection:
            gone: CursorResult[tuple[object]] = connection.execute(delete(Circuit).where(col(Circuit.lane) == lane))
            if gone.rowcount:
                audit.record(connection, at=self._clock.now(), actor="reporter", kind="circuit_closed", detail=lane)

    def _open(self, connection: Connection, lane: str) -> None:
        now = self._clock.now()
        opened = connection.execute(
            inserting(connection, Circuit)
            .values(lane=lane, opened_at=now, probes=0, probe_at=now + self._interval(0))
            .on_conflict_do_nothing(index_elements=["lane"])
        )
        if opened.rowcount:
            audit.record(connection, at=now, actor="reporter", kind="circuit_opened", detail=lane)

    def _interval(self, probes: int) -> timedelta:
        return min(self._base * 2.0 ** min(probes, 20), LONGEST)
