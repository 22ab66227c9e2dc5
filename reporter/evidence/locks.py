"""
Locks: what an object store refuses by itself, whoever asks, beside what the database says of holds and retention.

A folder cannot lock: there nothing is done, and nothing is ever held. A bucket has one flag for each object, whoever
sets it. So what we set is marked, and only that is cleared: a hold that somebody else put on an object there stays, and
stands against its destruction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reporter.errors import CustodyError
from reporter.evidence.model import SealedItem
from reporter.evidence.objects import Locking, ObjectStore

_PREFIX = "held."


@dataclass(frozen=True, slots=True)
class ObjectLocks:
    """The locks of one object store; all of it may be repeated."""

    store: ObjectStore

    def hold_object(self, item: SealedItem) -> bool:
        """
        Hold an item's object in its store; give whether it is held there now, which a folder cannot do.

        Raises:
            CustodyError: The object is missing.
            EnvironmentTroubleError: The store cannot do it.

        """
        store = self._locking()
        if store is None:
            return False
        if not store.held(item.id):
            self._mark(item)
            store.hold(item.id, on=True)
        return True

    def release_object(self, item: SealedItem) -> None:
        """
        Clear the hold that ``hold_object`` set, once nothing of ours holds the item any more.

        Raises:
            CustodyError: The object is missing.
            EnvironmentTroubleError: The store cannot do it.

        """
        store, mark = self._locking(), f"{_PREFIX}{item.id}"
        if store is not None and self.store.exists(mark):
            store.hold(item.id, on=False)
            self.store.delete(mark, despite_lock=True)

    def retain_until(self, item: SealedItem, until: datetime) -> bool:
        """
        Lock an item's object until a time, never for less long than before; give whether it is locked there now.

        Raises:
            CustodyError: The object is missing.
            EnvironmentTroubleError: The store cannot do it.

        """
        store = self._locking()
        if store is not None:
            store.retain(item.id, until)
        return store is not None

    def held(self, item: SealedItem) -> bool:
        """
        Whether an item's object is held in its store, by whomever.

        Raises:
            EnvironmentTroubleError: The store cannot be read.

        """
        return isinstance(self.store, Locking) and self.store.held(item.id)

    def _locking(self) -> Locking | None:
        return self.store if isinstance(self.store, Locking) and self.store.locks() else None

    def _mark(self, item: SealedItem) -> None:
        mark = f"{_PREFIX}{item.id}"
        try:
            self.store.put(mark, [b"Held by Reporter."])
        except CustodyError:
            if not self.store.exists(mark):
                raise
