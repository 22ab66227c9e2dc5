"""The PKCS#11 provider under the contract of all, on a real SoftHSM; every test has a token of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pkcs11
import pytest

from keycustody.errors import MissingKeyError, SealError, StorageError
from keycustody.hsm import TokenKeyring
from reporter.testing.contract.keys import KeyProviderContract

PIN, TOKEN = "harmless-pin", "reporter-test"
CONTEXT = {"case": "TS-2026-000101", "use": "case-key"}


@pytest.fixture
def module(token) -> Path:
    """Give SoftHSM's module, with one fresh token in a folder of this test."""
    return token.module


@pytest.fixture
def keyring(module: Path, tmp_path: Path) -> TokenKeyring:
    keyring = TokenKeyring(module, TOKEN, "reporter", tmp_path / "pin")
    keyring.create()
    return keyring


class TestTokenKeyring(KeyProviderContract):
    @pytest.fixture
    def open_provider(self, module: Path, tmp_path: Path) -> Callable[[], TokenKeyring]:
        TokenKeyring(module, TOKEN, "reporter", tmp_path / "pin").create()
        return lambda: TokenKeyring(module, TOKEN, "reporter", tmp_path / "pin")


def test_the_key_is_made_in_the_token_and_never_leaves_it(keyring: TokenKeyring) -> None:
    keyring.create()
    (kek,) = keyring._keks
    attribute = pkcs11.Attribute
    assert kek.key[attribute.SENSITIVE] and kek.key[attribute.ALWAYS_SENSITIVE] and kek.key[attribute.LOCAL]
    assert kek.key[attribute.NEVER_EXTRACTABLE] and not kek.key[attribute.EXTRACTABLE]
    assert not kek.key[attribute.MODIFIABLE] and not kek.key[attribute.WRAP]
    with pytest.raises(pkcs11.exceptions.AttributeSensitive):
        kek.key[attribute.VALUE]


def test_a_lost_session_is_opened_again(keyring: TokenKeyring) -> None:
    wrap = keyring.wrap(b"key", CONTEXT)
    keyring._session.close()
    assert keyring.unwrap(wrap, CONTEXT) == b"key"


def test_a_token_that_is_pulled_out_is_trouble_and_works_when_it_is_back(keyring: TokenKeyring, tmp_path: Path) -> None:
    wrap = keyring.wrap(b"key", CONTEXT)
    (tmp_path / "tokens").rename(tmp_path / "pulled-out")
    (tmp_path / "tokens").mkdir()
    for use in (lambda: keyring.wrap(b"key", CONTEXT), lambda: keyring.unwrap(wrap, CONTEXT), keyring.rotate):
        with pytest.raises(StorageError, match=f"The token {TOKEN} "):
            use()
    (tmp_path / "tokens").rmdir()
    (tmp_path / "pulled-out").rename(tmp_path / "tokens")
    assert keyring.unwrap(wrap, CONTEXT) == b"key"


def test_a_wrong_pin_is_tried_once(module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pin").write_text("wrong-pin")
    keyring = TokenKeyring(module, TOKEN, "reporter", tmp_path / "pin")
    tried = []
    monkeypatch.setattr(keyring, "_pin", lambda wrapped=keyring._pin: tried.append(1) or wrapped())
    for _ in range(3):
        with pytest.raises(StorageError, match="refuses its PIN") as caught:
            keyring.create()
        assert "wrong-pin" not in str(caught.value)
    assert len(tried) == 1


def test_a_destroyed_version_is_missing(keyring: TokenKeyring) -> None:
    wrap = keyring.wrap(b"key", CONTEXT)
    keyring.rotate()
    with keyring._session.token.open(rw=True) as session:
        first = min(keyring._list(), key=lambda kek: kek.version)
        next(iter(session.get_objects({pkcs11.Attribute.ID: first.key.id}))).destroy()
    keyring._drop()
    with pytest.raises(MissingKeyError):
        keyring.unwrap(wrap, CONTEXT)
    assert keyring.current_version == 2


def test_two_machines_that_rotate_at_once_do_no_harm(keyring: TokenKeyring) -> None:
    ring = keyring._newest().ring
    wraps = []
    for _ in range(2):
        keyring._generate(ring, 2)
        wraps.append(keyring.wrap(b"key", CONTEXT))
    assert [wrap.kek_version for wrap in wraps] == [2, 2]
    assert [keyring.unwrap(wrap, CONTEXT) for wrap in wraps] == [b"key", b"key"]
    with pytest.raises(SealError):
        keyring.unwrap(wraps[0], {})


def test_keys_that_are_not_ours_are_not_taken_for_ours(keyring: TokenKeyring) -> None:
    keyring._generate(bytes(8), 1)
    with pytest.raises(SealError, match="several keyrings"):
        keyring.wrap(b"key", CONTEXT)


def test_what_is_missing_is_said(module: Path, tmp_path: Path) -> None:
    pin = tmp_path / "pin"
    with pytest.raises(MissingKeyError, match="reporter init"):
        TokenKeyring(module, TOKEN, "reporter", pin).wrap(b"key", CONTEXT)
    with pytest.raises(StorageError, match="is not there"):
        TokenKeyring(module, "no-such-token", "reporter", pin).create()
    with pytest.raises(StorageError, match="does not work"):
        TokenKeyring(tmp_path / "no-such-module.so", TOKEN, "reporter", pin).create()
    with pytest.raises(StorageError, match=r"keys\.pin_file"):
        TokenKeyring(module, TOKEN, "reporter", None).create()
    shutil.copy(pin, tmp_path / "open-pin")
    (tmp_path / "open-pin").chmod(0o644)
    with pytest.raises(StorageError, match="chmod"):
        TokenKeyring(module, TOKEN, "reporter", tmp_path / "open-pin").create()
