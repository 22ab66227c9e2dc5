"""``reporter init`` and ``reporter key`` where the root key is concerned."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keycustody import protection
from reporter.bootstrap import open_home
from tests.e2e.support import Home, Run

PHRASE = "quite harmless words"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(protection.SCRYPT, "n", 1 << 10)


@pytest.fixture
def fresh(tmp_path: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REPORTER_HOME", str(tmp_path / "fresh"))
    return tmp_path / "fresh"


@pytest.fixture
def phrase(tmp_path: Path) -> Path:
    (tmp_path / "passphrase").write_text(f"{PHRASE}\n")
    (tmp_path / "passphrase").chmod(0o600)
    return tmp_path / "passphrase"


def test_a_home_locked_with_a_passphrase_opens_with_it_alone(reporter: Run, fresh: Path, phrase: Path) -> None:
    assert reporter("init", "--passphrase-file", phrase).code == 0
    assert reporter("secret", "list").code == 0
    assert not any(PHRASE.encode() in path.read_bytes() for path in fresh.rglob("*") if path.is_file())
    phrase.unlink()
    ran = reporter("secret", "list")
    assert (ran.code, ran.err.count("\n")) == (4, 1)
    assert str(phrase) in ran.err


def test_without_a_file_nobody_is_asked_but_at_a_terminal(reporter: Run, fresh: Path, phrase: Path) -> None:
    assert reporter("init", "--passphrase-file", phrase).code == 0
    toml = fresh / "reporter.toml"
    toml.write_text("\n".join(line for line in toml.read_text().splitlines() if "passphrase_file" not in line))
    ran = reporter("secret", "list")
    assert (ran.code, ran.out) == (4, b"")
    assert "keys.passphrase_file" in ran.err


def test_a_short_passphrase_or_an_unknown_key_sets_nothing_up(reporter: Run, fresh: Path, phrase: Path) -> None:
    phrase.write_text("short")
    assert reporter("init", "--passphrase-file", phrase).code == 2
    for wrong in ("nonsense=1", "passphrase_file", "provider=", "provider=paper"):
        assert reporter("init", "--keys", wrong).code == 2
    assert reporter("init", "--keys", "provider=pkcs11").err.count("needs module and token") == 1
    assert not (fresh / "reporter.toml").exists()
    assert not (fresh / "keys").exists()


def test_a_stolen_home_opens_nothing(
    reporter: Run, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(home.folder, tmp_path / "stolen")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "another-machine"))
    monkeypatch.setenv("REPORTER_HOME", str(tmp_path / "stolen"))
    ran = reporter("secret", "list")
    assert ran.code == 4
    assert "machine secret" in ran.err
    assert not (tmp_path / "another-machine").exists()


def test_the_lock_is_changed_there_and_back_and_each_time_on_record(
    reporter: Run, home: Home, phrase: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = reporter("key", "protect", "--passphrase-file", phrase, "--as", "ann")
    assert (ran.code, f'passphrase_file = "{phrase}"' in ran.out.decode()) == (0, True)
    assert reporter("secret", "list").code == 4
    monkeypatch.setenv("REPORTER_KEYS__PASSPHRASE_FILE", str(phrase))
    assert reporter("secret", "list").code == 0
    ran = reporter("key", "protect", "--machine-secret", "--as", "ben", "--json")
    assert json.loads(ran.out)["locked_with"] == "machine secret"
    monkeypatch.delenv("REPORTER_KEYS__PASSPHRASE_FILE")
    assert reporter("secret", "list").code == 0


def test_a_lock_is_one_of_three_and_a_short_passphrase_is_none(reporter: Run, home: Home, phrase: Path) -> None:
    before = (home.folder / "keys" / "keyring.json").read_bytes()
    assert reporter("key", "protect").code == 2
    assert reporter("key", "protect", "--machine-secret", "--passphrase").code == 2
    phrase.write_text("short")
    ran = reporter("key", "protect", "--passphrase-file", phrase)
    assert (ran.code, "15 characters" in ran.err, "short" in ran.err) == (2, True, False)
    assert reporter("key", "protect", "--passphrase").code == 4  # nobody to be asked
    assert (home.folder / "keys" / "keyring.json").read_bytes() == before


def test_wraps_go_to_a_database_of_their_own_and_never_to_the_main_one(
    reporter: Run, fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPORTER_KEYS__STORE_URL", f"sqlite:///{fresh / 'reporter.sqlite3'}")
    ran = reporter("init")
    assert ran.code == 4
    assert "one of its own" in ran.err
    monkeypatch.setenv("REPORTER_KEYS__STORE_URL", f"sqlite:///{tmp_path / 'keys.sqlite3'}")
    assert reporter("init").code == 0
    house = open_home()
    house.vault.keys.seal_body("TEST-000001", "b", "document", b"harmless")
    assert list(house.custody.store.ids()) == ["case-TEST-000001"]
    house.close()
    assert not list((fresh / "keystore").iterdir())
    found = {check["name"]: check for check in json.loads(reporter("doctor", "--json").out)["checks"]}
    assert found["keystore"]["state"] == "ok"
    assert "1 wraps" in found["keystore"]["text"]
    (tmp_path / "keys.sqlite3").unlink()
    assert reporter("secret", "list").code == 4


def test_a_password_of_the_key_store_never_stands_in_the_file(reporter: Run, home: Home) -> None:
    home.toml.write_text(home.toml.read_text() + '\n[keys]\nstore_url = "postgresql://a:harmless-word@h/x"\n')
    ran = reporter("secret", "list")
    assert (ran.code, "REPORTER_KEYS__STORE_URL" in ran.err, "harmless-word" in ran.err) == (2, True, False)


def test_the_check_up_says_when_the_key_lies_with_the_lock(reporter: Run, fresh: Path) -> None:
    assert reporter("init", "--keys", f"machine_secret_file={fresh / 'machine-secret'}").code == 0
    found = json.loads(reporter("doctor", "--json").out)["checks"]
    assert [check["state"] for check in found if "lies in the home" in check["text"]] == ["warn"]


def test_a_secret_that_expires_is_listed_and_found_by_the_check_up(reporter: Run, home: Home) -> None:
    soon, name = datetime.now(UTC) + timedelta(days=3), "ncmec-password"
    assert reporter("secret", "set", name, "--expires", f"{soon:%Y-%m-%d}", stdin=b"pswd456").code == 0
    assert f"{name}  expires {soon:%Y-%m-%d}" in reporter("secret", "list").out.decode()
    assert json.loads(reporter("secret", "list", "--json").out)["expires"].keys() == {name}
    found = {check["name"]: check for check in json.loads(reporter("doctor", "--json").out)["checks"]}
    assert found["credentials"] == {
        "name": "credentials", "state": "warn",
        "text": f"secret:{name} expires on {soon:%Y-%m-%d}; run: reporter secret set {name}",
    }  # fmt: skip
    for wrong in ("2020-01-01", "tomorrow"):
        assert reporter("secret", "set", name, "--expires", wrong, stdin=b"x").code == 2


def test_a_secret_is_deleted_once_and_on_record(reporter: Run, home: Home) -> None:
    assert reporter("secret", "delete", "ncmec-password", "--as", "ann").code == 0
    assert reporter("secret", "delete", "ncmec-password").code == 2
    assert reporter("secret", "delete", "custody-log-signing-key").code == 3
    assert reporter("secret", "list", "--json").json["secrets"] == {}
    entries = reporter("audit", "list", "--json").out.decode()
    assert "credential_deleted" in entries and "ncmec-password sandbox" in entries


def test_a_provider_that_is_away_is_one_line(reporter: Run, fresh: Path, phrase: Path) -> None:
    keys = ("provider=transit", "url=http://127.0.0.1:1", f"token_file={phrase}")
    ran = reporter("init", *(part for key in keys for part in ("--keys", key)))
    assert (ran.code, ran.err.count("\n")) == (4, 1)
    assert "cannot be reached" in ran.err


def test_credentials_move_to_the_database_that_all_machines_share(reporter: Run, home: Home, tmp_path: Path) -> None:
    shutil.rmtree(home.folder)
    assert reporter("init", "--keys", f"store_url=sqlite:///{tmp_path / 'keys.sqlite3'}").code == 0
    key, before = reporter("audit", "key").text, reporter("secret", "list", "--json").json
    assert reporter("secret", "share").code == 2
    home.configure("[keys]\n", '[keys]\ncredentials = "database"\n')
    ran = reporter("secret", "share", "--as", "dana", "--json")
    assert (ran.code, len(ran.json["moved"]), ran.json["left"]) == (0, 2, [])
    assert list((home.folder / "credentials").glob("*.secret")) == []
    assert (reporter("secret", "list", "--json").json, reporter("audit", "key").text) == (before, key)
    assert reporter("secret", "share").text.strip() == "Nothing was moved."
    assert reporter("secret", "set", "ncmec-password", stdin=b"another").code == 0
    assert json.loads(reporter("key", "rotate", "--json").text.splitlines()[-1])["rewrapped"] == 2
    assert reporter("secret", "list", "--json").json == before
    assert reporter("doctor").code == 0


def test_a_credential_that_differs_on_another_machine_is_left_to_a_person(
    reporter: Run, home: Home, tmp_path: Path
) -> None:
    shutil.rmtree(home.folder)
    assert reporter("init", "--keys", f"store_url=sqlite:///{tmp_path / 'keys.sqlite3'}").code == 0
    file = next((home.folder / "credentials").glob("ncmec*"))
    mine = file.read_bytes()
    assert reporter("secret", "set", "ncmec-password", stdin=b"theirs").code == 0
    home.configure("[keys]\n", '[keys]\ncredentials = "database"\n')
    assert reporter("secret", "share").code == 0
    file.write_bytes(mine)
    file.chmod(0o600)
    ran = reporter("secret", "share", "--json")
    assert (ran.code, ran.json["moved"], ran.json["left"]) == (1, [], ["ncmec-password"])
    assert file.read_bytes() == mine
