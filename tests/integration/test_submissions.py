"""Check, preview, approve: who may say yes, to what exactly, and what the freeze holds."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from reporter.authority import Environment
from reporter.errors import ConflictError, NotFoundError, NotReadyError, PolicyError
from reporter.submissions.model import State
from reporter.testing.documents import write_case
from reporter.testing.house import House

REF = "TEST-000001"
FILES = {"e1": b"harmless one"}
IMMEDIATE = {
    "type": "online_enticement",
    "occurred_at": "2026-11-18T09:55:00Z",
    "urgency": {"level": "immediate", "reason": "SYNTHETIC: meeting arranged."},
}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def with_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, people: int) -> House:
    monkeypatch.setenv("REPORTER_APPROVAL__PEOPLE", str(people))
    return House(tmp_path)


def added(house: House, **changes: object) -> str:
    house.app.cases.add(write_case(house.folder / "cases", REF, files=FILES, **changes), "preparer")
    return REF


def test_a_case_that_is_ready_says_so_and_has_no_row_yet(house: House) -> None:
    added(house)
    assert house.submission() == {
        "authority": "ncmec",
        "environment": "sandbox",
        "state": "ready",
        "version": 1,
        "supersedes": None,
        "supplements": None,
        "attempts": 0,
        "receipt": None,
        "needs": [],
        "reason": "",
        "digest": "",
        "viewed_since": [],
    }


def test_what_is_lacking_makes_it_a_draft(house: House) -> None:
    added(house, incident={"type": "csam", "occurred_at": "2027-01-01T00:00:00Z"})
    submission = house.submission()
    assert submission["state"] == "draft"
    assert [need["path"] for need in submission["needs"]] == ["incident.occurred_at"]
    with pytest.raises(NotReadyError) as refused:
        house.app.submissions.approve(REF, "approver")
    assert [finding.path for finding in refused.value.findings] == ["incident.occurred_at"]


def test_the_preparer_may_not_approve(house: House) -> None:
    added(house)
    with pytest.raises(PolicyError, match=r"approval\.people = 2"):
        house.app.submissions.approve(REF, "preparer")
    assert house.submission()["state"] == "ready"


def test_one_person_suffices_where_the_policy_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = with_people(tmp_path, monkeypatch, 1)
    added(house)
    (approved,) = house.app.submissions.approve(REF, "preparer")
    assert approved.state is State.APPROVED


def test_three_people_are_three_different_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = with_people(tmp_path, monkeypatch, 3)
    added(house)
    (first,) = house.app.submissions.approve(REF, "ann")
    assert (first.state, first.missing) == (State.READY, 1)
    with pytest.raises(PolicyError, match="has approved it already"):
        house.app.submissions.approve(REF, "ann")
    (second,) = house.app.submissions.approve(REF, "bob")
    assert (second.state, second.missing) == (State.APPROVED, 0)


def test_an_approval_is_of_these_bytes_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = with_people(tmp_path, monkeypatch, 3)
    added(house)
    (first,) = house.app.submissions.approve(REF, "ann")
    changed = write_case(tmp_path / "again", REF, files=FILES, incident=IMMEDIATE)
    house.app.cases.revise(REF, changed, "preparer")
    (second,) = house.app.submissions.approve(REF, "bob")
    assert second.digest != first.digest
    assert (second.state, second.missing) == (State.READY, 1)


@pytest.mark.parametrize("decision", ["pending", "not_confirmed"])
def test_only_a_confirmed_case_is_ever_sent(house: House, decision: str) -> None:
    confirmation = {"decision": decision, "by": "r", "at": "2026-11-18T10:04:30Z", "basis": "SYNTHETIC"}
    added(house, confirmation=confirmation)
    with pytest.raises(PolicyError, match="law 1"):
        house.app.submissions.approve(REF, "approver")
    needs = house.app.submissions.check(REF)["ncmec"].needs
    assert needs[0].path == "confirmation.decision"


def test_preview_shows_the_very_bytes_that_are_sent(house: House) -> None:
    added(house)
    shown = house.app.submissions.preview(REF, "ncmec")
    house.app.submissions.approve(REF, "approver")
    house.until_idle()
    (report,) = house.double.reports.values()
    sent = [shown.package.document("report").body, *(file.details for file in report.files.values())]
    assert report.document == sent[0]
    assert b"{{file_id}}" in shown.package.document("fileDetails:e1").body
    assert house.submission()["digest"] == shown.digest


def test_the_digest_is_of_the_frozen_bytes(house: House) -> None:
    house.approved(files=FILES)
    with house.app.database.connect() as connection:
        row = connection.exec_driver_sql("SELECT digest, package_body FROM submission").one()
        content = house.app.bodies.open(connection, row.package_body)
    assert hashlib.sha256(content).hexdigest() == row.digest


def test_approving_again_changes_nothing(house: House) -> None:
    house.approved(files=FILES)
    before = house.submission()
    (again,) = house.app.submissions.approve(REF, "somebody")
    assert again.state is State.APPROVED
    assert house.submission() == before
    house.until_idle()
    (again,) = house.app.submissions.approve(REF, "somebody")
    assert again.state is State.ACCEPTED
    house.until_idle()
    assert len(house.double.reports) == 1


def test_unknown_authorities_and_cases_are_named(house: House) -> None:
    with pytest.raises(NotFoundError):
        house.app.submissions.preview("NO-SUCH-CASE", "ncmec")
    added(house)
    with pytest.raises(NotFoundError, match="configured: ncmec"):
        house.app.submissions.preview(REF, "nca")


def test_a_case_revised_meanwhile_is_not_approved(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    added(house)
    adapter = house.app.desks["ncmec"].adapter
    build = adapter.build

    def revise_meanwhile(*args: object) -> object:
        package = build(*args)  # type: ignore[arg-type]
        changed = write_case(house.folder / "again", REF, files=FILES, incident=IMMEDIATE)
        house.app.cases.revise(REF, changed, "preparer")
        return package

    monkeypatch.setattr(adapter, "build", revise_meanwhile)
    with pytest.raises(ConflictError, match="revised meanwhile"):
        house.app.submissions.approve(REF, "approver")
    assert house.submission()["state"] == "ready"


def test_a_newer_schema_stops_a_frozen_package_that_no_longer_fits(house: House) -> None:
    added(house)
    house.app.submissions.approve(REF, "approver")
    house.app.authorities.fetch_schema("ncmec", "op")
    with house.app.database.begin() as connection:
        row = connection.exec_driver_sql("SELECT content FROM authority_schema").one()
        narrower = row.content.replace(b'name="report"', b'name="raport"', 1) + b" "
        shelf = house.app.desks["ncmec"].shelf
        shelf.keep(connection, "ncmec", Environment.SANDBOX, narrower, house.clock.now())
    house.until_idle()
    assert house.double.reports == {}
    assert house.submission()["state"] == "attention"
    assert "schema" in house.submission()["reason"]
