"""The root key rotated, a recovery kit made, and a home brought back from an empty folder."""

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from keycustody import protection
from keycustody.age import Identity
from reporter.keys.kit import Kit, read_identity
from reporter.testing.documents import write_case
from tests.conftest import postgres, postgres_program
from tests.e2e.support import DATABASE, MARKER, Home, Run, plaintext_in, spare

REF = "TEST-000001"
CONTENT = f"{MARKER} harmless bytes ".encode() * 5_000
PEOPLE = ("dana", "robin", "sam")


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(protection.SCRYPT, "n", 1 << 10)


@pytest.fixture
def case(reporter: Run, home: Home, tmp_path: Path) -> None:
    files = {"e1": CONTENT, "e2": b"other harmless bytes"}
    assert reporter("case", "add", write_case(tmp_path / "cases", REF, files=files), "--as", "ann").code == 0
    assert reporter("audit", "checkpoint").code == 0


@dataclass(frozen=True)
class Safe:
    """What is left when the machine is gone: the kit, three custodians, and copies."""

    folder: Path

    def key(self, person: str) -> Path:
        return self.folder / f"{person}.key"

    @property
    def kit(self) -> Path:
        return self.folder / "reporter.kit"

    def make_kit(self, reporter: Run) -> None:
        to = [part for person in PEOPLE for part in ("--to", self.recipient(person))]
        self.kit.unlink(missing_ok=True)
        made = reporter("key", "recovery-kit", *to, "--out", self.kit, "--as", "dana", "--json")
        assert made.code == 0
        assert made.json["sha256"] in reporter("audit", "list", "--json").text

    def recipient(self, person: str) -> str:
        return Identity.parse(self.key(person).read_text().splitlines()[-1]).recipient

    def copy(self, home: Home) -> None:
        for name in ("keystore", "objects"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            shutil.copytree(home.folder / name, self.folder / name)
        with (
            closing(sqlite3.connect(home.folder / DATABASE)) as live,
            closing(sqlite3.connect(self.folder / DATABASE)) as copy,
        ):
            live.backup(copy)

    def recover(self, reporter: Run, new: Path, people: tuple[str, ...] = ("dana", "robin"), *more: str | Path):
        identities = [part for person in people for part in ("--identity", self.key(person))]
        return reporter(
            "recover", "--kit", self.kit, *identities, "--keystore", self.folder / "keystore",
            "--database", self.folder / DATABASE, "--objects", self.folder / "objects", "--home", new, *more,
        )  # fmt: skip


@pytest.fixture
def safe(tmp_path: Path) -> Safe:
    folder = tmp_path / "safe"
    folder.mkdir()
    for person in PEOPLE:
        identity = Identity.generate()
        (folder / f"{person}.key").write_text(f"# public key: {identity.recipient}\n{identity.text}\n")
    return Safe(folder)


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return tmp_path / "new" / "home"


@pytest.fixture
def lose(home: Home, new: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Lose the machine: its home and its secret; what runs next runs on another one."""

    def lost() -> None:
        shutil.rmtree(home.folder)
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "another-machine"))
        monkeypatch.setenv("REPORTER_HOME", str(new))

    return lost


def opened(reporter: Run, item: str = "e1"):
    return reporter("evidence", "open", f"{REF}/{item}", "--purpose", "review", "--as", "ann")


@pytest.mark.parametrize("people", [("dana", "robin"), ("sam", "robin"), ("dana", "sam")], ids="+".join)
def test_the_machine_and_a_custodian_are_lost_and_nothing_else(
    reporter: Run, case: None, home: Home, safe: Safe, new: Path, lose, people: tuple[str, str]
) -> None:
    vkey = reporter("audit", "key").text
    safe.make_kit(reporter)
    safe.copy(home)
    lose()
    (lost,) = set(PEOPLE) - set(people)
    safe.key(lost).unlink()
    ran = safe.recover(reporter, new, people, "--json")
    assert ran.code == 0, ran
    assert ran.json["sound"] and ran.json["items"] == 2 and ran.json["log"] == {"holds": True, "same": True}
    assert opened(reporter).out == CONTENT
    assert reporter("audit", "key").text == vkey
    assert reporter("audit", "verify").code == 0
    assert reporter("db", "status", "--json").json["quarantine"] is not None
    assert json.loads(reporter("secret", "list", "--json").out)
    assert "home_recovered" in reporter("audit", "list", "--json").text
    assert not any(
        check["state"] == "fail" for check in reporter("doctor", "--json").json["checks"] if "key" in check["name"]
    )
    assert [path.name for path in new.parent.iterdir()] == [new.name]
    assert plaintext_in(Home(new), MARKER) == []
    assert {path.stat().st_mode & 0o077 for path in new.rglob("*") if path.parent.name in ("keys", "objects")} == {0}


def test_one_custodian_alone_opens_nothing(
    reporter: Run, case: None, home: Home, safe: Safe, new: Path, lose, tmp_path: Path
) -> None:
    safe.make_kit(reporter)
    safe.copy(home)
    lose()
    for alone in (("dana",), ("dana", "dana")):
        ran = safe.recover(reporter, new, alone)
        assert (ran.code, ran.err.count("\n")) == (4, 1)
        assert "two of its people" in ran.err
    assert not new.parent.exists()
    assert not (tmp_path / "another-machine").exists()


def test_what_was_destroyed_stays_so(reporter: Run, case: None, home: Home, safe: Safe, new: Path, lose) -> None:
    safe.make_kit(reporter)
    safe.copy(home)  # database and objects of before
    spare(reporter, REF)
    for name in ("ann", "bob"):
        reporter("evidence", "destroy", f"{REF}/e1", "--reason", "Synthetic.", "--as", name)
    shutil.rmtree(safe.folder / "keystore")
    shutil.copytree(home.folder / "keystore", safe.folder / "keystore")
    lose()
    ran = safe.recover(reporter, new, ("dana", "sam"), "--json")
    assert ran.code == 1
    assert [(each["item"], each["finding"]) for each in ran.json["damaged"]] == [("e1", "wrap_missing")]
    assert opened(reporter).code != 0
    assert opened(reporter).out == b""
    assert opened(reporter, "e2").out == b"other harmless bytes"


def test_a_rotation_is_seen_to_the_end_and_a_kit_made_before_it_is_too_old(
    reporter: Run, case: None, home: Home, safe: Safe, new: Path, lose, tmp_path: Path
) -> None:
    safe.make_kit(reporter)
    before = reporter("key", "status", "--json").json
    count = before["wraps"]["1"]
    ran = reporter("key", "rotate", "--as", "dana", "--json")
    last = json.loads(ran.text.splitlines()[-1])
    assert (ran.code, last["version"], last["rewrapped"], last["behind"]) == (0, 2, count, 0)
    assert reporter("key", "status", "--json").json["wraps"] == {"2": count}
    assert opened(reporter).out == CONTENT
    kinds = [entry["kind"] for entry in reporter("audit", "list", "--json").json["entries"]]
    assert kinds.index("key_rotation_begun") < kinds.index("key_rotation_finished")
    again = reporter("key", "rotate", "--resume", "--json")
    assert json.loads(again.text.splitlines()[-1])["rewrapped"] == 0
    safe.copy(home)
    old = tmp_path / "old.kit"
    shutil.copy(safe.kit, old)
    safe.make_kit(reporter)
    lose()
    fresh = safe.kit.read_bytes()
    shutil.copy(old, safe.kit)
    ran = safe.recover(reporter, new)
    assert (ran.code, new.exists(), "after the last rotation" in ran.err) == (4, False, True)
    safe.kit.write_bytes(fresh)
    assert safe.recover(reporter, new).code == 0
    assert opened(reporter).out == CONTENT


def test_an_interrupted_rotation_shows_and_is_gone_on_with(reporter: Run, case: None, home: Home) -> None:
    from reporter.bootstrap import open_home

    house = open_home()
    house.rotation.begin("dana")
    house.close()
    ran = reporter("key", "status")
    assert (ran.code, "--resume" in ran.text) == (1, True)
    assert reporter("key", "rotate", "--resume").code == 0
    assert reporter("key", "status").code == 0
    (home.folder / "keystore" / f"case-{REF}").write_bytes(b"damaged")
    ran = reporter("key", "rotate")
    assert (ran.code, f"case-{REF}" in ran.err) == (1, True)


def test_a_passphrase_may_lock_the_new_home(
    reporter: Run, case: None, home: Home, safe: Safe, new: Path, lose, tmp_path: Path
) -> None:
    phrase = tmp_path / "phrase"
    phrase.write_text("quite harmless words\n")
    phrase.chmod(0o600)
    home.toml.write_text(
        home.toml.read_text() + '\n[keys] # here\nbackup_horizon_days = 30\npassphrase_file = "/gone"\n'
    )
    safe.make_kit(reporter)
    safe.copy(home)
    lose()
    ran = safe.recover(reporter, new, PEOPLE, "--passphrase-file", phrase)
    assert ran.code == 0, ran.err
    assert not (tmp_path / "another-machine").exists()
    assert opened(reporter).out == CONTENT
    assert Home(new).toml.read_text().count("passphrase_file") == 1
    phrase.unlink()
    assert opened(reporter).code == 4


def test_nothing_is_overwritten_and_what_fails_leaves_nothing(
    reporter: Run, case: None, home: Home, safe: Safe, new: Path, lose, tmp_path: Path
) -> None:
    safe.make_kit(reporter)
    safe.copy(home)
    before = home.listing()
    ran = safe.recover(reporter, home.folder)
    assert (ran.code, "not empty" in ran.err, home.listing() == before) == (2, True, True)
    assert reporter("key", "recovery-kit", "--to", "age1x", "--to", "age1y", "--out", tmp_path / "k").code == 2
    to = ("--to", safe.recipient("dana"), "--to", safe.recipient("sam"))
    assert reporter("key", "recovery-kit", *to, "--out", safe.kit).code == 4
    assert reporter("key", "recovery-kit", *to, "--out", home.folder / "kit").code == 2
    lose()
    shutil.move(safe.folder / DATABASE, tmp_path / "away")
    (safe.folder / DATABASE).write_text("-- PostgreSQL database dump\n")
    ran = safe.recover(reporter, new)
    assert (ran.code, "REPORTER_DATABASE_URL" in ran.err) == (2, True)
    shutil.move(tmp_path / "away", safe.folder / DATABASE)
    for wrap in (safe.folder / "keystore").glob("case-*"):
        wrap.write_bytes(b"damaged")
    (safe.folder / "objects" / "folder").mkdir()
    assert safe.recover(reporter, new).code == 2
    assert not new.exists()
    assert list(new.parent.iterdir()) == []


def test_identities_are_plain_age_identities(reporter: Run, case: None, safe: Safe, home: Home, new: Path) -> None:
    safe.make_kit(reporter)
    safe.copy(home)
    safe.key("dana").write_text("-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n-----END AGE ENCRYPTED FILE-----\n")
    ran = safe.recover(reporter, new)
    assert (ran.code, "age -d" in ran.err) == (2, True)


def test_killed_at_its_last_step_the_home_still_delivers_nothing(
    reporter: Run, case: None, home: Home, safe: Safe, new: Path, lose, monkeypatch: pytest.MonkeyPatch
) -> None:
    safe.make_kit(reporter)
    safe.copy(home)
    lose()
    rename = Path.rename

    def last(path: Path, target: Path) -> None:
        rename(path, target)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", last)
        assert safe.recover(reporter, new).code == 130
    assert reporter("db", "status", "--json").json["quarantine"] is not None


def test_where_a_token_holds_the_root_key_the_kit_holds_none(
    reporter: Run, token, safe: Safe, home: Home, new: Path, lose, tmp_path: Path
) -> None:
    shutil.rmtree(home.folder)
    keys = ("provider=pkcs11", f"module={token.module}", f"token={token.label}", f"pin_file={token.pin_file}")
    assert reporter("init", *(part for key in keys for part in ("--keys", key))).code == 0
    assert reporter("case", "add", write_case(tmp_path / "cases", REF, files={"e1": CONTENT}), "--as", "ann").code == 0
    assert reporter("key", "rotate").code == 0
    safe.make_kit(reporter)
    safe.copy(home)
    content, _ = Kit.open(safe.kit, [read_identity(safe.key(person)) for person in PEOPLE[1:]])
    assert (content.keks, content.version, content.reach.startswith("PKCS#11 token reporter-test")) == ({}, 2, True)
    lose()
    ran = safe.recover(reporter, new)
    assert ran.code == 0, ran.err
    assert opened(reporter).out == CONTENT


def test_a_home_on_postgresql_comes_back_from_a_real_dump(
    reporter: Run,
    safe: Safe,
    home: Home,
    new: Path,
    lose,
    tmp_path: Path,
    postgres_server: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.rmtree(home.folder)
    old, restored = (f"{name}_{uuid4().hex[:12]}" for name in ("old", "restored"))
    for name in (old, restored):
        postgres(postgres_server, "postgres", f"CREATE DATABASE {name}")
    monkeypatch.setenv("REPORTER_DATABASE_URL", postgres(postgres_server, old))
    assert reporter("init").code == 0
    assert reporter("case", "add", write_case(tmp_path / "cases", REF, files={"e1": CONTENT}), "--as", "ann").code == 0
    safe.make_kit(reporter)
    for name in ("keystore", "objects"):
        shutil.copytree(home.folder / name, safe.folder / name)
    dump = safe.folder / "reporter.dump"
    postgres_program("pg_dump", "--format=custom", f"--file={dump}", postgres(postgres_server, old))
    lose()
    postgres(postgres_server, "postgres", f"DROP DATABASE {old} WITH (FORCE)")
    postgres_program("pg_restore", f"--dbname={postgres(postgres_server, restored)}", str(dump))
    monkeypatch.setenv("REPORTER_DATABASE_URL", postgres(postgres_server, restored))
    identities = [part for person in PEOPLE[1:] for part in ("--identity", safe.key(person))]
    stores = [part for name in ("keystore", "objects") for part in (f"--{name}", safe.folder / name)]
    ran = reporter("recover", "--kit", safe.kit, *identities, *stores, "--home", new, "--json")
    assert ran.code == 0, ran
    assert ran.json["sound"] and ran.json["items"] == 1 and ran.json["log"] == {"holds": True, "same": True}
    assert opened(reporter).out == CONTENT
    assert reporter("audit", "verify").code == 0
    assert reporter("db", "status", "--json").json["quarantine"] is not None
    postgres(postgres_server, "postgres", f"DROP DATABASE {restored} WITH (FORCE)")
