"""
Group commit: threads that wait for SQLite's one writer share a commit, and its one fsync.

One of them leads: it runs every waiting unit of work in one transaction, each inside a savepoint of its own, commits,
and hands each its result or its own exception. Nobody gets a result before it is durable. A crash before the commit
loses the whole batch, as if none of its callers had come to it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from sqlalchemy import Connection

_Given = TypeVar("_Given")


class _Unit:
    """One caller's work, and what came of it."""

    def __init__(self, work: Callable[[Connection], Any]) -> None:
        self.work = work
        self.woken = threading.Event()
        self.settled = False
        self.result: Any = None
        self.error: BaseException | None = None

    def run_apart(self, connection: Connection) -> None:
        """Run so that a failure undoes this unit alone."""
        driver: Any = connection.connection.driver_connection
        driver.execute("SAVEPOINT unit")
        try:
            self.result = self.work(connection)
        except BaseException as error:
            if not driver.in_transaction:  # the disk is full, say, and SQLite has rolled everything back by itself
                raise
            driver.execute("ROLLBACK TO unit")
            self.error = error
        driver.execute("RELEASE unit")

    def outcome(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.result


class GroupCommit:
    """Combines units of work on one database; ``turn`` is held while it writes."""

    def __init__(self) -> None:
        self.turn = threading.RLock()
        self._lock = threading.Lock()
        self._waiting: list[_Unit] = []
        self._led = False

    def run(
        self, begin: Callable[[], AbstractContextManager[Connection]], work: Callable[[Connection], _Given]
    ) -> _Given:
        """
        Run ``work`` in a transaction that ``begin`` gives, perhaps with others' work, and give what it gives.

        Whatever ``work`` raises is raised here; what the commit raises, every caller of the batch hears of. Never call
        it while holding ``turn``.
        """
        unit = _Unit(work)
        with self._lock:
            self._waiting.append(unit)
            leads, self._led = not self._led, True
        if not leads:
            unit.woken.wait()
        if not unit.settled:
            self._lead(begin)
        given: _Given = unit.outcome()
        return given

    def _lead(self, begin: Callable[[], AbstractContextManager[Connection]]) -> None:
        batch: list[_Unit] = []
        try:
            with begin() as connection:
                batch = self._take()
                if len(batch) == 1:
                    batch[0].result = batch[0].work(connection)
                else:
                    for unit in batch:
                        unit.run_apart(connection)
        except BaseException as error:
            batch = batch or self._take()
            for unit in batch:
                unit.error = unit.error or error
        finally:
            self._hand_over(batch)

    def _take(self) -> list[_Unit]:
        with self._lock:
            batch, self._waiting = self._waiting, []
        return batch

    def _hand_over(self, batch: list[_Unit]) -> None:
        """Wake the callers of a batch, and whoever came first meanwhile to lead the next."""
        with self._lock:
            self._led = bool(self._waiting)
            following = self._waiting[:1]
        for unit in batch:
            unit.settled = True
        for unit in (*following, *batch):
            unit.woken.set()
