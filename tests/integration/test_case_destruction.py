"""A whole case destroyed: what remains, what no copy brings back, what stands against it, and what interrupts it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from reporter.audit import service as audit
from reporter.audit.model import listed_positions
from reporter.db.engine import reading, transaction
from reporter.delivery.objections import case_needed_for_delivery
from reporter.errors import (
    ConflictError,
    EnvironmentTroubleError,
    NotFoundError,
    PolicyError,
    UsageError,
)
from reporter.evidence.case_destruction import WholeCaseDestruction
from reporter.evidence.case_removal import CaseRemoval
from reporter.evidence.destruction import EvidenceDestruction, Word
from reporter.evidence.looks import Asked, Purpose
from reporter.evidence.removal import Removal
from reporter.evidence.tombstones import Tombstones
from reporter.retention.demand import Scope
from reporter.testing.documents import write_case
from reporter.testing.house import House
from tests.conftest import copied_database

REF, OTHER = "TEST-000001", "TEST-000002"
FILES = {"e1": b"harmless synthetic bytes " * 900, "e2": b"another"}


#: Runs a test on both databases; the others need SQLite alone.
both = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with copied_database(getattr(request, "param", "sqlite"), request) as url:
        yield url


@pytest.fixture
def house(tmp_path: Path, engine: Engine) -> Iterator[House]:
    house = House(tmp_path, database=engine)
    house.approved(REF, files=FILES)
    house.until_idle()
    house.app.cases.add(write_case(tmp_path / "cases", OTHER, files=FILES), "preparer")
    house.spare(OTHER)
    house.clock.advance(timedelta(days=367))  # the law's year is over (18 USC 2258A(h)(1))
    yield house
    house.app.close()


def destroyed(house: House, reference: str = REF) -> str:
    cases = house.app.evidence.cases
    assert not cases.destroy(reference, "ann", "Synthetic.", "rule/one").decided
    return cases.destroy(reference, "bob", "Synthetic.", "rule/one").id


def rows(house: House, table: str, where: str = "reference = :ref") -> int:
    with reading(house.app.database) as connection:
        query = text(f"SELECT count(*) FROM {table} WHERE {where}")
        return int(connection.execute(query, {"ref": REF}).scalar_one())


@both
def test_only_the_reference_the_filing_and_the_destruction_remain(house: House) -> None:
    app, home = house.app, house.folder / "home"
    ids = [kept.sealed.id for kept in app.evidence.overview.of(REF)]
    app.evidence.looks.open(Asked(REF, "e1", "ann", Purpose.REVIEW), "output", lambda pieces: list(pieces) and None)
    number = destroyed(house)
    app.log.sequencer.run()
    assert not any((home / "objects" / each).exists() for each in ids)
    assert not any((home / "keystore" / f"item-{each}").exists() for each in ids)
    assert not (home / "keystore" / f"case-{REF}").exists()
    assert rows(house, "sealed_body") > 5
    assert rows(house, "sealed_body", "reference = :ref AND kind <> 'decided' AND length(ciphertext) > 0") == 0
    assert [rows(house, table) for table in ("case_revision", "view_claim")] == [0, 0]
    assert rows(house, "view_record", "evidence_id IN (SELECT id FROM evidence_item WHERE reference = :ref)") == 0
    assert rows(house, "submission", "reference = :ref AND state = 'accepted' AND receipt_reference <> ''") == 1
    with reading(app.database) as connection:
        kinds = {event.kind for event in audit.events(connection, REF)}
    assert kinds == {
        "case_destruction_proposed", "case_destruction_decided", "destruction_decided", "evidence_key_destroyed",
        "evidence_object_destroyed", "evidence_destroyed", "case_key_destroyed", "case_destroyed",
    }  # fmt: skip
    assert app.log.verification.run().faults == ()
    certificate = json.loads(app.evidence.certificates.text(number))
    assert (certificate["proposed"]["by"], certificate["decided"]["by"]) == ("ann", "bob")
    assert (certificate["basis"], len(certificate["items"])) == ("rule/one", 2)
    assert certificate["bodies"]["case"] == 1
    assert certificate["keys"][0] == f"case-{REF}"
    gone = [*listed_positions(certificate["log_records_destroyed"], below=10_000)]
    assert sum(map(len, gone)) > 10
    assert app.log.prover.show(gone[0].start).content is None
    for each in certificate["items"]:
        assert json.loads(app.evidence.certificates.text(each))["reference"] == REF
    with reading(app.database) as connection:
        assert next(event.kind for event in audit.events(connection, OTHER)) == "case_added"
    assert app.cases.load(OTHER)


def test_nobody_reads_adds_or_files_it_again(house: House) -> None:
    number = destroyed(house)
    sent = len(house.double.requests)
    for use in (
        lambda: house.app.cases.load(REF),
        lambda: house.app.cases.add(house.folder / "cases" / REF, "preparer"),
        lambda: house.app.submissions.approve(REF, "approver"),
    ):
        with pytest.raises(NotFoundError, match="was destroyed") as caught:
            use()
        assert number in caught.value.next_step
    with pytest.raises(NotFoundError, match="was destroyed"):
        house.app.evidence.looks.open(Asked(REF, "e1", "ann", Purpose.REVIEW), "output", lambda _pieces: None)
    assert [case.state for case in house.app.cases.list()] == ["destroyed", "confirmed"]
    assert not (house.folder / "home" / "keystore" / f"case-{REF}").exists(), "nothing made the key anew"
    house.until_idle()
    assert len(house.double.requests) == sent


def test_its_end_can_be_proved_to_a_stranger(house: House) -> None:
    number = destroyed(house)
    text = house.app.evidence.certificates.text(number)
    proofs = house.app.evidence.certificates.proof(number)
    events = [json.loads(proof.to_json()["record"]["content"]) for proof in proofs]
    assert [event["kind"] for event in events] == [
        "case_destruction_proposed", "case_destruction_decided", "case_key_destroyed", "case_destroyed",
    ]  # fmt: skip
    assert events[-1]["detail"].endswith(f"sha256:{sha256(text.encode()).hexdigest()}")
    assert len({proof.checkpoint for proof in proofs}) == 1
    assert house.app.evidence.certificates.text(number) == text


def test_what_the_rooms_know_beside_bodies_goes_in_the_same_transaction(house: House) -> None:
    told: list[str] = []
    cases = destruction_of(house, forgets=[lambda _connection, reference: told.append(reference)])
    cases.destroy(REF, "ann", "Synthetic.")
    assert told == []
    cases.destroy(REF, "bob", "Synthetic.")
    assert told == [REF]


def destruction_of(house: House, vault=None, objections=(), forgets=()) -> WholeCaseDestruction:
    app = house.app
    vault = vault or app.vault
    removal = Removal(app.database, app.clock, vault, app.bodies, Tombstones(vault.objects), None)
    of_items = EvidenceDestruction(app.database, app.clock, vault, app.bodies, removal, ())
    of_case = CaseRemoval(app.database, app.clock, app.bodies, of_items, removal, forgets)
    return WholeCaseDestruction(app.database, app.clock, app.bodies, of_items, of_case, objections)


def test_what_appears_between_proposal_and_decision_stops_it(house: House) -> None:
    holds: list[str] = []
    cases = destruction_of(house, objections=[lambda _connection, _reference: holds[0] if holds else None])
    cases.destroy(REF, "ann", "Synthetic.")
    holds.append("hold 7 is in force.")
    with pytest.raises(PolicyError, match="hold 7"):
        cases.destroy(REF, "bob", "Synthetic.")
    assert house.app.cases.load(REF)


def test_a_hold_on_one_item_keeps_the_whole_case(house: House) -> None:
    scope = Scope.model_validate({"items": [{"case": OTHER, "item": "e2"}]})
    house.app.retention.holds.place(scope, "lea", "Synthetic.")
    with pytest.raises(PolicyError, match="hold"):
        house.app.evidence.cases.destroy(OTHER, "ann", "Synthetic.")


def test_two_people_say_the_same_and_a_delivery_stands_against_it(house: House) -> None:
    cases = house.app.evidence.cases
    with pytest.raises(UsageError, match="reason"):
        cases.destroy(REF, "ann", " ")
    with pytest.raises(UsageError, match="code"):
        cases.destroy(REF, "ann", "Synthetic.", "words of a person")
    cases.destroy(REF, "ann", "Synthetic.", "rule/one")
    with pytest.raises(PolicyError, match="a different person"):
        cases.destroy(REF, "ann", "Synthetic.", "rule/one")
    with pytest.raises(UsageError, match="same one"):
        cases.destroy(REF, "bob", "Synthetic.", "rule/two")
    with pytest.raises(NotFoundError):
        cases.destroy("TEST-000009", "ann", "Synthetic.")
    house.app.submissions.approve(OTHER, "approver")
    with pytest.raises(PolicyError, match="is approved"):
        cases.destroy(OTHER, "ann", "Synthetic.")
    with reading(house.app.database) as connection:
        assert case_needed_for_delivery(connection, REF) is None


@both
def test_what_two_people_settled_elsewhere_is_decided_in_their_transaction(house: House) -> None:
    app, cases = house.app, house.app.evidence.cases
    said = Word("ann", app.clock.now()), Word("bob", app.clock.now())
    with pytest.raises(RuntimeError), transaction(app.database) as connection:
        cases.decide(connection, REF, "rule/one", *said)
        raise RuntimeError
    assert app.cases.load(REF)
    with pytest.raises(PolicyError, match="different"), transaction(app.database) as connection:
        cases.decide(connection, REF, "rule/one", said[0], said[0])
    with transaction(app.database) as connection:
        number = cases.decide(connection, REF, "rule/one", *said)
    with pytest.raises(NotFoundError, match="was destroyed"):
        app.cases.load(REF)
    cases.carry_out(number, "job")
    assert json.loads(app.evidence.certificates.text(number))["basis"] == "rule/one"


def test_a_decision_amid_a_revision_or_an_approval_is_noticed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    freeze = type(house.app.submissions)._freeze

    def late(*arguments):
        destroyed(house, OTHER)
        return freeze(*arguments)

    monkeypatch.setattr(type(house.app.submissions), "_freeze", late)
    with pytest.raises(ConflictError):
        house.app.submissions.approve(OTHER, "approver")


class Failing:
    """A key store that fails once, at the case's key."""

    def __init__(self, store) -> None:
        self._store, self.broken = store, True

    def __getattr__(self, name: str):
        return getattr(self._store, name)

    def delete(self, key_id: str) -> None:
        if self.broken and key_id.startswith("case-"):
            raise EnvironmentTroubleError("The key store cannot be written.")
        self._store.delete(key_id)


