"""Demands and holds: what they reach, how they are verified, renewed and released, and that a hold wins a race."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from reporter.audit import service as audit
from reporter.db.engine import reading, transaction
from reporter.errors import CustodyError, NotFoundError, PolicyError, UsageError
from reporter.evidence.locks import ObjectLocks
from reporter.retention.demand import Check, Scope
from reporter.retention.demands import find_demand
from reporter.retention.register import holds_on
from reporter.testing.documents import write_case
from reporter.testing.house import House

ONE, TWO, THREE = "TEST-000001", "TEST-000002", "TEST-000003"
PERSON = {
    "emails": [{"address": "Someone@Forum.Example"}],
    "phones": [{"number": "0100 199", "country_calling_code": "1"}],
}


@pytest.fixture
def house(tmp_path: Path, engine: Engine) -> Iterator[House]:
    house = House(tmp_path, database=engine)
    add(house, ONE, people=[{"id": "p1", "roles": ["suspect"], "account": {"id": "9001"}, "person": PERSON}])
    add(house, TWO, people=[{"id": "p1", "roles": ["suspect"], "account": {"id": "9002", "screen_name": "some_one"}}])
    yield house
    house.app.close()


def add(house: House, reference: str, **changes: Any) -> None:
    path = write_case(house.folder / "cases", reference, files={"e1": b"harmless", "e2": b"another"}, **changes)
    house.app.cases.add(path, "preparer")


def letter(kind: str = "preservation_letter", **changes: Any) -> bytes:
    return json.dumps(
        {
            "demand_version": 1,
            "kind": kind,
            "requester": "federal",
            "authority": {"name": "Example Agency", "file_number": "EX-17", "contact": "An Officer"},
            "served_at": "2026-11-20T09:00:00-05:00",
            "scope": {"cases": [ONE]},
            **changes,
        }
    ).encode()


def on(house: House, reference: str) -> list[int]:
    with reading(house.app.database) as connection:
        return [hold.number for hold in holds_on(connection, reference, house.clock.now())]


def kinds(house: House) -> list[str]:
    with reading(house.app.database) as connection:
        return [event.kind for event in audit.events(connection)]


def scope(**entries: Any) -> Scope:
    return Scope.model_validate(entries)


def test_a_person_is_found_however_they_are_written_and_nobody_else(house: House) -> None:
    for subject in (
        {"kind": "email", "value": "someone@forum.example "},
        {"kind": "phone", "value": "+1 100199"},
        {"kind": "account", "value": "9001"},
    ):
        placed = house.app.retention.holds.place(scope(subjects=[subject]), "lea", "Synthetic.")
        assert list(placed.cases) == [ONE]
    assert (len(on(house, ONE)), on(house, TWO)) == (3, [])


def test_the_database_holds_no_name(house: House) -> None:
    subjects = [{"kind": "email", "value": "someone@forum.example"}, {"kind": "name", "value": "Ada Example"}]
    house.app.retention.demands.record(letter(scope={"subjects": subjects}), "lea")
    with reading(house.app.database) as connection:
        tables = ("legal_demand", "legal_hold", "scope_entry", "case_subject", "custody_outbox", "task", "index_key")
        rows = [row for table in tables for row in connection.execute(text(f"SELECT * FROM {table}"))]
    said = " ".join(str(row) for row in rows).casefold()
    assert not any(word in said for word in ("someone", "ada example", "agency", "officer", "ex-17"))


def test_a_hold_on_a_person_catches_what_arrives_and_is_revised_later(house: House) -> None:
    subject = {"kind": "user_name", "value": "@New_One"}
    with pytest.raises(UsageError, match="reaches no case"):
        house.app.retention.holds.place(scope(subjects=[subject]), "lea", "Synthetic.")
    placed = house.app.retention.holds.place(scope(subjects=[subject]), "lea", "Synthetic.", expect_none=True)
    named = [{"id": "p1", "roles": ["suspect"], "account": {"screen_name": "new_one"}}]
    add(house, THREE, people=named)
    path = write_case(house.folder / "again", TWO, files={"e1": b"harmless", "e2": b"another"}, people=named)
    house.app.cases.revise(TWO, path, "preparer")
    assert house.app.retention.holds.show(placed.number)[1] == [TWO, THREE]
    assert "legal_refused" in kinds(house)


def test_holds_overlap_and_each_is_released_by_two_people(house: House) -> None:
    holds = house.app.retention.holds
    first = holds.place(scope(cases=[ONE]), "lea", "Synthetic.").number
    second = holds.place(scope(items=[{"case": ONE, "item": "e1"}]), "lea", "Synthetic.").number
    third = holds.place(scope(dates=[{"since": "2026-11-01T00:00:00Z"}]), "lea", "Synthetic.", everything=True).number
    assert (on(house, ONE), on(house, TWO)) == ([first, second, third], [third])
    assert not holds.release(first, "lea", "No longer needed.")
    with pytest.raises(PolicyError, match="a different person"):
        holds.release(first, "lea", "No longer needed.")
    assert on(house, ONE) == [first, second, third]
    assert holds.release(first, "sam", "Agreed.")
    assert on(house, ONE) == [second, third]
    with pytest.raises(PolicyError, match="released already"):
        holds.release(first, "sam", "Agreed.")


def test_a_scope_that_reaches_everything_is_meant_or_refused(house: House) -> None:
    everything = scope(dates=[{"until": "2027-01-01T00:00:00Z"}])
    with pytest.raises(PolicyError, match="every one of the 2 cases"):
        house.app.retention.holds.place(everything, "lea", "Synthetic.")
    assert house.app.retention.holds.holds() == []
    with pytest.raises(NotFoundError, match="no case"):
        house.app.retention.holds.place(scope(cases=["TEST-999999"]), "lea", "Synthetic.")


def test_a_letter_holds_for_ninety_days_and_each_renewal_for_ninety_more(house: House) -> None:
    demands = house.app.retention.demands
    recorded = demands.record(letter(), "lea")
    (hold,) = house.app.retention.holds.holds()
    assert hold.ends is not None and hold.ends.isoformat() == "2027-02-18T14:00:00+00:00"
    house.clock.advance(timedelta(days=60))
    demands.renew(recorded.number, house.clock.now(), "lea")
    (hold,) = house.app.retention.holds.holds()
    assert hold.ends is not None and hold.ends.isoformat() == "2027-05-19T14:00:00+00:00"
    demands.renew(recorded.number, house.clock.now(), "sam")
    assert house.app.retention.holds.holds() == [hold], "the same renewal, told again"
    house.clock.advance_to(hold.ends)
    assert on(house, ONE) == []
    house.app.jobs.run("retention")
    assert not [task for task in house.app.tasks.desk.tasks() if task.kind == "hold_ends"]
    house.clock.advance(timedelta(days=5))
    demands.renew(recorded.number, house.clock.now(), "lea")
    assert on(house, ONE) == [hold.number]
    with pytest.raises(UsageError, match="future"):
        demands.renew(recorded.number, house.clock.now() + timedelta(days=1), "lea")


def test_a_demand_is_verified_by_another_person_and_holds_before_that(house: House) -> None:
    demands = house.app.retention.demands
    recorded = demands.record(letter("search_warrant", due_at="2026-12-01T00:00:00Z"), "lea")
    assert not demands.record(letter("search_warrant", due_at="2026-12-01T00:00:00Z"), "sam").new
    with reading(house.app.database) as connection:
        demand = find_demand(connection, recorded.number)
        with pytest.raises(PolicyError, match="not verified"):
            demand.require_usable()
        demand.require_reaches(connection, ONE)
        with pytest.raises(PolicyError, match="does not reach"):
            demand.require_reaches(connection, TWO)
    with pytest.raises(PolicyError, match="a different person"):
        demands.verify(recorded.number, Check.CALL_BACK, "lea", "Called the desk.")
    demands.verify(recorded.number, Check.CALL_BACK, "sam", "Called the desk.").require_usable()
    ours = [task.kind for task in house.app.tasks.desk.tasks() if task.kind.startswith(("demand", "hold"))]
    assert ours == ["demand_answer", "hold_review"]
    demands.close(recorded.number, "answered", "lea", "Handed over.")
    with pytest.raises(PolicyError, match="is closed"):
        demands.demand(recorded.number).require_usable()
    assert len(on(house, ONE)) == 1, "its hold stands on"
    assert b"Example Agency" in demands.document(recorded.number, "lea")


def test_a_demand_from_the_future_is_refused_and_the_attempt_is_on_record(house: House) -> None:
    with pytest.raises(UsageError, match="clock"):
        house.app.retention.demands.record(letter(served_at="2027-11-20T09:00:00Z"), "lea")
    assert kinds(house)[-1] == "legal_refused"


def test_another_key_of_the_index_is_noticed(house: House) -> None:
    house.app.retention.holds.place(scope(subjects=[{"kind": "account", "value": "9001"}]), "lea", "Synthetic.")
    with transaction(house.app.database) as connection:
        connection.execute(text("UPDATE index_key SET check_index = 'other'"))
    with pytest.raises(CustodyError, match="key by which people"):
        house.app.retention.holds.place(scope(subjects=[{"kind": "account", "value": "9001"}]), "lea", "Synthetic.")


def lose_key(house: House) -> None:
    (house.folder / "home" / "keystore" / "index-people").unlink()
    house.restart()


def test_a_lost_key_of_the_index_is_replaced_and_everybody_is_found_again(house: House) -> None:
    retention, subjects = house.app.retention, [{"kind": "account", "value": "9001"}]
    with pytest.raises(PolicyError, match="nothing is to be done"):
        retention.reindexing.run("lea")
    number = retention.holds.place(scope(subjects=subjects), "lea", "Synthetic.").number
    demand = retention.demands.record(letter(), "lea").number
    lose_key(house)
    retention = house.app.retention
    add(house, THREE, people=[{"id": "p1", "roles": ["suspect"], "account": {"id": "9001"}}])
    with pytest.raises(CustodyError, match="key by which people"):
        retention.clocks.show(THREE)
    done = retention.reindexing.run("lea")
    assert (done.cases, list(done.left)) == (3, [])
    assert retention.holds.show(number)[1] == [ONE, THREE]
    assert number in on(house, THREE)
    assert retention.clocks.show(ONE).holds
    assert not retention.demands.record(letter(), "sam").new, "the same letter is known again"
    assert retention.demands.demand(demand).hold in on(house, ONE)
    assert "people_reindexed" in kinds(house)
    with reading(house.app.database) as connection:
        rows = str(connection.execute(text("SELECT * FROM scope_entry")).all())
    assert "9001" not in rows


def test_a_hold_that_names_nobody_readable_keeps_what_it_reached(house: House) -> None:
    retention, subjects = house.app.retention, [{"kind": "account", "value": "9001"}]
    number = retention.holds.place(scope(subjects=subjects), "lea", "Synthetic.").number
    with transaction(house.app.database) as connection:
        connection.execute(text("UPDATE scope_entry SET subject_body = NULL"))
    lose_key(house)
    assert list(house.app.retention.reindexing.run("lea").left) == [number]
    assert house.app.retention.holds.show(number)[1] == [ONE]


class Flagged:
    """Objects that can be held and locked, as a bucket's can."""

    def __init__(self) -> None:
        self.there: set[str] = set()
        self.on: set[str] = set()
        self.until: dict[str, datetime] = {}

    def put(self, key: str, content: object) -> None:
        self.there.add(key)

    def exists(self, key: str) -> bool:
        return key in self.there

    def delete(self, key: str, *, despite_lock: bool = False) -> None:
        self.there.discard(key)

    def locks(self) -> bool:
        return True

    def held(self, key: str) -> bool:
        return key in self.on

    def hold(self, key: str, *, on: bool) -> None:
        (self.on.add if on else self.on.discard)(key)

    def retain(self, key: str, until: datetime) -> None:
        self.until[key] = max(until, self.until.get(key, until))


def test_the_object_store_holds_what_is_held_and_locks_what_a_floor_keeps(house: House) -> None:
    store: Any = Flagged()
    holds = house.app.retention.holds
    holds._flags = flags = replace(holds._flags, locks=ObjectLocks(store))
    ids = {kept.sealed.item: kept.sealed.id for kept in house.app.evidence.overview.of(ONE)}
    whole = holds.place(scope(cases=[ONE]), "lea", "Synthetic.")
    item = holds.place(scope(items=[{"case": ONE, "item": "e1"}]), "lea", "Synthetic.").number
    assert whole.flagged and store.on == set(ids.values())
    for who in ("lea", "sam"):
        holds.release(whole.number, who, "Over.")
    assert store.on == {ids["e1"]}, "the other hold stands"
    for who in ("lea", "sam"):
        holds.release(item, who, "Over.")
    assert store.on == set()
    until = house.clock.now() + timedelta(days=366)
    flags.retain(ONE, until)
    assert store.until == dict.fromkeys(ids.values(), until)
