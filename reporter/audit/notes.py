"""
Signed notes and checkpoints as C2SP writes them: signed-note v1.0.0 (type 0x01, Ed25519) and tlog-checkpoint v1.0.0.

Any program for transparency logs reads them; see https://c2sp.org/signed-note and https://c2sp.org/tlog-checkpoint.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from reporter.errors import CustodyError

_ED25519 = b"\x01"
_PRIVATE = "PRIVATE+KEY+"
_DASH = "\u2014"
#: No checkpoint comes near, however many witnesses sign it.
_LONGEST = 100_000


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself: its name, how many leaves it has, and the root above them."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class Verifier:
    """The public half of a log's key."""

    name: str
    _public: bytes

    @classmethod
    def parse(cls, text: str) -> Verifier:
        """
        Read a verifier key (vkey), as ``str`` gives it.

        Raises:
            CustodyError: This is none.
        """
        name, key_id, key = _key_in(text)
        verifier = cls(name, key)
        if key_id != verifier.key_id.hex():
            raise CustodyError("This is no key of a custody log.")
        return verifier

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell keys of one name apart."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self._public).digest()[:4]

    def __str__(self) -> str:
        """Give the verifier key (vkey), as transparency-log programs take it."""
        return f"{self.name}+{self.key_id.hex()}+{b64encode(_ED25519 + self._public).decode()}"

    def open(self, note: str) -> Checkpoint:
        """
        Give the checkpoint that a note vouches for.

        Raises:
            CustodyError: It is no checkpoint of this log, or its signature is wrong.
        """
        text, signatures = _split(note)
        ours = [signature for name, signature in signatures if name == self.name and signature[:4] == self.key_id]
        if not ours:
            raise CustodyError("The checkpoint is not signed by this log's key.")
        for signature in ours:
            try:
                Ed25519PublicKey.from_public_bytes(self._public).verify(signature[4:], text.encode())
            except InvalidSignature:
                raise CustodyError("The checkpoint's signature is wrong.") from None
        return _parsed(text, self.name)


@dataclass(frozen=True, slots=True)
class Signer:
    """The key of a log; its name is the origin of every checkpoint."""

    name: str
    _seed: bytes = field(repr=False)

    @classmethod
    def generate(cls, name: str) -> Signer:
        """Make a new key."""
        return cls(name, Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def from_text(cls, text: str) -> Signer:
        """
        Read a key from ``PRIVATE+KEY+name+id+base64``, as the note tools write it.

        Raises:
            CustodyError: This is none.
        """
        name, key_id, key = _key_in(text.removeprefix(_PRIVATE))
        signer = cls(name, key)
        if key_id != signer.verifier.key_id.hex():
            raise CustodyError("The signing key of the custody log is damaged.")
        return signer

    def to_text(self) -> str:
        """Give the key as text; it is a secret."""
        return f"{_PRIVATE}{self.name}+{self.verifier.key_id.hex()}+{b64encode(_ED25519 + self._seed).decode()}"

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self._key.public_key().public_bytes_raw())

    def sign(self, size: int, root: bytes) -> str:
        """Give the signed note of a checkpoint."""
        text = str(Checkpoint(self.name, size, root))
        signature = b64encode(self.verifier.key_id + self._key.sign(text.encode())).decode()
        return f"{text}\n{_DASH} {self.name} {signature}\n"

    @property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._seed)


def _key_in(text: str) -> tuple[str, str, bytes]:
    """Give name, key id and the 32 bytes of an Ed25519 key written as ``name+id+base64``."""
    name, _, rest = text.partition("+")
    key_id, _, key = rest.partition("+")
    try:
        decoded = b64decode(key, validate=True)
    except ValueError:
        decoded = b""
    if decoded[:1] != _ED25519 or len(decoded) != 33:
        raise CustodyError("This is no Ed25519 key of a custody log.")
    return name, key_id, decoded[1:]


def _split(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Give the text of a note and its signatures: the name, and the key's id with the signature itself."""
    end = note.rfind("\n\n")
    clean = len(note) <= _LONGEST and not any(character < " " and character != "\n" for character in note)
    if end < 0 or not clean or not note.endswith("\n"):
        raise CustodyError("This is no signed note.")
    signatures = []
    for line in note[end + 2 : -1].split("\n"):
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        try:
            signature = b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            signature = b""
        if dash != _DASH or not name or len(signature) < 5:
            raise CustodyError("This is no signed note.")
        signatures.append((name, signature))
    return note[: end + 1], signatures


def _parsed(text: str, origin: str) -> Checkpoint:
    lines = text.split("\n")
    try:
        root = b64decode(lines[2], validate=True)
        checkpoint = Checkpoint(lines[0], int(lines[1]), root)
    except (IndexError, ValueError):
        raise CustodyError("The signed note is no checkpoint.") from None
    if str(checkpoint) != text or checkpoint.origin != origin or len(root) != 32:
        raise CustodyError("The signed note is no checkpoint of this log.")
    return checkpoint
