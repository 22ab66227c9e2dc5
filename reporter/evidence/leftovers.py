"""
What a killed intake leaves behind, and what is swept of it.

Before files are sealed, a batch is put on record; the ids of its objects begin with the batch's. The transaction that
records the items ends the batch. So an object of a batch that neither ended nor was given up in time is ours, is on no
record, and never will be: whoever is so late cannot end the batch any more. It is removed, but for what may be another
thing than it seems: where its key is in the key store, or where the database was restored since, the batch may have
ended in a time that this database forgot. That, and objects that no batch explains, a person is told of.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from secrets import token_hex

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlmodel import col

from keycustody.cases import CaseKeys
from reporter.clock import Clock
from reporter.db.engine import reading, transaction
from reporter.errors import ConflictError, PolicyError
from reporter.evidence.custody import custody_errors
from reporter.evidence.model import SealedItem
from reporter.evidence.objects import LocalObjectStore, ObjectStore
from reporter.evidence.tables import EvidenceItem, SealingBatch

#: How long a batch may take: sealing 100,000 files, or a terabyte, takes hours.
LEASE = timedelta(hours=24)
_BATCH_BYTES = 6
_OBJECT = re.compile(r"[0-9a-f]{32}")
_PAGE = 500


def begin(engine: Engine, clock: Clock) -> str:
    """Put a batch on record, and give what the ids of its objects begin with."""
    batch = token_hex(_BATCH_BYTES)
    with transaction(engine) as connection:
        connection.execute(insert(SealingBatch).values(id=batch, began_at=clock.now()))
    return batch


def end(connection: Connection, items: Sequence[SealedItem]) -> None:
    """
    End the batch of these items in the transaction that records them.

    Raises:
        ConflictError: It took so long that it was given up.

    """
    if not items:
        return
    batch = items[0].id[: 2 * _BATCH_BYTES]
    mine = delete(SealingBatch).where(col(SealingBatch.id) == batch, col(SealingBatch.given_up_at).is_(None))
    if connection.execute(mine).rowcount != 1:
        raise ConflictError("Sealing the files took too long, and was given up.", next_step="Hand the case in again.")


def abandon(engine: Engine, objects: ObjectStore, batch: str) -> None:
    """
    Take a batch off the record that came to nothing, where none of its objects is left.

    Raises:
        EnvironmentTroubleError: The store or the database does not work.

    """
    if batch and next(iter(objects.keys(batch)), None) is None:
        with transaction(engine) as connection:
            connection.execute(delete(SealingBatch).where(col(SealingBatch.id) == batch))


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Sweeps one object store; ``restored_at`` gives when the database was last found to have been restored."""

    engine: Engine
    clock: Clock
    keys: CaseKeys
    objects: ObjectStore
    restored_at: Callable[[], datetime | None]

    def sweep(self) -> int:
        """
        Remove what is certainly of a killed intake; give how many objects.

        Raises:
            EnvironmentTroubleError: A store or the database does not work.

        """
        before = self.clock.now() - LEASE
        swept = self.objects.sweep_partials(before) if isinstance(self.objects, LocalObjectStore) else 0
        with transaction(self.engine) as connection:
            late = update(SealingBatch).where(
                col(SealingBatch.began_at) <= before, col(SealingBatch.given_up_at).is_(None)
            )
            connection.execute(late.values(given_up_at=self.clock.now()))
        for batch in self._given_up():
            left = 0
            for key in list(self.objects.keys(batch)):
                if self._is_waste(key):
                    swept += 1
                else:
                    left += 1
            if not left:
                abandon(self.engine, self.objects, batch)
        return swept

    def strays(self) -> Iterator[str]:
        """
        Give the sealed objects that are on no record and of no intake under way.

        Raises:
            EnvironmentTroubleError: The store or the database does not work.

        """
        keys = (key for key in self.objects.keys("") if _OBJECT.fullmatch(key))
        while page := list(islice(keys, _PAGE)):
            with reading(self.engine) as connection:
                under_way = select(col(SealingBatch.id)).where(col(SealingBatch.given_up_at).is_(None))
                batches = set(connection.execute(under_way).scalars())
                query = select(col(EvidenceItem.id)).where(col(EvidenceItem.id).in_(page))
                known = set(connection.execute(query).scalars())
            yield from (key for key in page if key not in known and key[: 2 * _BATCH_BYTES] not in batches)

    def _given_up(self) -> list[str]:
        """Give the batches that were given up, but for those begun before the database was restored."""
        query = select(col(SealingBatch.id)).where(col(SealingBatch.given_up_at).is_not(None))
        if (restored := self.restored_at()) is not None:
            query = query.where(col(SealingBatch.began_at) > restored)
        with reading(self.engine) as connection:
            return list(connection.execute(query).scalars())

    def _is_waste(self, key: str) -> bool:
        """Remove an object that is on no record and has no key; give whether it was one, and is gone."""
        with reading(self.engine) as connection:
            on_record = connection.execute(select(col(EvidenceItem.id)).where(col(EvidenceItem.id) == key)).first()
        with custody_errors():
            if on_record is not None or self.keys.has_item(key):
                return False
        try:
            self.objects.delete(key)
        except PolicyError:  # locked from its birth: it goes when the lock has run out
            return False
        return True
