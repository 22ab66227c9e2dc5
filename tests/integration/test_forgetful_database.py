"""A database restored from a real dump, or failed over with its last second lost, files nothing twice."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest
from sqlalchemy import Engine

sys.path.insert(0, str(Path(__file__).parent))

from dumps import Dumps

from reporter.audit import service as audit
from reporter.authority import Answer, Call
from reporter.delivery.forgotten import impose
from reporter.delivery.generations import Generations
from reporter.delivery.markers import Markers
from reporter.delivery.quarantine import QuarantineService
from reporter.errors import EnvironmentTroubleError, NotFoundError, PolicyError
from reporter.evidence.objects import LocalObjectStore
from reporter.testing.documents import write_case
from reporter.testing.house import House
from reporter.testing.objects import MemoryStore

FILES = {"e1": b"harmless one"}
REFERENCE = "TEST-000001"


@pytest.fixture
def house(tmp_path: Path, engine: Engine) -> House:
    return House(tmp_path, database=engine)


@pytest.fixture
def dumps(tmp_path: Path, engine: Engine) -> Dumps:
    return Dumps(engine, tmp_path)


def finished(house: House) -> int:
    return sum(report.state == "finished" for report in house.double.reports.values())


def in_doubt(house: House, reference: str = REFERENCE) -> bool:
    submission = house.submission(reference)
    return submission["state"] == "in_doubt" and "has forgotten a filing or a decision" in submission["reason"]


def held(house: House) -> bool:
    """Whether deliveries are quarantined: nothing is claimed, though something may be due."""
    assert house.app.deliveries.queue.claim("anybody", house.app.deliveries.lanes) is None
    return house.app.deliveries.quarantine.standing() is not None


def before(house: House, step: str, happens: Callable[[], None]) -> None:
    """Let something happen right before the first call of ``step``."""
    connection = house.app.deliveries.connection("ncmec")
    perform = connection.perform
    waiting = [happens]

    def watched(call: Call) -> Answer:
        if call.step.key == step and waiting:
            waiting.pop()()
        return perform(call)

    connection.perform = watched  # type: ignore[method-assign]


class Died(BaseException):
    """The process dies here."""


def die() -> None:
    raise Died


# --- restored from an older dump --------------------------------------------------------------------------------


def test_restored_from_before_the_case_was_known_the_same_case_is_not_filed_again(house: House, dumps: Dumps) -> None:
    older = dumps.take()
    house.approved(files=FILES)
    house.until_idle()
    assert finished(house) == 1
    dumps.restore(older)
    house.restart()
    again = write_case(house.folder / "handed in again", REFERENCE, files=FILES)
    house.app.cases.add(again, "preparer")
    house.app.submissions.approve(REFERENCE, "approver")
    house.until_idle()
    assert finished(house) == 1
    assert in_doubt(house)
    assert held(house)


def test_restored_from_before_the_delivery_it_asks_a_person_and_sends_nothing(house: House, dumps: Dumps) -> None:
    house.approved(files=FILES)
    older = dumps.take()
    house.until_idle()
    (report,) = house.double.reports.values()
    sent = len(house.double.requests)
    dumps.restore(older)
    house.restart()
    house.until_idle()
    assert in_doubt(house)
    assert f"report {report.id} may have been filed at 2026-11-22" in house.submission()["reason"]
    assert len(house.double.requests) == sent


def test_restored_from_the_middle_of_an_attempt_it_asks_a_person(house: House, dumps: Dumps) -> None:
    taken: list[Path] = []
    house.approved(files=FILES)
    before(house, "details:e1", lambda: taken.append(dumps.take()))
    house.until_idle()
    dumps.restore(taken[0])
    house.restart()
    house.until_idle()
    assert finished(house) == 1
    assert in_doubt(house)


def test_restored_from_after_the_intent_it_finds_out_by_itself(house: House, dumps: Dumps) -> None:
    taken: list[Path] = []
    house.approved(files=FILES)
    before(house, "finish", lambda: taken.append(dumps.take()))
    house.until_idle()
    dumps.restore(taken[0])
    house.restart()
    house.until_idle()
    assert finished(house) == 1
    assert house.submission()["state"] == "accepted"
    assert house.submission()["receipt"]["kind"] == "inferred"


def test_restored_from_after_the_receipt_nothing_is_due(house: House, dumps: Dumps) -> None:
    house.approved(files=FILES)
    house.until_idle()
    dumps.restore(dumps.take())
    house.restart()
    house.until_idle()
    assert finished(house) == 1
    assert house.submission()["state"] == "accepted"


def test_a_corrected_version_is_not_held_against_the_refused_one(house: House, dumps: Dumps) -> None:
    house.double.faults.add("finish:1 code=4100")
    house.approved(files=FILES)
    older = dumps.take()
    house.until_idle()
    assert house.submission()["state"] == "rejected"
    house.app.submissions.approve(REFERENCE, "approver")
    house.until_idle()
    assert [entry["state"] for entry in house.app.submissions.overview(REFERENCE)] == ["rejected", "accepted"]
    assert not held(house)
    dumps.restore(older)
    house.restart()
    house.until_idle()
    assert finished(house) == 1
    assert in_doubt(house)


@pytest.mark.parametrize("filed", [True, False])
def test_what_people_found_out_settles_it(house: House, dumps: Dumps, filed: bool) -> None:
    house.approved(files=FILES)
    older = dumps.take()
    if not filed:
        before(house, "finish", die)
    with pytest.raises(Died) if not filed else nullcontext():
        house.until_idle()
    (report,) = house.double.reports.values()
    dumps.restore(older)
    house.restart()
    house.until_idle()
    assert in_doubt(house)
    house.app.resolutions.resolve(REFERENCE, "ncmec", "person", "asked the authority", report.id if filed else None)
    assert house.app.deliveries.quarantine.release("person", "asked the authority")
    house.until_idle()
    assert finished(house) == 1
    assert house.submission()["state"] == "accepted"
    assert house.submission()["receipt"]["kind"] == ("manual" if filed else "acknowledged")


# --- decisions of people ----------------------------------------------------------------------------------------


def recorded(house: House, *people: str) -> None:
    """Let people record that it was filed by web form."""
    at = house.clock.now().replace(minute=0, second=0, microsecond=0)
    for name in people:
        house.app.resolutions.record_receipt(REFERENCE, "ncmec", name, "SYNTHETIC: by web form.", "7654321", at)


def withdrawn(house: House) -> None:
    house.app.resolutions.withdraw(REFERENCE, "ncmec", "ann", "SYNTHETIC: by mistake.")


def resolved(house: House) -> None:
    """Let it need attention before anything was sent, and people find out that it is filed."""
    house.double.faults.add("submit code=9")
    house.until_idle()
    assert house.submission()["state"] == "attention"
    house.app.resolutions.resolve(REFERENCE, "ncmec", "ann", "SYNTHETIC: asked.", "7654321")
    house.double.faults.faults.clear()


@pytest.mark.parametrize(
    ("decide", "words"),
    [
        (withdrawn, "people withdrew it at 2026-11-22"),
        (lambda house: recorded(house, "ann"), "that it is filed as report 7654321"),
        (lambda house: recorded(house, "ann", "bob"), "that it is filed as report 7654321"),
        (resolved, "that it is filed as report 7654321"),
    ],
    ids=["withdrawn", "receipt proposed", "receipt", "resolved"],
)
def test_a_decision_that_the_database_forgot_holds_the_submission(
    house: House, dumps: Dumps, decide: Callable[[House], None], words: str
) -> None:
    house.approved(files=FILES)
    older = dumps.take()
    decide(house)
    dumps.restore(older)
    house.restart()
    house.until_idle()
    assert in_doubt(house)
    assert words in house.submission()["reason"]
    assert held(house)
    assert finished(house) == 0
    (known,) = house.app.deliveries.quarantine.forgotten()
    assert words in str(known.marker)


def test_a_case_withdrawn_and_forgotten_is_not_filed_when_it_is_handed_in_again(house: House, dumps: Dumps) -> None:
    older = dumps.take()
    house.approved(files=FILES)
    withdrawn(house)
    dumps.restore(older)
    house.restart()
    house.app.cases.add(write_case(house.folder / "handed in again", REFERENCE, files=FILES), "preparer")
    house.app.submissions.approve(REFERENCE, "approver")
    house.until_idle()
    assert in_doubt(house)
    assert house.double.reports == {}


def test_a_decision_takes_effect_only_once_it_is_marked(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_put(_self: Markers, _series: str, _marker: object) -> None:
        raise EnvironmentTroubleError("The object store cannot be written.")

    house.approved(files=FILES)
    with monkeypatch.context() as broken:
        broken.setattr(Markers, "append", no_put)
        with pytest.raises(EnvironmentTroubleError):
            withdrawn(house)
        assert house.submission()["state"] == "approved"
    withdrawn(house)
    assert house.submission()["state"] == "withdrawn"


def test_what_the_database_remembers_of_decisions_keeps_nobody_waiting(house: House) -> None:
    house.approved(files=FILES)
    withdrawn(house)
    changed = write_case(house.folder / "again", REFERENCE, files=FILES, actions=[])
    house.app.cases.revise(REFERENCE, changed, "preparer")
    house.app.submissions.approve(REFERENCE, "approver")
    house.until_idle()
    assert finished(house) == 1
    assert not house.app.deliveries.quarantine.standing()


# --- failed over, the last second lost ----------------------------------------------------------------------------


def test_a_worker_whose_filing_was_forgotten_stops_everything_and_keeps_the_answer(house: House, dumps: Dumps) -> None:
    taken: list[Path] = []
    house.approved(files=FILES)
    before(house, "details:e1", lambda: taken.append(dumps.take()))
    claim = house.app.deliveries.queue.claim("first", house.app.deliveries.lanes)
    assert claim is not None
    connection = house.app.deliveries.connection("ncmec")
    perform = connection.perform

    def fail_over(call: Call) -> Answer:
        answer = perform(call)
        if call.step.key == "finish":
            dumps.restore(taken[0])
        return answer

    connection.perform = fail_over  # type: ignore[method-assign]
    assert house.app.deliveries.engine.work(claim) is None
    connection.perform = perform  # type: ignore[method-assign]
    assert held(house)
    with house.app.database.begin() as rows:
        (told,) = (event for event in audit.events(rows) if event.kind == "forgotten_call_answered")
        body = told.detail.partition("body:")[2]
        assert b"reportDoneResponse" in house.app.bodies.open(rows, body)
    assert house.app.deliveries.quarantine.release("person", "looked at it")
    house.until_idle()
    assert finished(house) == 1
    assert in_doubt(house)


def test_of_two_claims_with_the_same_fence_only_the_later_one_holds(house: House, dumps: Dumps) -> None:
    house.approved()
    older = dumps.take()
    lost = house.app.deliveries.queue.claim("worker", house.app.deliveries.lanes)
    dumps.restore(older)
    present = house.app.deliveries.queue.claim("worker", house.app.deliveries.lanes)
    assert lost is not None
    assert present is not None
    assert lost.fence == present.fence
    assert house.app.deliveries.engine.work(lost) is None
    assert house.double.requests == []
    assert house.app.deliveries.engine.work(present) is not None
    assert house.submission()["state"] == "accepted"


# --- the quarantine ----------------------------------------------------------------------------------------------


def test_a_restored_database_starts_in_quarantine_until_a_person_releases_it(house: House, dumps: Dumps) -> None:
    house.approved(files=FILES)
    older = dumps.take()
    house.app.deliveries.worker().once()
    assert house.submission()["state"] == "accepted"
    dumps.restore(older)
    house.restart()
    house.approved("TEST-000002")
    house.app.deliveries.worker().once()
    assert held(house)
    assert in_doubt(house)
    assert house.submission("TEST-000002")["state"] == "approved"
    assert house.app.deliveries.queue.next_due(house.app.deliveries.lanes) is None
    (known,) = house.app.deliveries.quarantine.forgotten()
    assert (known.reference, known.marker.lane) == (REFERENCE, "ncmec:sandbox")
    assert house.app.deliveries.quarantine.release("person", "asked the authority")
    house.restart()
    house.app.deliveries.worker().once()
    assert house.app.deliveries.quarantine.standing() is None
    assert house.submission("TEST-000002")["state"] == "accepted"
    assert in_doubt(house)
    assert finished(house) == 2


def test_a_filing_of_a_case_that_is_not_known_any_more_is_shown_without_its_reference(
    house: House, dumps: Dumps
) -> None:
    older = dumps.take()
    house.approved()
    house.app.deliveries.worker().once()
    (report,) = house.double.reports.values()
    dumps.restore(older)
    house.restart()
    house.app.deliveries.worker().once()
    assert held(house)
    (unknown,) = house.app.deliveries.quarantine.forgotten()
    assert (unknown.reference, unknown.marker.draft) == ("", report.id)


def test_a_database_that_was_not_restored_is_left_alone(house: House) -> None:
    for number in range(3):
        house.restart()
        house.approved(f"TEST-00001{number}")
        house.app.deliveries.worker().once()
    assert not held(house)
    assert finished(house) == 3


def test_another_database_beside_the_same_objects_is_noticed(house: House, dumps: Dumps) -> None:
    older = dumps.take()
    house.approved()
    house.app.deliveries.worker().once()
    dumps.restore(older)
    store = LocalObjectStore(house.folder / "home" / "objects")
    assert not Generations(house.app.database, store).agree()
    assert Generations(house.app.database, MemoryStore()).agree()


def test_a_crash_before_the_store_has_the_generation_is_no_restore(engine: Engine, house: House) -> None:
    generations = Generations(engine, FullStore())
    with pytest.raises(EnvironmentTroubleError):
        generations.advance(house.clock.now())
    store = MemoryStore()
    assert Generations(engine, store).agree()
    Generations(engine, store).advance(house.clock.now())
    assert Generations(engine, store).agree()
    assert sorted(store.keys("generation.")) == ["generation.1", "generation.2"]


def test_workers_that_begin_a_generation_at_once_agree_with_each_other(engine: Engine, house: House) -> None:
    store = MemoryStore()
    start = threading.Barrier(4)

    def begin(_number: int) -> bool:
        generations = Generations(engine, store)
        start.wait()
        return all(generations.agree() for _ in range(5) if generations.advance(house.clock.now()) is None)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(begin, range(4)))
    assert Generations(engine, store).agree()


def test_outside_the_sandbox_two_people_release(engine: Engine, house: House) -> None:
    store = MemoryStore()
    service = QuarantineService(engine, house.clock, Markers(store), Generations(engine, store), people=2)
    with pytest.raises(NotFoundError):
        service.release("one", "nothing stands")
    with engine.begin() as connection:
        impose(connection, "a reason", house.clock.now())
    assert not service.release("one", "asked the authority")
    with pytest.raises(PolicyError):
        service.release("one", "twice")
    assert service.standing() is not None
    assert service.release("two", "agreed")
    assert service.standing() is None
    with engine.connect() as connection:
        kinds = [(event.kind, event.actor) for event in audit.events(connection) if event.kind.startswith("quarantine")]
    assert kinds == [
        ("quarantine_imposed", "reporter"),
        ("quarantine_release_proposed", "one"),
        ("quarantine_released", "two"),
    ]


# --- the markers ---------------------------------------------------------------------------------------------------


class FullStore(MemoryStore):
    """A store without room."""

    def put(self, key: str, pieces: object) -> None:
        raise EnvironmentTroubleError("The object store cannot be written: no space left.")


def test_without_its_marker_nothing_is_filed_and_with_room_again_it_is(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.approved()
    with monkeypatch.context() as patch:
        patch.setattr(LocalObjectStore, "put", FullStore.put)
        result = house.work()
    assert result is not None
    assert result.again_at is not None
    assert result.last is not None
    assert (result.last.step, result.last.outcome) == ("finish", "not_sent")
    assert finished(house) == 0
    house.until_idle()
    assert finished(house) == 1
    assert house.submission()["state"] == "accepted"


def test_one_marker_stands_for_all_calls_of_an_attempt_and_names_nobody(house: House) -> None:
    house.double.faults.add("finish:1 drop_after")
    house.approved(files=FILES)
    house.until_idle()
    assert [call.step for call in house.app.deliveries.calls(REFERENCE)].count("finish") == 2
    (marker,) = (house.folder / "home" / "objects").glob("filing.*")
    assert REFERENCE not in marker.name
    assert REFERENCE.encode() not in marker.read_bytes()
    assert house.submission()["state"] == "accepted"


def test_a_damaged_marker_needs_a_person(house: House, dumps: Dumps) -> None:
    house.approved()
    older = dumps.take()
    house.until_idle()
    (marker,) = (house.folder / "home" / "objects").glob("filing.*")
    marker.chmod(0o600)
    marker.write_bytes(b"{")
    dumps.restore(older)
    house.restart()
    house.until_idle()
    assert finished(house) == 1
    assert house.submission()["state"] == "attention"
