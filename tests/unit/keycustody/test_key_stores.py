"""What is particular to each kind of key store."""

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from keycustody.database_store import DatabaseKeyStore
from keycustody.errors import StorageError
from keycustody.files import make_folder
from keycustody.store import FolderKeyStore
from keycustody.wraps import Wrap

WRAP = Wrap("kek", 1, "alg", b"n" * 12, b"harmless ciphertext")
#: Tries to create each of 60 ids, and prints those it won.
RACER = """
import sys
from pathlib import Path
from keycustody.database_store import DatabaseKeyStore
from keycustody.errors import KeyExistsError
from keycustody.store import FolderKeyStore
from keycustody.wraps import Wrap
place = sys.argv[1]
store = DatabaseKeyStore.create(place) if "://" in place else FolderKeyStore(Path(place))
print("ready", flush=True)
sys.stdin.readline()
for number in range(60):
    try:
        store.put(f"key-{number}", Wrap(sys.argv[2], 1, "a", b"", b""))
    except KeyExistsError:
        continue
    print(number)
"""


def race(place: str) -> list[int]:
    """Let two processes create the same ids at once; give every win."""
    command = [sys.executable, "-c", RACER, place]
    racers = [
        subprocess.Popen([*command, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for name in "AB"
    ]
    for racer in racers:
        assert racer.stdout is not None and racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    return sorted(int(number) for racer in racers for number in racer.communicate(timeout=60)[0].split())


def test_two_processes_never_create_the_same_wrap_in_a_folder(tmp_path: Path) -> None:
    make_folder(tmp_path / "wraps")
    assert race(str(tmp_path / "wraps")) == list(range(60))


def test_two_processes_never_create_the_same_wrap_in_a_database(empty_database_url: str) -> None:
    assert race(empty_database_url) == list(range(60))


def test_a_database_that_holds_anything_else_is_refused(database_url: str) -> None:
    for way in (DatabaseKeyStore.create, DatabaseKeyStore.open):
        with pytest.raises(StorageError, match="one of its own"):
            way(database_url)
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection, pytest.raises(Exception, match="key_wrap"):
        connection.execute(text("SELECT * FROM key_wrap"))
    engine.dispose()


def test_opening_makes_nothing(empty_database_url: str) -> None:
    with pytest.raises(StorageError):
        DatabaseKeyStore.open(empty_database_url)
    if empty_database_url.startswith("sqlite"):
        assert not Path(empty_database_url.removeprefix("sqlite:///")).exists()


def test_a_sqlite_store_is_private_and_keeps_nothing_of_what_was_deleted(tmp_path: Path) -> None:
    file = tmp_path / "keys.sqlite3"
    store = DatabaseKeyStore.create(f"sqlite:///{file}")
    store.put("a", WRAP)
    assert b"harmless" not in file.read_bytes()  # base64
    shown = WRAP.to_json()[20:60]
    assert shown in file.read_bytes()
    store.delete("a")
    store.close()
    assert not any(shown in path.read_bytes() for path in tmp_path.iterdir())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    with pytest.raises(StorageError, match="chmod"):
        DatabaseKeyStore.open(f"sqlite:///{file}")


def test_trouble_with_the_database_is_one_sentence_without_values(tmp_path: Path) -> None:
    store = DatabaseKeyStore.create(f"sqlite:///{tmp_path / 'keys.sqlite3'}")
    with sqlite3.connect(tmp_path / "keys.sqlite3") as connection:
        connection.execute("DROP TABLE key_wrap")
    connection.close()
    with pytest.raises(StorageError) as caught:
        store.put("case-secret-name", WRAP)
    assert str(caught.value) == "The key store's database does not work: no such table: key_wrap."
    store.close()


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", "oracle://x", "postgresql://127.0.0.1:1/x"])
def test_a_url_that_leads_nowhere_is_said_so_without_its_text(url: str) -> None:
    with pytest.raises(StorageError) as caught:
        DatabaseKeyStore.open(url)
    assert "password" not in str(caught.value)


def test_a_folder_store_leaves_no_partial(tmp_path: Path) -> None:
    make_folder(tmp_path / "wraps")
    store = FolderKeyStore(tmp_path / "wraps")
    store.put("a", WRAP)
    store.replace("a", WRAP, Wrap("k", 2, "a", b"", b""))
    assert [path.name for path in store.folder.iterdir()] == ["a"]
    (store.folder / ".partial-0").touch()
    assert list(store.ids()) == ["a"]