def test_an_interrupted_one_is_gone_on_with(house: House) -> None:
    app = house.app
    keys = app.bodies.keys
    keys._store = store = Failing(keys._store)
    cases = app.evidence.cases
    cases.destroy(REF, "ann", "Synthetic.")
    with pytest.raises(EnvironmentTroubleError):
        cases.destroy(REF, "bob", "Synthetic.")
    with pytest.raises(NotFoundError, match="was destroyed"):
        app.cases.load(REF)
    store.broken = False
    assert cases.interrupted() == []
    house.clock.advance(timedelta(minutes=2))
    (number,) = cases.interrupted()
    assert cases.resume("carol").finished == (number,)
    assert json.loads(app.evidence.certificates.text(number))["decided"]["by"] == "bob"
    assert cases.resume("carol").finished == ()


@both
def test_a_restored_database_is_told_by_the_tombstone_of_the_case(house: House, tmp_path: Path) -> None:
    number = destroyed(house)
    with transaction(house.app.database) as connection:  # as one restored from before it
        for statement in (
            "DELETE FROM case_destruction",
            "DELETE FROM destruction",
            "UPDATE case_record SET state = 'confirmed' WHERE state = 'destroyed'",
        ):
            connection.execute(text(statement))
    house.app.evidence.destruction.resume("carol")
    assert house.app.evidence.cases.resume("carol").finished == (number,)
    certificate = json.loads(house.app.evidence.certificates.text(number))
    assert (certificate["proposed"]["by"], certificate["decided"]["by"]) == ("ann", "bob")
    assert certificate["taken_over_from_tombstone_at"] is not None
    with pytest.raises(NotFoundError, match="was destroyed"):
        house.app.cases.load(REF)


