"""Whether the threads of a worker get on: each says so at every step of its loop, and during long uploads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from reporter.clock import Clock


class Pulse:
    """When each thread last got on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: dict[int, datetime] = {}

    @contextmanager
    def felt(self) -> Iterator[None]:
        """Watch this thread during a block."""
        self._last[threading.get_ident()] = self._clock.now()
        try:
            yield
        finally:
            del self._last[threading.get_ident()]

    def beat(self) -> None:
        """Say that this thread got on, if it is being watched."""
        if threading.get_ident() in self._last:
            self._last[threading.get_ident()] = self._clock.now()

    def regular(self, within: timedelta) -> bool:
        """Whether every thread that is at work got on ``within`` this time."""
        now = self._clock.now()
        return all(now - last <= within for last in list(self._last.values()))
