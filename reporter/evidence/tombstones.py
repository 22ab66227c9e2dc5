"""
Tombstones: what the object store remembers of destructions, so that a database restored from the past can be told.

A tombstone is written once the destruction is decided and before anything is removed. It counts only where the key of
its item is gone: whoever can write objects can write a tombstone too, and must not be able to explain damage away, or
to have anything destroyed.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

import rfc8785

from keycustody.cases import REMEMBERED_SECONDS, CaseKeys, Fault
from reporter.errors import CustodyError
from reporter.evidence.custody import custody_errors
from reporter.evidence.model import SealedItem
from reporter.evidence.objects import ObjectStore

_PREFIX, _CASE_PREFIX = "destroyed.", "destroyed-case."
_REMEMBERED_CASES = 1024


@dataclass(frozen=True, slots=True)
class Tombstone:
    """
    One decided destruction: its certificate's id, the item and its keys, who proposed and decided it, and when.

    That of a whole case has no item.
    """

    certificate: str
    evidence_id: str
    reference: str
    key_ids: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Tombstones:
    """The tombstones in one object store."""

    store: ObjectStore

    def put(self, tombstone: Tombstone) -> None:
        """
        Write a tombstone; one that is there already stays.

        Raises:
            EnvironmentTroubleError: The store cannot be written.

        """
        key = _key(tombstone.evidence_id, tombstone.reference)
        fields = {
            "certificate": tombstone.certificate,
            "evidence_id": tombstone.evidence_id,
            "reference": tombstone.reference,
            "key_ids": tombstone.key_ids,
            "proposed_by": tombstone.proposed_by,
            "proposed_at": tombstone.proposed_at.isoformat(),
            "decided_by": tombstone.decided_by,
            "decided_at": tombstone.decided_at.isoformat(),
        }
        try:
            self.store.put(key, [rfc8785.dumps(fields)])
        except CustodyError:
            if not self.store.exists(key):
                raise

    def read(self, evidence_id: str) -> Tombstone | None:
        """
        Give the tombstone of an item, if it has one.

        Raises:
            CustodyError: It is damaged.
            EnvironmentTroubleError: The store cannot be read.

        """
        return self._read(_key(evidence_id))

    def read_case(self, reference: str) -> Tombstone | None:
        """Give the tombstone of a whole case, if it has one; as ``read``."""
        return self._read(_key("", reference))

    def _read(self, key: str) -> Tombstone | None:
        if not self.store.exists(key):
            return None
        with self.store.open(key) as file:
            content = file.read()
        try:
            fields = json.loads(content)
            fields |= {name: datetime.fromisoformat(fields[name]) for name in ("proposed_at", "decided_at")}
            return Tombstone(**fields)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CustodyError(f"The tombstone {key} in the object store is damaged.") from error

    def where_key_is_gone(self, keys: CaseKeys, sealed: SealedItem) -> Tombstone | None:
        """
        Give the tombstone of an item whose key is gone; with the key there, a tombstone says nothing.

        Raises:
            CustodyError: It is damaged.
            EnvironmentTroubleError: A store cannot be read.

        """
        with custody_errors():
            fault = keys.fault(sealed.reference, sealed.id, sealed.ciphertext_sha256, lambda _case: ())
        return self.read(sealed.id) if fault is Fault.WRAP_MISSING else None

    def cases(self, known: Collection[str]) -> Iterator[Tombstone]:
        """
        Give the tombstones of whole cases but those ``known``.

        Raises:
            CustodyError: One is damaged.
            EnvironmentTroubleError: The store cannot be read.

        """
        passed = {_key("", reference) for reference in known}
        for key in self.store.keys(_CASE_PREFIX):
            if key not in passed and (tombstone := self._read(key)) and _key("", tombstone.reference) == key:
                yield tombstone

    def case(self, reference: str) -> Tombstone | None:
        """
        Give the tombstone of a whole case, if it has one.

        Raises:
            CustodyError: It is damaged.
            EnvironmentTroubleError: The store cannot be read.

        """
        return self._read(_key("", reference))

    def over(self, sealed: SealedItem) -> Tombstone | None:
        """Give the tombstone of an item, or of its whole case: with its key back, nobody opens it all the same."""
        return self.read(sealed.id) or self.case(sealed.reference)

    def items(self) -> Iterator[str]:
        """
        Give the ids of all items that have a tombstone.

        Raises:
            EnvironmentTroubleError: The store cannot be read.

        """
        for key in self.store.keys(_PREFIX):
            yield key.removeprefix(_PREFIX)


class Buried:
    """
    Whether the object store remembers that a case was destroyed; for each case it is asked once in a while.

    A database and a key store that were both restored from the past know nothing of it. Whoever can write objects can
    plant a tombstone and so keep people from a case; destroyed it is by two people only.
    """

    def __init__(self, tombstones: Tombstones, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._tombstones, self._monotonic = tombstones, monotonic
        self._clear: OrderedDict[str, float] = OrderedDict()
        self._lock = Lock()

    def __call__(self, reference: str) -> bool:
        """
        Say whether it does.

        Raises:
            CustodyError: The tombstone is damaged.
            EnvironmentTroubleError: The store cannot be read.

        """
        now = self._monotonic()
        with self._lock:
            if self._clear.get(reference, now) > now:
                return False
        if self._tombstones.case(reference) is not None:
            return True
        with self._lock:
            self._clear[reference] = now + REMEMBERED_SECONDS
            self._clear.move_to_end(reference)
            if len(self._clear) > _REMEMBERED_CASES:
                self._clear.popitem(last=False)
        return False


def people_of(row: Any) -> dict[str, Any]:
    """Give who proposed and who decided a destruction, and when, of a row or a tombstone."""
    return {name: getattr(row, name) for name in ("proposed_by", "proposed_at", "decided_by", "decided_at")}


def _key(evidence_id: str, reference: str = "") -> str:
    """Name a tombstone; that of a case does not tell which."""
    if evidence_id:
        return f"{_PREFIX}{evidence_id}"
    return f"{_CASE_PREFIX}{hashlib.sha256(reference.encode()).hexdigest()}"
