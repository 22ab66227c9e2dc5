"""
Where the register begins, kept where no administrator of the database can write: sealed in the credential store.

It is pinned by whoever completes the founding, and by each machine that first meets a register that is founded.
"""

from __future__ import annotations

from keycustody.credentials import CredentialStore
from keycustody.errors import KeyCustodyError, MissingKeyError
from reporter.errors import CustodyError

#: The credential's name, and what it is bound to, where an authority's is bound to its environment.
FOUNDING, FOR_ACTORS = "actors-founding", "actors"


class Founding:
    """The digest of the change by which two people began the register."""

    def __init__(self, credentials: CredentialStore) -> None:
        self._credentials = credentials

    def digest(self, first: str) -> str:
        """
        Give it; where none is pinned yet, pin ``first``.

        Raises:
            CustodyError: It cannot be read or kept.
        """
        try:
            return self._credentials.get(FOUNDING, FOR_ACTORS).reveal()
        except MissingKeyError:
            return self._pin(first)
        except KeyCustodyError as error:
            raise CustodyError(f"Where the register of people begins cannot be read: {error}") from error

    def _pin(self, digest: str) -> str:
        try:
            self._credentials.set(FOUNDING, digest, FOR_ACTORS)
        except KeyCustodyError as error:
            raise CustodyError(f"Where the register of people begins cannot be kept: {error}") from error
        return digest
