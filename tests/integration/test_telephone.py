"""What is urgent and stuck, or sent out of hours, is telephoned by a person; on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Engine, insert, update
from sqlmodel import col

from reporter.db.engine import transaction
from reporter.delivery.clocks import Clocks
from reporter.delivery.tables import Circuit, LanePause, Quarantine
from reporter.organisation import Organisation
from reporter.rules.model import Length
from reporter.rules.reading import shipped
from reporter.submissions.routing import Router
from reporter.submissions.tables import Submission
from reporter.tasks.model import Kind, Outcome, Task
from reporter.tasks.service import close_task, open_task, open_tasks

HERE = Organisation(name="Example", established_in="GB", serves=("GB",))
MONDAY = datetime(2026, 11, 23, 10, tzinfo=UTC)  # the office is open from 07:00 until 17:00
NIGHT = datetime(2026, 11, 23, 22, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WITHIN = 15 * MINUTE


class Scene:
    def __init__(self, engine: Engine) -> None:
        self.engine, self.clocks = engine, Clocks(Router(shipped(), HERE))

    def submit(self, at: datetime, level: int = 1, authority: str = "nca", state: str = "approved") -> str:
        number = uuid4().hex
        with transaction(self.engine) as connection:
            connection.execute(
                insert(Submission).values(
                    id=number, reference=number, authority=authority, environment="sandbox", version=1, revision=1,
                    state=state, digest="", level=level, created_at=at, approved_at=at, reason="",
                )
            )  # fmt: skip
        return number

    def put(self, number: str, state: str, at: datetime | None = None) -> None:
        with transaction(self.engine) as connection:
            values = {"state": state, "receipt_at": at}
            connection.execute(update(Submission).where(col(Submission.id) == number).values(**values))

    def add(self, table: type, **values: object) -> None:
        with transaction(self.engine) as connection:
            connection.execute(insert(table).values(**values))

    def look(self, now: datetime) -> list[Task]:
        """Look at ``now``; give the open tasks."""
        with transaction(self.engine) as connection:
            self.clocks.keep(connection, now)
            return open_tasks(connection)

    def kinds(self, now: datetime) -> list[Kind]:
        return [task.kind for task in self.look(now)]

    def report(self, number: str, due: datetime, level: int = 1, authority: str = "nca") -> None:
        with transaction(self.engine) as connection:
            open_task(
                connection, due, kind=Kind.REPORT, about=f"{number} {authority} sandbox", reference=number,
                authority=authority, level=level, due=due, actor="robin",
            )  # fmt: skip


@pytest.fixture
def scene(engine: Engine) -> Scene:
    return Scene(engine)


def test_what_is_sent_within_office_hours_is_telephoned_to_nobody(scene: Scene) -> None:
    number = scene.submit(MONDAY)
    assert scene.look(MONDAY) == []
    scene.put(number, "accepted", MONDAY + MINUTE)
    assert scene.look(NIGHT) == []


def test_what_is_sent_while_the_office_is_closed_is_telephoned_even_if_it_was_accepted_at_once(scene: Scene) -> None:
    number = scene.submit(NIGHT, level=2)
    (task,) = scene.look(NIGHT)
    assert (task.kind, task.due, task.level) == (Kind.OUT_OF_HOURS, NIGHT + WITHIN, 2)
    assert scene.clocks.router.verified()[task.rule] is False  # known from one operator's code alone
    assert scene.clocks.router.verified()["uk-osa-66/1"] is True
    scene.put(number, "accepted", NIGHT + MINUTE)
    assert scene.kinds(NIGHT + 2 * MINUTE) == [Kind.OUT_OF_HOURS]  # its duty stays
    other = scene.submit(NIGHT)
    scene.put(other, "accepted", NIGHT + MINUTE)
    assert len(scene.look(NIGHT + timedelta(hours=8))) == 2  # found by a later look, with its own clock
    assert {task.due for task in scene.look(NIGHT + timedelta(hours=8))} == {NIGHT + WITHIN}


def test_what_is_still_under_way_when_the_office_closes_is_telephoned_from_then(scene: Scene) -> None:
    scene.submit(datetime(2026, 11, 23, 16, 59, tzinfo=UTC))
    closes = datetime(2026, 11, 23, 17, tzinfo=UTC)
    assert scene.look(closes - MINUTE / 60) == []
    (task,) = scene.look(closes + MINUTE)
    assert task.due == closes + WITHIN


@pytest.mark.parametrize(("level", "authority"), [(3, "nca"), (1, "ncmec")])
def test_level_three_and_other_authorities_have_no_such_duty(scene: Scene, level: int, authority: str) -> None:
    scene.submit(NIGHT, level, authority)
    assert scene.look(NIGHT) == []


@pytest.mark.parametrize("trouble", ["circuit", "pause", "quarantine", "attention"])
def test_while_the_authority_does_not_take_it_people_use_the_contingency_and_acceptance_ends_it(
    scene: Scene, trouble: str
) -> None:
    number, since = scene.submit(MONDAY), MONDAY + 5 * MINUTE
    routine = scene.submit(MONDAY, level=3)
    match trouble:
        case "circuit":
            scene.add(Circuit, lane="nca:sandbox", opened_at=since, probe_at=since)
        case "pause":
            scene.add(LanePause, lane="nca:sandbox", since=since, reason="")
        case "quarantine":
            scene.add(Quarantine, since=since, reason="")
        case _:
            scene.put(number, "attention")
    (task,) = scene.look(since)
    assert (task.kind, task.about, task.due) == (Kind.CONTINGENCY, number, since + WITHIN)
    scene.look(since + MINUTE)
    assert scene.look(since + MINUTE)[0].due == since + WITHIN  # a clock that has begun does not begin anew
    scene.put(number, "accepted", since + MINUTE)
    scene.put(routine, "accepted", since + MINUTE)
    assert scene.look(since + 2 * MINUTE) == []


def test_another_authority_that_is_down_is_no_reason(scene: Scene) -> None:
    scene.submit(MONDAY)
    scene.add(Circuit, lane="nca:test", opened_at=MONDAY, probe_at=MONDAY)
    assert scene.look(MONDAY) == []


def test_what_people_have_done_is_not_asked_again_and_what_was_taken_back_ends(scene: Scene) -> None:
    done, back = scene.submit(NIGHT), scene.submit(NIGHT)
    assert scene.kinds(NIGHT) == [Kind.OUT_OF_HOURS] * 2
    with transaction(scene.engine) as connection:
        close_task(connection, NIGHT, kind=Kind.OUT_OF_HOURS, about=done, actor="robin", outcome=Outcome.DONE)
    scene.put(back, "ready")
    assert scene.look(NIGHT + MINUTE) == []
    scene.put(back, "approved")  # approved anew: it is sent out of hours again
    assert [task.about for task in scene.look(NIGHT + MINUTE)] == [back]


@pytest.mark.parametrize("authority", ["ncmec", "nca", "somewhere"])
def test_an_immediate_risk_past_its_clock_is_telephoned_in_every_country(scene: Scene, authority: str) -> None:
    due = MONDAY + WITHIN
    for number, level in (("a", 1), ("b", 2)):
        scene.report(number, due, level, authority)
    assert scene.kinds(due - MINUTE) == [Kind.REPORT] * 2
    call = next(task for task in scene.look(due) if task.kind is Kind.URGENT_CALL)
    assert (call.reference, call.due) == ("a", due + WITHIN)
    scene.look(due + MINUTE)
    with transaction(scene.engine) as connection:
        about = f"a {authority} sandbox"
        close_task(connection, due, kind=Kind.REPORT, about=about, actor="robin", outcome="case_not_confirmed")
    assert scene.kinds(due + MINUTE) == [Kind.REPORT]


def test_an_immediate_risk_that_is_sent_by_choice_is_telephoned_when_it_waits(scene: Scene) -> None:
    number = scene.submit(MONDAY, authority="ncmec")
    scene.submit(MONDAY, authority="ncmec", level=2)
    assert scene.look(MONDAY + WITHIN - MINUTE) == []
    (call,) = scene.look(MONDAY + WITHIN)
    assert (call.kind, call.reference, call.due) == (Kind.URGENT_CALL, number, MONDAY + 2 * WITHIN)
    assert scene.kinds(MONDAY + 2 * WITHIN) == [Kind.URGENT_CALL]
    scene.put(number, "accepted", MONDAY + 2 * WITHIN)
    assert scene.look(MONDAY + 2 * WITHIN) == []


def test_acceptance_ends_the_report_and_the_call_about_it(scene: Scene) -> None:
    number = scene.submit(MONDAY, authority="ncmec")
    scene.report(number, MONDAY, authority="ncmec")
    assert scene.kinds(MONDAY) == [Kind.REPORT, Kind.URGENT_CALL]
    scene.put(number, "accepted", MONDAY)
    assert scene.look(MONDAY) == []


def test_the_operators_own_time_to_telephone_counts(engine: Engine) -> None:
    scene = Scene(engine)
    scene.clocks = Clocks(Router(shipped(), HERE, {"uk-osa-66.telephone": Length(minutes=5)}))
    scene.submit(NIGHT)
    assert scene.look(NIGHT)[0].due == NIGHT + 5 * MINUTE


def test_the_rule_says_for_which_levels_it_asks(engine: Engine) -> None:
    rule = next(each for each in shipped() if each.telephone)
    assert rule.telephone is not None
    asked = rule.telephone.model_copy(update={"urgency": ("immediate",)})
    scene = Scene(engine)
    scene.clocks = Clocks(Router([rule.model_copy(update={"telephone": asked})], HERE))
    urgent, _ = scene.submit(NIGHT, level=1), scene.submit(NIGHT, level=2)
    assert [task.about for task in scene.look(NIGHT)] == [urgent]
