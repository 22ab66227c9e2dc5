"""One key or secret sealed under another: the wrap, its associated data, and AES-256-GCM that makes and opens it."""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass

import rfc8785
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keycustody.errors import SealError

ALGORITHM = "AES-256-GCM"
#: NIST SP 800-38D, 5.2.1.1 and 8.3: 96 bits; drawn at random, safe for 2^32 seals under one key.
NONCE_BYTES = 12
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Wrap:
    """A sealed key: which key sealed it, how, and the result. Useless without that key, so it may be shown."""

    kek_id: str
    kek_version: int
    alg: str
    nonce: bytes
    ciphertext: bytes

    def to_json(self) -> bytes:
        """Write the wrap as one JSON object."""
        fields: dict[str, str | int] = {
            "kek_id": self.kek_id,
            "kek_version": self.kek_version,
            "alg": self.alg,
            "nonce": b64encode(self.nonce).decode(),
            "ciphertext": b64encode(self.ciphertext).decode(),
        }
        return rfc8785.dumps(fields)

    @classmethod
    def from_json(cls, text: bytes) -> Wrap:
        """
        Read a wrap back.

        Raises:
            SealError: It is not a wrap.

        """
        try:
            fields = json.loads(text)
            return cls(
                kek_id=str(fields["kek_id"]),
                kek_version=int(fields["kek_version"]),
                alg=str(fields["alg"]),
                nonce=b64decode(fields["nonce"], validate=True),
                ciphertext=b64decode(fields["ciphertext"], validate=True),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SealError("A stored wrap is not readable: it was altered or cut short.") from error


def associated_data(context: Mapping[str, str]) -> bytes:
    """Give the canonical JSON (RFC 8785) that binds a seal to what it is for."""
    return rfc8785.dumps(dict(context))


def wrap_under(kek: bytes, kek_id: str, kek_version: int, key: bytes, context: Mapping[str, str]) -> Wrap:
    """Seal ``key`` under ``kek``, bound to ``context``."""
    nonce = os.urandom(NONCE_BYTES)
    return Wrap(kek_id, kek_version, ALGORITHM, nonce, AESGCM(kek).encrypt(nonce, key, associated_data(context)))


def unwrap_under(kek: bytes, wrap: Wrap, context: Mapping[str, str]) -> bytes:
    """
    Open ``wrap`` with ``kek``.

    Raises:
        SealError: It was altered, made under another key, or made for another context.

    """
    if wrap.alg != ALGORITHM:
        raise SealError(f"A wrap under {wrap.kek_id} was made by a method this program does not know.")
    try:
        return AESGCM(kek).decrypt(wrap.nonce, wrap.ciphertext, associated_data(context))
    except (InvalidTag, ValueError) as error:
        raise SealError(
            f"A wrap under {wrap.kek_id} does not open: it was altered, swapped, or made for something else."
        ) from error
