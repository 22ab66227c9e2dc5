"""A clock that stands still until it is told to move."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta


class FakeClock:
    """Time under control: ``sleep`` moves it at once and waits for nobody."""

    def __init__(self, start: datetime = datetime(2026, 11, 22, 12, tzinfo=UTC)) -> None:
        self._now = start
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Give the moment it stands at."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Move on by ``seconds``."""
        self.advance(timedelta(seconds=seconds))

    def advance(self, by: timedelta) -> None:
        """Move on."""
        with self._lock:
            self._now += by

    def advance_to(self, moment: datetime) -> None:
        """Move on to ``moment``; never back."""
        with self._lock:
            self._now = max(self._now, moment)