def test_a_key_that_a_restored_store_brought_back_goes_again(house: House) -> None:
    wrap = house.folder / "home" / "keystore" / f"case-{REF}"
    kept = wrap.read_bytes()
    number = destroyed(house)
    before = house.app.evidence.certificates.text(number)
    wrap.write_bytes(kept)
    wrap.chmod(0o600)
    assert house.app.evidence.cases.resume("carol").finished == (number,)
    assert not wrap.exists()
    assert house.app.evidence.certificates.text(number) == before


def test_with_the_key_back_a_tombstone_alone_destroys_nothing(house: House) -> None:
    wrap = house.folder / "home" / "keystore" / f"case-{REF}"
    kept = wrap.read_bytes()
    destroyed(house)
    with transaction(house.app.database) as connection:
        connection.execute(text("DELETE FROM case_destruction"))
        connection.execute(text("UPDATE case_record SET state = 'confirmed' WHERE state = 'destroyed'"))
    wrap.write_bytes(kept)
    wrap.chmod(0o600)
    assert house.app.evidence.cases.resume("carol").back == (REF,)
    assert wrap.exists()


def test_a_planted_tombstone_of_a_case_whose_key_is_lost_costs_no_item_its_key(house: House) -> None:
    keystore, objects = house.folder / "home" / "keystore", house.folder / "home" / "objects"
    destroyed(house)
    name = next(objects.glob("destroyed-case.*"))
    planted = objects / f"destroyed-case.{sha256(OTHER.encode()).hexdigest()}"
    planted.write_bytes(name.read_bytes().replace(REF.encode(), OTHER.encode()))
    planted.chmod(0o600)
    (keystore / f"case-{OTHER}").rename(house.folder / "lost")
    house.restart()
    assert house.app.evidence.cases.resume("carol").back == (OTHER,)
    (house.folder / "lost").rename(keystore / f"case-{OTHER}")
    assert [found.sound for found in house.app.evidence.integrity.one(OTHER, None, "ann")] == [True, True]


def test_a_hold_in_the_object_store_stops_the_whole_case(house: House) -> None:
    class Held(type(house.app.vault.objects)):
        def locks(self) -> bool:
            return False

        def held(self, key: str) -> bool:
            return True

        def hold(self, key: str, *, on: bool) -> None: ...

        def retain(self, key: str, until: object) -> None: ...

    vault = replace(house.app.vault, objects=Held(house.folder / "home" / "objects"))
    with pytest.raises(PolicyError, match="legal hold in the object store"):
        destruction_of(house, vault).destroy(REF, "ann", "Synthetic.")
