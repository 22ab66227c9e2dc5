"""A home that is missing, half there, damaged, misconfigured or somebody else's: said clearly, and left as it is."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from keycustody.keyring import LocalKeyring
from keycustody.protection import Places
from reporter.db import migrate
from reporter.db.engine import open_engine, sqlite_url
from reporter.testing.documents import write_case
from reporter.testing.people import People
from tests.e2e.support import DATABASE, MARKER, Home, Run

REFERENCE = "TEST-000001"


def states(run: Run) -> dict[str, str]:
    """Give what ``doctor`` finds, by name; it answers whatever is wrong, and changes nothing."""
    ran = run("doctor", "--json")
    found = {check["name"]: check["state"] for check in ran.json["checks"]}
    assert ran.code == (1 if "fail" in found.values() else 0)
    assert run("doctor").code == ran.code
    return {name: state for name, state in found.items() if state != "ok"}


# --- init -------------------------------------------------------------------------------------------------------


def test_a_second_init_changes_nothing(reporter: Run, home: Home) -> None:
    home.configure("usr123", "someone-else")
    kept = home.listing()
    ran = reporter("init")
    assert (ran.code, ran.out) == (2, b"")
    assert "is a Reporter home already; nothing was changed. See: reporter doctor" in ran.err
    assert home.listing() == kept


def test_a_fresh_home_is_private_and_well(reporter: Run, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = home.folder.parent / "deep" / "er"
    monkeypatch.setenv("REPORTER_HOME", str(fresh))
    assert reporter("init", "--json").json == {"home": str(fresh)}
    assert fresh.stat().st_mode & 0o777 == 0o700
    assert states(reporter) == {"alarm": "warn", "ncmec schema": "warn"}


def test_init_ends_what_an_earlier_one_began_and_keeps_its_keys_and_secrets(reporter: Run, home: Home) -> None:
    assert reporter("secret", "set", "ncmec-password", stdin=b"my own").code == 0
    kept = home.listing()
    home.toml.unlink()
    (home.folder / DATABASE).unlink()
    assert reporter("init").code == 0
    now = home.listing()
    for folder in ("keys", "credentials"):
        assert {k: v for k, v in now.items() if k.startswith(folder)} == {
            k: v for k, v in kept.items() if k.startswith(folder)
        }


def test_init_that_fails_can_be_repeated(reporter: Run, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = home.folder.parent / "fresh"
    monkeypatch.setenv("REPORTER_HOME", str(fresh))
    monkeypatch.setenv("REPORTER_DATABASE_URL", f"postgresql://someone:{MARKER}@127.0.0.1:1/reporter")
    ran = reporter("init")
    assert ran.code == 4
    assert "Is the server up, and REPORTER_DATABASE_URL right?" in ran.err
    monkeypatch.delenv("REPORTER_DATABASE_URL")
    assert reporter("init").code == 0
    assert states(reporter) == {"alarm": "warn", "ncmec schema": "warn"}


@pytest.mark.parametrize(
    ("place", "says"),
    [("a-file", "is a file"), ("a-file/home", "Not a directory"), ("/proc/no/home", "cannot be set up")],
)
def test_a_home_that_cannot_be(
    reporter: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, says: str
) -> None:
    (tmp_path / "a-file").write_text("in the way")
    monkeypatch.setenv("REPORTER_HOME", str(tmp_path / place))
    ran = reporter("init")
    assert ran.code in (2, 4)
    assert says in ran.err
    assert "REPORTER_HOME" in ran.err
    assert (tmp_path / "a-file").read_text() == "in the way"
    ran = reporter("case", "list")
    assert (ran.code, ran.out) == (2, b"")
    assert "There is no Reporter home at" in ran.err
    assert "reporter init" in ran.err
    assert states(reporter) == {"configuration": "fail"}


# --- database ---------------------------------------------------------------------------------------------------


def execute(home: Home, statement: str) -> None:
    with closing(sqlite3.connect(home.folder / DATABASE)) as connection, connection:
        connection.execute(statement)


def behind(home: Home) -> None:
    """Put a database in place as the first release of the program left it."""
    missing(home)
    engine = open_engine(sqlite_url(home.folder / DATABASE))
    scripts = Config()
    scripts.set_main_option("script_location", str(migrate.script_location()))
    with engine.begin() as connection:
        scripts.attributes["connection"] = connection
        command.upgrade(scripts, "0001")
    engine.dispose()


def ahead(home: Home) -> None:
    execute(home, "UPDATE alembic_version SET version_num = 'f00d'")


def missing(home: Home) -> None:
    (home.folder / DATABASE).unlink()


def emptied(home: Home) -> None:
    (home.folder / DATABASE).write_bytes(b"")


def overwritten(home: Home) -> None:
    (home.folder / DATABASE).write_bytes(bytes(range(256)) * 64)


def damaged(home: Home) -> None:
    file = home.folder / DATABASE
    content = file.read_bytes()
    file.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


def in_the_way(home: Home) -> None:
    missing(home)
    (home.folder / DATABASE).mkdir()


COMMANDS = (
    ("case", "list"),
    ("case", "show", REFERENCE),
    ("submission", "approve", REFERENCE),
    ("deliver",),
    ("authority", "status", "ncmec"),
    ("secret", "list"),
)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (behind, "is at revision 0001, this program needs "),
        (ahead, "is newer"),
        (missing, "restore its backup"),
        (emptied, "restore its backup"),
        (overwritten, "file is not a database. Restore it from its backup."),
        (damaged, "malformed. Restore it from its backup."),
        (in_the_way, "unable to open database file"),
    ],
)
def test_a_database_that_cannot_be_used(
    reporter: Run, home: Home, tmp_path: Path, spoil: Callable[[Home], None], says: str
) -> None:
    spoil(home)
    case = write_case(tmp_path / "cases", files={"e1": b"harmless"})
    kept = sorted(home.folder.rglob("*"))
    for arguments in (*COMMANDS, ("case", "add", str(case), "--remove-source")):
        ran = reporter(*arguments)
        assert (ran.code, ran.out) == (4, b"")
        assert says in ran.err
    assert states(reporter)["database"] == "fail"
    assert sorted(home.folder.rglob("*")) == kept
    assert (case / "e1.txt").exists()


@pytest.mark.parametrize("spoil", [missing, emptied])
def test_a_database_that_was_lost_is_not_replaced(reporter: Run, home: Home, spoil: Callable[[Home], None]) -> None:
    spoil(home)
    there = (home.folder / DATABASE).exists()
    ran = reporter("db", "upgrade")
    assert (ran.code, ran.out) == (4, b"")
    assert "restore its backup" in ran.err
    assert (home.folder / DATABASE).exists() == there
    assert not [row for row in home.rows() if "TABLE" in row]


def test_a_database_that_is_behind_is_upgraded(reporter: Run, home: Home) -> None:
    before = home.rows()
    behind(home)
    assert reporter("db", "upgrade", "--json").json["changed"] is True
    assert home.rows() == before
    assert reporter("db", "upgrade", "--json").json["changed"] is False
    assert "already" in reporter("db", "upgrade").text


@pytest.mark.parametrize("spoil", [ahead, overwritten, damaged, in_the_way])
def test_upgrading_what_cannot_be_upgraded_changes_nothing(
    reporter: Run, home: Home, spoil: Callable[[Home], None]
) -> None:
    spoil(home)
    file = home.folder / DATABASE
    kept = file.read_bytes() if file.is_file() else b""
    ran = reporter("db", "upgrade")
    assert (ran.code, ran.out) == (4, b"")
    assert (file.read_bytes() if file.is_file() else b"") == kept


# --- keys, objects, credentials ---------------------------------------------------------------------------------


def removed(name: str) -> Callable[[Home], None]:
    return lambda home: shutil.rmtree(home.folder / name)


def opened(name: str) -> Callable[[Home], None]:
    return lambda home: (home.folder / name).chmod(0o755)


def garbled(name: str) -> Callable[[Home], None]:
    def spoil(home: Home) -> None:
        for file in (home.folder / name).iterdir():
            file.write_bytes(b"garbled")

    return spoil


def another_keyring(home: Home) -> None:
    shutil.rmtree(home.folder / "keys")
    LocalKeyring.create(home.folder / "keys", Places())


@pytest.mark.parametrize(
    ("spoil", "fails"),
    [
        (removed("keys"), {"keys", "cases", "ncmec"}),
        (opened("keys"), {"keys", "cases", "ncmec"}),
        (garbled("keys"), {"keys", "cases", "ncmec"}),
        (another_keyring, {"cases", "ncmec"}),
        (removed("keystore"), {"keystore", "cases"}),
        (opened("keystore"), {"keystore", "cases"}),
        (garbled("keystore"), {"cases"}),
        (removed("credentials"), {"credentials", "ncmec"}),
        (garbled("credentials"), {"ncmec"}),
        (removed("objects"), {"objects"}),
        (opened("objects"), {"objects"}),
    ],
)
def test_doctor_names_what_is_wrong_with_keys_and_seals_and_no_command_breaks_on_it(
    reporter: Run, home: Home, tmp_path: Path, spoil: Callable[[Home], None], fails: set[str]
) -> None:
    assert reporter("case", "add", write_case(tmp_path, files={"e1": b"harmless"}), "--as", "ann").code == 0
    assert reporter("submission", "approve", REFERENCE, "--as", "bob").code == 0
    rows = home.rows()
    spoil(home)
    found = states(reporter)
    assert {name for name, state in found.items() if state == "fail"} == fails
    for arguments in COMMANDS:
        assert reporter(*arguments).code in (0, 1, 3, 4)
    another = write_case(tmp_path, "TEST-000002", files={"e1": b"harmless"})
    if reporter("case", "add", another).code != 0:
        assert not any("TEST-000002" in row for row in home.rows())
    assert [row for row in rows if REFERENCE in row and "case" in row.lower()]


def test_a_stray_file_among_the_credentials_disturbs_nobody(reporter: Run, home: Home) -> None:
    (home.folder / "credentials" / "Not One Of Ours.secret").write_text("x")
    assert reporter("secret", "list").text == "ncmec-password\n"
    assert states(reporter) == {"alarm": "warn", "ncmec schema": "warn"}


# --- configuration ----------------------------------------------------------------------------------------------

BASE_URL = 'base_url = "http://127.0.0.1:8911/ispws"'
PASSWORD = 'password = "secret:ncmec-password"'


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("[approval]", f"[approval {MARKER}", "is not valid TOML"),
        ("people = 2", f'people = "{MARKER}"', "approval.people: "),
        ("people = 2", "people = 0", "approval.people: "),
        ("people = 2", f'shoes = "{MARKER}"', "approval.shoes: unknown key"),
        ("[approval]", f'[shoes]\nsize = "{MARKER}"\n[approval]', "shoes: unknown key"),
        ('name = "Example Forum Ltd"', "", "organisation.name: is missing"),
        ("email = ", "e_mail = ", "organisation.reporting_person.e_mail: unknown key"),
        (PASSWORD, f'password = "{MARKER}"', "authority.ncmec.password: a secret never stands"),
        (PASSWORD, 'password = "secret:../../x"', "authority.ncmec.password: what follows secret: must be"),
        (PASSWORD, "password = 7", "authority.ncmec.password: "),
        ("[approval]", f'[http]\nproxy = "http://me:{MARKER}@proxy.example"\n[approval]', "http.proxy: a secret never"),
        (
            "[organisation]\n",
            f'database_url = "postgresql://me:{MARKER}@db.example/r"\n[organisation]\n',
            "database_url: a",
        ),
        ("industry_classification", "industry_klassification", "authority.ncmec.industry_klassification: unknown key"),
        ("[authority.ncmec]", "[authority.shoes]", "authority.shoes: there is no such adapter"),
        ('environment = "sandbox"', f'environment = "{MARKER}"', "authority.ncmec.environment: "),
        (
            'environment = "sandbox"',
            'environment = "production"',
            "authority.ncmec: base_url is not NCMEC's production",
        ),
        (BASE_URL, 'base_url = "http://forum.example/ispws"', "authority.ncmec: base_url uses http:// to another"),
        (BASE_URL, f'base_url = "https://me:{MARKER}@forum.example"', "authority.ncmec: base_url must hold a scheme"),
        (BASE_URL, f'base_url = "{MARKER}"', "authority.ncmec: base_url must be an https:// URL"),
        (
            BASE_URL,
            'base_url = "https://report.cybertip.org/ispws"',
            "authority.ncmec: base_url is NCMEC's own service",
        ),
        (BASE_URL, 'base_url = "https://EXTTEST.cybertip.org./ispws"', "authority.ncmec: base_url is NCMEC's own"),
    ],
)
def test_a_wrong_configuration_is_named_by_key_and_never_by_value(
    reporter: Run, home: Home, monkeypatch: pytest.MonkeyPatch, before: str, after: str, says: str
) -> None:
    monkeypatch.delenv("REPORTER_AUTHORITY__NCMEC__BASE_URL")
    home.configure(before, after)
    for arguments in (("case", "list"), ("deliver",), ("authority", "status", "ncmec")):
        ran = reporter(*arguments)
        assert (ran.code, ran.out) == (2, b"")
        assert says in ran.err
    ran = reporter("doctor")
    assert ran.code == 1
    assert says in ran.text
    assert MARKER not in ran.text


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "organisation: is missing"), (b"\xff\xfe[organisation]", "is not UTF-8 text"), (b"\0", "is not valid TOML")],
)
def test_a_damaged_configuration_is_said_to_be(reporter: Run, home: Home, content: bytes, says: str) -> None:
    home.toml.write_bytes(content)
    ran = reporter("case", "list")
    assert (ran.code, ran.out) == (2, b"")
    assert says in ran.err
    assert states(reporter) == {"configuration": "fail"}
    assert reporter("init").code == 2


def test_a_folder_in_place_of_the_configuration(reporter: Run, home: Home) -> None:
    home.toml.unlink()
    home.toml.mkdir()
    assert reporter("case", "list").code == 4
    assert states(reporter) == {"configuration": "fail"}


def test_a_wrong_variable_is_named_as_one(reporter: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORTER_DELIVERY__CONCURRENCY", MARKER)
    ran = reporter("case", "list")
    assert (ran.code, "REPORTER_DELIVERY__CONCURRENCY: " in ran.err) == (2, True)


def test_a_misspelt_variable_is_pointed_out(reporter: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORTER_DATABSE_URL", "postgresql://db.example/r")
    assert states(reporter)["variables"] == "warn"


# --- secrets ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("ncmec-password", b"", "Standard input is empty"),
        ("ncmec-password", b" \n", "Standard input is empty"),
        ("ncmec-password", b"\xff\xfe", "not UTF-8"),
        ("ncmec-password", b"two\nlines\n", "one line"),
        ("ncmec-password", b"n\0l", "one line"),
        ("ncmec-password", b"x" * 5_000_000, "at most 4,096 bytes"),
        ("nobody-asked", MARKER.encode(), "No authority uses secret:nobody-asked"),
        ("../../etc/x", MARKER.encode(), "No authority uses"),
    ],
)
def test_a_secret_that_cannot_be_kept(reporter: Run, home: Home, name: str, given: bytes, says: str) -> None:
    kept = home.listing()
    ran = reporter("secret", "set", name, stdin=given)
    assert (ran.code, ran.out) == (2, b"")
    assert says in ran.err
    assert home.listing() == kept


def test_a_secret_typed_as_an_argument_is_not_repeated(reporter: Run) -> None:
    ran = reporter("secret", "set", "ncmec-password", MARKER)
    assert (ran.code, ran.out) == (2, b"")
    assert "more words than this command takes" in ran.err


def test_a_credential_serves_its_own_environment_alone(reporter: Run, staff: Callable[..., People]) -> None:
    staff(robin="administrator", dana="compliance")
    ran = reporter("authority", "status", "ncmec", "--as", "dana")
    assert (ran.code, ran.out) == (3, b"")
    assert "is for sandbox, not for test. Set it with: reporter secret set ncmec-password" in ran.err
    assert states(reporter)["ncmec"] == "fail"
