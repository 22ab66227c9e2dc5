"""Each envelope is opened by the program that its recipient has, and no key that must not be used is used."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from keycustody import age
from reporter.errors import CustodyError, EnvironmentTroubleError, PolicyError, UsageError
from reporter.export.envelopes import Key, examined, kind_of, require_short
from reporter.export.model import Envelope
from reporter.export.programs import through

NOW = datetime.now(UTC)
CONTENT = [b"SYNTHETIC harmless bytes " * 5000, bytes(3 << 20), b"end"]


def sealed(key: Key) -> bytes:
    return b"".join(key.encrypt(iter(CONTENT)))


def opened(*command: str | Path, given: bytes = b"", **more: str) -> bytes:
    ran = subprocess.run(
        [str(part) for part in command], input=given, capture_output=True, check=True, timeout=60,
        env={**os.environ, **more},
    )  # fmt: skip
    return ran.stdout


# --- OpenPGP --------------------------------------------------------------------------------------------------------


class Keyring:
    """A recipient's own keyring."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self.folder = folder

    def gpg(self, *arguments: str, given: bytes = b"") -> bytes:
        return opened("gpg", "--batch", "--quiet", "--homedir", self.folder, "--pinentry-mode", "loopback",
                      "--passphrase", "", "--trust-model", "always", *arguments, given=given)  # fmt: skip

    def make(self, name: str, usage: str, *more: str, expires: str = "0") -> bytes:
        self.gpg(*more, "--quick-gen-key", f"{name}@agency.example", "rsa2048", usage, expires)
        return self.gpg("--armor", "--export", f"{name}@agency.example")

    def revoke(self, name: str) -> bytes:
        rows = self.gpg("--with-colons", "--list-keys", f"{name}@agency.example").decode().splitlines()
        fingerprint = next(row.split(":")[9] for row in rows if row.startswith("fpr"))
        text = (self.folder / "openpgp-revocs.d" / f"{fingerprint}.rev").read_text()
        self.gpg("--import", given=text.replace("\n:-----BEGIN", "\n-----BEGIN").encode())
        return self.gpg("--armor", "--export", f"{name}@agency.example")


@pytest.fixture(scope="module")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyring]:
    ring = Keyring(tmp_path_factory.mktemp("g") / "h")
    yield ring
    subprocess.run(["gpgconf", "--homedir", str(ring.folder), "--kill", "gpg-agent"], check=False, capture_output=True)


def test_stock_gpg_opens_openpgp(keyring: Keyring, program: Callable[[str], str]) -> None:
    program("gpg")
    public = keyring.make("good", "encr,sign,cert")
    key = examined(Envelope.OPENPGP, public, NOW)
    rows = keyring.gpg("--with-colons", "--list-keys", "good@agency.example").decode()
    assert f"fpr:::::::::{key.fingerprint}:" in rows
    assert keyring.gpg("--decrypt", given=sealed(key)) == b"".join(CONTENT)
    binary = keyring.gpg("--export", "good@agency.example")
    assert kind_of(binary) is Envelope.OPENPGP
    assert examined(Envelope.OPENPGP, binary, NOW).fingerprint == key.fingerprint
    with pytest.raises(UsageError, match="one OpenPGP public key"):
        examined(Envelope.OPENPGP, public + keyring.make("second", "encr,sign,cert"), NOW)
    with pytest.raises(UsageError, match="secret key"):
        examined(Envelope.OPENPGP, keyring.gpg("--armor", "--export-secret-keys", "good@agency.example"), NOW)
    with pytest.raises(UsageError, match="one OpenPGP public key"):
        examined(Envelope.OPENPGP, keyring.gpg("--export-secret-keys", "good@agency.example"), NOW)


@pytest.mark.parametrize(
    ("name", "usage", "more", "expires", "words"),
    [
        ("revoked", "encr,sign,cert", (), "0", "was revoked"),
        ("expired", "encr,sign,cert", ("--faked-system-time", "20200101T000000"), "1y", "has expired"),
        ("signing", "sign,cert", (), "0", "no part for encryption"),
    ],
)
def test_no_openpgp_key_is_used_that_must_not_be(
    keyring: Keyring, program: Callable[[str], str], name: str, usage: str, more: tuple[str, ...], expires: str,
    words: str,
) -> None:  # fmt: skip
    program("gpg")
    public = keyring.make(name, usage, *more, expires=expires)
    if name == "revoked":
        public = keyring.revoke(name)
    with pytest.raises(PolicyError, match=words):
        examined(Envelope.OPENPGP, public, NOW)


# --- CMS ------------------------------------------------------------------------------------------------------------


def certificate(
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey,
    *,
    days: int = 30,
    begun: int = 1,
    encipherment: bool = True,
) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "SYNTHETIC Agency")])
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=encipherment, data_encipherment=False,
        key_agreement=encipherment, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=begun))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(usage, critical=True)
        .sign(private, None if isinstance(private, ed25519.Ed25519PrivateKey) else SHA256())
    )
    return made.public_bytes(Encoding.PEM)


