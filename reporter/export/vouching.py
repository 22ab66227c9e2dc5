"""Seal and time-stamp, checked by the program openssl; no library checks the first of them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from reporter.audit import openssl_stamps
from reporter.errors import CustodyError, UsageError
from reporter.export.programs import answer


def require_sealed(seal: bytes, content: bytes, anchors: bytes) -> None:
    """
    See that ``seal`` is over ``content``, by a certificate that ``anchors`` (PEM) vouch for.

    Raises:
        CustodyError: It is not.
        EnvironmentTroubleError: openssl is not installed.
    """
    with _files(seal=seal, content=content, anchors=anchors) as folder:
        given = ("-in", folder / "seal", "-content", folder / "content", "-CAfile", folder / "anchors")
        how = ("-binary", "-inform", "PEM", "-partial_chain", "-purpose", "any", "-out", folder / "out")
        code, _ = answer(["openssl", "cms", "-verify", *how, *given])
    if code:
        raise CustodyError("The seal is not over this bundle, or not by a certificate that is believed.")


def stamped_at(stamp: bytes, seal: bytes, anchors: Path) -> datetime:
    """
    Give when ``seal`` existed, as a time-stamp authority says that the certificates in ``anchors`` vouch for.

    Raises:
        CustodyError: The time-stamp is not over this seal, or nobody vouches for it.
        EnvironmentTroubleError: openssl is not installed.
    """
    return openssl_stamps.verify(stamp, seal, anchors)


def fingerprints(anchors: bytes) -> list[str]:
    """
    Give the SHA-256 of each certificate.

    Raises:
        UsageError: They are none.
    """
    try:
        return [each.fingerprint(SHA256()).hex() for each in x509.load_pem_x509_certificates(anchors)]
    except ValueError:
        raise UsageError("These are no certificates in PEM.") from None


@contextmanager
def _files(**contents: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in contents.items():
            Path(folder, name).write_bytes(content)
        yield Path(folder)
