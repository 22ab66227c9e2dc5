"""Where credentials lie: a folder or a database, under one contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from keycustody import files
from keycustody.database_store import DatabaseKeyStore
from keycustody.errors import StorageError
from keycustody.shelves import FolderShelf, Shelf
from keycustody.wraps import Wrap

Open = Callable[[], Shelf]


@pytest.fixture(params=["folder", "sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Give what opens the same shelf again and again, empty the first time."""
    if request.param == "folder":
        files.make_folder(tmp_path / "credentials")
        yield lambda: FolderShelf(tmp_path / "credentials")
        return
    url = f"sqlite:///{tmp_path / 'keys.sqlite3'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("empty_postgres_url")
    stores = [DatabaseKeyStore.create(url)]
    stores[0].put("key", Wrap("kek", 1, "alg", b"", b""))

    def another() -> Shelf:
        stores.append(DatabaseKeyStore.open(url))
        return stores[-1].shelf()

    yield another
    assert list(stores[0].ids()) == ["key"], "the wraps are as they were"
    for store in stores:
        store.close()


def test_what_is_kept_is_seen_by_everybody_at_once(opened: Open) -> None:
    one, other = opened(), opened()
    assert (one.names(), one.read("a"), other.swap("a", b"", b"1")) == ([], None, False)
    one.delete("a")
    one.write("b", b"1")
    other.write("a", b"2")
    one.write("a", b"3")
    assert (one.names(), other.names()) == (["a", "b"], ["a", "b"])
    assert (other.read("a"), opened().read("b")) == (b"3", b"1")
    other.delete("a")
    other.delete("a")
    assert (one.names(), one.read("a")) == (["b"], None)


def test_only_what_is_as_it_was_is_swapped(opened: Open) -> None:
    shelf = opened()
    shelf.write("a", b"1")
    assert (shelf.swap("a", b"2", b"3"), shelf.read("a")) == (False, b"1")
    assert (shelf.swap("a", b"1", b"3"), shelf.read("a")) == (True, b"3")


def test_of_many_that_swap_at_once_one_does(opened: Open) -> None:
    shelf = opened()
    shelf.write("a", b"0")
    with ThreadPoolExecutor(4) as pool:
        won = [*pool.map(lambda number: shelf.swap("a", b"0", str(number).encode()), range(1, 5))]
    assert sum(won) == 1
    assert shelf.read("a") == str(won.index(True) + 1).encode()


def test_many_may_write_the_first_at_once(opened: Open) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: opened().write(f"a{number}", b"1"), range(4)))
    assert opened().names() == ["a0", "a1", "a2", "a3"]


def test_a_folder_that_others_may_read_is_refused(tmp_path: Path) -> None:
    files.make_folder(tmp_path / "credentials")
    shelf = FolderShelf(tmp_path / "credentials")
    shelf.write("a", b"1")
    shelf.folder.chmod(0o755)
    for use in (lambda: shelf.read("a"), lambda: shelf.write("b", b"1")):
        with pytest.raises(StorageError):
            use()
