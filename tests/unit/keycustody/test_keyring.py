"""The local keyring: locked by a machine secret or a passphrase, private, and useless without its lock."""

import json
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from keycustody import protection, secret_files
from keycustody.errors import KeyCustodyError, KeyExistsError, MissingKeyError, SealError, StorageError
from keycustody.keyring import FILE, LocalKeyring
from keycustody.protection import Places
from keycustody.redacted import Redacted
from keycustody.wraps import Wrap

CONTEXT = {"case": "TS-2026-000101", "use": "test"}
KEY = bytes(range(32))
PHRASE = "quite harmless words"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(machine_secret=tmp_path / "machine-secret")


@pytest.fixture
def by_phrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setitem(protection.SCRYPT, "n", 1 << 10)
    return Places(passphrase=secret_file(tmp_path / "passphrase", PHRASE))


def secret_file(path: Path, text: str) -> Path:
    path.write_text(f"{text}\n", encoding="utf-8")
    path.chmod(0o600)
    return path


def edited(folder: Path, change: Callable[[dict], object]) -> None:
    content = json.loads((folder / FILE).read_text())
    change(content)
    (folder / FILE).write_text(json.dumps(content))


def test_keyring_is_private(tmp_path: Path, places: Places) -> None:
    LocalKeyring.create(tmp_path / "home" / "keys", places)
    assert stat.S_IMODE((tmp_path / "home" / "keys").stat().st_mode) == 0o700
    files = [*(tmp_path / "home" / "keys").iterdir(), tmp_path / "machine-secret"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_second_create_is_refused_and_changes_nothing(tmp_path: Path, places: Places) -> None:
    LocalKeyring.create(tmp_path / "keys", places)
    before = (tmp_path / "keys" / FILE).read_bytes()
    with pytest.raises(KeyExistsError):
        LocalKeyring.create(tmp_path / "keys", places)
    assert (tmp_path / "keys" / FILE).read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
@pytest.mark.parametrize("name", [f"keys/{FILE}", "machine-secret"])
def test_file_open_to_others_is_refused(tmp_path: Path, places: Places, name: str, mode: int) -> None:
    LocalKeyring.create(tmp_path / "keys", places)
    (tmp_path / name).chmod(mode)
    with pytest.raises(StorageError, match="chmod"):
        LocalKeyring.open(tmp_path / "keys", places)


def test_folder_open_to_others_or_linked_is_refused(tmp_path: Path, places: Places) -> None:
    folder = tmp_path / "keys"
    LocalKeyring.create(folder, places)
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(StorageError):
        LocalKeyring.open(tmp_path / "link", places)
    folder.chmod(0o750)
    with pytest.raises(StorageError):
        LocalKeyring.open(folder, places)


def test_no_keyring_is_said_so(tmp_path: Path, places: Places) -> None:
    (tmp_path / "empty").mkdir(mode=0o700)
    for folder in (tmp_path / "nowhere", tmp_path / "empty"):
        with pytest.raises(MissingKeyError):
            LocalKeyring.open(folder, places)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"\xff", b'{"format":1}', b'{"format":1,"kek_id":"k","lock":{},"keks":[]}', b'{"format":9}'],
)
def test_damaged_or_foreign_keyring_is_refused(tmp_path: Path, places: Places, content: bytes) -> None:
    LocalKeyring.create(tmp_path / "keys", places)
    (tmp_path / "keys" / FILE).write_bytes(content)
    with pytest.raises(SealError):
        LocalKeyring.open(tmp_path / "keys", places)


def test_a_copy_of_the_folder_opens_nothing_without_the_machine_secret(tmp_path: Path, places: Places) -> None:
    LocalKeyring.create(tmp_path / "keys", places)
    with pytest.raises(StorageError, match="machine secret"):
        LocalKeyring.open(tmp_path / "keys", Places(machine_secret=tmp_path / "elsewhere"))
    assert not (tmp_path / "elsewhere").exists()  # opening makes none
    (tmp_path / "machine-secret").unlink()
    LocalKeyring.create(tmp_path / "others", places)  # another machine's secret in its place
    with pytest.raises(SealError):
        LocalKeyring.open(tmp_path / "keys", places)


