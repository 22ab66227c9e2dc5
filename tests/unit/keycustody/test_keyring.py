import json
import os
import stat
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keycustody.errors import KeyCustodyError, KeyExistsError, MissingKeyError, SealError, StorageError
from keycustody.providers import LocalKeyring
from keycustody.wraps import Wrap

CONTEXT = {"case": "TS-2026-000101", "use": "test"}
KEY = bytes(range(32))


def modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def test_wrap_opens_again_after_the_keyring_is_read_back(tmp_path: Path) -> None:
    wrap = LocalKeyring.create(tmp_path / "keys").wrap(KEY, CONTEXT)
    again = Wrap.from_json(wrap.to_json())
    assert again == wrap
    assert LocalKeyring.open(tmp_path / "keys").unwrap(again, dict(reversed(CONTEXT.items()))) == KEY


def test_keyring_is_private(tmp_path: Path) -> None:
    LocalKeyring.create(tmp_path / "home" / "keys")
    assert stat.S_IMODE((tmp_path / "home" / "keys").stat().st_mode) == 0o700
    assert modes(tmp_path / "home" / "keys") == {0o600}


def test_second_create_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    LocalKeyring.create(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(KeyExistsError):
        LocalKeyring.create(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    LocalKeyring.create(tmp_path / "keys")
    next((tmp_path / "keys").iterdir()).chmod(mode)
    with pytest.raises(StorageError, match="chmod"):
        LocalKeyring.open(tmp_path / "keys")


def test_folder_open_to_others_or_linked_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    LocalKeyring.create(folder)
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(StorageError):
        LocalKeyring.open(tmp_path / "link")
    folder.chmod(0o750)
    with pytest.raises(StorageError):
        LocalKeyring.open(folder)


def test_no_keyring_is_said_so(tmp_path: Path) -> None:
    for folder in (tmp_path / "nowhere", tmp_path):
        tmp_path.chmod(0o700)
        with pytest.raises(MissingKeyError):
            LocalKeyring.open(folder)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"kek_id":"k","version":1,"key":"AAAA"}'])
def test_damaged_kek_file_is_refused(tmp_path: Path, content: bytes) -> None:
    LocalKeyring.create(tmp_path)
    next(tmp_path.iterdir()).write_bytes(content)
    with pytest.raises(SealError):
        LocalKeyring.open(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"ciphertext": bytes(48)},
        {"ciphertext": b""},
        {"nonce": bytes(12)},
        {"nonce": b""},
        {"alg": "none"},
        {"kek_version": 2},
        {"kek_id": "local-0000000000000000"},
    ],
    ids=str,
)
def test_altered_wrap_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    keyring = LocalKeyring.create(tmp_path)
    with pytest.raises(KeyCustodyError):
        keyring.unwrap(replace(keyring.wrap(KEY, CONTEXT), **change), CONTEXT)


def test_wrap_for_something_else_or_of_another_keyring_is_refused(tmp_path: Path) -> None:
    keyring, other = LocalKeyring.create(tmp_path / "a"), LocalKeyring.create(tmp_path / "b")
    wrap = keyring.wrap(KEY, CONTEXT)
    with pytest.raises(SealError):
        keyring.unwrap(wrap, {**CONTEXT, "case": "TS-2026-000102"})
    with pytest.raises(MissingKeyError):
        other.unwrap(wrap, CONTEXT)


@pytest.mark.parametrize("text", [b"", b"null", b"[]", b"{}", b'{"kek_id":1}', b"\xff\xfe"])
def test_what_is_no_wrap_is_refused(text: bytes) -> None:
    with pytest.raises(SealError):
        Wrap.from_json(text)


def test_new_wraps_use_the_highest_version_and_old_ones_still_open(tmp_path: Path) -> None:
    keyring = LocalKeyring.create(tmp_path)
    old = keyring.wrap(KEY, CONTEXT)
    second = {"kek_id": keyring.kek_id, "version": 2, "key": b64encode(os.urandom(32)).decode()}
    (tmp_path / "2.kek").write_text(json.dumps(second))
    (tmp_path / "2.kek").chmod(0o600)
    keyring = LocalKeyring.open(tmp_path)
    new = keyring.wrap(KEY, CONTEXT)
    assert (old.kek_version, new.kek_version, keyring.current_version) == (1, 2, 2)
    assert keyring.unwrap(old, CONTEXT) == keyring.unwrap(new, CONTEXT) == KEY


def test_files_of_two_keyrings_are_not_mixed(tmp_path: Path) -> None:
    LocalKeyring.create(tmp_path)
    other = {"kek_id": "local-other", "version": 2, "key": b64encode(os.urandom(32)).decode()}
    (tmp_path / "2.kek").write_text(json.dumps(other))
    (tmp_path / "2.kek").chmod(0o600)
    with pytest.raises(SealError):
        LocalKeyring.open(tmp_path)


def test_the_kek_does_not_show_itself(tmp_path: Path) -> None:
    keyring = LocalKeyring.create(tmp_path)
    key = json.loads((tmp_path / "1.kek").read_text())["key"]
    assert key not in repr(keyring)
    assert "_keks" not in repr(keyring)
