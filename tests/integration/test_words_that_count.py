"""
What people decide together counts by their signatures, where it is acted upon, and never by the names in a row.

In each test somebody writes the first of two words into the database, and a second person says the same in earnest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select, text
from sqlmodel import col

from reporter.db.engine import reading, transaction
from reporter.delivery.forgotten import impose
from reporter.errors import PolicyError
from reporter.evidence.looks import Asked, Purpose
from reporter.evidence.tables import CaseDestruction, Destruction, OpenPermit
from reporter.export.model import Envelope
from reporter.export.model import Scope as ExportScope
from reporter.export.requests import Asked as Exported
from reporter.referrals.deciding import Words
from reporter.referrals.model import Item, State, Verdict
from reporter.referrals.model import Outcome as Found
from reporter.retention.batches import BATCH, ENTRY
from reporter.retention.demand import Scope
from reporter.submissions.approvals import VERB
from reporter.tasks.model import Kind, Outcome
from reporter.tasks.service import open_task
from reporter.testing.documents import write_case
from reporter.testing.house import House
from reporter.testing.referrals import referral

REF, WHERE, WHY = "TEST-000001", "TEST-000001/e1", "SYNTHETIC: checked."
NOBODY = "No signature of bob's that holds"


@pytest.fixture
def house(tmp_path: Path, engine: Engine) -> Iterator[House]:
    house = House(tmp_path, database=engine)
    house.beyond_the_sandbox()
    house.app.cases.add(write_case(tmp_path / "cases", REF, files={"e1": b"harmless synthetic bytes"}), "preparer")
    house.sign("bob", "alarm ack", number="1")  # enrolled, and has signed something else
    yield house
    house.app.close()


def forge(house: House, statement: str) -> None:
    with transaction(house.app.database) as connection:
        connection.execute(text(statement))


def kept(house: House) -> bool:
    sealed = next(entry.sealed for entry in house.app.evidence.overview.of(REF))
    return house.app.vault.objects.exists(sealed.id)


def test_a_resolution(house: House) -> None:
    said = {"reference": REF, "authority": "ncmec", "receipt": "7"}
    at = house.clock.now() - timedelta(hours=1)

    def record(who: str) -> int:
        house.sign(who, "submission record-receipt", **said)
        return house.app.resolutions.record_receipt(REF, "ncmec", who, WHY, "7", at).missing

    assert record("ann") == 1
    forge(house, "UPDATE resolution SET proposed_by = 'bob'")
    with pytest.raises(PolicyError, match=NOBODY):
        record("ann")
    forge(house, "UPDATE resolution SET proposed_by = 'ann', receipt_reference = '8'")
    house.sign("bob", "submission record-receipt", **{**said, "receipt": "8"})
    with pytest.raises(PolicyError, match="No signature of ann's"):  # who said 7
        house.app.resolutions.record_receipt(REF, "ncmec", "bob", WHY, "8", at)
    forge(house, "UPDATE resolution SET receipt_reference = '7'")
    assert record("bob") == 0


def test_a_first_word_of_somebody_who_may_no_more(house: House) -> None:
    said = {"reference": REF, "authority": "ncmec", "receipt": "7"}
    at = house.clock.now() - timedelta(hours=1)
    for who in ("ann", "bob"):
        house.sign(who, "submission record-receipt", **said)
    house.app.resolutions.record_receipt(REF, "ncmec", "ann", WHY, "7", at)
    assert house.people is not None
    house.app.changes.suspend("ann", house.people.acts("bob", "actor suspend"))
    with pytest.raises(PolicyError, match="ann is suspended"):
        house.app.resolutions.record_receipt(REF, "ncmec", "bob", WHY, "7", at)


def test_the_release_of_a_quarantine(house: House) -> None:
    with transaction(house.app.database) as connection:
        impose(connection, "a reason", house.clock.now())
    release, service = "db release-quarantine", house.app.deliveries.quarantine
    forge(house, "UPDATE quarantine SET proposed_by = 'bob'")
    with pytest.raises(PolicyError, match=NOBODY):
        service.release(house.sign("ann", release), WHY)
    forge(house, "UPDATE quarantine SET proposed_by = NULL")
    assert not service.release(house.sign("bob", release), WHY)
    with pytest.raises(PolicyError, match="No signature of kim's"):
        service.release("kim", WHY)
    assert service.release(house.sign("ann", release), WHY)


def test_a_destruction(house: House) -> None:
    house.spare(REF)
    destruction = house.app.evidence.destruction
    destruction.destroy(REF, "e1", house.sign("ann", "evidence destroy", where=WHERE), WHY)
    forge(house, "UPDATE destruction SET proposed_by = 'bob'")
    with pytest.raises(PolicyError, match=NOBODY):
        destruction.destroy(REF, "e1", house.sign("ann", "evidence destroy", where=WHERE), WHY)
    assert kept(house)
    forge(house, "UPDATE destruction SET proposed_by = 'ann'")
    assert destruction.destroy(REF, "e1", house.sign("bob", "evidence destroy", where=WHERE), WHY).decided
    assert not kept(house)


def test_a_destruction_that_is_decided_in_the_database_alone(house: House) -> None:
    (entry,) = house.app.evidence.overview.of(REF)
    at = house.clock.now() - timedelta(days=2)
    with transaction(house.app.database) as connection:
        people = {"proposed_by": "ann", "proposed_at": at, "decided_by": "bob", "decided_at": at}
        row = {"id": "f" * 32, "evidence_id": entry.sealed.id, "reference": REF, "key_ids": "", "reason_body": None}
        connection.execute(insert(Destruction).values(**row, **people))
    assert house.app.jobs.run("evidence-destroy")
    ((item, why),) = house.app.evidence.destruction.resume("kim").stopped
    assert (item, "No signature of ann's" in why) == (f"{REF}/e1", True)
    assert kept(house)
    house.app.alarms.watch.check()
    assert "destruction_unfinished" in {alarm.matter.kind for alarm in house.app.alarms.register.standing()}


def test_what_two_people_signed_and_a_hold_refused_is_decided_by_no_row(house: House) -> None:
    """The words of people are kept although they were refused: whoever writes rows cannot have them carried out."""
    house.app.retention.holds.place(Scope(cases=[REF]), "kim", WHY)
    at = house.clock.now()
    for who in ("ann", "bob"):
        house.sign(who, "evidence destroy", where=WHERE)
        with pytest.raises(PolicyError, match="hold"):
            house.app.evidence.cases.destroy(REF, house.sign(who, "case destroy", reference=REF), WHY)
    (entry,) = house.app.evidence.overview.of(REF)
    people = {"proposed_by": "ann", "proposed_at": at, "decided_by": "bob", "decided_at": at}
    row = {"reference": REF, "key_ids": "", "reason_body": None, **people}
    with transaction(house.app.database) as connection:
        connection.execute(insert(CaseDestruction).values(id="e" * 32, basis="", **row))
        connection.execute(insert(Destruction).values(id="f" * 32, evidence_id=entry.sealed.id, **row))
    for stopped in (house.app.evidence.cases.resume("kim"), house.app.evidence.destruction.resume("kim")):
        assert ["in the database alone" in why for _, why in stopped.stopped] == [True]
    assert kept(house)


def test_a_grant_to_open(house: House) -> None:
    permits, asked = house.app.evidence.looks.permits, Asked(REF, "e1", "ann", Purpose.REVIEW)
    (entry,) = house.app.evidence.overview.of(REF)
    number = str(permits.ask(REF, "e1", "ann", asked.purpose))
    now = house.clock.now()
    forge(house, f"UPDATE open_permit SET granted_by = 'bob', granted_at = asked_at WHERE id = {number}")
    with transaction(house.app.database) as connection, pytest.raises(PolicyError, match=NOBODY):
        permits.use(connection, entry.sealed, "ann", asked.purpose, now)
    forge(house, "UPDATE open_permit SET granted_by = 'ann'")
    with transaction(house.app.database) as connection, pytest.raises(PolicyError, match="a different person"):
        permits.use(connection, entry.sealed, "ann", asked.purpose, now)
    forge(house, "UPDATE open_permit SET granted_by = NULL, granted_at = NULL, used_at = NULL")
    permits.grant(int(number), house.sign("bob", "evidence grant-open", number=number))
    with transaction(house.app.database) as connection:
        assert permits.use(connection, entry.sealed, "ann", asked.purpose, now) == "bob"
    with reading(house.app.database) as connection:
        assert connection.execute(select(col(OpenPermit.used_at))).scalar_one() is not None


def test_a_task_that_is_done(house: House) -> None:
    desk = house.app.tasks.desk
    with transaction(house.app.database) as connection:
        number = open_task(connection, house.clock.now(), kind=Kind.TELL, about="a", reference=REF, actor="reporter")
    said = {"number": str(number), "not_needed": "True"}
    assert desk.done(number, house.sign("ann", "task done", **said), Outcome.NOT_NEEDED, WHY).missing == 1
    forge(house, f"UPDATE task SET proposed_by = 'bob' WHERE id = {number}")
    with pytest.raises(PolicyError, match=NOBODY):
        desk.done(number, house.sign("ann", "task done", **said), Outcome.NOT_NEEDED, WHY)
    forge(house, f"UPDATE task SET proposed_by = 'ann' WHERE id = {number}")
    assert desk.done(number, house.sign("bob", "task done", **said), Outcome.NOT_NEEDED, WHY).missing == 0


def test_the_release_of_a_hold(house: House) -> None:
    holds = house.app.retention.holds
    number = holds.place(Scope(cases=[REF]), "ann", WHY).number
    said = {"number": str(number)}
    assert not holds.release(number, house.sign("ann", "hold release", **said), WHY)
    forge(house, "UPDATE legal_hold SET release_asked_by = 'bob'")
    with pytest.raises(PolicyError, match=NOBODY):
        holds.release(number, house.sign("ann", "hold release", **said), WHY)
    forge(house, "UPDATE legal_hold SET release_asked_by = 'ann'")
    assert holds.release(number, house.sign("bob", "hold release", **said), WHY)


def test_a_disposition(house: House) -> None:
    dispositions, verb = house.app.retention.dispositions, "retention confirm"
    with transaction(house.app.database) as connection:
        at = house.clock.now()
        row = {"number": 1, "proposed_by": "reporter", "proposed_at": at, "first_by": "ann", "first_at": at}
        connection.execute(insert(BATCH).values(**row, second_by="bob", second_at=at))
        entry = {"batch": 1, "reference": REF, "clocks": "{}", "outcome": "", "why": ""}
        connection.execute(insert(ENTRY).values(**entry))
    with pytest.raises(PolicyError, match="No signature of ann's"):
        dispositions.resume("reporter")
    forge(house, "UPDATE disposition SET second_by = NULL, second_at = NULL, first_by = NULL, first_at = NULL")
    assert dispositions.confirm(1, "ann", WHY, house.witness("ann", verb)).state == "half_confirmed"
    forge(house, "UPDATE disposition SET first_by = 'bob'")
    with pytest.raises(PolicyError, match=NOBODY):
        dispositions.confirm(1, "ann", WHY, house.witness("ann", verb))
    forge(house, "UPDATE disposition SET first_by = 'ann'")
    with transaction(house.app.database) as connection:
        connection.execute(insert(ENTRY).values(**{**entry, "reference": "TEST-000002"}))
    with pytest.raises(PolicyError, match="No signature of ann's"):  # who saw one case in it
        dispositions.confirm(1, "bob", WHY, house.witness("bob", verb))
    forge(house, "DELETE FROM disposition_entry WHERE reference = 'TEST-000002'")
    batch = dispositions.confirm(1, "bob", WHY, house.witness("bob", verb))
    assert [(entry.reference, entry.outcome) for entry in batch.entries] == [(REF, "kept")]  # it is not due
    assert kept(house)


def test_keeping_a_case_longer(house: House) -> None:
    longer, verb = house.app.retention.longer, "retention extend"
    review, until = house.clock.now() + timedelta(days=30), house.clock.now() + timedelta(days=60)

    def extend(who: str) -> bool:
        return longer.extend(REF, until, review, house.sign(who, verb, reference=REF), WHY).approved

    assert not extend("ann")
    forge(house, "UPDATE keep_longer SET asked_by = 'bob'")
    with pytest.raises(PolicyError, match=NOBODY):
        extend("ann")
    forge(house, "UPDATE keep_longer SET asked_by = 'ann'")
    assert extend("bob")


@pytest.mark.parametrize(
    ("forged", "restored"),
    [("actor = 'bob'", "actor = 'ann'"), ("outcome = 'out_of_scope'", "outcome = 'not_confirmed'")],
)
def test_a_first_decision_about_an_item(
    house: House, monkeypatch: pytest.MonkeyPatch, forged: str, restored: str
) -> None:
    monkeypatch.setenv("REPORTER_REFERRALS__SECOND_LOOK_SHARE", "1")
    house.restart()
    of = house.app.referrals.intake.add(referral(1), [], "ann").id

    def decide(who: str) -> Item:
        witness = house.witness(who, "referral decide")
        verdict = Verdict(Found.NOT_CONFIRMED, "CS-4")
        return house.app.referrals.deciding.decide(of, [1], verdict, Words(WHY), who, witness)[0]

    assert decide("ann").state is State.SECOND_LOOK
    forge(house, f"UPDATE referral_decision SET {forged}")
    with pytest.raises(PolicyError, match=r"No signature of .* item 1"):
        decide("kim")
    forge(house, f"UPDATE referral_decision SET {restored}")
    assert decide("bob").state is State.DECIDED


def test_a_review_of_what_one_person_approved_alone(house: House) -> None:
    urgency = {"level": "immediate", "reason": WHY, "assessed_by": "ann", "assessed_at": "2026-11-18T10:04:00Z"}
    incident = {"type": "csam", "occurred_at": "2026-11-18T09:55:00Z", "urgency": urgency}
    path = write_case(house.folder / "cases", "TEST-000002", incident=incident)
    house.app.cases.add(path, "preparer", witness=house.witness("preparer", "case add"))
    house.app.submissions.approve("TEST-000002", "ann", witness=house.witness("ann", VERB), alone=WHY)

    def review(who: str, said: str = "True") -> str:
        house.sign(who, "submission review", reference="TEST-000002", authority="ncmec", agree=said)
        return house.app.emergencies.review("TEST-000002", "ncmec", who, WHY, agree=True)[0].verdict

    forge(house, "UPDATE break_glass SET actor = 'bob'")
    with pytest.raises(PolicyError, match=NOBODY):
        review("ann")  # who approved it
    forge(house, "UPDATE break_glass SET actor = 'ann'")
    with pytest.raises(PolicyError, match="No signature of kim's"):
        review("kim", "False")
    forge(house, "UPDATE break_glass SET reviewed_by = 'bob', reviewed_at = at, verdict = 'agreed'")
    assert review("kim") == "agreed"  # nobody had: what stood there is no review
    with pytest.raises(PolicyError, match="waits for review"):
        review("bob")


def test_a_demand(house: House) -> None:
    """What is done under a demand asks who verified it, and does not believe the row."""
    document = {
        "demand_version": 1, "kind": "destruction_request", "requester": "federal", "scope": {"cases": [REF]},
        "authority": {"name": "SYNTHETIC Agency"}, "served_at": house.clock.now().isoformat(),
    }  # fmt: skip
    number = house.app.retention.demands.record(json.dumps(document).encode(), house.sign("ann", "demand add")).number
    forge(house, "UPDATE legal_demand SET verified_how = 'portal', verified_by = 'bob', verified_at = recorded_at")
    asked = Exported(REF, number, ExportScope(fields=("incident",)), Envelope.ZIP, b"")
    with pytest.raises(PolicyError, match=NOBODY):
        house.app.retention.requests.destroy(number, REF, "e1", "kim", WHY)
    forge(house, "UPDATE legal_demand SET kind = 'search_warrant'")
    with pytest.raises(PolicyError, match=NOBODY):
        house.app.exports.requests.create(asked, "kim", house.witness("kim", "export create"))
    house.sign("bob", "demand verify", number=str(number), how="portal")
    house.app.exports.requests.create(asked, "kim", house.witness("kim", "export create"))
