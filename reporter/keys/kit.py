"""What an offline safe needs to bring a home back: the content of a recovery kit, made and read."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Engine

from keycustody import files, recovery_kit
from keycustody.age import Identity
from keycustody.errors import SealError
from keycustody.keyring import LocalKeyring
from reporter import __version__
from reporter.audit import service as audit
from reporter.clock import Clock
from reporter.config import FILE_NAME, Configuration
from reporter.db.engine import transaction
from reporter.errors import CustodyError, EnvironmentTroubleError, UsageError
from reporter.evidence.custody import custody_errors
from reporter.keys.opening import Custody

_LONGEST = 16 << 20
#: Characters of a public key that tell its holder from others.
_SHOWN = 16


class Kit(BaseModel):
    """
    The content of a kit. ``keks`` are the versions of a local root key in base64, empty where a service holds it.

    ``log`` is the key that verifies the custody log (a C2SP vkey), and so names the home. ``reach`` and ``store`` say
    to a person where the root key and the key store were. ``credentials`` are as the store has them, sealed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    made_at: datetime
    program: str
    log: str
    provider: str
    kek_id: str
    version: int
    keks: dict[int, str] = Field(repr=False)
    reach: str
    store: str
    reporter_toml: str = Field(repr=False)
    credentials: dict[str, str] = Field(repr=False)

    def root(self) -> dict[int, bytes]:
        """
        Give the versions of a local root key.

        Raises:
            CustodyError: They are none.
        """
        try:
            return {version: b64decode(kek, validate=True) for version, kek in self.keks.items()}
        except ValueError:
            raise CustodyError("The recovery kit is damaged.") from None

    @classmethod
    def open(cls, file: Path, identities: Sequence[Identity]) -> tuple[Kit, str]:
        """
        Read a kit as two of its people, and give its SHA-256 too.

        Raises:
            CustodyError: It is no kit, was altered, or is not for two of these.
            EnvironmentTroubleError: It cannot be read.
        """
        content = _read(file, "kit")
        with custody_errors():
            secret = recovery_kit.unseal(content, identities)
        try:
            return cls.model_validate_json(secret), hashlib.sha256(content).hexdigest()
        except ValidationError:
            raise CustodyError(
                "The recovery kit was made by another release of Reporter.",
                next_step="Its program is named in the kit, which age opens by hand: see README.txt in it.",
            ) from None


@dataclass(frozen=True, slots=True)
class MadeKit:
    """A kit that was written."""

    sha256: str
    kek_id: str
    version: int


class RecoveryKits:
    """Makes kits of a home; each is a custody event. ``log_key`` gives the key that verifies the custody log."""

    def __init__(
        self, database: Engine, clock: Clock, configuration: Configuration, custody: Custody, log_key: Callable[[], str]
    ) -> None:
        self._database, self._clock, self._configuration = database, clock, configuration
        self._custody, self._log_key = custody, log_key

    def make(self, recipients: Sequence[str], file: Path, actor: str) -> MadeKit:
        """
        Write a kit that any two of these age recipients can read; ``file`` must not exist yet.

        Raises:
            UsageError: The recipients or the file will not do.
            EnvironmentTroubleError: The file cannot be written, or the provider does not answer.
            CustodyError: A credential was altered.
        """
        if file.absolute().resolve().is_relative_to(self._configuration.home.resolve()):
            raise UsageError("A kit in the home is lost with the home.", next_step="Write it to another disk.")
        kit = self._content()
        try:
            sealed = recovery_kit.seal(kit.model_dump_json().encode(), recipients)
        except (ValueError, SealError) as error:
            raise UsageError(
                f"Nothing was written: {str(error).rstrip('.')}.",
                next_step="Each gives the public key that age-keygen shows: --to age1…",
            ) from None
        holders = " ".join(each[:_SHOWN] for each in recipients)
        made = MadeKit(hashlib.sha256(sealed).hexdigest(), kit.kek_id, kit.version)
        with transaction(self._database) as connection, custody_errors(), files.trouble(f"{file} cannot be written"):
            audit.record(
                connection, at=self._clock.now(), actor=actor, kind="recovery_kit_made",
                detail=f"{made.kek_id} {made.version} sha256 {made.sha256} for {holders}",
            )  # fmt: skip
            files.create(file, [sealed])
        return made

    def _content(self) -> Kit:
        log = self._log_key()  # before the credentials are read, because it may make one
        with custody_errors(), files.trouble("The home cannot be read"):
            provider, credentials = self._custody.provider, self._custody.credentials
            keks = provider.reveal() if isinstance(provider, LocalKeyring) else {}
            return Kit(
                made_at=self._clock.now(),
                program=__version__,
                log=log,
                provider=self._configuration.keys.provider,
                kek_id=provider.kek_id,
                version=max(keks) if keks else provider.current_version,
                keks={version: b64encode(kek).decode() for version, kek in keks.items()},
                reach=provider.describe(),
                store=self._custody.store.describe(),
                reporter_toml=(self._configuration.home / FILE_NAME).read_text(encoding="utf-8"),
                credentials={name: credentials.sealed(name).to_json().decode() for name in credentials.files()},
            )


def read_identity(file: Path) -> Identity:
    """
    Read the one X25519 identity in a file as ``age-keygen`` writes it.

    Raises:
        UsageError: The file holds none, or several.
        EnvironmentTroubleError: It cannot be read.
    """
    lines = _read(file, "identity").decode(errors="replace").splitlines()
    keys = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    try:
        (text,) = keys
        return Identity.parse(text)
    except (ValueError, SealError):
        raise UsageError(
            f"{file} does not hold one age identity (AGE-SECRET-KEY-1…).",
            next_step="If a passphrase protects it, open it first, into memory: --identity <(age -d FILE)",
        ) from None


def _read(file: Path, what: str) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(_LONGEST + 1)
    except OSError as error:
        raise EnvironmentTroubleError(f"The {what} {file} cannot be read: {error.strerror}.") from None
    if len(content) > _LONGEST:
        raise UsageError(f"{file} is too long to be a {what}.")
    return content
