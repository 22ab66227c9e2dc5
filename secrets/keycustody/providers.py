"""
Who holds the root key-encryption key (KEK).

The protocol is small on purpose: an HSM or a transit service can be a provider, and the key never leaves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from keycustody.wraps import Wrap


class KeyProvider(Protocol):
    """
    Seals and opens keys under the root KEK; threads may share one.

    Whatever stands in the way of asking (a disk, a network, a token that was pulled out) is a ``StorageError``.
    """

    @property
    def kek_id(self) -> str:
        """The name of the KEK, the same in all its versions."""
        ...

    @property
    def current_version(self) -> int:
        """The version that new wraps are made with, as it is now: another process may have rotated the KEK."""
        ...

    def wrap(self, key: bytes, context: Mapping[str, str]) -> Wrap:
        """Seal a key or a short secret under the current KEK, bound to ``context``."""
        ...

    def unwrap(self, wrap: Wrap, context: Mapping[str, str]) -> bytes:
        """
        Open a wrap made under any version still held.

        Raises:
            MissingKeyError: That KEK or that version is not held here.
            SealError: The wrap was altered or made for another context.

        """
        ...

    def rotate(self) -> int:
        """Make a new version of the KEK the current one, and give its number; wraps under older versions still open."""
        ...

    def describe(self) -> str:
        """Say in a few words what it is and where, for a person; asks nobody."""
        ...
