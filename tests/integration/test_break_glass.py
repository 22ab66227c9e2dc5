"""An immediate risk may be approved by one person, is sent at once, and is reviewed by another within a day."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from sqlmodel import col

from reporter.actors.model import Role
from reporter.audit import service as audit
from reporter.db.engine import transaction
from reporter.errors import PolicyError, UsageError
from reporter.submissions.approvals import VERB
from reporter.submissions.tables import Approval, BreakGlass
from reporter.tasks.model import Kind
from reporter.testing.documents import write_case
from reporter.testing.house import House
from reporter.testing.people import People

REF = "TEST-000001"
REASON = "SYNTHETIC: nobody else is on duty."
LEAD = frozenset({Role.ESCALATION_LEAD, Role.COMPLIANCE})


def incident(level: str = "immediate") -> dict[str, Any]:
    urgency = {"level": level, "reason": "SYNTHETIC.", "assessed_by": "robin", "assessed_at": "2026-11-18T10:04:00Z"}
    return {"type": "csam", "occurred_at": "2026-11-18T09:55:00Z", "urgency": urgency}


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    add(house)
    return house


def add(house: House, level: str = "immediate") -> None:
    files = {"e1": b"harmless"}
    made = write_case(house.folder / "cases", REF, files=files, incident=incident(level))
    house.app.cases.add(made, "preparer")


def events(house: House) -> list[str]:
    with transaction(house.app.database) as connection:
        return [event.kind for event in audit.events(connection, REF)]


def alarms(house: House) -> set[str]:
    house.app.alarms.watch.check()
    return {standing.matter.kind.value for standing in house.app.alarms.register.standing()}


def test_whoever_prepared_it_may_send_it_alone_and_somebody_else_reviews_it(house: House) -> None:
    (approved,) = house.app.submissions.approve(REF, "preparer", alone=REASON)
    assert (approved.state, approved.missing) == ("approved", 0)
    house.until_idle()
    assert house.submission()["state"] == "accepted"
    review = next(task for task in house.app.tasks.desk.tasks() if task.kind is Kind.REVIEW)
    assert review.due is not None and review.due <= house.clock.now() + timedelta(days=1)
    with pytest.raises(PolicyError, match="different person"):
        house.app.emergencies.review(REF, "ncmec", "preparer", "Mine.", agree=True)
    (shown,) = house.app.emergencies.waiting(REF, "ncmec", "dana")
    assert (shown.actor, shown.reason) == ("preparer", REASON)
    (reviewed,) = house.app.emergencies.review(REF, "ncmec", "dana", "It was not so.", agree=False)
    assert (reviewed.verdict, reviewed.reviewed_by) == ("disagreed", "dana")
    assert house.submission()["state"] == "accepted"  # it cannot be unsent
    alarms(house)
    assert house.app.tasks.desk.tasks() == []
    told = events(house)
    assert told.index("break_glass") < told.index("submission_accepted") < told.index("break_glass_reviewed")
    with pytest.raises(PolicyError, match="Nothing"):
        house.app.emergencies.review(REF, "ncmec", "dana", "Again.", agree=True)


@pytest.mark.parametrize("level", ["near_future", "routine"])
def test_what_is_no_immediate_risk_takes_everybody_it_takes(tmp_path: Path, level: str) -> None:
    house = House(tmp_path)
    add(house, level)
    with pytest.raises(PolicyError, match="no immediate risk"):
        house.app.submissions.approve(REF, "dana", alone=REASON)
    assert "break_glass" not in events(house)
    with pytest.raises(PolicyError, match="different person"):
        house.app.submissions.approve(REF, "preparer")


def test_it_takes_a_reason_and_a_confirmed_case(house: House) -> None:
    with pytest.raises(UsageError, match="--reason"):
        house.app.submissions.approve(REF, "dana", alone="  ")
    house.app.submissions.approve(REF, "dana", alone=REASON)
    with pytest.raises(UsageError, match="reason"):
        house.app.emergencies.review(REF, "ncmec", "robin", " ", agree=True)


def test_a_house_of_three_needs_one_and_whoever_approved_before_may_go_on_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPORTER_APPROVAL__PEOPLE", "3")
    house = House(tmp_path)
    add(house)
    assert house.app.submissions.approve(REF, "dana")[0].missing == 1
    assert house.app.submissions.approve(REF, "dana", alone=REASON)[0].state == "approved"


def test_it_alarms_at_once_and_again_when_nobody_has_reviewed_it_in_a_day(house: House) -> None:
    house.app.submissions.approve(REF, "preparer", alone=REASON)
    standing = house.app.alarms.register.standing()
    assert "break_glass" in {alarm.matter.kind.value for alarm in standing}  # without waiting for a look
    house.until_idle()
    assert "task_overdue" not in alarms(house)
    house.clock.advance(timedelta(days=1))
    assert {"break_glass", "task_overdue"} <= alarms(house)
    house.app.emergencies.review(REF, "ncmec", "dana", "It was real.", agree=True)
    assert not {"break_glass", "task_overdue"} & alarms(house)


def test_a_revision_takes_it_back_and_its_use_is_still_reviewed(house: House) -> None:
    house.app.submissions.approve(REF, "preparer", alone=REASON)
    file = house.folder / "cases" / REF / "case.json"
    file.write_text(file.read_text().replace("https://forum.example/p/1", "https://forum.example/p/2"))
    house.app.cases.revise(REF, file.parent, "preparer")
    assert house.submission()["state"] == "ready"
    with pytest.raises(PolicyError, match="different person"):
        house.app.submissions.approve(REF, "preparer")
    assert house.app.emergencies.waiting(REF, "ncmec", "dana")


# --- outside the sandbox ----------------------------------------------------------------------------------------


@pytest.fixture
def beyond(house: House) -> tuple[House, People]:
    house.beyond_the_sandbox()
    return house, People(house.app, {"dana": LEAD, "robin": LEAD})


def test_outside_the_sandbox_it_is_signed_as_what_it_is(beyond: tuple[House, People]) -> None:
    house, people = beyond
    with pytest.raises(PolicyError, match="signed"):
        house.app.submissions.approve(REF, "dana", alone=REASON)
    house.app.submissions.approve(REF, "dana", witness=people.acts("dana", VERB).state, alone=REASON)
    house.until_idle()
    assert house.submission()["state"] == "accepted"


def test_no_row_in_the_database_makes_an_ordinary_approval_one(
    beyond: tuple[House, People], monkeypatch: pytest.MonkeyPatch
) -> None:
    house, people = beyond
    house.app.submissions.approve(REF, "dana", witness=people.acts("dana", VERB).state, alone=REASON)
    with transaction(house.app.database) as connection:
        connection.execute(update(BreakGlass).values(statement=None))
        glass = connection.execute(select(col(BreakGlass.submission_id), col(BreakGlass.digest))).one()
        subject = {"reference": REF, "authority": "ncmec", "environment": "test", "digest": glass.digest}
        ordinary = people.acts("robin", VERB).state(connection, subject)
        connection.execute(update(BreakGlass).values(statement=ordinary, actor="robin"))
        connection.execute(delete(Approval))
        connection.execute(
            insert(Approval).values(
                submission_id=glass.submission_id, actor="robin", digest=glass.digest, at=house.clock.now(),
                statement=ordinary,
            )
        )  # fmt: skip
    house.until_idle()
    assert house.submission()["state"] == "attention"
