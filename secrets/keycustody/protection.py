"""
What a local keyring is locked with: a secret of this machine, or a passphrase.

Either gives a key of 32 bytes under which the keyring's file seals its KEKs. The secret of the machine lies outside the
home, so that a copy of the home, or its backup, opens nothing.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from keycustody import files, secret_files
from keycustody.errors import SealError, StorageError
from keycustody.redacted import Redacted
from keycustody.wraps import KEY_BYTES

MACHINE, PASSPHRASE = "machine-secret", "passphrase"
#: OWASP Password Storage Cheat Sheet, "scrypt": N = 2^17, r = 8, p = 1 (128 MiB). Kept with the keyring, so that later
#: ones may cost more. RFC 7914, section 2, says what they mean.
SCRYPT = {"n": 1 << 17, "r": 8, "p": 1}
#: What a keyring may ask of this machine: 1 GiB of memory.
_SCRYPT_MOST = {"n": 1 << 20, "r": 8, "p": 4}
#: NIST SP 800-63B-4, 3.1.1.2: a password that stands alone has at least 15 characters.
SHORTEST_PASSPHRASE = 15
_SALT_BYTES = 16

Parameters = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Places:
    """Where to find what unlocks a keyring: by default this user's configuration folder, and the terminal."""

    machine_secret: Path | None = None
    passphrase: Path | None = None

    def machine_secret_of(self, kek_id: str) -> Path:
        """
        Give the file of the machine secret; by default one for each keyring, so that homes do not share any.

        Raises:
            StorageError: This user has no folder for it (as in a container, with a number for a user).

        """
        if self.machine_secret is not None:
            return self.machine_secret
        chosen = os.environ.get("XDG_CONFIG_HOME", "")
        try:
            base = Path(chosen) if Path(chosen).is_absolute() else Path.home() / ".config"
        except RuntimeError:
            raise StorageError("This user has no home folder: name keys.machine_secret_file.") from None
        return base / "reporter" / "machine-secrets" / kek_id

    def read_passphrase(self) -> Redacted:
        """
        Give the passphrase, from its file or from the terminal.

        Raises:
            KeyCustodyError: Neither gives one.

        """
        if self.passphrase is not None:
            return secret_files.read(self.passphrase, PASSPHRASE)
        return secret_files.ask(PASSPHRASE, "keys.passphrase_file")


def by_machine_secret(kek_id: str, places: Places) -> tuple[Parameters, bytes]:
    """
    Lock with the machine's secret, made if there is none yet; give the parameters to keep and the key.

    Raises:
        KeyCustodyError: It cannot be made or read.

    """
    file = places.machine_secret_of(kek_id)
    with files.trouble(f"The machine secret cannot be kept in {file} (keys.machine_secret_file names another place)"):
        if not file.exists():
            files.make_folder(file.parent)
            files.create(file, [b64encode(os.urandom(KEY_BYTES)) + b"\n"])
    parameters = {"method": MACHINE}
    return parameters, unlock(kek_id, parameters, places)


def by_passphrase(passphrase: Redacted) -> tuple[Parameters, bytes]:
    """
    Lock with a passphrase; give the parameters to keep and the key.

    Raises:
        ValueError: It is too short.

    """
    if len(passphrase.reveal()) < SHORTEST_PASSPHRASE:
        raise ValueError(f"a passphrase has at least {SHORTEST_PASSPHRASE} characters")
    salt = b64encode(os.urandom(_SALT_BYTES)).decode()
    parameters: Parameters = {"method": PASSPHRASE, "salt": salt, **SCRYPT}
    return parameters, _scrypt(parameters, passphrase)


def unlock(kek_id: str, parameters: Parameters, places: Places) -> bytes:
    """
    Give the key that a keyring is locked with.

    Raises:
        StorageError: The machine secret or the passphrase cannot be had, or others may read it.
        SealError: The parameters are none of ours.

    """
    if parameters.get("method") == MACHINE:
        return _hkdf(kek_id, _machine_secret(places.machine_secret_of(kek_id)))
    if parameters.get("method") == PASSPHRASE:
        return _scrypt(parameters, places.read_passphrase())
    raise SealError("The keyring is locked in a way that this program does not know.")


def _machine_secret(file: Path) -> bytes:
    try:
        secret = b64decode(secret_files.read(file, "machine secret").reveal(), validate=True)
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES:
        raise SealError(f"{file} is not the secret of this machine: it is damaged, or another file.")
    return secret


def _hkdf(kek_id: str, secret: bytes) -> bytes:
    """RFC 5869; the keyring's name keeps keyrings with one machine secret apart."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"reporter keyring {kek_id}".encode()).derive(secret)


def _scrypt(parameters: Parameters, passphrase: Redacted) -> bytes:
    try:
        n, r, p = (int(parameters[name]) for name in ("n", "r", "p"))
        salt = b64decode(str(parameters["salt"]), validate=True)
        if n > _SCRYPT_MOST["n"] or r > _SCRYPT_MOST["r"] or p > _SCRYPT_MOST["p"] or len(salt) < _SALT_BYTES:
            raise ValueError
        return Scrypt(salt, KEY_BYTES, n, r, p).derive(passphrase.reveal().encode())
    except (ValueError, KeyError, TypeError, MemoryError) as error:
        raise SealError("The keyring's passphrase parameters are damaged, or ask too much of this machine.") from error
