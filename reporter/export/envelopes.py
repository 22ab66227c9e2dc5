"""
Encrypting a bundle to its recipient, in one of four ways that stock programs open: gpg, openssl, age, 7-Zip.

Every way streams: memory stays at a few pieces however long the bundle is, and no plaintext touches a disk.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_urlsafe
from typing import Final

from keycustody import age
from keycustody.errors import SealError
from keycustody.redacted import Redacted
from reporter.errors import ConfigurationError, UsageError
from reporter.export import cms, openpgp
from reporter.export.model import Envelope

#: Random bytes of a generated passphrase: 192 bits, for the ZIP scheme stretches it little (WinZip AE-2: 1,000 rounds).
_PASSPHRASE_BYTES: Final = 24
#: A date that every ZIP can hold; the times that matter stand in the bundle.
_ZIP_TIME: Final = datetime(1980, 1, 1)  # noqa: DTZ001 (a ZIP knows no zone)
_PIECE: Final = 1 << 20
_SUFFIXES: Final = {Envelope.OPENPGP: "gpg", Envelope.CMS: "p7m", Envelope.AGE: "age", Envelope.ZIP: "zip"}

Encrypt = Callable[[Iterator[bytes]], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Key:
    """
    A recipient's key, examined: what it is for, by which it is told from others, and what encrypts to it.

    ``passphrase`` is set where the recipient has no key and gets it by another channel. ``longest`` is the number of
    bytes that the recipient's program opens at most, None where nothing limits it.
    """

    envelope: Envelope
    fingerprint: str
    encrypt: Encrypt = field(repr=False)
    passphrase: Redacted | None = None
    longest: int | None = None

    @property
    def suffix(self) -> str:
        """Give how the name of such a bundle ends."""
        return f".tar.{_SUFFIXES[self.envelope]}"


def kind_of(key: bytes) -> Envelope | None:
    """Say what kind of key this is, by its looks."""
    start = key.lstrip()[:40]
    if start.startswith(b"-----BEGIN PGP"):
        return Envelope.OPENPGP
    if b"-----BEGIN CERTIFICATE-----" in key:
        return Envelope.CMS
    if start.startswith(b"age1"):
        return Envelope.AGE
    return Envelope.OPENPGP if key[:1] and key[0] & 0x80 else None  # binary packets: RFC 9580, section 4.2


def examined(envelope: Envelope, key: bytes, now: datetime) -> Key:
    """
    Look at a recipient's key, and give what encrypts to it.

    Raises:
        UsageError: It is of another kind.
        PolicyError: It is expired, revoked, or not for encryption.
        ConfigurationError: An extra is not installed.
        EnvironmentTroubleError: The program that it takes is not installed.
    """
    if envelope is not Envelope.ZIP:
        _require_kind(envelope, key)
    match envelope:
        case Envelope.OPENPGP:
            fingerprint = openpgp.examine(key)
            return Key(envelope, fingerprint, lambda pieces: openpgp.encrypt(key, pieces))
        case Envelope.CMS:
            return Key(envelope, cms.examine(key, now), lambda pieces: cms.encrypt(key, pieces), longest=cms.LONGEST)
        case Envelope.AGE:
            return _age(key)
        case Envelope.ZIP:
            if key:
                raise UsageError("A ZIP goes to somebody without a key: leave out --key, or choose another envelope.")
            return _zip()


def require_short(size: int, key: Key) -> None:
    """
    See that a bundle of so many bytes is one that the recipient's program opens.

    Raises:
        UsageError: It is too long.
    """
    if key.longest is not None and size > key.longest:
        raise UsageError(
            f"The bundle has {size:,} bytes or more, and openssl opens {key.longest:,} at most.",
            next_step="Choose another envelope: openpgp, age or zip.",
        )


def _require_kind(envelope: Envelope, key: bytes) -> None:
    if b"PRIVATE KEY" in key or b"AGE-SECRET-KEY" in key:
        raise UsageError("This is a secret key. Never take one: ask the recipient for the public half.")
    found = kind_of(key)
    if found is not envelope:
        what = f"a key for {found}" if found else "no key that is known here"
        raise UsageError(f"The recipient's key is {what}, and the envelope is {envelope}.")


def _age(key: bytes) -> Key:
    recipient = key.decode(errors="replace").strip()
    try:
        next(age.encrypt([], recipient))
    except SealError:
        raise UsageError("The recipient's key is no age X25519 recipient (age1…, of one line).") from None
    digest = hashlib.sha256(recipient.encode()).hexdigest()
    return Key(Envelope.AGE, digest, lambda pieces: age.encrypt(pieces, recipient))


def _zip() -> Key:
    try:
        import stream_zip
    except ModuleNotFoundError:
        raise ConfigurationError(
            "A ZIP needs its library.", next_step="Install it with: pip install 'reporter[zip]'"
        ) from None
    passphrase = Redacted(token_urlsafe(_PASSPHRASE_BYTES))

    def encrypt(pieces: Iterator[bytes]) -> Iterator[bytes]:
        member = ("bundle.tar", _ZIP_TIME, 0o100600, stream_zip.ZIP_64, pieces)
        return iter(
            stream_zip.stream_zip(
                [member],
                chunk_size=_PIECE,
                get_compressobj=lambda: zlib.compressobj(wbits=-zlib.MAX_WBITS, level=0),
                password=passphrase.reveal(),
            )
        )

    return Key(Envelope.ZIP, "", encrypt, passphrase)
