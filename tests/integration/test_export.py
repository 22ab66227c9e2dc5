"""From a demand to a bundle, what its recipient gets, and what is on record of it."""

import hashlib
import json
from pathlib import Path

import pytest
from sqlalchemy import Engine

from reporter.actors.service import unsigned
from reporter.db.engine import reading
from reporter.errors import DocumentError, NeedsPersonError, PolicyError, UsageError
from reporter.evidence.looks import LookService
from reporter.export.model import State
from reporter.retention.demand import Scope as RetentionScope
from reporter.tasks.service import open_tasks
from tests.integration.export_office import FILES, REF, Office


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Give an office whose exports tests share a house for."""
    return Office(tmp_path_factory.mktemp("office"))


def test_it_works_on_both_databases(engine: Engine, tmp_path: Path) -> None:
    office = Office(tmp_path, database=engine)
    written = office.write(office.approved())
    assert (office.unpacked(written) / "meta/custody.jsonl").read_text().count("\n") > 10
    received = office.room.requests.receive(written.export.id, written.sha256, "lena", "SYNTHETIC call")
    assert received.state is State.RECEIVED


def test_the_recipient_gets_the_bytes_that_were_sealed_and_sent(office: Office) -> None:
    export = office.approved()
    bag = office.unpacked(office.write(export, "sent"), "sent.d")
    (item,) = (bag / "data/objects").iterdir()
    assert item.read_bytes() == FILES["e1"]
    report = bag / "meta/report/ncmec-sandbox-1"
    finish = (report / "exchanges/006-finish-answer").read_bytes()
    assert finish == (report / "receipt").read_bytes()
    assert b"<reportId>" in finish
    assert b"Authorization" not in b"".join(path.read_bytes() for path in (report / "exchanges").iterdir())
    request = json.loads((bag / "meta/request.json").read_text())
    assert (request["asked"]["by"], request["approved"]["by"]) == ("lena", "omar")
    assert request["digest_approved"] == f"sha256:{export.digest}"


def test_the_same_request_gives_the_same_bag_whatever_happens_meanwhile(office: Office) -> None:
    export = office.approved()
    first = office.write(export, "first")
    office.house.clock.sleep(3600)
    office.house.approved("TEST-000002")
    office.house.until_idle()
    office.house.restart()
    second = office.write(export, "second")
    assert first.sha256 != second.sha256  # each copy has a key of its own
    assert office.opened(first) == office.opened(second)
    assert second.export.size == len(office.opened(first))
    assert [copy.sha256 for copy in second.export.copies] == [first.sha256, second.sha256]


def test_every_step_is_in_the_log_and_every_item_was_opened_on_record(tmp_path: Path) -> None:
    office = Office(tmp_path)
    written = office.write(office.approved())
    told = [event for event in office.events() if event.kind.startswith(("export_", "evidence_o", "evidence_c"))]
    assert [event.kind for event in told] == [
        "export_asked", "export_approved", "export_seal_key_set", "export_sealed", "export_begun", "evidence_opened",
        "evidence_closed", "export_written",
    ]  # fmt: skip
    assert {event.reference for event in told} == {REF, None}
    assert written.sha256 in told[-1].detail
    assert told[-2].detail.split(" ", 1)[1] == "whole, 225000 of 225000 bytes; opened, legal_process"
    looks: LookService = office.house.app.evidence.looks
    assert [(name, look.by, look.extent, look.via) for name, look in looks.views(REF)] == [
        ("e1", "lena", "opened", "export")
    ]


def test_one_person_alone_exports_no_content(office: Office) -> None:
    export = office.create()
    assert export.state is State.ASKED
    with pytest.raises(PolicyError, match="different person"):
        office.room.requests.approve(export.id, "lena", unsigned)
    with pytest.raises(PolicyError, match="Nobody has approved"):
        office.write(export, "alone")
    assert not (office.folder / "alone").exists()
    with pytest.raises(UsageError, match="already"):
        office.room.requests.approve(office.approved().id, "third", unsigned)


def test_records_without_content_take_one_person(office: Office) -> None:
    export = office.create(office.asked(fields=["incident"]))
    assert export.state is State.APPROVED
    bag = office.unpacked(office.write(export, "records"), "records.d")
    assert not (bag / "data/objects").exists()
    assert "none of the evidence" in (bag / "READ-ME-FIRST.txt").read_text()
    assert "A TRIAL. This was made in the sandbox environment." in (bag / "READ-ME-FIRST.txt").read_text()
    assert "\nEnvironment: sandbox\n" in (bag / "bag-info.txt").read_text()


def test_what_is_redacted_says_so_and_the_rest_of_the_case_stays_here(office: Office) -> None:
    redact = [{"path": "people[0].account.id", "reason": "SYNTHETIC reason"}]
    asked = office.asked(content=["e2"], fields=["people", "locations[0].kind"], redact=redact)
    bag = office.unpacked(office.write(office.approved(asked), "redacted"), "redacted.d")
    copy = json.loads((bag / "data/records/case.json").read_text())
    assert copy["case"]["people"][0]["account"] == {
        "id": {"redacted": "SYNTHETIC reason"},
        "service": "Example Forum",
    }
    assert copy["case"]["locations"] == [{"kind": "web_page"}]
    assert set(copy["case"]) == {"case_version", "reference", "people", "locations"}
    original = (office.folder / "cases" / REF / "case.json").read_bytes()
    assert copy["about_this_copy"]["original_sha256"] == hashlib.sha256(original).hexdigest()
    assert copy["about_this_copy"]["complete"] is False
    everything = b"".join(path.read_bytes() for path in bag.rglob("*") if path.is_file())
    assert b'"9001"' not in everything
    assert b'"item": "e1"' not in everything  # nor what the log tells of what stays


def test_what_is_redacted_leaves_in_no_document_as_sent_either(office: Office) -> None:
    redact = [{"path": "people[0].account.id", "reason": "SYNTHETIC reason"}]
    with pytest.raises(DocumentError) as refused:
        office.create(office.asked(content=["e2"], fields=["people"], submissions=["ncmec"], redact=redact))
    told = refused.value.findings
    assert {(finding.path, finding.rule) for finding in told} == {("redact[0]", "repeated")}
    named = [finding.message.split()[2] for finding in told]
    assert any("package" in path for path in named)
    withhold = [{"document": path, "reason": "SYNTHETIC reason"} for path in named]
    scope = {"content": ["e2"], "fields": ["people"], "submissions": ["ncmec"], "redact": redact, "withhold": withhold}
    bag = office.unpacked(office.write(office.approved(office.asked(**scope)), "both"), "both.d")
    assert b"9001" not in b"".join(path.read_bytes() for path in (bag / "meta/report").rglob("*") if path.is_file())


def test_a_document_that_is_withheld_leaves_a_note_with_its_digest(office: Office) -> None:
    path = "meta/report/ncmec-sandbox-1/exchanges/001-open-request"
    whole = office.unpacked(office.write(office.approved(), "whole"), "a")
    withhold = [{"document": path, "reason": "SYNTHETIC reason"}]
    asked = office.asked(content=["e1"], submissions=["ncmec"], withhold=withhold)
    bag = office.unpacked(office.write(office.approved(asked), "less"), "b")
    assert not (bag / path).exists()
    note = json.loads((bag / f"{path}.withheld.json").read_text())
    assert note["reason"] == "SYNTHETIC reason"
    assert note["original_sha256"] == hashlib.sha256((whole / path).read_bytes()).hexdigest()


def test_the_recipient_confirms_what_arrived_by_its_digest(office: Office) -> None:
    written = office.write(office.approved(), "received")
    export, receive = written.export.id, office.room.requests.receive
    with pytest.raises(NeedsPersonError, match="not what was written"):
        receive(export, "0" * 64, "lena", "SYNTHETIC call")
    assert "export_refused" in office.kinds()
    received = receive(export, written.sha256.upper(), "lena", "SYNTHETIC call")
    assert received.state is State.RECEIVED
    with pytest.raises(UsageError, match="already"):
        receive(export, written.sha256, "lena", "SYNTHETIC call")


def test_one_person_takes_an_export_back_at_once(office: Office) -> None:
    export = office.approved()
    written = office.write(export, "before")
    with pytest.raises(UsageError, match="Say why"):
        office.room.requests.withdraw(export.id, "omar", " ")
    assert office.room.requests.withdraw(export.id, "omar", "SYNTHETIC reason").state is State.WITHDRAWN
    with pytest.raises(PolicyError, match="withdrawn by omar"):
        office.write(written.export, "after")
    with reading(office.house.app.database) as connection:
        assert export.id not in [task.about for task in open_tasks(connection)]
    with pytest.raises(UsageError, match="already"):
        office.room.requests.withdraw(export.id, "omar", "SYNTHETIC reason")
    waiting = office.create()
    office.room.requests.withdraw(waiting.id, "lena", "SYNTHETIC reason")
    with pytest.raises(PolicyError, match="withdrawn"):
        office.room.requests.approve(waiting.id, "omar", unsigned)


def test_what_waits_for_a_person_stands_on_the_board(office: Office) -> None:
    export = office.create()

    def waiting() -> list[str]:
        with reading(office.house.app.database) as connection:
            return [task.kind for task in open_tasks(connection) if task.about == export.id]

    assert waiting() == ["export_approve"]
    office.room.requests.approve(export.id, "omar", unsigned)
    assert waiting() == []
    written = office.write(export, "waiting")
    assert waiting() == ["export_receipt"]
    office.room.requests.receive(export.id, written.sha256, "lena", "SYNTHETIC call")
    assert waiting() == []


def test_no_recipient_hears_of_anybody_elses_demand_hold_or_export(tmp_path: Path) -> None:
    office = Office(tmp_path)
    own = office.create()
    theirs = office.demand("search_warrant", "foreign", {"cases": [REF]})
    other = office.write(office.approved(office.asked(theirs)), "theirs").export
    scope = RetentionScope(cases=[REF])
    held = office.house.app.retention.holds.place(scope, "lea", "SYNTHETIC: counsel expects another case.").number
    office.room.requests.approve(own.id, "omar", unsigned)
    bag = office.unpacked(office.write(own, "ours"), "ours.d")
    lines = (bag / "meta/custody.jsonl").read_text().splitlines()
    told = "\n".join(lines)
    hold_of = {number: office.house.app.retention.demands.demand(number).hold for number in (office.warrant, theirs)}
    items = [json.loads(line)["item"] for line in lines]
    assert f"hold {hold_of[office.warrant]}" in items
    assert not {f"hold {hold_of[theirs]}", f"hold {held}", other.id} & set(items)
    assert own.id in items
    assert other.id not in told
