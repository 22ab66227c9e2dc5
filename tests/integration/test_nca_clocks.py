"""A case for the NCA from approval at night to acceptance: who telephones, by when, and what acceptance ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reporter.cli.task import data
from reporter.submissions.duties import LEVELS
from reporter.tasks.model import Kind, Task
from reporter.testing.documents import aware_at, write_case
from reporter.testing.house import House
from tests.integration.nca_house import nca_case, nca_house

REF = "TEST-000001"
MONDAY = datetime(2026, 11, 23, 10, tzinfo=UTC)
NIGHT = datetime(2026, 11, 24, 2, 10, tzinfo=UTC)
MINUTES = timedelta(minutes=1)


def urgent(at: datetime, level: str = "immediate") -> dict[str, Any]:
    incident = {**nca_case()["incident"], "urgency": {"level": level, "reason": "SYNTHETIC."}}
    return {**nca_case(incident=incident), **aware_at(at)}


def approved(house: House, at: datetime, level: str = "immediate") -> None:
    house.clock.advance_to(at)
    folder = write_case(house.folder / "cases", REF, files={"e1": b"harmless"}, **urgent(at, level))
    house.app.cases.add(folder, "preparer")
    house.app.submissions.approve(REF, "approver")


def tasks(house: House) -> dict[Kind, Task]:
    return {task.kind: task for task in house.app.tasks.desk.tasks()}


@pytest.mark.parametrize("level", ["immediate", "near_future"])
def test_approved_at_night_it_is_sent_at_once_and_telephoned_whatever_becomes_of_it(tmp_path: Path, level: str) -> None:
    house = nca_house(tmp_path, idempotency=True, look_up=True)
    approved(house, NIGHT, level)
    call = tasks(house)[Kind.OUT_OF_HOURS]  # at once, without a look of a worker
    assert (call.due, call.level, call.authority) == (NIGHT + 15 * MINUTES, LEVELS[level], "nca")  # type: ignore[index]
    assert data(call)["basis"] == "target"
    house.until_idle()
    assert house.submission()["state"] == "accepted"
    house.app.alarms.watch.check()
    assert set(tasks(house)) == {Kind.OUT_OF_HOURS}


def test_what_the_portal_does_not_take_by_day_goes_by_the_contingency_until_it_does(tmp_path: Path) -> None:
    house = nca_house(tmp_path, "reports:1 code=401", idempotency=True, look_up=True)
    approved(house, MONDAY)
    assert set(tasks(house)) == {Kind.REPORT}
    house.work()
    house.app.alarms.watch.check()
    assert tasks(house)[Kind.CONTINGENCY].due == house.clock.now() + 15 * MINUTES
    house.app.authorities.probe("nca", "op")
    house.until_idle()
    assert house.submission()["state"] == "accepted"
    house.app.alarms.watch.check()
    assert tasks(house) == {}


def test_an_immediate_risk_that_is_not_accepted_in_time_is_telephoned(tmp_path: Path) -> None:
    house = nca_house(tmp_path, idempotency=True, look_up=True)
    approved(house, MONDAY)
    house.clock.advance(15 * MINUTES)
    house.app.alarms.watch.check()
    assert tasks(house)[Kind.URGENT_CALL].due == MONDAY + 30 * MINUTES
    kinds = {alarm.matter.kind.value for alarm in house.app.alarms.register.standing()}
    assert {"task_due", "task_overdue", "urgent_undelivered"} <= kinds


def test_level_three_waits_by_day_and_by_night(tmp_path: Path) -> None:
    house = nca_house(tmp_path, idempotency=True, look_up=True)
    approved(house, NIGHT, "routine")
    assert set(tasks(house)) == {Kind.REPORT}
