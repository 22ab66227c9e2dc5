"""
Holds as the object store's own flags, where it has such: set while any hold stands on an item, cleared after the last.

The database decides; a flag that could not be set or cleared is set or cleared by the next run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from reporter.clock import Clock
from reporter.db.engine import reading
from reporter.evidence import service as evidence
from reporter.evidence.locks import ObjectLocks
from reporter.retention.register import holds_on


@dataclass(frozen=True, slots=True)
class ObjectFlags:
    """Keeps the flags as the holds are."""

    database: Engine
    clock: Clock
    locks: ObjectLocks

    def retain(self, reference: str, until: datetime) -> None:
        """
        Lock the items of a case in their store until a floor's end, never for less long than before.

        Raises:
            CustodyError: An object is missing.
            EnvironmentTroubleError: The store does not do it.
        """
        with reading(self.database) as connection:
            items = evidence.sealed_items(connection, reference, kept_only=True)
        for item in items:
            self.locks.retain_until(item, until)

    def apply(self, references: Iterable[str]) -> bool:
        """
        Set and clear the flags of the items of these cases; give whether the store holds anything of them now.

        Raises:
            CustodyError: An object is missing.
            EnvironmentTroubleError: The store does not do it; the holds stand all the same.
        """
        flagged = False
        for reference in references:
            with reading(self.database) as connection:
                items = evidence.sealed_items(connection, reference, kept_only=True)
                held = {item.id: bool(holds_on(connection, reference, self.clock.now(), item.id)) for item in items}
            for item in items:
                if held[item.id]:
                    flagged = self.locks.hold_object(item) or flagged
                else:
                    self.locks.release_object(item)
        return flagged
