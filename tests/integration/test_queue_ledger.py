"""The queue and the ledger, on both databases: claims, leases, fences, pauses, and races with a revision."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, event, select, text, update

from reporter.authority import Answer, Exchange, Outcome
from reporter.db.engine import reading, transaction
from reporter.delivery.ledger import Concluded
from reporter.delivery.model import Claim, Entry, LeaseLostError, Pause, Perform, Settle
from reporter.delivery.queue import oldest_due, pause, paused_lanes
from reporter.delivery.tables import LateAnswer
from reporter.evidence.bodies import BodyVault
from reporter.submissions.model import ReceiptKind, State
from reporter.submissions.service import SubmissionService
from reporter.submissions.tables import Submission
from reporter.testing.bench import approved_submission
from reporter.testing.documents import write_case
from reporter.testing.house import House
from tests.integration.delivery_room import LEASE, STEP, Room

THREADS = 8


def accepted(entry: Entry, reference: str = "R-1") -> Concluded:
    answer = Answer(Outcome.ACCEPTED, code="0", reference=reference, exchange=Exchange(b"asked", b"answered"))
    return Concluded(entry, answer)


# --- claims and leases ------------------------------------------------------------------------------------------


def test_urgent_goes_first_then_the_oldest(room: Room) -> None:
    expected = []
    for urgent in (False, True, False, True, False):
        expected.append((not urgent, room.clock.now(), room.submit(urgent=urgent)[0]))
        room.clock.advance(timedelta(microseconds=1))
    claimed = [room.claimed().submission_id for _ in expected]
    assert claimed == [submission for *_, submission in sorted(expected)]
    assert room.claim() is None


def test_what_is_not_due_or_of_another_lane_is_left_alone(room: Room) -> None:
    room.submit(lane=f"{room.lane}-other")
    assert room.claim() is None
    assert room.queue.claim("worker", []) is None
    assert room.queue.next_due([room.lane]) is None
    claim_of_other = room.queue.claim("worker", [room.lane, f"{room.lane}-other"])
    assert claim_of_other is not None and claim_of_other.lane == f"{room.lane}-other"


def test_the_oldest_that_is_due_is_found_in_any_lane_that_moves(engine: Engine, room_bodies: BodyVault) -> None:
    room = Room(engine, room_bodies)

    def oldest() -> datetime | None:
        with reading(engine) as connection:
            return oldest_due(connection, room.clock.now())

    assert oldest() is None
    due = []
    for lane, urgent in (("b", False), ("a", True), ("c", False)):
        due.append(room.clock.now())
        room.submit(lane=lane, urgent=urgent)
        room.clock.advance(timedelta(seconds=1))
    assert oldest() == due[0]
    with transaction(engine) as connection:
        pause(connection, "b", "SYNTHETIC", room.clock.now())
    assert oldest() == due[1]
    assert room.queue.claim("worker", ["a"]) is not None
    assert oldest() == due[2]


def test_the_oldest_that_is_due_is_a_step_into_the_index_however_many_wait(
    engine: Engine, room_bodies: BodyVault
) -> None:
    room, plans = Room(engine, room_bodies), list[str]()
    with transaction(engine) as connection:
        for _ in range(2_000):
            approved_submission(connection, room.queue, room.clock.now(), "lane")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))

    def explained(connection: Connection, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        how = "EXPLAIN" if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        rows = connection.connection.driver_connection.execute(f"{how} {statement}", parameters).fetchall()  # type: ignore[union-attr]
        plans.extend(str(row) for row in rows if "delivery" in str(row) or "ort" in str(row) or "TEMP" in str(row))

    event.listen(engine, "before_cursor_execute", explained)
    with reading(engine) as connection:
        assert oldest_due(connection, room.clock.now()) is not None
    event.remove(engine, "before_cursor_execute", explained)
    assert plans and all("ix_delivery_due" in step for step in plans), plans


def test_a_claim_is_planned_once(engine: Engine, room_bodies: BodyVault) -> None:
    """Beside many deliveries PostgreSQL would plan each claim anew."""
    if engine.dialect.name == "sqlite":  # which plans in the process
        return
    room = Room(engine, room_bodies)
    for _ in range(20):
        room.submit()
        assert room.claim() is not None
    with reading(engine) as connection:
        plans = (
            "SELECT sum(custom_plans), sum(generic_plans) FROM pg_prepared_statements WHERE statement LIKE 'UPDATE d%'"
        )
        custom, generic = connection.execute(text(plans)).one()
    assert custom == 0 and generic > 5


def test_threads_never_claim_the_same_delivery(room: Room) -> None:
    submitted = room.submit(300)
    start = threading.Barrier(THREADS)

    def work(owner: int) -> list[Claim]:
        start.wait()
        return list(iter(lambda: room.claim(str(owner)), None))

    with ThreadPoolExecutor(THREADS) as pool:
        claims = [claim for claims in pool.map(work, range(THREADS)) for claim in claims]
    assert Counter(claim.submission_id for claim in claims) == Counter(submitted)
    assert {claim.fence for claim in claims} == {1}


def test_a_lease_ends_at_its_moment_and_not_before(room: Room) -> None:
    room.submit()
    first, leased_at = room.claimed("first"), room.clock.now()
    assert room.queue.next_due([room.lane]) == leased_at + LEASE
    room.clock.advance(LEASE - timedelta(microseconds=1))
    assert room.claim("second") is None
    room.clock.advance(timedelta(microseconds=1))
    second = room.claimed("second")
    assert (first.fence, second.fence) == (1, 2)


def test_a_heartbeat_keeps_the_lease(room: Room) -> None:
    room.submit()
    claim = room.claimed("first")
    room.clock.advance(LEASE / 2)
    room.ledger.extend(claim)
    room.clock.advance(LEASE - timedelta(seconds=1))
    assert room.claim("second") is None


def test_next_due_is_the_soonest_of_what_waits_and_of_what_is_leased(room: Room) -> None:
    room.submit(2)
    start = room.clock.now()
    assert room.queue.next_due([room.lane]) == start
    waiting, leased = room.claimed(), room.claimed()
    room.ledger.advance(waiting, None, Perform(STEP, 1, start + timedelta(minutes=1)), 0)
    assert room.queue.next_due([room.lane]) == start + timedelta(minutes=1)
    for claim in (waiting, leased):
        room.ledger.advance(claim, None, Settle(State.ATTENTION, "done"), 0)
    assert room.queue.next_due([room.lane]) is None


# --- the fence --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "move",
    [
        Perform(STEP, 1, datetime(2026, 1, 1, tzinfo=UTC)),
        Perform(STEP, 1, datetime(2027, 1, 1, tzinfo=UTC)),
        Settle(State.REJECTED, "late"),
        Pause("late"),
    ],
    ids=["call now", "call later", "settle", "pause"],
)
def test_a_late_worker_changes_nothing_and_its_answer_is_kept(room: Room, move: Perform | Settle | Pause) -> None:
    (submission_id,) = room.submit()
    late = room.claimed("late")
    entry = room.intend(late)
    room.clock.advance(LEASE)
    holder = room.claimed("holder")
    before = room.rows(submission_id)
    with pytest.raises(LeaseLostError):
        room.ledger.advance(late, accepted(entry), move, 1)
    with pytest.raises(LeaseLostError):
        room.ledger.extend(late)
    assert room.rows(submission_id) == before
    assert room.lane not in paused_lanes(room.database)
    (seen,) = room.ledger.history(holder)
    assert (seen.outcome, seen.reference, seen.own) == (Outcome.ACCEPTED, "R-1", False)
    with room.database.connect() as connection:
        assert room.bodies.open(connection, seen.exchange_body or "").endswith(b"askedanswered")


def test_a_late_worker_that_saw_nothing_keeps_nothing(room: Room) -> None:
    room.submit()
    late = room.claimed("late")
    entry = room.intend(late)
    room.clock.advance(LEASE)
    holder = room.claimed("holder")
    with pytest.raises(LeaseLostError):
        room.ledger.advance(late, None, Settle(State.REJECTED, "late"), 1)
    (seen,) = room.ledger.history(holder)
    assert (seen.id, seen.outcome, seen.own) == (entry.id, Outcome.UNKNOWN, False)
    with transaction(room.database) as connection:
        late_answers = select(LateAnswer.__table__).where(LateAnswer.__table__.c.entry_id == entry.id)
        assert connection.execute(late_answers).all() == []


def test_the_holders_receipt_may_be_what_the_late_worker_saw(room: Room) -> None:
    (submission_id,) = room.submit()
    late = room.claimed("late")
    entry = room.intend(late)
    room.clock.advance(LEASE)
    holder = room.claimed("holder")
    with pytest.raises(LeaseLostError):
        room.ledger.advance(late, accepted(entry), Pause("late"), 1)
    (seen,) = room.ledger.history(holder)
    settle = Settle(State.ACCEPTED, "", ReceiptKind.ACKNOWLEDGED, seen, seen.reference)
    room.ledger.advance(holder, None, settle, 1)
    (row,) = room.rows(submission_id)["submission"]
    assert (row["state"], row["receipt_reference"]) == ("accepted", "R-1")
    assert row["receipt_body"] == seen.exchange_body


def test_a_late_write_and_the_next_claim_exclude_each_other(room_database: Engine, room_bodies: BodyVault) -> None:
    for _ in range(25):
        room = Room(room_database, room_bodies)
        (submission_id,) = room.submit()
        late = room.claimed("late")
        room.clock.advance(LEASE)
        start = threading.Barrier(2)

        def write(room: Room = room, late: Claim = late, start: threading.Barrier = start) -> bool:
            start.wait()
            try:
                room.intend(late)
            except LeaseLostError:
                return False
            return True

        def claim(room: Room = room, start: threading.Barrier = start) -> Claim | None:
            start.wait()
            return room.claim("holder")

        with ThreadPoolExecutor(2) as pool:
            wrote, holder = pool.submit(write), pool.submit(claim)
        assert wrote.result() is (holder.result() is None)
        assert [entry["fence"] for entry in room.rows(submission_id)["ledger_entry"]] == [1] * wrote.result()


# --- pause and resume -------------------------------------------------------------------------------------------


def test_a_pause_stops_its_lane_alone_until_it_is_resumed(
    room: Room, room_database: Engine, room_bodies: BodyVault
) -> None:
    other = Room(room_database, room_bodies)
    room.submit(2)
    other.submit()
    claims = [room.claimed(), room.claimed()]
    for claim in claims:
        assert room.ledger.advance(claim, None, Pause("no rights"), 0) is None
    assert paused_lanes(room_database)[room.lane] == "no rights"
    assert other.lane not in paused_lanes(room_database)
    assert room.claim() is None
    assert room.queue.next_due([room.lane]) is None
    assert other.queue.claim("worker", [room.lane, other.lane]) is not None
    assert room.queue.resume(room.lane, "operator") is True
    assert room.queue.resume(room.lane, "operator") is False
    assert {room.claimed().submission_id, room.claimed().submission_id} == {claim.submission_id for claim in claims}


# --- a revision takes back what nobody has begun ----------------------------------------------------------------


def void(room: Room, reference: str) -> None:
    none: Any = None
    submissions = SubmissionService(
        room.database, room.clock, none, {}, room.bodies, room.queue, none, none, none, none
    )
    with transaction(room.database) as connection:
        submissions.void(connection, reference)


def test_a_revision_and_the_first_call_exclude_each_other(room: Room) -> None:
    ends = Counter[str]()
    for _ in range(25):
        (submission_id,) = room.submit()
        start = threading.Barrier(2)

        def begin(start: threading.Barrier = start) -> None:
            start.wait()
            claim = room.claim()
            if claim is not None:
                try:
                    room.intend(claim)
                except LeaseLostError:
                    return

        def revise(start: threading.Barrier = start, reference: str = submission_id) -> None:
            start.wait()
            void(room, reference)

        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(begin), pool.submit(revise)]:
                done.result()
        rows = room.rows(submission_id)
        (submission,) = rows["submission"]
        begun = len(rows["ledger_entry"])
        assert (submission["state"], begun) in (("ready", 0), ("delivering", 1))
        ends[submission["state"]] += 1
        if begun:
            owner = rows["delivery"][0]["owner"]
            room.ledger.advance(Claim(submission_id, "", room.lane, owner, 1), None, Settle(State.ATTENTION, "done"), 1)
        assert room.claim() is None
    assert ends.total() == 25


def test_a_revision_waits_for_nobody_and_nobody_begins_under_its_hands(room: Room) -> None:
    (submission_id,) = room.submit()
    holding, claimed = threading.Event(), threading.Event()

    def claim() -> Claim | None:
        holding.wait()
        if room.database.dialect.name == "sqlite":  # one writer at a time: the claim waits for the revision's end
            claimed.set()
            return room.claim()
        found = room.claim()
        claimed.set()
        return found

    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(claim)
        with transaction(room.database) as connection:
            room.queue.hold(connection, submission_id)
            holding.set()
            claimed.wait()
            room.queue.recall(connection, [submission_id])
        assert result.result() is None


def test_a_worker_from_before_a_revision_cannot_write_after_it(room: Room) -> None:
    """The same submission is approved again after its revision: the old claim must not pass for the new one."""
    (submission_id,) = room.submit()
    before = room.claimed("before")
    void(room, submission_id)
    with pytest.raises(LeaseLostError):
        room.ledger.extend(before)
    with transaction(room.database) as connection:
        connection.execute(
            update(Submission).where(Submission.__table__.c.id == submission_id).values(state="approved")
        )
        room.queue.enqueue(connection, submission_id, lane=room.lane, urgent=True, at=room.clock.now())
    with pytest.raises(LeaseLostError):
        room.ledger.extend(before)
    after = room.claimed("after")
    assert after.submission_id == submission_id
    with pytest.raises(LeaseLostError):
        room.intend(before)
    room.intend(after)


def test_a_claim_that_a_revision_overtook_ends_quietly(room_database: Engine, tmp_path: Path) -> None:
    house = House(tmp_path, database=room_database)
    reference = house.approved(f"TEST-{uuid4().hex}")
    claim = house.app.deliveries.queue.claim("worker", house.app.deliveries.lanes)
    assert claim is not None
    changed = write_case(tmp_path / "again", reference, actions=[{"kind": "removal", "at": "2026-11-18T10:05:00Z"}])
    house.app.cases.revise(reference, changed, "preparer")
    assert house.app.deliveries.engine.work(claim) is None
    assert house.double.requests == []
    house.app.submissions.approve(reference, "approver")
    house.until_idle()
    assert house.submission(reference)["state"] == "accepted"
