"""What is known of sealed evidence."""

from __future__ import annotations

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


@dataclass(frozen=True, slots=True)
class Look:
    """
    One entry of the view log: who, when (as written), to what extent, what for, and by what way.

    ``purpose`` and ``via`` are empty where a case document told of it.
    """

    by: str
    at: str
    extent: str
    metadata_viewed: bool = False
    purpose: str = ""
    via: str = ""
