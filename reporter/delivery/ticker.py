"""The tick beside a worker: say that it is alive, give the dead-man signal, run the watch, keep the custody log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import Engine, delete, insert, update
from sqlmodel import col

from reporter.alarms.heartbeat import Heartbeat
from reporter.clock import Clock
from reporter.db.engine import transaction
from reporter.delivery.queue import oldest_due
from reporter.delivery.tables import WorkerSeen
from reporter.delivery.watch import Watch
from reporter.errors import ReporterError

_log = logging.getLogger(__name__)
#: Well below every patience that alarms have.
EVERY_SECONDS = 15.0
#: How long it is remembered when a worker was seen.
_KEPT = timedelta(days=7)


class Ticker:
    """Ticks for one worker; ``gets_on`` tells whether its threads really get through their loop."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        watch: Watch,
        heartbeat: Heartbeat,
        name: str,
        gets_on: Callable[[], bool],
        keep_log: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine, self._clock, self._watch, self._heartbeat = engine, clock, watch, heartbeat
        self._name, self._gets_on, self._keep_log = name, gets_on, keep_log
        self._over = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Tick in a thread of its own during a block; at its end say that the worker has stopped, and look again."""
        self.begin()
        thread = threading.Thread(target=self._repeat, name="ticker", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()
            self.end()

    def begin(self) -> None:
        """
        Say that the worker has begun, and forget those long gone.

        Raises:
            EnvironmentTroubleError: The database does not work.
        """
        now = self._clock.now()
        with transaction(self._engine) as connection:
            connection.execute(delete(WorkerSeen).where(col(WorkerSeen.seen_at) < now - _KEPT))
            connection.execute(insert(WorkerSeen).values(name=self._name, started_at=now, seen_at=now))

    def tick(self) -> None:
        """
        Tick once; trouble with one part is logged by kind and does not keep the others from theirs.

        A worker whose threads hang, or whose database does not answer, gives no sign of life.
        """
        self._outlive(self._live)
        self._outlive(self._look)
        self._outlive(self._keep_log)

    def end(self) -> None:
        """Say that the worker has stopped, and look once more."""
        self._outlive(lambda: self._write(stopped_at=self._clock.now()))
        self._outlive(self._look)
        self._outlive(self._keep_log)

    def _repeat(self) -> None:
        while True:
            self.tick()
            if self._over.wait(EVERY_SECONDS):
                return

    def _outlive(self, part: Callable[[], None]) -> None:
        try:
            part()
        except Exception as error:
            what = error.diagnostics() if isinstance(error, ReporterError) else type(error).__name__
            _log.error("worker: %s", what)

    def _live(self) -> None:
        if not self._gets_on():
            return
        now = self._clock.now()
        self._write(seen_at=now)
        with transaction(self._engine) as connection:
            due = oldest_due(connection, now)
        waiting = (now - due).total_seconds() if due else 0.0
        self._heartbeat.beat(now, {"worker": self._name, "oldest_due_seconds": waiting})

    def _look(self) -> None:
        for channel, trouble in self._watch.check().items():
            _log.error("alarm: %s: %s; trying again", channel, trouble)

    def _write(self, **values: object) -> None:
        with transaction(self._engine) as connection:
            connection.execute(update(WorkerSeen).where(col(WorkerSeen.name) == self._name).values(**values))
