"""The check-up: every look on its own, and nothing changed by looking."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import create_engine

from adapters.ncmec.sandbox import CyberTipline
from keycustody.age import Identity
from reporter import doctor
from reporter.actors.model import Role
from reporter.bootstrap import open_home
from reporter.clock import SystemClock
from reporter.db.engine import transaction
from reporter.delivery.queue import pause
from reporter.home import create
from reporter.submissions.duties import ask_again
from reporter.tasks.service import forget
from reporter.testing.documents import write_case
from reporter.testing.house import House
from reporter.testing.people import People


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REPORTER_HOME", str(tmp_path / "home"))
    create(tmp_path / "home")
    return tmp_path / "home"


def found(*states: str) -> dict[str, str]:
    return {symptom.name: symptom.text for symptom in doctor.examine() if symptom.state in states}


def edit(home: Path, change: Callable[[str], str]) -> None:
    file = home / "reporter.toml"
    file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")


def test_a_fresh_home_lacks_nothing_but_the_schema_and_somebody_to_alarm(home: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*")}
    assert found("fail") == {}
    assert found("warn").keys() == {"alarm", "ncmec schema"}
    assert {"configuration", "keys", "database", "durability", "cases", "installation"} <= found("ok").keys()
    assert before.items() <= {path: path.stat().st_mtime_ns for path in home.rglob("*")}.items()


def test_no_home_is_the_one_thing_to_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REPORTER_HOME", str(tmp_path / "none"))
    (symptom,) = doctor.examine()
    assert (symptom.name, symptom.state) == ("configuration", "fail")
    assert "reporter init" in symptom.text
    assert not (tmp_path / "none").exists()


def test_a_missing_database_is_not_made_by_looking(home: Path) -> None:
    (home / "reporter.sqlite3").unlink()
    assert "restore its backup" in found("fail")["database"]
    assert not (home / "reporter.sqlite3").exists()


def test_a_home_that_others_may_read_is_told(home: Path) -> None:
    home.chmod(0o755)
    assert f"chmod 700 {home}" in found("warn")["home"]


def test_little_space_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1 << 20))
    assert "0.0 GiB free" in found("warn")["disk"]


def test_a_network_disk_under_sqlite_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_file_system", lambda _: "nfs4")
    assert "SQLite on nfs4 loses data" in found("fail")["database disk"]


def test_the_file_system_is_that_of_the_nearest_mount() -> None:
    assert doctor._file_system(Path("/proc/self")) == "proc"


def test_a_database_that_forgets_on_a_power_cut_is_refused() -> None:
    careless = create_engine("sqlite://")
    with careless.connect() as connection:
        connection.exec_driver_sql("PRAGMA synchronous=OFF")
        connection.commit()
    assert doctor._durability(careless).state == "fail"
    careless.dispose()


def test_keys_of_another_home_are_found_by_opening_the_newest_case(home: Path, tmp_path: Path) -> None:
    app = open_home(home)
    app.cases.add(write_case(tmp_path), "ann")
    app.close()
    assert found("ok")["cases"] == "1 on record, the newest opens"
    create(tmp_path / "another")
    (home / "keys").rename(tmp_path / "lost")
    (tmp_path / "another" / "keys").rename(home / "keys")
    assert {"cases", "ncmec"} == found("fail").keys()


def test_the_credential_is_opened_and_not_shown(home: Path) -> None:
    (home / "credentials" / "ncmec-password.secret").unlink()
    assert "Set it with: reporter secret set ncmec-password" in found("fail")["ncmec"]
    assert "pswd456" not in str(doctor.examine())


def test_each_authority_is_looked_at_on_its_own(home: Path) -> None:
    edit(home, lambda text: text + '\n[authority.nobody]\nusername = "x"\npassword = "secret:x"\n')
    assert "there is no such adapter" in found("fail")["nobody"]
    assert found("ok")["ncmec:sandbox"] == "http://127.0.0.1:8911/ispws as usr123"


def test_reports_need_an_address_and_somebody_to_report_to(home: Path) -> None:
    edit(home, lambda text: text.replace("email = ", "# email = "))
    assert "reporting_person.email is missing" in found("fail")["organisation"]
    edit(home, lambda text: text.replace("# email = ", "email = ").partition("[authority.ncmec]")[0])
    assert "no authority is configured" in found("fail")["organisation"]


def test_a_standing_queue_says_what_lets_it_go_on(home: Path) -> None:
    app = open_home(home)
    with transaction(app.database) as connection:
        pause(connection, "ncmec:sandbox", "Refused.", app.clock.now())
    app.close()
    assert found("fail")["ncmec:sandbox"] == (
        "stands still: Refused. Set the password with: reporter secret set ncmec-password "
        "(or mend the username in reporter.toml). Then: reporter authority status ncmec"
    )


def test_a_schema_in_force_is_shown_by_digest_and_date(home: Path) -> None:
    double = CyberTipline(SystemClock())
    app = open_home(home, transports={"ncmec": double.transport()})
    stored, _ = app.authorities.fetch_schema("ncmec", "ann")
    app.close()
    assert found("ok")["ncmec schema"].startswith(f"sha256:{stored.sha256[:16]}… fetched ")


def test_a_stranger_called_adapters_is_found_out(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "find_spec", lambda _: SimpleNamespace(origin="/elsewhere/adapters/__init__.py"))
    assert "has taken our place" in found("fail")["installation"]


def test_people_who_cannot_approve_together_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(tmp_path)
    monkeypatch.setenv("REPORTER_HOME", str(tmp_path / "home"))
    assert "people" not in found("fail", "warn")  # in the sandbox a name is enough
    house.beyond_the_sandbox()
    assert "nothing can be approved: it takes 2" in found("fail")["people"]
    lead = frozenset({Role.ESCALATION_LEAD, Role.COMPLIANCE})
    People(house.app, {"ann": lead, "bob": lead})
    assert "people" not in found("fail")
    assert "nobody is custodian" in found("warn")["people"]


def test_roles_that_should_be_two_peoples_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(tmp_path)
    monkeypatch.setenv("REPORTER_HOME", str(tmp_path / "home"))
    People(house.app, {"ann": frozenset({Role.COMPLIANCE}), "bob": frozenset({Role.COMPLIANCE, Role.AUDITOR})})
    assert found("warn")["people"].startswith("bob is auditor and compliance")


def test_one_who_may_approve_is_not_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(tmp_path)
    monkeypatch.setenv("REPORTER_HOME", str(tmp_path / "home"))
    house.beyond_the_sandbox()
    People(house.app, {"ann": frozenset({Role.COMPLIANCE}), "bob": frozenset({Role.ADMINISTRATOR})})
    assert "nothing can be approved: it takes 2" in found("fail")["people"]


def test_it_asks_for_a_recovery_kit_that_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORTER_HOME", str(tmp_path / "home"))
    house = House(tmp_path)
    house.clock.advance_to(SystemClock().now() - timedelta(days=2))
    assert "recovery kit" not in found("warn", "ok")  # a sandbox can be made again
    house.beyond_the_sandbox()
    assert "there is none" in found("warn")["recovery kit"]
    people = [Identity.generate().recipient for _ in range(3)]

    def make(name: str) -> None:
        house.clock.advance(timedelta(minutes=1))
        house.app.recovery_kits.make(people, tmp_path / name, "dana")

    make("one")
    assert "made on" in found("ok")["recovery kit"]
    house.clock.advance(timedelta(minutes=1))
    house.app.secrets.set("ncmec-password", "anything", "dana")
    assert "a credential was changed" in found("warn")["recovery kit"]
    make("two")
    house.app.rotation.begin("dana")
    house.app.log.sequencer.run()
    assert "before the root key was rotated" in found("warn")["recovery kit"]
    make("three")
    assert "made on" in found("ok")["recovery kit"]
    edit(tmp_path / "home", lambda text: text + "\n[keys]\nkit_days = 1\n")
    assert "older than keys.kit_days (1)" in found("warn")["recovery kit"]
    house.app.close()


def test_tasks_that_are_not_what_the_rules_ask_are_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refresh() -> None:
        app = open_home(home)
        ask_again(app.database, app.cases, app.duties, "robin")
        app.close()

    app = open_home(home)
    app.cases.add(write_case(home / "cases", "TEST-000001"), "robin")
    app.close()
    assert "tasks" not in found("warn")
    monkeypatch.setenv("REPORTER_TARGETS__US-2258A", '{"routine": {"hours": 2}}')
    assert "reporter task refresh" in found("warn")["tasks"]
    refresh()
    assert "tasks" not in found("warn")
    with transaction(app.database) as connection:
        forget(connection, "TEST-000001")  # as in a home that is older than tasks
    app.close()
    assert "tasks" in found("warn")
    refresh()
    assert "tasks" not in found("warn", "fail")
