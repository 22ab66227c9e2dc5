import copy
import json
import logging
import pickle
import stat
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keycustody import files
from keycustody.credentials import CredentialStore
from keycustody.errors import MissingKeyError, SealError, StorageError, WrongEnvironmentError
from keycustody.keyring import LocalKeyring
from keycustody.protection import Places
from keycustody.redacted import Redacted
from keycustody.shelves import FolderShelf

SECRET = "correct horse ünïcode"


@pytest.fixture
def store(tmp_path: Path) -> CredentialStore:
    files.make_folder(tmp_path / "credentials")
    return CredentialStore(FolderShelf(tmp_path / "credentials"), LocalKeyring.create(tmp_path / "keyring", Places()))


def test_secret_comes_back_for_its_environment(store: CredentialStore) -> None:
    store.set("ncmec-password", SECRET, "sandbox")
    assert store.get("ncmec-password", "sandbox").reveal() == SECRET
    assert store.names() == {"ncmec-password": "sandbox"}


def test_secret_is_nowhere_in_clear(store: CredentialStore) -> None:
    store.set("ncmec-password", SECRET, "sandbox")
    (path,) = store.shelf.folder.iterdir()
    assert SECRET.encode() not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SECRET not in repr(store)


def test_another_environment_is_refused_even_after_the_label_was_edited(store: CredentialStore) -> None:
    store.set("ncmec-password", SECRET, "sandbox")
    with pytest.raises(WrongEnvironmentError, match="is for sandbox, not for production"):
        store.get("ncmec-password", "production")
    (path,) = store.shelf.folder.iterdir()
    path.write_bytes(path.read_bytes().replace(b'"sandbox"', b'"production"'))
    with pytest.raises(SealError):
        store.get("ncmec-password", "production")


def test_swapped_files_are_refused(store: CredentialStore) -> None:
    store.set("one", "1", "test")
    store.set("two", "2", "test")
    (store.shelf.folder / "one.secret").write_bytes((store.shelf.folder / "two.secret").read_bytes())
    with pytest.raises(SealError):
        store.get("one", "test")


def test_setting_again_replaces_and_leaves_nothing_beside_it(store: CredentialStore) -> None:
    store.set("one", "old", "sandbox")
    store.set("one", "new", "test")
    assert store.get("one", "test").reveal() == "new"
    assert [path.name for path in store.shelf.folder.iterdir()] == ["one.secret"]


def test_an_expiry_is_kept_with_the_secret_and_cannot_be_moved(store: CredentialStore) -> None:
    until = datetime(2026, 12, 31, tzinfo=UTC)
    store.set("one", "1", "test", until)
    store.set("two", "2", "test")
    assert store.expiries() == {"one": until}
    assert store.get("one", "test").reveal() == "1"
    path = store.shelf.folder / "one.secret"
    path.write_bytes(path.read_bytes().replace(b"2026-12-31", b"2036-12-31"))
    with pytest.raises(SealError):
        store.get("one", "test")


def test_a_stamp_changes_with_every_setting(store: CredentialStore) -> None:
    stamps = [store.stamp("one")]
    for secret in ("1", "1", "2"):
        store.set("one", secret, "test")
        stamps.append(store.stamp("one"))
        assert store.stamp("one") == stamps[-1]
    store.delete("one")
    assert stamps[0] == store.stamp("one") == ""
    assert len(set(stamps)) == 4


def test_deleted_or_never_set_is_missing(store: CredentialStore) -> None:
    store.set("one", "1", "test")
    store.delete("one")
    store.delete("one")
    assert store.names() == {}
    with pytest.raises(MissingKeyError):
        store.get("one", "test")


@pytest.mark.parametrize("name", ["", "..", "../x", "A", "a b", "-rf", "a\n", "a" * 65])
def test_unsafe_names_are_refused(store: CredentialStore, name: str) -> None:
    with pytest.raises(ValueError):
        store.set(name, "1", "test")
    with pytest.raises(ValueError):
        store.get(name, "test")


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"environment":"test","wrap":{}}', b"\xff"])
def test_damaged_file_is_refused(store: CredentialStore, content: bytes) -> None:
    store.set("one", "1", "test")
    (store.shelf.folder / "one.secret").write_bytes(content)
    with pytest.raises(SealError):
        store.get("one", "test")


def test_folder_open_to_others_is_refused(store: CredentialStore) -> None:
    store.set("one", "1", "test")
    store.shelf.folder.chmod(0o755)
    with pytest.raises(StorageError):
        store.get("one", "test")
    with pytest.raises(StorageError):
        store.set("two", "2", "test")


@dataclass
class Holder:
    secret: Redacted


def test_a_secret_says_nothing_of_itself(caplog: pytest.LogCaptureFixture) -> None:
    secret = Redacted(SECRET)
    logging.getLogger().error("it is %s", secret)
    logging.getLogger().error("%r", {"password": secret})
    assert SECRET not in caplog.text
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret!r}", "%s" % secret, str([secret])):  # noqa: UP031
        assert SECRET not in shown
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    for hand_on in (copy.copy, copy.deepcopy, Redacted.__getstate__, lambda held: asdict(Holder(held)), bytes, list):
        with pytest.raises(TypeError):
            hand_on(secret)
    assert json.dumps({"secret": secret}, default=repr) == '{"secret": "Redacted()"}'
    assert SECRET not in repr(Holder(secret))
    with pytest.raises(TypeError):
        json.dumps(secret)
    with pytest.raises(TypeError):
        vars(secret)
    assert secret.reveal() == SECRET


def test_a_new_wrap_keeps_the_expiry_and_only_in_the_place_of_the_old(store: CredentialStore) -> None:
    until = datetime(2026, 12, 31, tzinfo=UTC)
    store.set("one", "1", "test", until)
    kept = store.sealed("one")
    new = store.provider.wrap(b"1", kept.context("one"))
    assert store.replace("one", kept.wrap, new)
    assert not store.replace("one", kept.wrap, new)
    assert (store.expiries(), store.get("one", "test").reveal()) == ({"one": until}, "1")
    store.delete("one")
    assert not store.replace("one", new, kept.wrap)
    store.restore("one", kept)
    assert (store.expiries(), store.get("one", "test").reveal()) == ({"one": until}, "1")
