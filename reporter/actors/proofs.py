"""
Proofs: Ed25519 keys in a file that a passphrase protects, and tokens.

A token is the 32 bytes of an Ed25519 key itself, so that both sign in the same way, and all that is kept of either is
its public key, from which nobody can act.
"""

from __future__ import annotations

import hashlib
import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from keycustody import files
from keycustody.redacted import Redacted
from reporter.actors.model import HANDLE_PATTERN, Proof, ProofKind, Request, Sign, Signature
from reporter.errors import EnvironmentTroubleError, PolicyError, UsageError

#: NIST SP 800-63B-4, section 3.1.1.2: a password that stands alone, as before a stolen file, has 15 characters or more.
SHORTEST_PASSPHRASE = 15
#: scrypt N for r = 8, p = 1: the first choice of OWASP's Password Storage Cheat Sheet, 128 MiB for each guess. PKCS#8's
#: own derivation, as the library writes it, is 2,048 rounds of PBKDF2, and far too cheap by itself.
COST = 1 << 17
_HIGHEST_COST = 1 << 20
_TOKEN = "reporter-token-"  # noqa: S105
_HEADER = re.compile(rb"Scrypt: ([0-9]{1,7}) ([0-9a-f]{32})\n")


def new_key() -> Ed25519PrivateKey:
    """Make the secret half of a key or token."""
    return Ed25519PrivateKey.generate()


def keep_key(path: Path, key: Ed25519PrivateKey, passphrase: Redacted, cost: int = COST) -> None:
    """
    Write a key to a file that must not exist yet: PKCS#8, encrypted.

    Raises:
        UsageError: The passphrase is too short, or there is a file already.
        EnvironmentTroubleError: The file cannot be written.
    """
    if len(passphrase.reveal()) < SHORTEST_PASSPHRASE:
        raise UsageError(f"A passphrase has at least {SHORTEST_PASSPHRASE} characters; a few words do well.")
    salt = os.urandom(16)
    password = _stretched(passphrase, salt, cost)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password))
    write_private(path, b"Scrypt: %d %s\n" % (cost, salt.hex().encode()) + pem)


def open_key(path: Path, passphrase: Callable[[], Redacted]) -> Ed25519PrivateKey:
    """
    Read a key; ``passphrase`` is asked for once the file is found to be one.

    Raises:
        UsageError: There is no such file, or it holds no key.
        PolicyError: The passphrase is another.
        EnvironmentTroubleError: The file cannot be read, or others may read it.
    """
    content = _read_private(path)
    header = _HEADER.match(content)
    if header is None or int(header[1]) > _HIGHEST_COST:
        raise UsageError(f"{path} holds no key of Reporter's.", next_step="Make one with: reporter actor key HANDLE")
    password = _stretched(passphrase(), bytes.fromhex(header[2].decode()), int(header[1]))
    try:
        key = load_pem_private_key(content[header.end() :], password)
    except ValueError:
        raise PolicyError(f"The passphrase does not open {path}.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{path} holds no key of Reporter's.")
    return key


def token(key: Ed25519PrivateKey) -> str:
    """Give a key as the text of a token, to be kept in a file."""
    return _TOKEN + _encode(key.private_bytes_raw())


def open_token(path: Path) -> Ed25519PrivateKey:
    """
    Read a token from its file.

    Raises:
        UsageError: There is no such file, or it holds no token.
        EnvironmentTroubleError: The file cannot be read, or others may read it.
    """
    text = _read_private(path).strip()
    try:
        return Ed25519PrivateKey.from_private_bytes(_decode(text.decode().removeprefix(_TOKEN), 32))
    except ValueError:
        raise UsageError(f"{path} holds no token of Reporter's.") from None


def public_key(key: Ed25519PrivateKey) -> str:
    """Give the public half, in base64url."""
    return _encode(key.public_key().public_bytes_raw())


