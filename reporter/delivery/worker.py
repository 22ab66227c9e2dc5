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
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

from reporter.authority import Outcome
from reporter.clock import Clock
from reporter.delivery.circuit import Breaker
from reporter.delivery.engine import Engine, Result
from reporter.delivery.pulse import Pulse
from reporter.delivery.queue import Queue
from reporter.errors import ReporterError

_log = logging.getLogger(__name__)
#: How often an idle worker looks for new work.
_POLL = timedelta(seconds=0.5)
_URGENT_POLL_SECONDS = 0.1


class Worker:
    """
    Works the queue with ``concurrency`` threads.

    ``watch`` looks before anything is claimed; ``report`` is told of every delivery carried on.
    """

    def __init__(
        self,
        queue: Queue,
        engine: Engine,
        breaker: Breaker,
        clock: Clock,
        pulse: Pulse,
        *,
        probe: Callable[[str], Outcome],
        lanes: Sequence[str],
        concurrency: int,
        watch: Callable[[], None] = lambda: None,
        report: Callable[[Result], None] = lambda _result: None,
    ) -> None:
        self._queue, self._engine, self._breaker, self._clock = queue, engine, breaker, clock
        self._pulse = pulse
        self._probe = probe
        self._lanes, self._concurrency = tuple(lanes), concurrency
        self._watch, self._report = watch, report
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:6]}"
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
        self._probe_circuits()
        done = threading.Event()
        with ThreadPoolExecutor(self._concurrency + 1) as pool:
            threads = [pool.submit(self._drain) for _ in range(self._concurrency)]
            urgent = pool.submit(self._watch_urgent, done)
            try:
                wait(threads)
            except KeyboardInterrupt:
                self.stop()
                raise
            finally:
                done.set()
        for thread in (*threads, urgent):
            thread.result()

    def until_idle(self) -> None:
        """Work until nothing is due any more, now or later."""
        while not self._stop.is_set():
            self.once()
            moments = [self._queue.next_due(self._lanes), self._breaker.next_probe(self._lanes)]
            due = [moment for moment in moments if moment is not None]
            if not due:
                return
            self._wait((min(due) - self._clock.now()).total_seconds())

    def forever(self) -> None:
        """Work until stopped; trouble with the database or the machine is logged by kind and outlived."""
        with ThreadPoolExecutor(self._concurrency + 1) as pool:
            for _ in range(self._concurrency):
                pool.submit(self._repeat, self._drain)
            pool.submit(self._repeat, self._drain_urgent)
            self._repeat(self._probe_circuits)

    def _repeat(self, task: Callable[[], None]) -> None:
        while not self._stop.is_set():
            try:
                task()
            except Exception as error:
                what = error.diagnostics() if isinstance(error, ReporterError) else type(error).__name__
                _log.error("worker: %s; trying again", what)
            self._stop.wait(_POLL.total_seconds())

    def _wait(self, seconds: float) -> None:
        if not self._stop.is_set():
            self._clock.sleep(min(max(seconds, 0.0), _POLL.total_seconds()))

    def _probe_circuits(self) -> None:
        """Ask the authorities that did not answer whether they are back, and let their lanes go on."""
        for lane in self._breaker.probes_due(self._lanes):
            outcome = self._probe(lane)
            if outcome in (Outcome.ACCEPTED, Outcome.UNAUTHORISED):  # it answers; the queue deals with the rest
                self._breaker.close(lane)

    def _watch_urgent(self, done: threading.Event) -> None:
        """While the other threads are busy, perhaps with large uploads, keep one for what is urgent."""
        while not done.is_set() and not self._stop.is_set():
            self._drain_urgent()
            done.wait(_URGENT_POLL_SECONDS)

    def _drain_urgent(self) -> None:
        self._drain(urgent_only=True)

    def _drain(self, *, urgent_only: bool = False) -> None:
        with self._pulse.felt():
            self._work_what_is_due(urgent_only=urgent_only)

    def _work_what_is_due(self, *, urgent_only: bool) -> None:
        self._watch()
        trouble: ReporterError | None = None
        while not self._stop.is_set() and (claim := self._queue.claim(self.name, self._lanes, urgent_only=urgent_only)):
            self._pulse.beat()
            try:
                result = self._engine.work(claim)
            except ReporterError as error:  # its lease keeps it from coming up again at once
                trouble = trouble or error
                continue
            if result is not None:
                self._breaker.note(result.lane, result.last)
                self._report(result)
        if trouble:
            raise trouble
