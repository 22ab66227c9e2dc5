"""Deliveries through the real engine, ledger and NCMEC adapter, against the CyberTipline double."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from reporter.authority import Answer, Call
from reporter.delivery.model import LeaseLostError
from reporter.testing.documents import write_case
from reporter.testing.house import House

FILES = {"e1": b"harmless one", "e2": b"harmless two"}
MakeHouse = Callable[..., House]


class Killed(BaseException):
    """The process dies here."""


@pytest.fixture
def make_house(tmp_path: Path, engine: Engine) -> MakeHouse:
    return lambda faults="": House(tmp_path, faults=faults, database=engine)


def finished(house: House) -> list[object]:
    return [report for report in house.double.reports.values() if report.state == "finished"]


def steps(house: House, reference: str = "TEST-000001") -> list[str]:
    return [f"{call.step} {call.outcome}" for call in house.app.deliveries.calls(reference)]


def test_a_case_becomes_one_report_with_its_receipt(make_house: MakeHouse) -> None:
    house = make_house()
    house.approved(files=FILES)
    house.until_idle()
    (report,) = finished(house)
    submission = house.submission()
    assert submission["state"] == "accepted"
    assert submission["attempts"] == 1
    assert submission["receipt"]["kind"] == "acknowledged"
    assert submission["receipt"]["reference"] == str(report.id)
    assert sorted(file.content for file in report.files.values()) == sorted(FILES.values())


def test_the_raw_finish_answer_is_kept_sealed(make_house: MakeHouse) -> None:
    house = make_house()
    house.approved()
    house.until_idle()
    calls = house.app.deliveries.calls("TEST-000001")
    with house.app.database.connect() as connection:
        exchange = house.app.bodies.open(connection, calls[-1].exchange_body)
    assert b"reportDoneResponse" in exchange
    assert b"POST /ispws/finish" in exchange
    assert b"uthorization" not in exchange
    assert b"pswd456" not in exchange


@pytest.mark.parametrize(
    "fault",
    [
        "submit:1 drop_before", "submit:1 drop_after", "upload:1 drop_before", "upload:2 drop_after",
        "fileinfo:1 drop_before", "fileinfo:2 drop_after", "finish:1 drop_before", "finish:1 drop_after",
        "submit:1 refuse", "upload:1 refuse", "finish:1 refuse",
        "submit:1 status=503", "upload:1 status=503", "finish:1 status=500 processed", "finish:1 html",
        "submit:1 truncate", "upload:1 cut", "finish:1 truncate", "finish:1 oversize",
        "upload:1 wrong_digest", "upload:1 code=1110 processed", "finish:1 code=1300", "finish:1 code=1100 processed",
        "submit:1 throttle=120", "upload:1 throttle=5", "finish:1 throttle=60",
        "submit:1 code=5001", "finish:1 code=1000",
    ],
)  # fmt: skip
def test_one_fault_costs_no_report_and_files_none_twice(make_house: MakeHouse, fault: str) -> None:
    house = make_house(fault)
    house.approved(files=FILES)
    house.until_idle()
    assert [entry.fired for entry in house.double.faults.faults] == [1]
    assert len(finished(house)) == 1
    assert house.submission()["state"] == "accepted"
    (report,) = finished(house)
    assert sorted(file.content for file in report.files.values()) == sorted(FILES.values())


def test_a_wrong_password_stops_the_lane_until_it_is_mended(make_house: MakeHouse) -> None:
    house = make_house()
    house.approved()
    house.app.secrets.set("ncmec-password", "wrong", "op")
    house.until_idle()
    assert house.submission()["state"] == "delivering"
    assert finished(house) == []
    house.restart()
    _, resumed = house.app.secrets.set("ncmec-password", "pswd456", "op")
    assert resumed == ["ncmec:sandbox"]
    house.restart()
    house.until_idle()
    assert house.submission()["state"] == "accepted"


def test_a_password_that_another_process_sets_is_taken_up_without_a_restart(make_house: MakeHouse) -> None:
    house = make_house()
    house.approved()
    app, connections = house.app, []
    connections.append(app.deliveries.connection("ncmec"))
    house.restart()
    house.app.secrets.set("ncmec-password", "wrong", "op")
    worker, house.app = app, app
    house.until_idle()
    assert finished(house) == []
    house.restart()
    house.app.secrets.set("ncmec-password", "pswd456", "op")
    house.app = worker
    house.until_idle()
    assert house.submission()["state"] == "accepted"
    connections.append(app.deliveries.connection("ncmec"))
    assert connections[0] is not connections[1] is app.deliveries.connection("ncmec")


def test_a_refused_report_goes_back_to_a_person(make_house: MakeHouse) -> None:
    house = make_house("submit:1 code=4100")
    house.approved()
    house.until_idle()
    submission = house.submission()
    assert (submission["state"], submission["receipt"]) == ("rejected", None)
    assert "4100" in submission["reason"]
    house.app.submissions.approve("TEST-000001", "approver")
    house.until_idle()
    states = [entry["state"] for entry in house.app.submissions.overview("TEST-000001")]
    assert states == ["rejected", "accepted"]


def kill_after(house: House, step: str) -> None:
    """Let the call of ``step`` happen, and the process die before it can write down what came of it."""
    connection = house.app.deliveries.connection("ncmec")
    perform = connection.perform

    def perform_and_die(call: Call) -> Answer:
        answer = perform(call)
        if call.step.key == step:
            raise Killed
        return answer

    connection.perform = perform_and_die  # type: ignore[method-assign]


@pytest.mark.parametrize("step", ["open", "upload:e1", "details:e1", "upload:e2", "details:e2", "finish"])
def test_a_process_killed_between_answer_and_commit_files_once(make_house: MakeHouse, step: str) -> None:
    house = make_house()
    house.approved(files=FILES)
    kill_after(house, step)
    with pytest.raises(Killed):
        house.work()
    house.restart()
    house.until_idle()
    assert len(finished(house)) == 1
    assert house.submission()["state"] == "accepted"
    expected = "inferred" if step == "finish" else "acknowledged"
    assert house.submission()["receipt"]["kind"] == expected


def test_a_worker_whose_lease_passed_on_changes_nothing_and_its_receipt_is_taken(make_house: MakeHouse) -> None:
    house = make_house()
    house.approved()
    connection = house.app.deliveries.connection("ncmec")
    perform = connection.perform
    seen: list[str] = []

    def pause_at_finish(call: Call) -> Answer:
        answer = perform(call)
        if call.step.key == "finish" and not seen:
            seen.append("paused")
            house.clock.advance(timedelta(hours=1))
            house.until_idle()
        return answer

    connection.perform = pause_at_finish  # type: ignore[method-assign]
    assert house.work("first") is None
    assert seen == ["paused"]
    assert len(finished(house)) == 1
    assert house.submission()["state"] == "accepted"
    late = house.app.deliveries.calls("TEST-000001")[1]
    assert (late.step, late.outcome, late.reference != "") == ("finish", "accepted", True)


def test_a_long_upload_keeps_its_lease(make_house: MakeHouse) -> None:
    house = make_house()
    house.approved(files={"e1": bytes(3 << 20)})
    ticks = []
    claim = house.app.deliveries.queue.claim("w", house.app.deliveries.lanes)
    assert claim is not None
    extend = house.app.deliveries.engine._ledger.extend

    def count(of: object) -> None:
        ticks.append(house.clock.now())
        extend(of)

    house.app.deliveries.engine._ledger.extend = count  # type: ignore[method-assign, assignment]
    connection = house.app.deliveries.connection("ncmec")
    perform = connection.perform

    def slow(call: Call) -> Answer:
        beat = call.heartbeat

        def tick() -> None:
            house.clock.advance(timedelta(seconds=30))
            beat()

        return perform(replace(call, heartbeat=tick))

    connection.perform = slow  # type: ignore[method-assign]
    result = house.app.deliveries.engine.work(claim)
    assert result is not None
    assert house.submission()["state"] == "accepted"
    assert len(ticks) > 3


def test_a_lease_lost_during_a_call_ends_the_work(make_house: MakeHouse) -> None:
    house = make_house()
    house.approved()
    claim = house.app.deliveries.queue.claim("first", house.app.deliveries.lanes)
    assert claim is not None
    house.clock.advance(timedelta(hours=1))
    assert house.app.deliveries.queue.claim("second", house.app.deliveries.lanes) is not None
    with pytest.raises(LeaseLostError):
        house.app.deliveries.engine._ledger.extend(claim)
    assert house.app.deliveries.engine.work(claim) is None
    assert house.double.requests == []


def test_urgent_submissions_overtake_the_rest(make_house: MakeHouse) -> None:
    house = make_house()
    for number in range(3):
        house.approved(f"ROUTINE-{number:03}")
    house.approved(
        "URGENT-001",
        incident={
            "type": "online_enticement",
            "occurred_at": "2026-11-18T09:55:00Z",
            "urgency": {"level": "immediate", "reason": "SYNTHETIC: meeting arranged."},
        },
    )
    result = house.work()
    assert result is not None
    assert house.app.submissions.where(result.submission_id)["reference"] == "URGENT-001"


def test_a_revision_voids_an_approval_that_delivery_has_not_begun(make_house: MakeHouse, tmp_path: Path) -> None:
    house = make_house()
    house.approved()
    changed = write_case(tmp_path / "again", incident={"type": "csam", "occurred_at": "2026-11-18T09:56:00Z"})
    house.app.cases.revise("TEST-000001", changed, "preparer")
    assert house.submission()["state"] == "ready"
    assert house.work() is None
    house.app.submissions.approve("TEST-000001", "approver")
    house.until_idle()
    assert house.submission()["state"] == "accepted"


def test_broken_evidence_is_never_filed_and_a_person_is_told(make_house: MakeHouse) -> None:
    house = make_house()
    house.approved(files=FILES)
    sealed = next(path for path in (house.folder / "home" / "objects").rglob("*") if path.is_file())
    content = bytearray(sealed.read_bytes())
    content[-1] ^= 1
    sealed.chmod(0o600)
    sealed.write_bytes(content)
    house.until_idle()
    assert finished(house) == []
    submission = house.submission()
    assert submission["state"] == "attention"
    assert "TEST-000001" in submission["reason"]
