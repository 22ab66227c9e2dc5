"""The seal: by the organisation's own key, and believed by its certificate alone."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from reporter.errors import CustodyError, UsageError
from reporter.export.sealing import Sealer, made, parse
from reporter.export.vouching import require_sealed

NOW = datetime.now(UTC)


def name(words: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"SYNTHETIC {words}")])


def certificate(
    subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey, *, ca: bool
) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(hours=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(signer, SHA256())
    )


def issued(*subjects: str) -> list[Sealer]:
    """Give sealers whose certificates one authority has issued."""
    root = ec.generate_private_key(ec.SECP256R1())
    above = certificate("root", "root", root, root, ca=True)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in subjects]
    return [
        Sealer(key, certificate(subject, "root", key, root, ca=False), (above,))
        for key, subject in zip(keys, subjects, strict=True)
    ]


def test_a_certificate_that_vouches_for_itself_is_enough() -> None:
    sealer = made("Example Forum Ltd", NOW)
    require_sealed(sealer.seal(b"list"), b"list", sealer.certificates)
    for seal, content in ((sealer.seal(b"list"), b"other"), (b"", b"list"), (b"no seal", b"list")):
        with pytest.raises(CustodyError):
            require_sealed(seal, content, sealer.certificates)


def test_whoever_believes_the_senders_certificate_believes_no_other_of_its_issuer() -> None:
    ours, others = issued("ours", "others")
    require_sealed(ours.seal(b"list"), b"list", ours.own.encode())
    with pytest.raises(CustodyError):
        require_sealed(others.seal(b"list"), b"list", ours.own.encode())
    require_sealed(others.seal(b"list"), b"list", ours.certificates)  # what believing the issuer means


def test_a_key_is_taken_with_its_own_certificate_only() -> None:
    ours, others = issued("ours", "others")
    assert parse(ours.to_text()).fingerprint == ours.fingerprint
    assert "PRIVATE" not in repr(ours)
    strange = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for text in (ours.to_text().replace(ours.own, others.own), ours.own, "", strange.decode() + ours.own):
        with pytest.raises(UsageError):
            parse(text)


def test_no_expired_certificate_seals() -> None:
    with pytest.raises(CustodyError, match="expired"):
        made("Example Forum Ltd", NOW).require_valid(NOW + timedelta(days=4000))