RSA, EC = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize("private", [RSA, EC], ids=["rsa", "ec"])
def test_stock_openssl_opens_cms(
    tmp_path: Path, program: Callable[[str], str], private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
) -> None:
    program("openssl")
    (tmp_path / "key").write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    held = sealed(examined(Envelope.CMS, certificate(private), NOW))
    decrypt = ("openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-inkey", tmp_path / "key")
    assert opened(*decrypt, given=held) == b"".join(CONTENT)
    with pytest.raises(subprocess.CalledProcessError):
        opened(*decrypt, given=held[:-100] + bytes([held[-100] ^ 1]) + held[-99:])


@pytest.mark.parametrize(
    ("public", "error", "words"),
    [
        (certificate(RSA, days=-1, begun=9), PolicyError, "has expired"),
        (certificate(RSA, begun=-1), PolicyError, "not valid yet"),
        (certificate(RSA, encipherment=False), PolicyError, "not for encryption"),
        (certificate(rsa.generate_private_key(65537, 1024)), UsageError, "2,048 bits"),
        (certificate(ed25519.Ed25519PrivateKey.generate()), UsageError, "RSA key"),
        (certificate(RSA) * 2, UsageError, "one certificate"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", UsageError, "cannot be read"),
    ],
    ids=["expired", "early", "signing", "short", "ed25519", "two", "none"],
)
def test_no_certificate_is_used_that_must_not_be(public: bytes, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        examined(Envelope.CMS, public, NOW)


def test_what_openssl_would_not_open_is_not_put_into_cms() -> None:
    key = examined(Envelope.CMS, certificate(RSA), NOW)
    require_short(2_000_000_000, key)
    with pytest.raises(UsageError, match="openssl opens 2,000,000,000 at most"):
        require_short(2_000_000_001, key)
    require_short(1 << 40, examined(Envelope.AGE, age.Identity.generate().recipient.encode(), NOW))


# --- age and ZIP ----------------------------------------------------------------------------------------------------


def test_stock_age_opens_age(tmp_path: Path, program: Callable[[str], str]) -> None:
    identity = age.Identity.generate()
    (tmp_path / "identity").write_text(f"{identity.text}\n")
    held = sealed(examined(Envelope.AGE, f"{identity.recipient}\n".encode(), NOW))
    assert opened(program("age"), "-d", "-i", tmp_path / "identity", given=held) == b"".join(CONTENT)


@pytest.mark.filterwarnings("ignore:PBKDF2 without:DeprecationWarning")  # the ZIP scheme fixes both
def test_stock_7_zip_opens_a_zip(tmp_path: Path, program: Callable[[str], str]) -> None:
    key = examined(Envelope.ZIP, b"", NOW)
    assert key.passphrase is not None
    assert len(key.passphrase.reveal()) == 32  # 192 bits
    assert key.passphrase.reveal() not in repr(key)
    (tmp_path / "bundle.zip").write_bytes(sealed(key))
    unzip = (program("7z"), "x", "-so", tmp_path / "bundle.zip")
    assert opened(*unzip, f"-p{key.passphrase.reveal()}") == b"".join(CONTENT)
    with pytest.raises(subprocess.CalledProcessError):
        opened(*unzip, "-pwrong")


@pytest.mark.parametrize(
    ("envelope", "key"),
    [
        (Envelope.OPENPGP, age.Identity.generate().recipient.encode()),
        (Envelope.AGE, certificate(RSA)),
        (Envelope.CMS, b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAA"),
        (Envelope.AGE, b"age1notakeyatall"),
        (Envelope.AGE, f"{age.Identity.generate().recipient}\n{age.Identity.generate().recipient}".encode()),
        (Envelope.AGE, age.Identity.generate().text.encode()),
        (Envelope.CMS, RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate(RSA)),
        (Envelope.ZIP, certificate(RSA)),
        (Envelope.OPENPGP, b""),
    ],
    ids=["age-for-openpgp", "certificate-for-age", "ssh-for-cms", "no-recipient", "two-recipients", "secret-for-age",
         "secret-for-cms", "certificate-for-zip", "nothing"],
)  # fmt: skip
def test_a_key_of_another_kind_is_refused(envelope: Envelope, key: bytes) -> None:
    with pytest.raises(UsageError):
        examined(envelope, key, NOW)


# --- programs as filters --------------------------------------------------------------------------------------------


def test_trouble_on_the_way_in_is_passed_on_and_leaves_no_process_and_no_whole_output(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield bytes(5 << 20)
        raise CustodyError("SYNTHETIC damage")

    done = tmp_path / "done"
    program = f"import sys; sys.stdout.buffer.write(sys.stdin.buffer.read()); open({str(done)!r}, 'w')"
    with pytest.raises(CustodyError, match="SYNTHETIC"):
        list(through([sys.executable, "-c", program], broken()))
    assert not done.exists()  # it was killed before it could take a part for the whole


def test_whoever_stops_reading_stops_the_program_and_what_feeds_it() -> None:
    closed = threading.Event()

    def endless() -> Iterator[bytes]:
        try:
            while True:
                yield bytes(1 << 16)
        finally:
            closed.set()

    pieces = through(["cat"], endless())
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert closed.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name == "feeder"]


@pytest.mark.parametrize("command", [["false"], ["no-such-program-anywhere"]])
def test_a_program_that_fails_or_is_missing_is_named(command: list[str]) -> None:
    with pytest.raises(EnvironmentTroubleError, match=command[0]):
        list(through(command, iter(CONTENT)))