def test_no_kek_stands_in_any_file(tmp_path: Path, places: Places) -> None:
    keyring = LocalKeyring.create(tmp_path / "keys", places)
    kek = keyring._keks[1]
    for path in (tmp_path / "keys" / FILE, tmp_path / "machine-secret"):
        text = path.read_bytes()
        assert kek not in text and kek.hex().encode() not in text
    assert kek.hex() not in repr(keyring) and str(kek) not in repr(keyring)


def test_each_home_has_a_machine_secret_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    ids = {LocalKeyring.create(tmp_path / name, Places()).kek_id for name in ("a", "b")}
    assert {path.name for path in (tmp_path / "config" / "reporter" / "machine-secrets").iterdir()} == ids
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")  # the XDG specification: to be ignored
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    assert Places().machine_secret_of("k") == tmp_path / "person/.config/reporter/machine-secrets/k"
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    with pytest.raises(StorageError, match=r"keys\.machine_secret_file"):
        Places().machine_secret_of("k")


def test_a_damaged_machine_secret_is_called_so(tmp_path: Path, places: Places) -> None:
    LocalKeyring.create(tmp_path / "keys", places)
    for text in ("AAAA", "not base64!", ""):
        secret_file(tmp_path / "machine-secret", text)
        with pytest.raises(KeyCustodyError, match="machine"):
            LocalKeyring.open(tmp_path / "keys", places)


def test_a_passphrase_locks_and_nothing_else_opens(tmp_path: Path, by_phrase: Places) -> None:
    wrap = LocalKeyring.create(tmp_path / "keys", by_phrase).wrap(KEY, CONTEXT)
    assert LocalKeyring.open(tmp_path / "keys", by_phrase).unwrap(wrap, CONTEXT) == KEY
    wrong = Places(passphrase=secret_file(tmp_path / "wrong", "quite harmless word"))
    with pytest.raises(SealError, match="passphrase"):
        LocalKeyring.open(tmp_path / "keys", wrong)
    assert PHRASE not in (tmp_path / "keys" / FILE).read_text()


def test_a_short_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="15"):
        LocalKeyring.create(tmp_path / "keys", Places(passphrase=secret_file(tmp_path / "p", "14 characters.")))
    assert not (tmp_path / "keys").exists()


def test_the_cost_of_a_passphrase_is_what_is_cited() -> None:
    parameters, key = protection.by_passphrase(Redacted(PHRASE))
    assert (parameters["n"], parameters["r"], parameters["p"]) == (131072, 8, 1)
    assert len(key) == 32


@pytest.mark.parametrize(
    "change", [{"n": 1 << 30}, {"n": 3}, {"r": 1 << 20}, {"salt": "AAAA"}, {"n": None}, {"method": "none"}]
)
def test_a_lock_that_asks_too_much_or_nothing_is_refused(tmp_path: Path, by_phrase: Places, change: dict) -> None:
    LocalKeyring.create(tmp_path / "keys", by_phrase)
    edited(tmp_path / "keys", lambda content: content["lock"].update(change))
    with pytest.raises(SealError):
        LocalKeyring.open(tmp_path / "keys", by_phrase)


def test_versions_cannot_be_swapped_or_renamed_in_the_file(tmp_path: Path, places: Places) -> None:
    LocalKeyring.create(tmp_path / "keys", places).rotate()
    first, second = json.loads((tmp_path / "keys" / FILE).read_text())["keks"]
    for keks in ([first | {"kek_version": 2}, second | {"kek_version": 1}], [first | {"kek_version": 7}]):
        edited(tmp_path / "keys", lambda content, keks=keks: content.update(keks=keks))
        with pytest.raises(SealError):
            LocalKeyring.open(tmp_path / "keys", places)


