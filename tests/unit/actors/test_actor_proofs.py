"""Keys and tokens: what a file holds, who may open it, and what a signature is worth."""

import dataclasses
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keycustody.redacted import Redacted
from reporter.actors import proofs
from reporter.actors.model import ProofKind, Signature, Statement
from reporter.errors import EnvironmentTroubleError, PolicyError, UsageError

PASSPHRASE = Redacted("SYNTHETIC but long enough")
SAID = Statement(
    "submission approve", {"digest": "ab"}, "test", "h" * 32, "robin", datetime(2026, 11, 23, tzinfo=UTC), "n" * 32
)


def kept(folder: Path) -> Path:
    path = folder / "keys" / "robin.key"
    proofs.keep_key(path, proofs.new_key(), PASSPHRASE, cost=2)
    return path


def test_a_key_opens_with_its_passphrase_alone(tmp_path: Path) -> None:
    path = kept(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert proofs.public_key(proofs.open_key(path, lambda: PASSPHRASE)) == proofs.public_key(
        proofs.open_key(path, lambda: PASSPHRASE)
    )
    with pytest.raises(PolicyError, match="passphrase does not open"):
        proofs.open_key(path, lambda: Redacted("SYNTHETIC and another one"))


def test_the_file_is_ordinary_pkcs8_under_the_derived_password(tmp_path: Path, program: Callable[[str], str]) -> None:
    shown = subprocess.run(
        [program("openssl"), "asn1parse", "-in", str(kept(tmp_path))], capture_output=True, text=True, check=True
    )
    assert "PBES2" in shown.stdout
    assert "aes-256-cbc" in shown.stdout


def test_deriving_the_password_is_dear() -> None:
    assert proofs.COST >= 1 << 17  # OWASP Password Storage Cheat Sheet, scrypt


@pytest.mark.parametrize("text", ["", "short", "fourteen chars"])
def test_a_short_passphrase_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="at least 15"):
        proofs.keep_key(tmp_path / "k", proofs.new_key(), Redacted(text), cost=2)
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = kept(tmp_path)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="not touched"):
        proofs.keep_key(path, proofs.new_key(), PASSPHRASE, cost=2)
    assert path.read_bytes() == before


def _open_to_others(path: Path) -> None:
    path.chmod(0o640)


def _through_a_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


@pytest.mark.parametrize("spoil", [_open_to_others, _through_a_link])
def test_a_key_that_others_can_reach_is_refused(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    path = kept(tmp_path)
    spoil(path)
    with pytest.raises(EnvironmentTroubleError, match="cannot be used"):
        proofs.open_key(path, lambda: PASSPHRASE)


@pytest.mark.parametrize("content", [b"", b"nothing", b"Scrypt: 9999999 " + b"0" * 32 + b"\nx", bytes(range(128, 228))])
def test_a_file_that_is_no_key_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    proofs.write_private(tmp_path / "k", content)
    with pytest.raises(UsageError, match="holds no key"):
        proofs.open_key(tmp_path / "k", lambda: PASSPHRASE)
    with pytest.raises(UsageError, match="holds no token"):
        proofs.open_token(tmp_path / "k")


def test_a_token_is_read_back(tmp_path: Path) -> None:
    key = proofs.new_key()
    proofs.write_private(tmp_path / "t", proofs.token(key).encode() + b"\n")
    assert proofs.public_key(proofs.open_token(tmp_path / "t")) == proofs.public_key(key)


def test_a_signature_holds_for_what_was_signed_alone() -> None:
    key, other = proofs.new_key(), proofs.new_key()
    signature = proofs.signer(key)(SAID.content())
    assert proofs.holds(signature, SAID.content())
    for change in (
        {"verb": "case add"}, {"subject": {"digest": "ac"}}, {"environment": "production"}, {"home": "x"},
        {"actor": "dana"}, {"at": datetime(2026, 11, 24, tzinfo=UTC)}, {"nonce": "m"},
    ):  # fmt: skip
        assert not proofs.holds(signature, dataclasses.replace(SAID, **change).content())  # type: ignore[arg-type]
    assert not proofs.holds(Signature(proofs.public_key(other), signature.value), SAID.content())
    assert not proofs.holds(Signature(signature.public_key, signature.value[:-1] + "!"), SAID.content())


def test_a_request_is_signed_by_whoever_holds_the_key() -> None:
    request = proofs.ask("robin", ProofKind.KEY, proofs.new_key())
    assert proofs.read_request(f" {request}\n") == request
    text = str(request)
    for forged in (
        text.replace("robin", "dana"), text.replace(":key:", ":token:"), text[:-3], "", "robin",
        ":".join([*text.split(":")[:2], proofs.public_key(proofs.new_key()), request.signature]),
    ):  # fmt: skip
        with pytest.raises(UsageError, match="no request"):
            proofs.read_request(forged)


@pytest.mark.parametrize("handle", ["", "r", "Robin", "robin b", "1robin", "r" * 33, "reporter", "rob\u0131n"])
def test_a_handle_can_be_mistaken_for_no_other(handle: str) -> None:
    with pytest.raises(UsageError, match="A handle is"):
        proofs.require_handle(handle)
