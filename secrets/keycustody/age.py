"""
age v1 files (C2SP/age.md) for one X25519 recipient, sealed and opened as streams of bytes.

Sealing and opening both *pull*: each is an iterator over another, so that one pass over a file can digest, seal and
write it, and an upload can draw plaintext as it needs it. Memory stays at a few chunks.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keycustody import age_header, bech32
from keycustody.age_header import Header, Stanza
from keycustody.errors import SealError

# Sizes and labels are C2SP/age.md's: "File key", "X25519 recipient stanza", "Payload".
CHUNK = 64 * 1024
_TAG = 16
_FILE_KEY = 16
_PAYLOAD_NONCE = 16
_ZERO_NONCE = bytes(12)
_LABEL = b"age-encryption.org/v1/X25519"
_IDENTITY_PREFIX = "age-secret-key-"
_RECIPIENT_PREFIX = "age"


@dataclass(frozen=True, slots=True)
class Identity:
    """An X25519 key pair; ``text`` is what stock ``age -i`` reads."""

    _secret: X25519PrivateKey = field(repr=False)

    @classmethod
    def generate(cls) -> Identity:
        """Make a new one."""
        return cls(X25519PrivateKey.generate())

    @classmethod
    def parse(cls, text: str) -> Identity:
        """
        Read ``AGE-SECRET-KEY-1…``.

        Raises:
            SealError: It is not an age identity.

        """
        try:
            return cls(X25519PrivateKey.from_private_bytes(bech32.decode(_IDENTITY_PREFIX, text)))
        except ValueError as error:
            raise SealError("This is not an age X25519 identity.") from error

    @property
    def text(self) -> str:
        """The secret, as ``AGE-SECRET-KEY-1…``."""
        return bech32.encode(_IDENTITY_PREFIX, self._secret.private_bytes_raw()).upper()

    @property
    def recipient(self) -> str:
        """The public half, as ``age1…``."""
        return bech32.encode(_RECIPIENT_PREFIX, self._secret.public_key().public_bytes_raw())

    def file_key(self, stanza: Stanza) -> bytes | None:
        """
        Open an X25519 stanza; None when it is not for this identity.

        Raises:
            SealError: It is malformed.

        """
        if stanza.kind != "X25519":
            return None
        try:
            (share,) = (age_header.decode(argument) for argument in stanza.arguments)
            if len(stanza.body) != _FILE_KEY + _TAG:
                raise ValueError("wrong length")
            shared = self._secret.exchange(X25519PublicKey.from_public_bytes(share))
        except ValueError as error:
            raise SealError("The age file has a malformed recipient.") from error
        key = _derive(shared, share + self._secret.public_key().public_bytes_raw(), _LABEL)
        try:
            return ChaCha20Poly1305(key).decrypt(_ZERO_NONCE, stanza.body, None)
        except InvalidTag:
            return None


def encrypt(plaintext: Iterable[bytes], recipient: str) -> Iterator[bytes]:
    """
    Give the age file that seals ``plaintext`` to ``recipient`` (``age1…``), piece by piece.

    Raises:
        SealError: ``recipient`` is not an age X25519 recipient.

    """
    file_key, nonce = os.urandom(_FILE_KEY), os.urandom(_PAYLOAD_NONCE)
    header = Header((_stanza(file_key, recipient),))
    yield header.to_bytes(_mac(file_key, header)) + nonce
    aead = ChaCha20Poly1305(_derive(file_key, nonce, b"payload"))
    held, number = b"", 0
    for block in plaintext:
        chunks = []
        if len(held) == CHUNK and block:  # joining it to the block would copy the block
            chunks.append(aead.encrypt(_nonce(number, last=False), held, None))
            held, number = b"", number + 1
        held += block
        whole = max(0, len(held) - 1) // CHUNK  # which chunk is the last is only known at the end
        view = memoryview(held)
        for start in range(0, whole * CHUNK, CHUNK):
            chunks.append(aead.encrypt(_nonce(number, last=False), view[start : start + CHUNK], None))
            number += 1
        held = held[whole * CHUNK :]
        if chunks:
            yield b"".join(chunks)
    yield aead.encrypt(_nonce(number, last=True), held, None)


def sealed_size(size: int) -> int:
    """Give how many bytes the file has that ``encrypt`` makes of ``size`` bytes."""
    chunks = max(1, -(-size // CHUNK))
    return _header_size() + _PAYLOAD_NONCE + size + chunks * _TAG


def decrypt(file: BinaryIO, identity: Identity) -> Iterator[bytes]:
    """
    Give the plaintext of an age file, each piece authenticated before it is given.

    Raises:
        SealError: The file is malformed, altered, cut short or longer than it was, or is not for ``identity``. A file
            cut short raises before the iteration ends, never after.

    """
    header, mac = age_header.read(file)
    file_key = next(filter(None, map(identity.file_key, header.stanzas)), None)
    if file_key is None:
        raise SealError("The age file was not sealed to this identity.")
    if not hmac.compare_digest(mac, _mac(file_key, header)):
        raise SealError("The header of the age file was altered.")
    nonce = file.read(_PAYLOAD_NONCE)
    if len(nonce) != _PAYLOAD_NONCE:
        raise SealError("The age file is cut short.")
    aead = ChaCha20Poly1305(_derive(file_key, nonce, b"payload"))
    number, chunk = 0, file.read(CHUNK + _TAG)
    while True:
        following = file.read(CHUNK + _TAG)
        try:
            plaintext = aead.decrypt(_nonce(number, last=not following), chunk, None)
        except InvalidTag as error:
            raise SealError(f"The age file was altered or cut short at chunk {number}.") from error
        if number and not plaintext:
            raise SealError("The age file ends in an empty chunk.")
        yield plaintext
        if not following:
            return
        number, chunk = number + 1, following


@cache
def _header_size() -> int:
    """Give the length of a header with one X25519 stanza, the only kind that ``encrypt`` writes."""
    recipient = Identity.generate().recipient
    return len(b"".join(encrypt([], recipient))) - _PAYLOAD_NONCE - _TAG


def _stanza(file_key: bytes, recipient: str) -> Stanza:
    try:
        point = bech32.decode(_RECIPIENT_PREFIX, recipient)
        ephemeral = X25519PrivateKey.generate()
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(point))
    except ValueError as error:
        raise SealError("This is not an age X25519 recipient.") from error
    share = ephemeral.public_key().public_bytes_raw()
    body = ChaCha20Poly1305(_derive(shared, share + point, _LABEL)).encrypt(_ZERO_NONCE, file_key, None)
    return Stanza("X25519", (age_header.encode(share),), body)


def _mac(file_key: bytes, header: Header) -> bytes:
    return hmac.digest(_derive(file_key, b"", b"header"), header.authenticated(), "sha256")


def _derive(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(secret)


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
