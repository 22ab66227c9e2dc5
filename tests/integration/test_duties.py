"""What the rules ask of a case stands as tasks with clocks, from intake until it is done or not asked any more."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reporter.db.engine import transaction
from reporter.errors import UsageError
from reporter.submissions.duties import ask_again
from reporter.tasks.model import Basis, Kind, Outcome, Task
from reporter.testing.documents import write_case
from reporter.testing.house import House

REF = "TEST-000001"
AWARE = datetime(2026, 11, 18, 10, tzinfo=UTC)
PENDING = {"decision": "pending", "by": "robin", "at": "2026-11-18T10:04:30Z", "basis": "SYNTHETIC."}


def pending(**changes: Any) -> dict[str, Any]:
    return {"confirmation": PENDING, **changes}


class Scene:
    def __init__(self, folder: Path) -> None:
        self.house = House(folder)
        self.folder = folder

    def add(self, reference: str = REF, **changes: Any) -> None:
        files = None if changes.pop("account_only", False) else {"e1": b"harmless"}
        self.house.app.cases.add(write_case(self.folder / "cases", reference, files=files, **changes), "robin")

    def revise(self, **changes: Any) -> None:
        file = self.folder / "cases" / REF / "case.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
        self.house.app.cases.revise(REF, file.parent, "robin")

    def tasks(self) -> list[Task]:
        return self.house.app.tasks.desk.tasks(reference=REF)

    def kinds(self) -> list[tuple[str, str]]:
        return sorted((task.kind.value, task.authority) for task in self.tasks())


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setenv("REPORTER_ORGANISATION__SERVES", '["US", "DE"]')
    return Scene(tmp_path)


def test_a_confirmed_case_has_a_clock_for_each_authority_that_must_be_told(scene: Scene) -> None:
    scene.add()
    assert scene.kinds() == [("report", "ncmec"), ("tell", "de-bka"), ("tell", "eu-police")]
    report = next(task for task in scene.tasks() if task.kind is Kind.REPORT)
    assert (report.due, report.basis) == (AWARE + timedelta(hours=24), Basis.TARGET)
    assert (report.rule, report.level) == ("us-2258a/2", 3)


def test_a_pending_case_waits_for_judgement_with_the_soonest_of_its_clocks(scene: Scene) -> None:
    scene.add(
        **pending(incident={"type": "csam", "urgency": {"level": "immediate"}, "occurred_at": "2026-11-18T09:55:00Z"})
    )
    (judge,) = scene.tasks()
    assert (judge.kind, judge.due, judge.level) == (Kind.JUDGE, AWARE + timedelta(hours=1), 1)
    scene.house.app.cases.confirm(REF, "SYNTHETIC.", "robin")
    assert scene.kinds() == [("report", "ncmec"), ("tell", "de-bka"), ("tell", "eu-police")]


def test_clocks_follow_the_case_and_end_with_it(scene: Scene) -> None:
    scene.add()
    incident = {"type": "csam", "occurred_at": "2026-11-18T09:55:00Z"}
    scene.revise(incident={**incident, "urgency": {"level": "immediate"}})
    urgent = {(task.authority, task.due, task.level) for task in scene.tasks()}
    assert ("ncmec", AWARE + timedelta(hours=1), 1) in urgent
    scene.revise(incident=incident)  # it was a mistake: the clock is the later one again
    assert {task.level for task in scene.tasks()} == {3}
    scene.revise(
        confirmation={"decision": "not_confirmed", "by": "robin", "at": "2026-11-19T10:00:00Z", "basis": "None."}
    )
    assert scene.tasks() == []


def test_who_was_told_by_hand_is_not_told_again(scene: Scene) -> None:
    scene.add()
    told = next(task for task in scene.tasks() if task.authority == "de-bka")
    for person in ("robin", "dana"):
        scene.house.app.tasks.desk.done(told.id, person, Outcome.DONE, "By their portal.", "BKA-7")
    scene.revise(incident={"type": "csam", "occurred_at": "2026-11-18T09:55:00Z", "summary": "SYNTHETIC: more."})
    assert scene.kinds() == [("report", "ncmec"), ("tell", "eu-police")]


def test_what_the_authority_accepted_is_not_asked_again(scene: Scene) -> None:
    scene.add()
    scene.house.app.submissions.approve(REF, "dana")
    scene.house.until_idle()
    scene.house.app.alarms.watch.check()
    assert scene.kinds() == [("tell", "de-bka"), ("tell", "eu-police")]
    scene.revise(incident={"type": "csam", "occurred_at": "2026-11-18T09:55:00Z", "summary": "SYNTHETIC: more."})
    assert scene.kinds() == [("tell", "de-bka"), ("tell", "eu-police")]


def test_an_account_alone_never_goes_to_the_ncas_portal_and_may_go_to_the_police(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPORTER_ORGANISATION__ESTABLISHED_IN", "GB")
    monkeypatch.setenv("REPORTER_ORGANISATION__SERVES", '["GB"]')
    scene = Scene(tmp_path)
    scene.add(account_only=True, locations=[])
    assert scene.kinds() == [("may_tell", "uk-police")]
    (task,) = scene.tasks()
    scene.house.app.tasks.desk.done(task.id, "robin", Outcome.NOT_NEEDED, "The police sent it to us.")
    assert scene.house.app.tasks.desk.done(task.id, "dana", Outcome.NOT_NEEDED, "As robin says.").missing == 0


def test_a_change_of_the_house_reaches_the_cases_on_record(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.add()
    monkeypatch.setenv("REPORTER_ORGANISATION__SERVES", '["US"]')
    monkeypatch.setenv("REPORTER_TARGETS__US-2258A", '{"routine": {"hours": 2}}')
    scene.house.restart()
    app = scene.house.app
    assert ask_again(app.database, app.cases, app.duties, "robin") == (1, [])
    (report,) = scene.tasks()
    assert report.due == AWARE + timedelta(hours=2)
    before = scene.tasks()
    ask_again(app.database, app.cases, app.duties, "robin")
    assert scene.tasks() == before


def test_a_request_for_information_has_seven_days_from_when_it_came(tmp_path: Path) -> None:
    house = House(tmp_path)
    now, duties = house.clock.now(), house.app.duties
    with transaction(house.app.database) as connection:
        number = duties.request(connection, "nca", "IR-1", now - timedelta(days=1), None, "robin")
        assert duties.request(connection, "nca", "IR-1", now - timedelta(days=1), None, "dana") == number
        with pytest.raises(UsageError, match="future"):
            duties.request(connection, "nca", "IR-2", now + timedelta(minutes=1), None, "robin")
        with pytest.raises(UsageError, match="No rule"):
            duties.request(connection, "ncmec", "IR-2", now, None, "robin")
    task = house.app.tasks.desk.show(number)
    assert (task.due, task.basis, task.rule) == (now + timedelta(days=6), Basis.LAW, "uk-nca-request/1")
    assert house.app.tasks.desk.done(number, "dana", Outcome.DONE, "Answered by their portal.").missing == 0
