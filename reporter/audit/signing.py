"""The key that signs checkpoints: made once for each log, sealed in the credential store, never replaced unnoticed."""

from __future__ import annotations

from secrets import token_hex

from sqlalchemy import Connection, select

from keycustody.credentials import CredentialStore
from keycustody.errors import KeyCustodyError, MissingKeyError
from reporter.audit.notes import Signer
from reporter.audit.tables import SignedCheckpoint
from reporter.errors import CustodyError

#: The credential's name, and what it is bound to, where an authority's is bound to its environment.
SIGNING_KEY, FOR_AUDIT = "custody-log-signing-key", "audit"


class SigningKey:
    """Gives the signer of this log."""

    def __init__(self, credentials: CredentialStore) -> None:
        self._credentials = credentials

    def signer(self, connection: Connection) -> Signer:
        """
        Give the signer; the first time, make it, in a transaction that holds the log.

        Raises:
            CustodyError: The key cannot be had, though the log was signed with it before.
        """
        try:
            return Signer.from_text(self._credentials.get(SIGNING_KEY, FOR_AUDIT).reveal())
        except MissingKeyError:
            if connection.execute(select(SignedCheckpoint.__table__.c.size).limit(1)).first():  # type: ignore[attr-defined]
                raise CustodyError(
                    "The key that signed the custody log is missing.",
                    next_step=f"Restore {SIGNING_KEY} in the folder credentials from its backup or another machine.",
                ) from None
            return self._make()
        except KeyCustodyError as error:
            raise CustodyError(f"The signing key of the custody log cannot be had: {error}") from error

    def _make(self) -> Signer:
        """Make the key; its name is no address of anything, for ``.invalid`` is never one (RFC 6761, section 6.4)."""
        signer = Signer.generate(f"reporter.invalid/log/{token_hex(8)}")
        try:
            self._credentials.set(SIGNING_KEY, signer.to_text(), FOR_AUDIT)
        except KeyCustodyError as error:
            raise CustodyError(f"The signing key of the custody log cannot be kept: {error}") from error
        return signer
