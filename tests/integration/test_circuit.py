"""An outage of the authority: the lane rests, is probed, and goes on; a filing call that may have arrived goes on."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from reporter.authority import Answer, Call
from reporter.delivery.circuit import LONGEST, THRESHOLD, Breaker
from reporter.delivery.queue import URGENT
from reporter.testing.house import House


@pytest.fixture
def house(tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setenv("REPORTER_DELIVERY__CONCURRENCY", "1")
    return House(tmp_path, database=engine)


def seen(house: House, endpoint: str) -> int:
    return sum(request.endpoint == endpoint for request in house.double.requests)


def test_an_outage_opens_the_circuit_and_costs_the_waiting_no_attempt(house: House) -> None:
    for number in range(THRESHOLD + 5):
        house.approved(f"WAITING-{number:03}")
    house.double.faults.add("* refuse")
    house.app.deliveries.worker().once()
    untouched = [n for n in range(THRESHOLD + 5) if not house.app.deliveries.calls(f"WAITING-{n:03}")]
    assert len(untouched) == 5
    assert house.app.deliveries.queue.claim("w", house.app.deliveries.lanes) is None


def test_the_authority_is_probed_and_everything_goes_on_when_it_is_back(house: House) -> None:
    for number in range(THRESHOLD + 5):
        house.approved(f"WAITING-{number:03}")
    house.double.faults.add("submit:1-15 refuse")
    house.double.faults.add("status:1-3 refuse")
    house.app.deliveries.worker().until_idle()
    assert seen(house, "status") == 4
    assert sum(report.state == "finished" for report in house.double.reports.values()) == THRESHOLD + 5


def test_a_lost_filing_is_repeated_while_the_circuit_is_open(house: House) -> None:
    house.approved("FILING-0001")
    house.clock.advance(timedelta(seconds=1))
    for number in range(2 * THRESHOLD):
        house.approved(f"WAITING-{number:03}")
    house.double.faults.add("finish:1 drop_after")
    house.work()
    house.double.faults.add("submit refuse\nstatus refuse")
    worker = house.app.deliveries.worker()
    worker.once()
    house.clock.advance(timedelta(minutes=6))
    submitted = seen(house, "submit")
    worker.once()
    assert seen(house, "submit") == submitted, "the circuit is open"
    assert house.submission("FILING-0001")["state"] == "accepted"


def test_one_caller_probes_and_probes_grow_apart_to_minutes(house: House) -> None:
    lanes = house.app.deliveries.lanes
    breaker = Breaker(house.app.database, house.clock, timedelta(seconds=2))
    house.approved()
    house.double.faults.add("* refuse")
    result = house.work()
    assert result is not None
    for _ in range(THRESHOLD):
        breaker.note(lanes[0], result.last)
    gaps = []
    for _ in range(12):
        before = house.clock.now()
        probe = breaker.next_probe(lanes)
        assert probe is not None
        gaps.append(probe - before)
        assert breaker.probes_due(lanes) == []
        house.clock.advance_to(probe)
        assert breaker.probes_due(lanes) == lanes
        assert breaker.probes_due(lanes) == []
    assert gaps == sorted(gaps)
    assert gaps[-1] == LONGEST


def test_an_answer_between_failures_keeps_the_circuit_closed(house: House) -> None:
    for number in range(3 * THRESHOLD):
        house.approved(f"WAITING-{number:03}")
    for start in range(3):
        house.double.faults.add(f"submit:{start * 20 + 1}-{start * 20 + 4} drop_before")
    house.app.deliveries.worker().once()
    assert Breaker(house.app.database, house.clock, timedelta(seconds=2)).next_probe(house.app.deliveries.lanes) is None


def test_what_is_urgent_does_not_wait_behind_a_large_upload(house: House) -> None:
    house.approved("LARGE-0001", {"e1": b"harmless"})
    uploading, urgent_filed = threading.Event(), threading.Event()
    connection = house.app.deliveries.connection("ncmec")
    perform = connection.perform

    def slow(call: Call) -> Answer:
        if call.step.key == "upload:e1":
            uploading.set()
            assert urgent_filed.wait(20), "the urgent submission waited behind the upload"
        return perform(call)

    connection.perform = slow  # type: ignore[method-assign]
    worker = house.app.deliveries.worker(
        lambda result: (
            urgent_filed.set()
            if house.app.submissions.where(result.submission_id)["reference"] == "URGENT-001"
            else None
        )
    )
    thread = threading.Thread(target=worker.once)
    thread.start()
    assert uploading.wait(20)
    urgency = {"level": "immediate", "reason": "SYNTHETIC: meeting arranged."}
    incident = {"type": "online_enticement", "occurred_at": "2026-11-18T09:55:00Z", "urgency": urgency}
    house.approved("URGENT-001", incident=incident)
    thread.join(30)
    assert urgent_filed.is_set()
    assert URGENT == 0
