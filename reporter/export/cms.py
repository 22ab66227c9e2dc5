"""CMS (RFC 5652, 5083) by the program openssl: AES-256-GCM, to the certificate of a recipient."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from reporter.errors import PolicyError, UsageError
from reporter.export.programs import through

#: Bytes that openssl opens: it holds a message whole, three times over, and refuses one of 2^31 bytes or more.
LONGEST: Final = 2_000_000_000
_LEAST_RSA_BITS: Final = 2048


def examine(key: bytes, now: datetime) -> str:
    """
    Give the SHA-256 fingerprint of the one certificate in ``key``, which can be encrypted to.

    Raises:
        UsageError: There is none, there are several, or its key is of another kind.
        PolicyError: It has expired, is not valid yet, or is not for encryption.
    """
    try:
        certificates = x509.load_pem_x509_certificates(key)
    except ValueError:
        raise UsageError("The recipient's certificate cannot be read.") from None
    if len(certificates) != 1:
        raise UsageError("The recipient's file must hold one certificate, and no chain.")
    certificate = certificates[0]
    if certificate.not_valid_after_utc <= now:
        raise PolicyError("The recipient's certificate has expired.", next_step="Ask the recipient for the one in use.")
    if certificate.not_valid_before_utc > now:
        raise PolicyError("The recipient's certificate is not valid yet.", next_step="Look at this machine's clock.")
    public, usage = certificate.public_key(), _usage(certificate)
    if isinstance(public, RSAPublicKey) and public.key_size >= _LEAST_RSA_BITS:
        fits = usage is None or usage.key_encipherment
    elif isinstance(public, EllipticCurvePublicKey):
        fits = usage is None or usage.key_agreement
    else:
        raise UsageError("The recipient's certificate must hold an RSA key of 2,048 bits or more, or an EC key.")
    if not fits:
        raise PolicyError("The recipient's certificate is not for encryption (keyUsage).")
    return certificate.fingerprint(SHA256()).hex()


def encrypt(key: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """
    Give ``pieces`` encrypted, in DER.

    Raises:
        EnvironmentTroubleError: openssl is not installed, or fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "recipient.pem")
        file.write_bytes(key)
        command = ["openssl", "cms", "-encrypt", "-binary", "-stream", "-outform", "DER", "-aes-256-gcm", str(file)]
        yield from through(command, pieces)


def _usage(certificate: x509.Certificate) -> x509.KeyUsage | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return None
