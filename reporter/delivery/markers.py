"""
Markers: what the object store remembers of filings, so that a database restored from the past files nothing twice.

What people recorded as filed elsewhere, or withdrew, has its place in the same sequence, for a database that forgot it
would file it.

For each case at each authority the store holds a gapless sequence of create-only markers, one for each attempt that
came to its filing call, written after the call's intent is committed and before the call is made. A worker may file
only after it has read the whole sequence, found every marker in the ledger, and put its own at the end. A database that
forgot a filing cannot: that marker is in the sequence, and the ledger does not know it. The sequence is found by
authority, environment and the case's reference, which outlive every random id of the database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from itertools import count

from reporter.delivery.model import Marker
from reporter.errors import CustodyError
from reporter.evidence.objects import ObjectStore

_PREFIX = "filing."


def series_of(lane: str, reference: str) -> str:
    """Name the sequence of one case at one authority in one environment; it tells neither."""
    return hashlib.sha256(json.dumps([lane, reference]).encode()).hexdigest()


class Markers:
    """The markers in one object store."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def of(self, series: str) -> list[Marker]:
        """
        Give a whole sequence, oldest first.

        Raises:
            CustodyError: A marker is damaged.
            EnvironmentTroubleError: The store cannot be read.
        """
        found: list[Marker] = []
        for number in count(1):
            if not self._store.exists(_key(series, number)):
                return found
            found.append(self._read(_key(series, number)))
        raise AssertionError

    def put(self, series: str, number: int, marker: Marker) -> bool:
        """
        Put a marker at its place in the sequence; give False when another is there.

        Raises:
            EnvironmentTroubleError: The store cannot be written.
        """
        fields = {
            "entry": marker.entry,
            "lane": marker.lane,
            "submission": marker.submission,
            "attempt": marker.attempt,
            "draft": marker.draft,
            "at": marker.at.isoformat(),
            "decision": marker.decision,
        }
        key = _key(series, number)
        try:
            self._store.put(key, [json.dumps(fields).encode()])
        except CustodyError:
            if self._store.exists(key):
                return False
            raise
        return True

    def append(self, series: str, marker: Marker) -> None:
        """
        Put a marker at the end of its sequence; once it is there, this changes nothing.

        Raises:
            CustodyError: A marker is damaged.
            EnvironmentTroubleError: The store does not work.
        """
        while True:
            found = self.of(series)
            if any(other.entry == marker.entry for other in found) or self.put(series, len(found) + 1, marker):
                return

    def all(self) -> Iterator[tuple[str, Marker]]:
        """Give every marker with the name of its sequence; this reads the whole store, so only after trouble."""
        for key in self._store.keys(_PREFIX):
            yield key.split(".")[1], self._read(key)

    def _read(self, key: str) -> Marker:
        with self._store.open(key) as file:
            content = file.read()
        try:
            fields = json.loads(content)
            at = datetime.fromisoformat(fields.pop("at"))
            return Marker(**fields, at=at)
        except (ValueError, KeyError, TypeError) as error:
            raise CustodyError(f"The marker {key} in the object store is damaged.") from error


def _key(series: str, number: int) -> str:
    return f"{_PREFIX}{series}.{number}"
