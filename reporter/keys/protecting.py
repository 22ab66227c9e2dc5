"""What locks the local keyring, changed."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from keycustody import protection, secret_files
from keycustody.keyring import LocalKeyring
from keycustody.protection import Places
from keycustody.providers import KeyProvider
from keycustody.redacted import Redacted
from reporter.audit import service as audit
from reporter.clock import Clock
from reporter.config import Keys
from reporter.db.engine import transaction
from reporter.errors import UsageError
from reporter.evidence.custody import custody_errors


class Protection:
    """Locks the keyring of a home with something else; each time is a custody event."""

    def __init__(self, database: Engine, clock: Clock, settings: Keys, provider: KeyProvider) -> None:
        self._database, self._clock, self._settings, self._provider = database, clock, settings, provider

    def by_machine_secret(self, actor: str) -> Path:
        """
        Lock with the secret of this machine, made if there is none; give its file.

        Raises:
            UsageError: The root key is not in a local keyring.
            CustodyError: The secret is damaged.
            EnvironmentTroubleError: The secret or the keyring cannot be written.
        """
        keyring = self._keyring()
        places = Places(self._settings.machine_secret_file)
        with custody_errors():
            lock = protection.by_machine_secret(keyring.kek_id, places)
        self._relock(keyring, lock, actor)
        return places.machine_secret_of(keyring.kek_id)

    def by_passphrase(self, actor: str, file: Path | None) -> None:
        """
        Lock with the passphrase in ``file``, or one that is asked for twice.

        Raises:
            UsageError: The root key is not in a local keyring, or the passphrase is too short or mistyped.
            EnvironmentTroubleError: It cannot be had, or the keyring cannot be written.
        """
        keyring = self._keyring()
        with custody_errors():
            passphrase = secret_files.read(file, "passphrase") if file else _asked_twice()
            try:
                lock = protection.by_passphrase(passphrase)
            except ValueError as error:
                raise UsageError(f"Nothing was changed: {error}.") from error
        self._relock(keyring, lock, actor)

    def _keyring(self) -> LocalKeyring:
        if not isinstance(self._provider, LocalKeyring):
            raise UsageError(f"The root key is in no local keyring: {self._provider.describe()} protects it.")
        return self._provider

    def _relock(self, keyring: LocalKeyring, lock: tuple[protection.Parameters, bytes], actor: str) -> None:
        with transaction(self._database) as connection, custody_errors():
            audit.record(
                connection, at=self._clock.now(), actor=actor, kind="keyring_locked", detail=str(lock[0]["method"])
            )
            keyring.relock(*lock)


def _asked_twice() -> Redacted:
    first = secret_files.ask("new passphrase", "--passphrase-file")
    if secret_files.ask("new passphrase again", "--passphrase-file").reveal() != first.reveal():
        raise UsageError("The two are not the same; nothing was changed.")
    return first
