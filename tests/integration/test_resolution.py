"""What people settle: in doubt, withdrawal, filed elsewhere, rejections; alone, in twos, and against a worker."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from reporter.audit import service as audit
from reporter.authority import Answer, Call, Outcome
from reporter.db.engine import transaction
from reporter.delivery.markers import Markers, series_of
from reporter.delivery.model import Marker, Verdict
from reporter.delivery.resolution import Decided
from reporter.errors import NotFoundError, PolicyError, ReporterError, UsageError
from reporter.evidence.objects import LocalObjectStore
from reporter.submissions.model import State
from reporter.testing.documents import write_case
from reporter.testing.house import House

REF = "TEST-000001"
MakeHouse = Callable[..., House]
#: The draft is there, the filing call never arrived, and the authority says that it knows no such report.
NOT_FILED = "finish:1 drop_before\nfinish:2 code=5001"
#: The filing call did its work, its answer was lost, and the authority says that it knows no such report.
FILED = "finish:1 drop_after\nfinish:2 code=5001"


@pytest.fixture
def make_house(tmp_path: Path, engine: Engine) -> MakeHouse:
    return lambda faults="": House(tmp_path, faults=faults, database=engine)


def beyond_the_sandbox(house: House) -> House:
    house.beyond_the_sandbox()
    return house


def in_doubt(house: House) -> str:
    """Bring a submission in doubt; give the id of its report at the authority."""
    house.approved()
    house.until_idle()
    assert state(house) == "in_doubt"
    assert [fault.fired for fault in house.double.faults.faults] == [1, 1]
    (report,) = house.double.reports
    return str(report)


def state(house: House) -> str:
    return str(house.submission()["state"])


def finished(house: House) -> list[str]:
    return [str(report.id) for report in house.double.reports.values() if report.state == "finished"]


def drafts(house: House) -> list[str]:
    return [str(report.id) for report in house.double.reports.values() if report.state == "open"]


def steps(house: House) -> list[str]:
    return [call.step for call in house.app.deliveries.calls(REF)]


def events(house: House) -> list[tuple[str, str]]:
    with transaction(house.app.database) as connection:
        return [(event.kind, event.actor) for event in audit.events(connection, REF)]


def resolve(house: House, actor: str, receipt: str | None = None) -> Decided:
    said = {"accepted": str(receipt is not None), **({"receipt": receipt} if receipt else {})}
    house.sign(actor, "delivery resolve", reference=REF, authority="ncmec", **said)
    return house.app.resolutions.resolve(REF, "ncmec", actor, "SYNTHETIC: asked on the phone.", receipt)


def withdraw(house: House, actor: str = "ann", reference: str = REF) -> Decided:
    return house.app.resolutions.withdraw(reference, "ncmec", actor, "SYNTHETIC: confirmed by mistake.")


def record(house: House, actor: str, receipt: str = "7654321") -> Decided:
    at = house.app.clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    return house.app.resolutions.record_receipt(REF, "ncmec", actor, "SYNTHETIC: by web form.", receipt, at)


def during(house: House, step: str, act: Callable[[], Any]) -> list[Any]:
    """Let somebody act while the call of ``step`` is under way, once; give what came of it."""
    came: list[Any] = []
    waiting = [step]
    connection = house.app.deliveries.connection("ncmec")
    perform = connection.perform

    def interrupted(call: Call) -> Answer:
        answer = perform(call)
        if call.step.key in waiting:
            waiting.clear()
            try:
                came.append(act())
            except ReporterError as error:
                came.append(error)
        return answer

    connection.perform = interrupted  # type: ignore[method-assign]
    return came


# --- in doubt ---------------------------------------------------------------------------------------------------


def test_what_is_filed_after_all_gets_a_manual_receipt(make_house: MakeHouse) -> None:
    house = make_house(FILED)
    report = in_doubt(house)
    house.clock.advance(timedelta(days=2))
    decided = resolve(house, "ann", report)
    assert (decided.state, decided.missing) == (State.ACCEPTED, 0)
    receipt = house.submission()["receipt"]
    assert (receipt["kind"], receipt["reference"]) == ("manual", report)
    assert receipt["at"] == house.clock.now().isoformat().replace("+00:00", "Z")
    house.until_idle()
    assert finished(house) == [report]
    assert events(house)[-2:] == [("decision_made", "ann"), ("submission_accepted", "ann")]


def test_what_is_not_filed_is_taken_back_and_delivered_anew_once(make_house: MakeHouse) -> None:
    house = make_house(NOT_FILED)
    report = in_doubt(house)
    before = steps(house)
    assert resolve(house, "ann").state is State.DELIVERING
    house.until_idle()
    assert steps(house)[len(before) :] == [Verdict.NOT_ACCEPTED.step, "retract", "open", "finish"]
    assert (state(house), house.submission()["attempts"]) == ("accepted", 2)
    assert finished(house) == [house.submission()["receipt"]["reference"]] != [report]
    assert drafts(house) == []


def test_people_who_are_wrong_about_it_do_not_file_it_twice(make_house: MakeHouse) -> None:
    house = make_house(FILED)
    report = in_doubt(house)
    resolve(house, "ann")
    house.until_idle()
    assert finished(house) == [report]
    receipt = house.submission()["receipt"]
    assert (state(house), receipt["kind"], receipt["reference"]) == ("accepted", "inferred", report)


@pytest.mark.parametrize("filed", [True, False])
def test_outside_the_sandbox_two_different_people_settle_it(make_house: MakeHouse, filed: bool) -> None:
    house = beyond_the_sandbox(make_house(FILED if filed else NOT_FILED))
    report = in_doubt(house)
    verdict = report if filed else None
    assert resolve(house, "ann", verdict).state is State.IN_DOUBT
    assert state(house) == "in_doubt"
    with pytest.raises(PolicyError, match="a different person"):
        resolve(house, "ann", verdict)
    other = resolve(house, "bob", None if filed else report)
    assert (other.state, other.missing) == (State.IN_DOUBT, 1)
    assert resolve(house, "ann", verdict).missing == 1
    assert resolve(house, "bob", verdict).missing == 0
    house.until_idle()
    assert state(house) == "accepted"
    assert len(finished(house)) == 1
    decided = [event for event in events(house) if event[0].startswith("decision")]
    assert decided == [*(("decision_proposed", name) for name in ("ann", "bob", "ann")), ("decision_made", "bob")]


def test_the_reasons_are_kept_sealed_and_can_be_read(make_house: MakeHouse) -> None:
    house = make_house(FILED)
    report = in_doubt(house)
    resolve(house, "ann", report)
    with transaction(house.app.database) as connection:
        (row,) = connection.exec_driver_sql("SELECT * FROM resolution").mappings()
    assert "SYNTHETIC" not in repr(dict(row))
    (words,) = house.app.standings.words(REF, "carl")
    assert words.reasons == [(f"ann, accepted {report}", "SYNTHETIC: asked on the phone.")]
    assert events(house)[-1] == ("words_read", "carl")


def test_only_what_waits_for_a_person_is_resolved(make_house: MakeHouse) -> None:
    house = make_house()
    with pytest.raises(NotFoundError):
        resolve(house, "ann")
    house.approved()
    with pytest.raises(PolicyError, match="state approved"):
        resolve(house, "ann")
    house.until_idle()
    with pytest.raises(PolicyError, match="state accepted"):
        resolve(house, "ann")
    with pytest.raises(NotFoundError):
        house.app.resolutions.resolve(REF, "nobody", "ann", "why")


@pytest.mark.parametrize("receipt", ["", "4564654 or so", "ü", "1" * 101])
def test_a_reference_that_can_be_none_is_refused(make_house: MakeHouse, receipt: str) -> None:
    house = make_house(FILED)
    in_doubt(house)
    with pytest.raises(UsageError):
        resolve(house, "ann", receipt)
    with pytest.raises(UsageError):
        house.app.resolutions.resolve(REF, "ncmec", "ann", " ")


def test_the_authoritys_own_acknowledgement_outweighs_people(make_house: MakeHouse) -> None:
    """It says that it filed the report, with a file too many: attention, and never a second report."""
    house = make_house()
    house.approved()
    connection = house.app.deliveries.connection("ncmec")
    perform = connection.perform

    def with_a_file_too_many(call: Call) -> Answer:
        answer = perform(call)
        if answer.outcome is not Outcome.ACCEPTED or call.step.key != "finish":
            return answer
        return Answer(answer.outcome, reference=answer.reference, discrepancy="it lists a file that is not ours")

    connection.perform = with_a_file_too_many  # type: ignore[method-assign]
    house.until_idle()
    assert state(house) == "attention"
    (report,) = finished(house)
    with pytest.raises(PolicyError, match=report):
        resolve(house, "ann")
    with pytest.raises(PolicyError, match=report):
        resolve(house, "ann", "1")
    resolve(house, "ann", report)
    assert (state(house), house.submission()["receipt"]["kind"]) == ("accepted", "acknowledged")


def test_a_receipt_that_a_late_worker_brought_home_is_not_overruled(make_house: MakeHouse) -> None:
    house = make_house("finish:2 code=5001")
    house.approved()

    def overtaken() -> None:
        house.clock.advance(timedelta(hours=1))
        house.until_idle()
        assert state(house) == "in_doubt"

    came = during(house, "finish", overtaken)
    assert (house.work("late"), came) == (None, [None])
    (report,) = finished(house)
    with pytest.raises(PolicyError, match=report):
        resolve(house, "ann")
    resolve(house, "ann", report)
    assert house.submission()["receipt"]["kind"] == "acknowledged"


# --- withdrawal -------------------------------------------------------------------------------------------------


def test_what_no_worker_began_is_withdrawn_at_once_and_may_be_approved_again(make_house: MakeHouse) -> None:
    house = make_house()
    house.approved()
    assert withdraw(house).state is State.WITHDRAWN
    house.until_idle()
    assert house.double.requests == []
    with pytest.raises(PolicyError, match="nothing to take back"):
        withdraw(house)
    house.app.submissions.approve(REF, "approver")
    house.until_idle()
    versions = [(e["version"], e["supersedes"], e["state"]) for e in house.app.submissions.overview(REF)]
    assert versions == [(1, None, "withdrawn"), (2, 1, "accepted")]


def test_nothing_is_withdrawn_that_was_never_approved_or_is_filed(make_house: MakeHouse) -> None:
    house = make_house()
    house.app.cases.add(write_case(house.folder / "cases", REF), "preparer")
    with pytest.raises(PolicyError, match="was approved"):
        withdraw(house)
    house.app.submissions.approve(REF, "approver")
    house.until_idle()
    with pytest.raises(PolicyError, match="nothing to take back"):
        withdraw(house)
    assert state(house) == "accepted"


@pytest.mark.parametrize("step", ["open", "upload:e1", "details:e1"])
def test_a_withdrawal_during_a_call_takes_the_draft_back(make_house: MakeHouse, step: str) -> None:
    house = make_house()
    house.approved(files={"e1": b"harmless one"})
    came = during(house, step, lambda: withdraw(house))
    assert house.work() is None, "the worker must not go on with what it held"
    assert isinstance(came[0], Decided)
    house.until_idle()
    assert state(house) == "withdrawn"
    assert finished(house) == []
    assert steps(house)[-1] == (Verdict.WITHDRAWN.step if step == "open" else "retract")
    assert len(drafts(house)) == (step == "open"), "a draft whose id was never learnt expires by itself"


def test_what_was_refused_is_withdrawn_at_once(make_house: MakeHouse) -> None:
    house = make_house("fileinfo:1 code=4100")
    house.approved(files={"e1": b"harmless one"})
    house.until_idle()
    assert state(house) == "rejected"
    before = steps(house)
    assert withdraw(house).state is State.WITHDRAWN
    house.until_idle()
    assert (steps(house), drafts(house), finished(house)) == (before, [], [])


def test_after_the_filing_call_began_nothing_is_withdrawn(make_house: MakeHouse) -> None:
    house = make_house()
    house.approved()
    came = during(house, "finish", lambda: withdraw(house))
    assert house.work() is not None
    assert isinstance(came[0], PolicyError)
    assert "delivery resolve" in came[0].diagnostics()
    assert (state(house), len(finished(house))) == ("accepted", 1)


def test_what_is_in_doubt_is_resolved_and_not_withdrawn(make_house: MakeHouse) -> None:
    house = make_house(FILED)
    in_doubt(house)
    for leave in (withdraw, lambda house: record(house, "ann")):
        with pytest.raises(PolicyError, match="may have filed it"):
            leave(house)
    assert state(house) == "in_doubt"


@pytest.mark.parametrize("leave", [withdraw, lambda house: record(house, "ann")], ids=["withdraw", "record"])
def test_there_is_no_way_out_while_a_filing_is_forgotten(make_house: MakeHouse, leave: Callable[[House], Any]) -> None:
    """The database is older than a filing of this case, which the object store remembers."""
    house = make_house()
    house.approved()
    lane = "ncmec:sandbox"
    marker = Marker("forgotten", lane, "forgotten too", 1, "4564654", house.clock.now())
    assert Markers(LocalObjectStore(house.folder / "home" / "objects")).put(series_of(lane, REF), 1, marker)
    with pytest.raises(PolicyError, match="forgotten"):
        leave(house)
    assert state(house) == "approved"


def test_a_withdrawal_and_a_filing_exclude_each_other(make_house: MakeHouse) -> None:
    house = make_house()
    ends = Counter[str]()
    connection = house.app.deliveries.connection("ncmec")
    perform, start = connection.perform, threading.Barrier(2)

    def together(call: Call) -> Answer:
        if call.step.key == "open":
            start.wait()
        return perform(call)

    connection.perform = together  # type: ignore[method-assign]

    def leave(reference: str) -> bool:
        start.wait()
        try:
            withdraw(house, reference=reference)
        except PolicyError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        for number in range(12):
            reference = house.approved(f"TEST-00010{number:02}")
            filed = len(finished(house))
            working, leaving = pool.submit(house.work), pool.submit(leave, reference)
            withdrawn = leaving.result()
            working.result()
            house.until_idle()
            assert len(finished(house)) - filed == (not withdrawn)
            assert house.submission(reference)["state"] == ("withdrawn" if withdrawn else "accepted")
            ends[str(withdrawn)] += 1
    assert ends.total() == 12


# --- filed elsewhere --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("begun", ["unapproved", "approved", "delivering", "rejected", "withdrawn"])
def test_what_was_filed_by_web_form_leaves_the_queue_with_the_first_persons_word(
    make_house: MakeHouse, begun: str
) -> None:
    house = make_house({"delivering": "finish refuse", "rejected": "submit:1 code=4100"}.get(begun, ""))
    if begun == "unapproved":
        house.app.cases.add(write_case(house.folder / "cases", REF), "preparer")
    else:
        house.approved()
    if begun == "withdrawn":
        withdraw(house)
    if begun in ("delivering", "rejected"):
        house.work()
    first = record(house, "ann")
    assert (first.state, first.missing) == (State.ATTENTION, 1)
    if begun in ("delivering", "rejected"):
        assert house.double.faults.faults[0].fired
        house.double.faults.faults.clear()
    house.until_idle()
    assert finished(house) == []
    with pytest.raises(PolicyError, match="a different person"):
        record(house, "ann")
    (again,) = house.app.submissions.approve(REF, "approver")
    assert again.state is State.ATTENTION
    assert record(house, "bob").state is State.ACCEPTED
    (*_, submission) = house.app.submissions.overview(REF)
    assert submission["state"] == "accepted"
    assert (submission["receipt"]["kind"], submission["receipt"]["reference"]) == ("manual", "7654321")
    house.app.submissions.approve(REF, "approver")
    house.until_idle()
    assert finished(house) == []
    with pytest.raises(PolicyError, match="7654321"):
        record(house, "ann")


def test_two_people_must_say_the_same_of_a_receipt(make_house: MakeHouse) -> None:
    house = make_house()
    house.approved()
    record(house, "ann", "1")
    assert record(house, "bob", "2").missing == 1
    assert record(house, "ann", "2").state is State.ACCEPTED
    assert house.submission()["receipt"]["reference"] == "2"


@pytest.mark.parametrize("begun", ["unapproved", "approved", "delivering", "rejected", "revised"])
def test_a_receipt_that_is_none_lets_it_go_on_where_it_stood(make_house: MakeHouse, begun: str) -> None:
    house = make_house({"delivering": "finish refuse", "rejected": "submit code=4100"}.get(begun, ""))
    if begun == "unapproved":
        house.app.cases.add(write_case(house.folder / "cases", REF), "preparer")
    else:
        house.approved()
    if begun in ("delivering", "rejected"):
        house.work()
    if begun == "delivering":
        assert state(house) == "delivering"
        house.double.faults.faults.clear()
    record(house, "ann")
    with pytest.raises(PolicyError, match="record-receipt"):
        resolve(house, "bob", "7654321")
    with pytest.raises(PolicyError, match="filed elsewhere"):
        withdraw(house)
    if begun == "revised":
        changed = write_case(house.folder / "again", REF, actions=[{"kind": "removal", "at": "2026-11-18T10:05:00Z"}])
        house.app.cases.revise(REF, changed, "preparer")
    resolve(house, "bob")
    house.until_idle()
    ends = {"unapproved": "ready", "revised": "ready", "rejected": "rejected"}
    assert state(house) == ends.get(begun, "accepted")
    assert len(finished(house)) == (begun not in ends)


def test_a_receipt_is_of_the_past_and_of_a_confirmed_case(make_house: MakeHouse) -> None:
    house = make_house()
    confirmation = {"decision": "pending", "by": "r", "at": "2026-11-18T10:04:30Z", "basis": "SYNTHETIC"}
    house.app.cases.add(write_case(house.folder / "cases", REF, confirmation=confirmation), "preparer")
    with pytest.raises(PolicyError, match="law 1"):
        record(house, "ann")
    future = house.clock.now() + timedelta(seconds=1)
    with pytest.raises(UsageError, match="future"):
        house.app.resolutions.record_receipt(REF, "ncmec", "ann", "why", "1", future)
    assert [entry["state"] for entry in house.app.submissions.overview(REF)] == ["draft"]


def test_a_receipt_recorded_during_a_call_stops_the_worker(make_house: MakeHouse) -> None:
    house = make_house()
    house.approved(files={"e1": b"harmless one"})
    came = during(house, "upload:e1", lambda: record(house, "ann"))
    assert house.work() is None
    assert isinstance(came[0], Decided)
    house.until_idle()
    assert record(house, "bob").state is State.ACCEPTED
    house.until_idle()
    assert finished(house) == []


# --- rejections and versions ------------------------------------------------------------------------------------


def test_the_authoritys_words_are_read_on_record(make_house: MakeHouse) -> None:
    house = make_house("submit:1 code=4100")
    house.approved()
    house.until_idle()
    (words,) = house.app.standings.words(REF, "carl")
    assert words.call is not None and words.call.step == "open"
    assert b"<responseCode>4100</responseCode>" in words.answer
    assert b"POST" not in words.answer
    assert "responseCode" not in repr(words)
    assert events(house)[-1] == ("words_read", "carl")


def test_a_corrected_case_is_a_new_version_in_place_of_the_refused_one(make_house: MakeHouse) -> None:
    house = make_house("submit:1 code=4100")
    house.approved()
    house.until_idle()
    changed = write_case(house.folder / "again", REF, actions=[{"kind": "removal", "at": "2026-11-18T10:05:00Z"}])
    house.app.cases.revise(REF, changed, "preparer")
    house.app.submissions.approve(REF, "approver")
    assert [s.version for s in house.app.standings.unsettled()[0]] == [2], "what was superseded waits for nobody"
    house.until_idle()
    versions = [(e["version"], e["supersedes"], e["state"]) for e in house.app.submissions.overview(REF)]
    assert versions == [(1, None, "rejected"), (2, 1, "accepted")]


@pytest.mark.parametrize("end", ["accepted", "in_doubt", "attention", "delivering"])
def test_there_is_never_a_second_version_beside_what_may_be_filed(make_house: MakeHouse, end: str) -> None:
    faults = {"in_doubt": FILED, "attention": "submit code=9", "delivering": "finish drop_before"}
    house = make_house(faults.get(end, ""))
    house.approved()
    if end == "delivering":
        house.work()
    else:
        house.until_idle()
    assert state(house) == end
    changed = write_case(house.folder / "again", REF, actions=[{"kind": "removal", "at": "2026-11-18T10:05:00Z"}])
    house.app.cases.revise(REF, changed, "preparer")
    (again,) = house.app.submissions.approve(REF, "approver")
    assert again.state == end
    assert len(house.app.submissions.overview(REF)) == 1


# --- the list ---------------------------------------------------------------------------------------------------


def test_the_worst_comes_first_with_what_is_known_of_it(make_house: MakeHouse) -> None:
    house = make_house()
    ends = {
        "TEST-000001": ("submit code=4100", "rejected"),
        "TEST-000002": ("submit code=9", "attention"),
        "TEST-000003": (FILED, "in_doubt"),
        "TEST-000004": ("finish refuse", "delivering"),
        "TEST-000005": ("", "approved"),
        "TEST-000006": ("", "accepted"),
    }
    for reference in ("TEST-000006", *list(ends)[:5]):
        faults, end = ends[reference]
        house.double.faults.faults.clear()
        house.double.faults.add(faults)
        house.approved(reference, files={"e1": b"harmless one"})
        if end == "delivering":
            house.work()
        elif end != "approved":
            house.until_idle()
        assert house.submission(reference)["state"] == end
    found, total = house.app.standings.unsettled()
    assert total == 5
    assert [(standing.reference, standing.state.value) for standing in found] == [
        ("TEST-000003", "in_doubt"),
        ("TEST-000002", "attention"),
        ("TEST-000001", "rejected"),
        ("TEST-000004", "delivering"),
        ("TEST-000005", "approved"),
    ]
    doubtful, waiting = found[0], found[3]
    assert doubtful.ids["report_id"] in finished(house)
    assert doubtful.sent == ["open", "upload:e1", "details:e1"]
    assert doubtful.last is not None and (doubtful.last.step, doubtful.last.code) == ("finish", "5001")
    assert doubtful.asked is not None and doubtful.asked.request_id
    assert doubtful.due is None and waiting.due is not None and waiting.due > house.clock.now()
    only, total = house.app.standings.unsettled(in_doubt=True)
    assert ([standing.reference for standing in only], total) == (["TEST-000003"], 1)
    assert len(house.app.standings.unsettled(limit=2)[0]) == 2
