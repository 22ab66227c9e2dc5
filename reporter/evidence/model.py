"""What is known of sealed evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SealedItem:
    """
    The preservation record of one file: digests and size (bytes) of the plaintext, digest of the sealed object.

    ``id`` is random and names the object and its wrap; ``item`` is what the case document calls the file.
    """

    id: str
    reference: str
    item: str
    sha256: str
    md5: str | None
    sha1: str | None
    size: int
    ciphertext_sha256: str
    sealed_at: datetime


class Digests:
    """Several digests of a stream, taken while it passes."""

    def __init__(self, *names: str) -> None:
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in names}
        self.size = 0

    def of(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Pass ``pieces`` on."""
        for piece in pieces:
            self.size += len(piece)
            for digest in self._hashes.values():
                digest.update(piece)
            yield piece

    def get(self, name: str) -> str | None:
        """Give a digest of what has passed, in lower-case hexadecimal; None when it was not asked for."""
        return self._hashes[name].hexdigest() if name in self._hashes else None

    def __getitem__(self, name: str) -> str:
        return self._hashes[name].hexdigest()
