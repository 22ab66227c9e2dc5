"""The queue and the ledger, on both databases: claims, leases, fences, pauses, races, deaths, processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, select, text, update

from reporter.authority import Answer, Call, Document, Exchange, Lost, Outcome, Package, Plan, Step
from reporter.db.engine import open_engine, transaction
from reporter.delivery.ledger import Concluded, Ledger
from reporter.delivery.model import Claim, Entry, LeaseLostError, Pause, Perform, Settle
from reporter.delivery.queue import Queue, paused_lanes
from reporter.delivery.tables import Delivery, LateAnswer, LedgerEntry
from reporter.errors import EnvironmentTroubleError
from reporter.evidence.bodies import BodyVault
from reporter.submissions.model import ReceiptKind, State
from reporter.submissions.service import SubmissionService
from reporter.submissions.tables import Submission
from reporter.testing.bench import Bench, approved_submission, fresh_bodies
from reporter.testing.clock import FakeClock
from reporter.testing.documents import write_case
from reporter.testing.house import House
from tests.integration import queue_worker

LEASE = timedelta(seconds=180)
STEP = Step("report", Lost.REPEAT)
THREADS = 8


@pytest.fixture(scope="module")
def database(shared_database_url: str) -> Iterator[Engine]:
    engine = open_engine(shared_database_url, pool_size=THREADS + 2)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def bodies(keys: Path) -> BodyVault:
    return fresh_bodies(keys)


class Room:
    """The delivery room with a lane that no other test uses."""

    def __init__(self, database: Engine, bodies: BodyVault) -> None:
        self.database, self.bodies, self.clock = database, bodies, FakeClock()
        self.lane = f"room-{uuid4().hex}"
        self.queue = Queue(database, self.clock, LEASE)
        self.ledger = Ledger(database, bodies, self.clock, LEASE)

    def submit(self, count: int = 1, *, urgent: bool = False, lane: str = "") -> list[str]:
        with transaction(self.database) as connection:
            return [
                approved_submission(connection, self.queue, self.clock.now(), lane or self.lane, urgent=urgent)
                for _ in range(count)
            ]

    def claim(self, owner: str = "worker") -> Claim | None:
        return self.queue.claim(owner, [self.lane])

    def claimed(self, owner: str = "worker") -> Claim:
        claim = self.claim(owner)
        assert claim is not None
        return claim

    def intend(self, claim: Claim, concluded: Concluded | None = None, position: int = 0) -> Entry:
        entry = self.ledger.advance(claim, concluded, Perform(STEP, 1, self.clock.now()), position)
        assert entry is not None
        return entry

    def rows(self, submission_id: str) -> dict[str, list[dict[str, Any]]]:
        """Give everything that a worker may change of a delivery."""
        tables = {Delivery: "submission_id", LedgerEntry: "submission_id", Submission: "id"}
        with transaction(self.database) as connection:
            return {
                table.__tablename__: [
                    dict(row)
                    for row in connection.execute(
                        select(table.__table__).where(table.__table__.c[key] == submission_id)
                    ).mappings()
                ]
                for table, key in tables.items()
            }

    def cut_connections(self) -> None:
        """Do to open connections what a restart of the server does."""
        if self.database.dialect.name == "sqlite":
            self.database.dispose()
            return
        outside = open_engine(self.database.url.render_as_string(hide_password=False))
        with outside.begin() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        outside.dispose()


@pytest.fixture
def room(database: Engine, bodies: BodyVault) -> Room:
    return Room(database, bodies)


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


def test_a_late_write_and_the_next_claim_exclude_each_other(database: Engine, bodies: BodyVault) -> None:
    for _ in range(25):
        room = Room(database, bodies)
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


def test_a_pause_stops_its_lane_alone_until_it_is_resumed(room: Room, database: Engine, bodies: BodyVault) -> None:
    other = Room(database, bodies)
    room.submit(2)
    other.submit()
    claims = [room.claimed(), room.claimed()]
    for claim in claims:
        assert room.ledger.advance(claim, None, Pause("no rights"), 0) is None
    assert paused_lanes(database)[room.lane] == "no rights"
    assert other.lane not in paused_lanes(database)
    assert room.claim() is None
    assert room.queue.next_due([room.lane]) is None
    assert other.queue.claim("worker", [room.lane, other.lane]) is not None
    assert room.queue.resume(room.lane, "operator") is True
    assert room.queue.resume(room.lane, "operator") is False
    assert {room.claimed().submission_id, room.claimed().submission_id} == {claim.submission_id for claim in claims}


# --- a revision takes back what nobody has begun ----------------------------------------------------------------


def void(room: Room, reference: str) -> None:
    unused: Any = None
    submissions = SubmissionService(room.database, room.clock, unused, {}, room.bodies, room.queue, 2)
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
            room.ledger.advance(Claim(submission_id, room.lane, "", 1), None, Settle(State.ATTENTION, "done"), 1)
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


def test_a_claim_that_a_revision_overtook_ends_quietly(database: Engine, tmp_path: Path) -> None:
    house = House(tmp_path, database=database)
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


# --- one commit between two calls -------------------------------------------------------------------------------


class Killed(BaseException):
    """The process dies here."""


class Authority:
    """An authority of two calls, the second of which files, and one package on its way to it."""

    plan = Plan(steps=(Step("prepare", Lost.REPEAT), STEP))

    def __init__(self, room: Room) -> None:
        self.calls: list[str] = []
        adapter: Any = SimpleNamespace(plan=lambda _package: self.plan)
        connection: Any = self
        self.bench = Bench(room.database, room.bodies, room.clock, adapter, connection, lease=LEASE)
        self.id = self.bench.submit(Package("bench", (Document("report", "text/plain", b"harmless"),)), {})

    def perform(self, call: Call) -> Answer:
        self.calls.append(call.step.key)
        return Answer(Outcome.ACCEPTED, ids={"ticket": "t-1"}, reference="R-1", exchange=Exchange(b"asked", b"said"))

    @property
    def state(self) -> str:
        return self.bench.submission(self.id).state

    @property
    def entries(self) -> list[Entry]:
        return self.bench.calls(self.id)


@pytest.mark.parametrize("part", ["_conclude", "_intend", "_hold"])
def test_outcome_and_next_intent_are_committed_together_or_not_at_all(
    room: Room, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    authority = Authority(room)
    bench = authority.bench
    genuine = getattr(bench.ledger, part)

    def dying(*arguments: Any) -> Any:
        done = genuine(*arguments)
        if authority.calls:
            raise Killed
        return done

    monkeypatch.setattr(bench.ledger, part, dying)
    with pytest.raises(Killed):
        bench.work()
    (entry,) = authority.entries
    assert (entry.step, entry.outcome, entry.ids) == ("prepare", Outcome.UNKNOWN, {})
    monkeypatch.undo()
    bench.until_idle()
    assert authority.calls == ["prepare", "prepare", "report"]
    assert authority.state == "accepted"


@pytest.mark.parametrize("moment", ["before", "after"])
def test_connections_that_are_cut_around_a_call_cost_nothing(room: Room, moment: str) -> None:
    authority = Authority(room)
    bench = authority.bench
    setattr(bench.tap, moment, lambda _call: room.cut_connections())
    bench.until_idle()
    assert authority.calls == ["prepare", "report"]
    assert authority.state == "accepted"


@pytest.mark.parametrize("part", ["_conclude", "_intend", "_settle"])
def test_connections_that_are_cut_inside_a_commit_leave_the_ledger_whole(
    room: Room, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    authority = Authority(room)
    bench = authority.bench
    genuine = getattr(bench.ledger, part)

    def cutting(*arguments: Any) -> Any:
        monkeypatch.undo()
        room.cut_connections()
        return genuine(*arguments)

    monkeypatch.setattr(bench.ledger, part, cutting)
    if room.database.dialect.name == "sqlite":
        bench.work()
    else:
        with pytest.raises(EnvironmentTroubleError):
            bench.work()
    bench.until_idle()
    assert [entry.step for entry in authority.entries] == authority.calls
    assert authority.state == "accepted"


# --- processes --------------------------------------------------------------------------------------------------


def test_four_processes_lose_nothing_and_double_nothing_though_one_dies(
    room: Room, shared_database_url: str, keys: Path
) -> None:
    room.clock.advance_to(datetime.now(UTC))
    submitted = room.submit(300)
    arguments = [shared_database_url, str(keys), room.lane]
    script = [sys.executable, queue_worker.__file__, *arguments]
    processes = [
        subprocess.Popen([*script, *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for more in (["--die-at", "20"], [], [], [])
    ]
    for process in processes:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    with ThreadPoolExecutor(len(processes)) as pool:
        list(pool.map(lambda process: process.communicate("go\n"), processes))
    assert [process.returncode for process in processes] == [9, 0, 0, 0]

    def calls() -> Counter[str]:
        lines = queue_worker.filed(keys, room.lane).read_text().splitlines()
        assert {line.split()[1] for line in lines} >= {str(process.pid) for process in processes}
        return Counter(line.split()[0] for line in lines)

    def states() -> Counter[str]:
        with transaction(room.database) as connection:
            which = Submission.__table__.c.id.in_(submitted)
            return Counter(connection.execute(select(Submission.__table__.c.state).where(which)).scalars())

    left = states()["delivering"]
    assert 1 <= left <= queue_worker.THREADS, "what the dead one held waits for the end of its lease"
    assert states()["accepted"] == 300 - left
    room.clock.advance(2 * queue_worker.LEASE)
    queue_worker.worker(shared_database_url, keys, room.lane, room.clock).once()
    assert states() == {"accepted": 300}
    assert set(calls()) == set(submitted)
    assert sorted(calls().values(), reverse=True)[left:] == [1] * (300 - left), "only the dead one's calls are repeated"
