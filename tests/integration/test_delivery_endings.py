"""Deliveries that cannot go on by themselves end where a person sees them: bounded, loud, and never with content."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import IntegrityError

from reporter.alarms.model import Kind, Matter
from reporter.authority import Answer, Call, Document, Exchange, Lost, Outcome, Package, Plan, Step
from reporter.db.engine import committed, transaction
from reporter.delivery import ledger as ledger_module
from reporter.delivery.engine import Engine as DeliveryEngine
from reporter.delivery.ledger import Concluded, Ledger
from reporter.delivery.markers import Markers
from reporter.delivery.model import Entry, LeaseLostError
from reporter.delivery.moves import UNDOCUMENTED_LIMIT
from reporter.delivery.queue import paused_lanes
from reporter.delivery.tables import LateAnswer, LedgerEntry
from reporter.delivery.watch import UNANSWERED_LIMIT, Patience, survey
from reporter.errors import CustodyError, EnvironmentTroubleError
from reporter.submissions.tables import Submission
from reporter.testing.bench import Bench
from reporter.testing.clock import FakeClock
from reporter.testing.house import House
from reporter.testing.objects import MemoryStore
from tests.integration.delivery_room import LEASE, Room

REF = "TEST-000001"
PREPARE = Step("prepare", Lost.REPEAT)
CONTENT = "SYNTHETIC-CONTENT"
PATIENCE = Patience(timedelta(hours=1), timedelta(hours=1))


class Authority:
    """An authority of two calls, the second of which files; ``script`` says what each call does instead."""

    def __init__(self, room: Room, lost: Lost = Lost.REPEAT) -> None:
        self.calls: list[str] = []
        self.script: Callable[[Call], Answer | None] = lambda _call: None
        self.filed = 0
        self.plan: Callable[[Any], Plan] = lambda _package: Plan(steps=(PREPARE, Step("report", lost)))
        adapter: Any = SimpleNamespace(plan=lambda package: self.plan(package))
        connection: Any = self
        self.bench = Bench(room.database, room.bodies, room.clock, adapter, connection, lease=LEASE)
        self.id = self.bench.submit(Package("bench", (Document("report", "text/plain", b"harmless"),)), {})

    def perform(self, call: Call) -> Answer:
        self.calls.append(call.step.key)
        answer = self.script(call)
        if answer is None:
            self.filed += call.step.key == "report"
            answer = Answer(Outcome.ACCEPTED, reference="R-1", exchange=Exchange(b"asked", b"said"))
        return answer

    @property
    def submission(self) -> Submission:
        return self.bench.submission(self.id)

    @property
    def entries(self) -> list[Entry]:
        return self.bench.calls(self.id)


def matters(database: Engine, clock: FakeClock, about: str) -> list[Matter]:
    """Give what a person must hear of, of one case."""
    with transaction(database) as connection:
        return [matter for matter in survey(connection, clock.now(), PATIENCE) if matter.reference == about]


# --- adapters that fall over ------------------------------------------------------------------------------------


def falls_over(step: str, times: int = 10**6) -> Callable[[Call], Answer | None]:
    left = [times]

    def script(call: Call) -> Answer | None:
        if call.step.key == step and left[0]:
            left[0] -= 1
            raise LookupError(CONTENT)
        return None

    return script


@pytest.mark.parametrize(("step", "state"), [("prepare", "attention"), ("report", "in_doubt")])
def test_an_adapter_that_always_falls_over_ends_with_a_person(
    room: Room, caplog: pytest.LogCaptureFixture, step: str, state: str
) -> None:
    authority = Authority(room)
    authority.script = falls_over(step)
    began = room.clock.now()
    authority.bench.until_idle()
    assert authority.submission.state == state
    assert authority.calls.count(step) == UNDOCUMENTED_LIMIT + 1
    assert room.clock.now() - began > timedelta(minutes=5), "it backed off"
    assert "LookupError" in authority.submission.reason
    assert CONTENT not in repr([authority.submission, authority.entries]) + caplog.text


def test_an_adapter_that_falls_over_once_costs_a_repeat(room: Room) -> None:
    authority = Authority(room)
    authority.script = falls_over("report", times=1)
    authority.bench.until_idle()
    assert (authority.submission.state, authority.filed) == ("accepted", 1)


def test_an_adapter_without_a_plan_needs_a_person_at_once(room: Room) -> None:
    authority = Authority(room)

    def no_plan(_package: Package) -> Plan:
        raise LookupError(CONTENT)

    authority.plan = no_plan
    authority.bench.until_idle()
    assert (authority.submission.state, authority.calls) == ("attention", [])
    assert authority.submission.reason == "The adapter failed (LookupError)."


def test_a_plan_that_no_longer_knows_a_call_leaves_a_filing_in_doubt(room: Room) -> None:
    authority = Authority(room)
    authority.script = lambda call: Answer(Outcome.UNKNOWN) if call.step.key == "report" else None
    authority.bench.work()
    authority.plan = lambda _package: Plan(steps=(Step("another", Lost.REPEAT), Step("yet another", Lost.REPEAT)))
    authority.bench.until_idle()
    assert authority.submission.state == "in_doubt"


# --- what cannot be loaded --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("filing", "state"), [(False, "attention"), (True, "in_doubt")])
def test_a_package_that_does_not_open_needs_a_person(
    room: Room, monkeypatch: pytest.MonkeyPatch, filing: bool, state: str
) -> None:
    authority = Authority(room)
    lost = "report" if filing else "prepare"
    authority.script = lambda call: Answer(Outcome.UNKNOWN) if call.step.key == lost else None
    authority.bench.work()

    def broken(_claim: object) -> Any:
        raise CustodyError("The package does not open.")

    monkeypatch.setattr(authority.bench.engine, "_load", broken)
    made = len(authority.calls)
    authority.bench.until_idle()
    assert (authority.submission.state, authority.submission.reason) == (state, "The package does not open.")
    assert len(authority.calls) == made
    assert [matter.kind for matter in matters(room.database, room.clock, authority.id)] == [Kind(state)]


def test_a_house_whose_package_is_gone_tells_a_person_who_can_settle_it(tmp_path: Path, engine: Engine) -> None:
    house = House(tmp_path, database=engine)
    house.approved(files={"e1": b"harmless one"})
    with transaction(engine) as connection:
        connection.execute(update(Submission.__table__).values(package_body="gone"))
    house.until_idle()
    assert house.submission()["state"] == "attention"
    assert house.double.requests == []
    assert [matter.kind for matter in matters(engine, house.clock, REF)] == [Kind.ATTENTION]
    house.app.resolutions.resolve(REF, "ncmec", "ann", "SYNTHETIC: filed by hand.", "7654321")
    assert house.submission()["state"] == "accepted"


def test_a_package_that_is_lost_after_its_filing_can_still_be_settled(tmp_path: Path, engine: Engine) -> None:
    house = House(tmp_path, faults="finish:1 drop_after", database=engine)
    house.approved()
    house.work()
    with transaction(engine) as connection:
        connection.execute(update(Submission.__table__).values(package_body="gone"))
    house.until_idle()
    assert house.submission()["state"] == "in_doubt"
    (report,) = house.double.reports
    house.app.resolutions.resolve(REF, "ncmec", "ann", "SYNTHETIC: asked.", str(report))
    assert house.submission()["state"] == "accepted"


def test_a_credential_that_is_missing_stops_the_lane_and_costs_no_delivery(tmp_path: Path, engine: Engine) -> None:
    house = House(tmp_path, database=engine)
    house.approved()
    for file in (tmp_path / "home" / "credentials").iterdir():
        file.unlink()
    house.restart()
    house.work()
    assert "reporter secret set ncmec-password" in paused_lanes(engine)["ncmec:sandbox"]
    assert house.submission()["state"] == "approved"
    house.app.secrets.set("ncmec-password", "pswd456", "op")
    house.until_idle()
    assert house.submission()["state"] == "accepted"


# --- answers that never come ------------------------------------------------------------------------------------


def test_a_filing_whose_answer_is_never_readable_calls_for_a_person_and_goes_on(room: Room) -> None:
    authority = Authority(room)
    authority.script = lambda call: Answer(Outcome.UNKNOWN) if call.step.key == "report" else None

    def told() -> list[Kind]:
        return [matter.kind for matter in matters(room.database, room.clock, authority.id)]

    while authority.calls.count("report") < UNANSWERED_LIMIT:
        room.clock.advance(timedelta(minutes=6))
        authority.bench.work()
    assert told() == []
    room.clock.advance(timedelta(minutes=6))
    authority.bench.work()
    assert told() == [Kind.UNANSWERED]
    authority.script = lambda _call: None
    authority.bench.until_idle()
    assert (authority.submission.state, told()) == ("accepted", [])


def test_what_was_never_sent_is_tried_again_under_a_whole_lease(room: Room) -> None:
    authority = Authority(room)

    def slow(_call: Call) -> Answer | None:
        room.clock.advance(LEASE * 0.9)
        assert authority.bench.queue.claim("another", [authority.bench.lane]) is None
        return Answer(Outcome.NOT_SENT) if len(authority.calls) < 3 else None

    authority.script = slow
    authority.bench.work()
    assert authority.calls == ["prepare", "prepare", "prepare", "report"]
    assert authority.submission.state == "accepted"


def test_what_was_never_sent_is_not_tried_again_once_the_lease_is_lost(room: Room) -> None:
    authority = Authority(room, Lost.ASK)

    def too_slow(call: Call) -> Answer | None:
        if call.step.key == "report" and authority.calls.count("report") == 1:
            room.clock.advance(2 * LEASE)
            assert authority.bench.queue.claim("another", [authority.bench.lane]) is not None
            return Answer(Outcome.NOT_SENT)
        return None

    authority.script = too_slow
    assert authority.bench.work() is None
    assert authority.calls == ["prepare", "report"]
    assert [entry.outcome for entry in authority.entries] == ["accepted", "not_sent"]
    room.clock.advance(2 * LEASE)
    authority.bench.until_idle()
    assert (authority.submission.state, authority.filed) == ("accepted", 1)


# --- late answers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["R-1", "R-9"])
def test_a_late_receipt_other_than_the_recorded_one_alarms(room: Room, typed: str) -> None:
    authority = Authority(room, Lost.ASK)

    def others_settle(call: Call) -> Answer | None:
        if call.step.key == "report":
            room.clock.advance(2 * LEASE)
            authority.bench.until_idle()
            assert authority.submission.state == "in_doubt"
            with transaction(room.database) as connection:
                people = {"state": "accepted", "receipt_reference": typed}
                of_this = update(Submission.__table__).where(Submission.__table__.c.id == authority.id)
                connection.execute(of_this.values(**people))
        return None

    authority.script = others_settle
    assert authority.bench.work() is None
    found = matters(room.database, room.clock, authority.id)
    assert [matter.kind for matter in found] == ([] if typed == "R-1" else [Kind.CONTRADICTED])
    assert authority.submission.state == "accepted", "a late worker changes no state"


def test_a_late_receipt_of_what_people_withdrew_alarms(tmp_path: Path, engine: Engine) -> None:
    """A worker paused before its filing call makes it after people, who could not know, settled the matter."""
    house = House(tmp_path, database=engine)
    house.approved()
    connection = house.app.deliveries.connection("ncmec")
    perform = connection.perform

    def paused(call: Call) -> Answer:
        if call.step.key == "finish":
            connection.perform = perform  # type: ignore[method-assign]
            house.clock.advance(timedelta(hours=1))
            house.double.faults.add("finish:1 code=5001")
            house.until_idle()
            assert house.submission()["state"] == "in_doubt"
            with transaction(engine) as database:
                database.execute(update(Submission.__table__).values(state="withdrawn"))
        return perform(call)

    connection.perform = paused  # type: ignore[method-assign]
    assert house.work() is None
    (matter,) = matters(engine, house.clock, REF)
    assert (matter.kind, matter.lane) == (Kind.CONTRADICTED, "ncmec:sandbox")


def test_a_late_answer_is_kept_once(room: Room) -> None:
    authority = Authority(room)
    claim = room.queue.claim("first", [authority.bench.lane])
    assert claim is not None
    entry = room.intend(claim)
    room.clock.advance(2 * LEASE)
    assert room.queue.claim("second", [authority.bench.lane]) is not None
    for code in ("1", "2"):
        with pytest.raises(LeaseLostError):
            room.intend(claim, Concluded(entry, Answer(Outcome.ACCEPTED, code=code)), position=1)
    with transaction(room.database) as connection:
        kept = connection.execute(select(LateAnswer.__table__).where(LateAnswer.__table__.c.entry_id == entry.id)).one()
    assert kept.code == "1"


def test_a_place_in_the_ledger_is_taken_once(room: Room) -> None:
    (submission,) = room.submit()
    row = {"submission_id": submission, "position": 0, "attempt": 1, "step": "s", "fence": 1}
    with pytest.raises(IntegrityError), transaction(room.database) as connection:
        for number in "ab":
            connection.execute(
                insert(LedgerEntry).values(id=f"{submission}{number}", intent_at=room.clock.now(), **row)
            )


# --- commits of unknown effect ----------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [Lost.REPEAT, Lost.ASK])
@pytest.mark.parametrize("commit", [1, 2, 3])
def test_a_commit_of_unknown_effect_makes_no_call_and_loses_none(
    room: Room, monkeypatch: pytest.MonkeyPatch, lost: Lost, commit: int
) -> None:
    """The first commit carries the first intent, the second its outcome and the filing intent, the third the end."""
    authority = Authority(room, lost)
    count = [0]

    def breaking(engine: Engine, work: Callable[[Connection], Any]) -> Any:
        given = committed(engine, work)
        count[0] += 1
        if count[0] == commit:
            raise EnvironmentTroubleError("The database does not work: the connection was lost.")
        return given

    monkeypatch.setattr(ledger_module, "committed", breaking)
    with pytest.raises(EnvironmentTroubleError):
        authority.bench.work()
    assert count[0] == commit
    assert authority.calls == ["prepare", "report"][: commit - 1]
    authority.bench.until_idle()
    settled = "in_doubt" if (lost, commit) == (Lost.ASK, 2) else "accepted"
    assert authority.submission.state == settled
    assert authority.filed == (settled == "accepted")


# --- clocks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("skew", [timedelta(hours=1), timedelta(hours=-1), timedelta(days=400)])
def test_workers_whose_clocks_differ_file_once(room: Room, skew: timedelta) -> None:
    authority = Authority(room)
    bench = authority.bench
    clock = FakeClock(room.clock.now() + skew)
    ledger = Ledger(room.database, room.bodies, clock, LEASE)
    second = DeliveryEngine(
        ledger, bench.engine._load, clock, markers=Markers(MemoryStore()), base=timedelta(seconds=2),
        cap=timedelta(hours=1), lease=LEASE,
    )  # fmt: skip
    queue = type(bench.queue)(room.database, clock, LEASE)
    met = []

    def meanwhile(call: Call) -> Answer | None:
        if call.step.key == "report" and not met:
            claim = queue.claim("skewed", [bench.lane])
            met.append(claim)
            if claim is not None:
                second.work(claim)
        return None

    authority.script = meanwhile
    bench.work()
    bench.until_idle()
    assert (met[0] is not None) == (skew > timedelta(0))
    assert authority.submission.state == "accepted"
    assert authority.submission.receipt_reference == "R-1"


def test_a_clock_that_is_set_back_delays_and_loses_nothing(room: Room) -> None:
    authority = Authority(room)
    authority.script = falls_over("prepare", times=1)
    authority.bench.work()
    room.clock._now -= timedelta(hours=3)
    assert authority.bench.work() is None
    authority.bench.until_idle()
    assert (authority.submission.state, authority.filed) == ("accepted", 1)