def fingerprint(public: str) -> str:
    """Give what people compare: the first 80 bits of the SHA-256 of a public key."""
    digest = hashlib.sha256(_decode(public, 32)).hexdigest()[:20]
    return "-".join(digest[start : start + 4] for start in range(0, 20, 4))


def signer(key: Ed25519PrivateKey) -> Sign:
    """Give what signs with this key."""
    return lambda content: Signature(public_key(key), _encode(key.sign(content)))


def holds(signature: Signature, content: bytes) -> bool:
    """Whether a signature is one over this content, by the key it names."""
    try:
        key = Ed25519PublicKey.from_public_bytes(_decode(signature.public_key, 32))
        key.verify(_decode(signature.value, 64), content)
    except (ValueError, InvalidSignature):
        return False
    return True


def ask(handle: str, kind: ProofKind, key: Ed25519PrivateKey) -> Request:
    """Give the request to be enrolled with this key."""
    require_handle(handle)
    unsigned = Request(handle, Proof(kind, public_key(key)), "")
    return Request(handle, unsigned.proof, signer(key)(unsigned.content()).value)


def read_request(text: str) -> Request:
    """
    Read a request, which whoever holds the secret half must have signed.

    Raises:
        UsageError: It is none, or was altered.
    """
    try:
        handle, kind, public, value = text.strip().split(":")
        request = Request(require_handle(handle), Proof(ProofKind(kind), public), value)
    except ValueError:
        request = None
    if request is None or not holds(Signature(request.proof.public_key, request.signature), request.content()):
        raise UsageError("That is no request to be enrolled, or it was altered.", next_step="See: reporter actor key")
    return request


def require_handle(handle: str) -> str:
    """
    Give a handle that can be one.

    Raises:
        UsageError: It cannot.
    """
    if not HANDLE_PATTERN.fullmatch(handle) or handle == "reporter":
        raise UsageError("A handle is 2 to 32 lower-case letters, digits, '.', '_' or '-', a letter first.")
    return handle


def write_private(path: Path, content: bytes) -> None:
    """
    Write a file that must not exist yet, for its owner alone.

    Raises:
        UsageError: There is one already.
        EnvironmentTroubleError: It cannot be written.
    """
    try:
        files.make_folder(path.parent)
        files.create(path, [content])
    except FileExistsError:
        raise UsageError(f"There is a file {path} already; it is not touched.") from None
    except OSError as error:
        raise EnvironmentTroubleError(f"{path} cannot be written: {error.strerror}.") from None


def _read_private(path: Path) -> bytes:
    try:
        files.require_private(path)
        with files.read(path) as file:
            return file.read(1 << 16)
    except FileNotFoundError:
        raise UsageError(f"There is no file {path}.", next_step="Make a key with: reporter actor key HANDLE") from None
    except OSError as error:
        raise EnvironmentTroubleError(f"{path} cannot be used: {error.strerror or error}.") from None


def read_passphrase(path: Path) -> Redacted:
    """
    Read a passphrase from a private file, whose last line break does not count.

    Raises:
        UsageError: There is no such file.
        EnvironmentTroubleError: The file cannot be read, or others may read it.
    """
    return Redacted(_read_private(path).decode(errors="replace").rstrip("\r\n"))


def _stretched(passphrase: Redacted, salt: bytes, cost: int) -> bytes:
    try:
        return _encode(Scrypt(salt, 32, cost, 8, 1).derive(passphrase.reveal().encode())).encode()
    except (ValueError, MemoryError):
        raise EnvironmentTroubleError("The key cannot be derived from its passphrase on this machine.") from None


def _encode(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _decode(text: str, length: int) -> bytes:
    """
    Give bytes from base64url, written in the one way in which they can be.

    Raises:
        ValueError: The text is none, or not so long.
    """
    content = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    if len(content) != length or _encode(content) != text:
        raise ValueError("not base64url of that length")
    return content