def test_what_another_process_rotated_is_seen_at_once(tmp_path: Path, places: Places) -> None:
    mine, others = LocalKeyring.create(tmp_path / "keys", places), LocalKeyring.open(tmp_path / "keys", places)
    assert others.rotate() == 2
    new = others.wrap(KEY, CONTEXT)
    assert mine.unwrap(new, CONTEXT) == KEY
    assert mine.current_version == mine.wrap(KEY, CONTEXT).kek_version == 2


def test_a_new_lock_keeps_every_key_and_shuts_the_old_one_out(
    tmp_path: Path, places: Places, by_phrase: Places
) -> None:
    keyring = LocalKeyring.create(tmp_path / "keys", places)
    bystander = LocalKeyring.open(tmp_path / "keys", places)
    old = keyring.wrap(KEY, CONTEXT)
    keyring.rotate()
    keyring.relock(*protection.by_passphrase(by_phrase.read_passphrase()))
    assert keyring.unwrap(old, CONTEXT) == LocalKeyring.open(tmp_path / "keys", by_phrase).unwrap(old, CONTEXT) == KEY
    with pytest.raises(StorageError):
        LocalKeyring.open(tmp_path / "keys", places)
    assert bystander.unwrap(old, CONTEXT) == KEY
    with pytest.raises(StorageError, match="start this process again"):
        bystander.wrap(KEY, CONTEXT)
    keyring.relock(*protection.by_machine_secret(keyring.kek_id, places))
    assert LocalKeyring.open(tmp_path / "keys", places).unwrap(old, CONTEXT) == KEY


def test_a_lock_that_fails_half_way_changes_nothing(
    tmp_path: Path, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring = LocalKeyring.create(tmp_path / "keys", places)
    wrap = keyring.wrap(KEY, CONTEXT)
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(StorageError, match="No space"):
            keyring.rotate()
    assert LocalKeyring.open(tmp_path / "keys", places).current_version == keyring.current_version == 1
    assert keyring.unwrap(wrap, CONTEXT) == KEY
    assert not list((tmp_path / "keys").glob(".partial*"))


def test_files_of_two_keyrings_are_not_mixed(tmp_path: Path, places: Places) -> None:
    one, other = (LocalKeyring.create(tmp_path / name, places) for name in "ab")
    wrap = one.wrap(KEY, CONTEXT)
    with pytest.raises(MissingKeyError):
        other.unwrap(wrap, CONTEXT)
    with pytest.raises(SealError):
        other.unwrap(replace(wrap, kek_id=other.kek_id), CONTEXT)
    (tmp_path / "a" / FILE).write_bytes((tmp_path / "b" / FILE).read_bytes())
    with pytest.raises(StorageError):
        one.wrap(KEY, CONTEXT)


@pytest.mark.parametrize("text", [b"", b"null", b"[]", b"{}", b'{"kek_id":1}', b"\xff\xfe"])
def test_what_is_no_wrap_is_refused(text: bytes) -> None:
    with pytest.raises(SealError):
        Wrap.from_json(text)


class Terminal:
    def isatty(self) -> bool:
        return True


def test_a_person_is_asked_only_at_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_phrase: Places
) -> None:
    LocalKeyring.create(tmp_path / "keys", by_phrase)
    monkeypatch.setattr(secret_files, "getpass", lambda *_, **__: PHRASE)
    with pytest.raises(StorageError, match=r"keys\.passphrase_file"):
        LocalKeyring.open(tmp_path / "keys", Places())
    monkeypatch.setattr("sys.stdin", Terminal())
    with pytest.raises(StorageError):
        LocalKeyring.open(tmp_path / "keys", Places())
    monkeypatch.setattr("sys.stderr", Terminal())
    assert LocalKeyring.open(tmp_path / "keys", Places()).current_version == 1


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xff", b"two\nlines", b"a" * 9000, b"tab\there"])
def test_a_secret_file_is_one_line_of_text(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s").write_bytes(content)
    (tmp_path / "s").chmod(0o600)
    with pytest.raises(StorageError, match="one line"):
        secret_files.read(tmp_path / "s", "PIN")
