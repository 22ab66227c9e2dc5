import os
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from reporter.errors import CustodyError, EnvironmentTroubleError
from reporter.evidence.objects import LocalObjectStore

KEY = "0123456789abcdef"


@pytest.fixture
def store(tmp_path: Path) -> LocalObjectStore:
    (tmp_path / "objects").mkdir(mode=0o700)
    return LocalObjectStore(tmp_path / "objects")


def names(store: LocalObjectStore) -> list[str]:
    return sorted(path.name for path in store.folder.iterdir())


def test_object_comes_back_private_and_whole(store: LocalObjectStore) -> None:
    store.put(KEY, [b"one", b"", b"two"])
    with store.open(KEY) as file:
        assert file.read() == b"onetwo"
    assert stat.S_IMODE((store.folder / KEY).stat().st_mode) == 0o600
    assert store.exists(KEY)
    assert names(store) == [KEY]


def test_object_is_never_overwritten(store: LocalObjectStore) -> None:
    store.put(KEY, [b"first"])
    with pytest.raises(CustodyError):
        store.put(KEY, [b"second"])
    with store.open(KEY) as file:
        assert file.read() == b"first"
    assert names(store) == [KEY]


def test_object_is_not_there_before_it_is_whole(store: LocalObjectStore) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"one"
        assert not store.exists(KEY)
        assert len(names(store)) == 1

    store.put(KEY, pieces())
    assert names(store) == [KEY]


def test_object_and_folder_are_flushed_before_put_returns(
    store: LocalObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[tuple[bool, bool]] = []
    fsync = os.fsync

    def watching(descriptor: int) -> None:
        flushed.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), store.exists(KEY)))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watching)
    store.put(KEY, [b"one"])
    assert flushed == [(False, False), (True, True)]


def test_deleted_object_is_missing(store: LocalObjectStore) -> None:
    store.put(KEY, [b"one"])
    store.delete(KEY)
    store.delete(KEY)
    assert not store.exists(KEY)
    with pytest.raises(CustodyError, match="missing"):
        store.open(KEY)


@pytest.mark.parametrize("key", ["", ".", "..", "../x", "a/b", "-rf", "A", ".partial-1", "a\n", "a\0"])
def test_unsafe_keys_never_become_paths(store: LocalObjectStore, key: str) -> None:
    for use in (lambda: store.put(key, [b""]), lambda: store.open(key), lambda: store.delete(key)):
        with pytest.raises(ValueError):
            use()
    assert names(store) == []


def test_store_that_is_not_there_or_open_to_others_is_trouble(store: LocalObjectStore, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentTroubleError):
        LocalObjectStore(tmp_path / "nowhere").put(KEY, [b""])
    with pytest.raises(EnvironmentTroubleError):
        LocalObjectStore(tmp_path / "nowhere").open(KEY)
    store.folder.chmod(0o755)
    with pytest.raises(EnvironmentTroubleError, match="chmod go-rwx"):
        store.put(KEY, [b""])


def test_object_that_became_a_link_is_not_followed(store: LocalObjectStore, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"harmless")
    (store.folder / KEY).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EnvironmentTroubleError):
        store.open(KEY)


def test_sweep_takes_what_a_crash_left_and_nothing_that_is_being_written(store: LocalObjectStore, house) -> None:
    now = house.vault.clock.now()
    store.put(KEY, [b"one"])
    for name, age in ((".partial-old", timedelta(days=2)), (".partial-fresh", timedelta(0))):
        (store.folder / name).write_bytes(b"cut sh")
        moment = (now - age).timestamp()
        os.utime(store.folder / name, (moment, moment))
    os.utime(store.folder / KEY, (0, 0))
    assert store.sweep_partials(now - timedelta(days=1)) == 1
    assert names(store) == [".partial-fresh", KEY]
