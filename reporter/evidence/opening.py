"""The way back: a sealed item as a stream of plaintext."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from keycustody import age, files
from keycustody.cases import CaseKeys
from reporter.errors import CustodyError
from reporter.evidence.custody import custody_errors
from reporter.evidence.digests import Digests
from reporter.evidence.model import SealedItem
from reporter.evidence.objects import ObjectStore


@dataclass(frozen=True, slots=True)
class OpenItem:
    """The plaintext of one sealed item."""

    _keys: CaseKeys
    _objects: ObjectStore
    _sealed: SealedItem

    def __iter__(self) -> Iterator[bytes]:
        """
        Give the plaintext piece by piece; the last piece only once all of it is what was sealed.

        Raises:
            CustodyError: The key or the object is missing, altered, cut short or swapped.
            EnvironmentTroubleError: A disk does not work.

        """
        sealed, digests = self._sealed, Digests("sha256")
        with custody_errors(f"Evidence {sealed.item} of case {sealed.reference}: "):
            text = self._keys.identity(sealed.reference, sealed.id, sealed.ciphertext_sha256)
            with files.trouble("its object cannot be read"), self._objects.open(sealed.id) as file:
                held = b""
                for piece in digests.of(age.decrypt(file, age.Identity.parse(text))):
                    if held:
                        yield held
                    held = piece
        if (digests["sha256"], digests.size) != (sealed.sha256, sealed.size):
            raise CustodyError(f"Evidence {sealed.item} of case {sealed.reference} is not what was recorded of it.")
        yield held
