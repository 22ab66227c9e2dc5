"""
One item read back to its last byte, and what is wrong with it named as what it is.

Keys are asked for afresh, never from memory. Only what does not open is read a second time, to say what it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Engine, select
from sqlmodel import col

from keycustody import age, files
from keycustody.cases import Fault
from reporter.db.engine import reading
from reporter.errors import CustodyError, EnvironmentTroubleError
from reporter.evidence import service as evidence
from reporter.evidence.custody import custody_errors
from reporter.evidence.model import SealedItem
from reporter.evidence.tables import EvidenceItem
from reporter.evidence.tombstones import Tombstones
from reporter.evidence.vault import EvidenceVault

_BLOCK = 1024 * 1024
Took = Callable[[int], None]


class Finding(StrEnum):
    """What became of an item; ``WHOLE`` and ``DESTROYED`` are as they should be."""

    WHOLE = ""
    DESTROYED = "destroyed"
    OBJECT_MISSING = "object_missing"
    OBJECT_ALTERED = "object_altered"
    OBJECT_TRUNCATED = "object_truncated"
    OBJECT_LONGER = "object_longer"
    OBJECT_SWAPPED = "object_swapped"
    OBJECT_UNREADABLE = "object_unreadable"
    RECORD_MISMATCH = "record_mismatch"
    WRAP_MISSING = "wrap_missing"
    WRAP_ALTERED = "wrap_altered"
    WRAP_SWAPPED = "wrap_swapped"
    CASE_KEY_MISSING = "case_key_missing"
    CASE_KEY_ALTERED = "case_key_altered"
    KEK_MISSING = "kek_missing"
    DESTRUCTION_UNFINISHED = "destruction_unfinished"
    DESTRUCTION_FORGOTTEN = "destruction_forgotten"


#: Each finding in words.
WORDS = {
    Finding.WHOLE: "whole: it is what was sealed",
    Finding.DESTROYED: "destroyed, as its certificate says",
    Finding.OBJECT_MISSING: "the object is missing from the object store",
    Finding.OBJECT_ALTERED: "the object was altered: it has its length, and not its bytes",
    Finding.OBJECT_TRUNCATED: "the object is shorter than it was",
    Finding.OBJECT_LONGER: "the object is longer than it was",
    Finding.OBJECT_SWAPPED: "the object is another item's",
    Finding.OBJECT_UNREADABLE: "the object store does not give the object",
    Finding.RECORD_MISMATCH: "key and object fit each other, and the record of digests and size does not fit them",
    Finding.WRAP_MISSING: "its key is missing from the key store, and nobody decided to destroy it",
    Finding.WRAP_ALTERED: "its wrapped key was altered",
    Finding.WRAP_SWAPPED: "its wrapped key is another item's",
    Finding.CASE_KEY_MISSING: "the key of the case is missing from the key store",
    Finding.CASE_KEY_ALTERED: "the wrapped key of the case was altered or swapped",
    Finding.KEK_MISSING: "the root key, or the version of it that wrapped the key of the case, is not held here",
    Finding.DESTRUCTION_UNFINISHED: "it was destroyed, and its key or object is there still or again",
    Finding.DESTRUCTION_FORGOTTEN: "a tombstone says that it was destroyed, and this database does not know of it",
}


@dataclass(frozen=True, slots=True)
class Examiner:
    """Examines items; changes nothing."""

    engine: Engine
    vault: EvidenceVault
    tombstones: Tombstones

    def examine(self, sealed: SealedItem, took: Took) -> tuple[Finding, str]:
        """
        Read one item back; give what was found, and ids or sizes that tell more. ``took`` hears of bytes as they pass.

        Raises:
            EnvironmentTroubleError: The key store, the key provider or the database does not work.

        """
        with reading(self.engine) as connection:
            certificate = evidence.destroyed(connection, sealed.reference).get(sealed.id)
        fault = self._fault(sealed, sealed.ciphertext_sha256)
        try:
            there = self.vault.objects.exists(sealed.id)
            if certificate:
                over = fault is Fault.WRAP_MISSING and not there
                return (Finding.DESTROYED if over else Finding.DESTRUCTION_UNFINISHED), f"certificate {certificate}"
            if fault is not None:
                return self._examine_key(sealed, fault, there, took)
            return self._examine_object(sealed, took) if there else (Finding.OBJECT_MISSING, "")
        except EnvironmentTroubleError as error:
            return Finding.OBJECT_UNREADABLE, error.message

    def _examine_key(self, sealed: SealedItem, fault: Fault, there: bool, took: Took) -> tuple[Finding, str]:
        """Tell a destruction that was forgotten, and a record that was altered, from a fault of the key."""
        if fault is Fault.WRAP_MISSING and (tombstone := self.tombstones.read(sealed.id)):
            return Finding.DESTRUCTION_FORGOTTEN, f"certificate {tombstone.certificate}"
        if fault is Fault.WRAP_ALTERED and there:
            digest, _ = self._measure(sealed, took)
            if self._fault(sealed, digest) is None:
                return Finding.RECORD_MISMATCH, "digest of the object"
        return Finding(fault), ""

    def _examine_object(self, sealed: SealedItem, took: Took) -> tuple[Finding, str]:
        try:
            self.vault.verify(sealed, took)
        except CustodyError:
            digest, size = self._measure(sealed, took)
        else:
            return Finding.WHOLE, ""
        if digest == sealed.ciphertext_sha256:
            return Finding.RECORD_MISMATCH, "digests or size of the file"
        query = select(col(EvidenceItem.id)).where(col(EvidenceItem.ciphertext_sha256) == digest).limit(1)
        with reading(self.engine) as connection:
            other = connection.execute(query).scalar_one_or_none()
        if other is not None:
            return Finding.OBJECT_SWAPPED, f"it is that of {other}"
        expected = age.sealed_size(sealed.size)
        if size == expected:
            return Finding.OBJECT_ALTERED, ""
        finding = Finding.OBJECT_TRUNCATED if size < expected else Finding.OBJECT_LONGER
        return finding, f"{size} bytes in place of {expected}"

    def _measure(self, sealed: SealedItem, took: Took) -> tuple[str, int]:
        """Give SHA-256 and size of the object that is there."""
        digest, size = hashlib.sha256(), 0
        with custody_errors(), files.trouble("its object cannot be read"), self.vault.objects.open(sealed.id) as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
                took(len(block))
        return digest.hexdigest(), size

    def _fault(self, sealed: SealedItem, ciphertext_sha256: str) -> Fault | None:
        with custody_errors():
            return self.vault.keys.fault(sealed.reference, sealed.id, ciphertext_sha256, self._items_of)

    def _items_of(self, reference: str) -> list[tuple[str, str]]:
        with reading(self.engine) as connection:
            return [(item.id, item.ciphertext_sha256) for item in evidence.sealed_items(connection, reference)]
