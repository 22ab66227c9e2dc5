"""An administrator restores an older copy of the database, and the command line says what to do."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from adapters.ncmec.sandbox import CyberTipline
from reporter.testing.documents import write_case
from reporter.testing.people import People
from tests.e2e.support import DATABASE, Home, Run

REFERENCE = "TEST-000001"


def copied(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)


def checks(reporter: Run) -> dict[str, tuple[str, str]]:
    found = reporter("doctor", "--json").json["checks"]
    return {check["name"]: (check["state"], check["text"]) for check in found}


def test_from_a_restored_copy_to_deliveries_that_go_on(
    reporter: Run, home: Home, sandbox: CyberTipline, tmp_path: Path
) -> None:
    reporter("case", "add", write_case(tmp_path / "cases"), "--as", "ann")
    reporter("submission", "approve", REFERENCE, "--as", "bob")
    copied(home.folder / DATABASE, tmp_path / "copy")
    assert reporter("deliver").code == 0
    assert reporter("db", "status").code == 0
    assert checks(reporter)["memory"][0] == "ok"
    (report,) = sandbox.reports

    copied(tmp_path / "copy", home.folder / DATABASE)
    state, text = checks(reporter)["memory"]
    assert (state, "restore-a-backup" in text) == ("fail", True)
    assert reporter("db", "status").code == 1

    ran = reporter("deliver", "--json")
    assert ran.code == 1
    assert "restored" in ran.json["quarantine"]
    assert "Deliveries are quarantined" in ran.err
    assert list(sandbox.reports) == [report]
    (forgotten,) = reporter("db", "status", "--json").json["forgotten"]
    assert (forgotten["reference"], forgotten["lane"], forgotten["draft"]) == (REFERENCE, "ncmec:sandbox", report)
    assert f"report {report} may have been filed" in reporter("db", "status").text

    assert reporter("db", "release-quarantine", "--reason", "asked the authority", "--as", "cat").code == 0
    settled = reporter(
        "delivery", "resolve", REFERENCE, "--to", "ncmec", "--accepted", "--reference", report, "--as", "cat",
        "--reason", "they have it",
    )  # fmt: skip
    assert settled.code == 0, settled.err
    assert reporter("deliver").code == 0
    assert reporter("db", "status").code == 0
    assert list(sandbox.reports) == [report]
    (submission,) = reporter("case", "show", REFERENCE, "--json").json["submissions"]
    assert (submission["state"], submission["receipt"]["reference"]) == ("accepted", report)


def test_a_person_can_impose_a_quarantine_and_release_it(reporter: Run, home: Home) -> None:
    imposed = reporter("db", "quarantine", "--reason", "everything was restored", "--json")
    assert imposed.json == {"quarantined": True, "changed": True}
    assert "already" in reporter("db", "quarantine", "--reason", "again").text
    assert reporter("deliver").code == 1
    assert reporter("db", "release-quarantine", "--reason", "looked").code == 0
    assert reporter("db", "release-quarantine", "--reason", "looked").code == 2
    assert reporter("deliver").code == 0


def test_outside_the_sandbox_a_release_takes_two(reporter: Run, staff: Callable[..., People]) -> None:
    staff(robin="administrator", dana="compliance", kim="escalation_lead")
    assert reporter("db", "quarantine", "--reason", "everything was restored", "--as", "dana").code == 0
    proposed = reporter("db", "release-quarantine", "--reason", "looked", "--as", "dana")
    assert (proposed.code, "Another person" in proposed.text) == (0, True)
    again = reporter("db", "release-quarantine", "--reason", "looked twice", "--as", "dana")
    assert (again.code, "different person" in again.err) == (3, True)
    assert "proposes to release" in reporter("db", "status").text
    assert reporter("db", "release-quarantine", "--reason", "looked too", "--as", "kim").code == 0
