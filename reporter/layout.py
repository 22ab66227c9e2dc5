"""Where a home keeps what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of a home."""

    home: Path

    @property
    def keyring(self) -> Path:
        """Root keys."""
        return self.home / "keys"

    @property
    def wraps(self) -> Path:
        """The key store: case keys and item identities, wrapped; apart from database and objects."""
        return self.home / "keystore"

    @property
    def credentials(self) -> Path:
        """Sealed credentials of authorities."""
        return self.home / "credentials"

    @property
    def objects(self) -> Path:
        """Sealed evidence, one age file for each item."""
        return self.home / "objects"
