"""OpenPGP by the program gpg: a recipient's key is examined and encrypted to without any keyring of ours."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from reporter.errors import PolicyError, UsageError
from reporter.export.programs import answer, through

#: What a key's validity means, where it must not be used (GnuPG, doc/DETAILS, field 2).
_BAD: Final = {"r": "was revoked", "e": "has expired", "d": "is disabled", "i": "is invalid", "n": "is not valid"}


def examine(key: bytes) -> str:
    """
    Give the fingerprint of the one key in ``key``, which can be encrypted to.

    Raises:
        UsageError: There is none, or there are several.
        PolicyError: It is revoked, expired, or has no part for encryption.
        EnvironmentTroubleError: gpg is not installed.
    """
    with _beside(key) as (gpg, file):
        _, said = answer([*gpg, "--with-colons", "--show-keys", file])
    rows = [line.split(":") for line in said.splitlines()]
    keys = [row for row in rows if row[0] in ("pub", "sec")]
    if len(keys) != 1 or keys[0][0] != "pub":
        raise UsageError("The recipient's key must be one OpenPGP public key.")
    if keys[0][1] in _BAD:
        raise PolicyError(
            f"The recipient's OpenPGP key {_BAD[keys[0][1]]}; nothing is encrypted to it.",
            next_step="Ask the recipient for the key in use, and read its fingerprint back to them.",
        )
    if "E" not in keys[0][11]:  # what the key as a whole is usable for
        raise PolicyError("The recipient's OpenPGP key has no part for encryption that is in use.")
    return next(row[9] for row in rows if row[0] == "fpr")


def encrypt(key: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """
    Give ``pieces`` encrypted; not compressed, for evidence is already and gpg's compression is four times slower.

    Raises:
        EnvironmentTroubleError: gpg is not installed, or fails.
    """
    with _beside(key) as (gpg, file):
        options = ["--trust-model", "always", "--compress-algo", "none", "--recipient-file", file]
        yield from through([*gpg, *options, "--output", "-", "--encrypt"], pieces)


@contextmanager
def _beside(key: bytes) -> Iterator[tuple[list[str], str]]:
    """Give how gpg is called in a home of its own, and where the recipient's public key lies."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "recipient")
        file.write_bytes(key)
        home = Path(folder, "home")
        home.mkdir(mode=0o700)
        gpg = ["gpg", "--batch", "--no-tty", "--no-options", "--no-autostart", "--homedir", str(home)]
        yield gpg, str(file)
