"""
The seal: a detached CMS signature over the tag manifest, by a key of the organisation's.

The key and its certificate lie in the credential store: made here once, or the organisation's own, handed in. Whoever
checks a seal must have the certificate, or the one above it, from elsewhere than the bundle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder
from cryptography.x509.oid import NameOID
from sqlalchemy import Connection, Engine

from keycustody.credentials import CredentialStore
from keycustody.errors import MissingKeyError
from reporter.audit import service as audit
from reporter.audit import tree
from reporter.clock import Clock
from reporter.db.engine import transaction
from reporter.errors import CustodyError, UsageError
from reporter.evidence.custody import custody_errors

#: The credential's name, and what it is bound to, where an authority's is bound to its environment.
SEAL_KEY, FOR_EXPORT = "export-seal-key", "export"
#: How long a certificate that is made here holds: a bundle may be asked about for years.
_YEARS: Final = timedelta(days=3653)
_PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Sealer:
    """A signing key with its certificate, and those above it."""

    _key: _PrivateKey = field(repr=False)
    certificate: x509.Certificate
    above: Sequence[x509.Certificate] = ()

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the certificate: what is read out over the telephone."""
        return self.certificate.fingerprint(SHA256()).hex()

    @property
    def own(self) -> str:
        """The signer's certificate alone, in PEM: whoever believes this one believes nobody else's seal."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def certificates(self) -> bytes:
        """The certificates in PEM, the signer's first."""
        return b"".join(each.public_bytes(Encoding.PEM) for each in (self.certificate, *self.above))

    def seal(self, content: bytes) -> bytes:
        """Give the detached signature in PEM."""
        builder = PKCS7SignatureBuilder().set_data(content).add_signer(self.certificate, self._key, SHA256())
        for each in self.above:
            builder = builder.add_certificate(each)
        return builder.sign(Encoding.PEM, [PKCS7Options.Binary, PKCS7Options.DetachedSignature])

    def require_valid(self, now: datetime) -> None:
        """
        See that the certificate holds now.

        Raises:
            CustodyError: It does not.
        """
        if not self.certificate.not_valid_before_utc <= now < self.certificate.not_valid_after_utc:
            raise CustodyError(
                "The certificate that seals exports has expired, or is not valid yet.",
                next_step="Look at this machine's clock, or hand in another: reporter export seal-key --set",
            )

    def to_text(self) -> str:
        """Give key and certificates as PEM; it is a secret."""
        key = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return (key + self.certificates).decode()


def parse(text: str) -> Sealer:
    """
    Read a private key, its certificate and those above it, from PEM.

    Raises:
        UsageError: It is not that, or key and certificate do not belong together.
    """
    try:
        key = load_pem_private_key(text.encode(), password=None)
        certificate, *above = x509.load_pem_x509_certificates(text.encode())
    except (ValueError, TypeError):
        raise UsageError("Give a private key without a passphrase and its certificate, both in PEM.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise UsageError("A seal takes an RSA or an EC key.")
    if certificate.public_key() != key.public_key():
        raise UsageError("The first certificate is not that of the key.")
    return Sealer(key, certificate, tuple(above))


def made(name: str, now: datetime) -> Sealer:
    """Make a key and a certificate that vouches for itself, for an organisation of that name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, name[:64]),  # ub-organization-name, RFC 5280 A.1
            x509.NameAttribute(NameOID.COMMON_NAME, "Seal of exports"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _YEARS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_for_signing(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    return Sealer(key, certificate)


class SealKey:
    """Gives the sealer of a home; the first time, makes it."""

    def __init__(self, engine: Engine, clock: Clock, credentials: CredentialStore, organisation: str) -> None:
        self._engine, self._clock = engine, clock
        self._credentials, self._organisation = credentials, organisation

    def sealer(self, now: datetime) -> Sealer:
        """
        Give the sealer.

        Raises:
            CustodyError: It cannot be had.
        """
        found = self._kept()
        if found is None:
            with transaction(self._engine) as connection:
                tree.hold(connection)  # one process makes it
                found = self._kept() or self._keep(connection, made(self._organisation, now), "reporter")
        return found

    def replace(self, text: str, actor: str) -> Sealer:
        """
        Seal with the organisation's own key from now on.

        Raises:
            UsageError: It is none, or its certificate does not hold now.
        """
        given = parse(text)
        try:
            given.require_valid(self._clock.now())
        except CustodyError:
            raise UsageError("The certificate has expired, or is not valid yet; nothing was changed.") from None
        with transaction(self._engine) as connection:
            return self._keep(connection, given, actor)

    def _kept(self) -> Sealer | None:
        with custody_errors("The key that seals exports: "):
            try:
                text = self._credentials.get(SEAL_KEY, FOR_EXPORT).reveal()
            except MissingKeyError:
                return None
        try:
            return parse(text)
        except UsageError:
            raise CustodyError("The key that seals exports is damaged.") from None

    def _keep(self, connection: Connection, sealer: Sealer, actor: str) -> Sealer:
        audit.record(
            connection, at=self._clock.now(), actor=actor, kind="export_seal_key_set", item=SEAL_KEY,
            detail=f"sha256:{sealer.fingerprint}",
        )  # fmt: skip
        with custody_errors("The key that seals exports: "):
            until = sealer.certificate.not_valid_after_utc  # whoever watches credentials alarms in time
            self._credentials.set(SEAL_KEY, sealer.to_text(), FOR_EXPORT, until)
        return sealer


def _for_signing() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
