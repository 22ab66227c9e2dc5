"""
Workers: threads that claim what is due and carry it on.

``once`` does what is due now, ``until_idle`` waits through retries until everything is accepted or needs a person,
``forever`` runs until it is told to stop.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from reporter.clock import Clock
from reporter.delivery.engine import Engine, Result
from reporter.delivery.queue import Queue
from reporter.errors import ReporterError

_log = logging.getLogger(__name__)
#: How often an idle worker looks for new work.
_POLL = timedelta(seconds=0.5)


class Worker:
    """Works the queue with ``concurrency`` threads; ``report`` is told of every delivery carried on."""

    def __init__(
        self,
        queue: Queue,
        engine: Engine,
        clock: Clock,
        *,
        lanes: Sequence[str],
        concurrency: int,
        report: Callable[[Result], None] = lambda _result: None,
    ) -> None:
        self._queue, self._engine, self._clock = queue, engine, clock
        self._lanes, self._concurrency, self._report = tuple(lanes), concurrency, report
        self._name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:6]}"
        self._stop = threading.Event()

    def stop(self) -> None:
        """Finish the calls under way and end."""
        self._stop.set()

    def once(self) -> None:
        """
        Work everything that is due now; trouble with one delivery does not keep the others waiting.

        Raises:
            ReporterError: Keys, disk, database or configuration stood in the way of at least one.

        """
        with ThreadPoolExecutor(self._concurrency) as pool:
            threads = [pool.submit(self._drain) for _ in range(self._concurrency)]
        for thread in threads:
            thread.result()

    def until_idle(self) -> None:
        """Work until nothing is due any more, now or later."""
        while not self._stop.is_set():
            self.once()
            due = self._queue.next_due(self._lanes)
            if due is None:
                return
            self._wait((due - self._clock.now()).total_seconds())

    def forever(self) -> None:
        """Work until stopped; trouble with the database or the machine is logged by kind and outlived."""
        while not self._stop.is_set():
            try:
                self.once()
            except Exception as error:
                what = error.diagnostics() if isinstance(error, ReporterError) else type(error).__name__
                _log.error("worker: %s; trying again", what)
            self._wait(_POLL.total_seconds())

    def _wait(self, seconds: float) -> None:
        if not self._stop.is_set():
            self._clock.sleep(min(max(seconds, 0.0), _POLL.total_seconds()))

    def _drain(self) -> None:
        trouble: ReporterError | None = None
        while not self._stop.is_set() and (claim := self._queue.claim(self._name, self._lanes)):
            try:
                result = self._engine.work(claim)
            except ReporterError as error:  # its lease keeps it from coming up again at once
                trouble = trouble or error
                continue
            if result is not None:
                self._report(result)
        if trouble:
            raise trouble
