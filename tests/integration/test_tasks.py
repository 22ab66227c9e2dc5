"""Tasks are opened once, take the sooner clock, and take two people where their kind does; on both databases."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlmodel import col

from reporter.audit import service as audit
from reporter.cases.model import REFERENCE_PATTERN
from reporter.db.engine import transaction
from reporter.errors import NotFoundError, PolicyError, UsageError
from reporter.evidence.tables import SealedBody
from reporter.tasks.desk import TaskDesk
from reporter.tasks.model import MEANINGS, Basis, Kind, Outcome, Task
from reporter.tasks.service import close_task, forget, open_task
from reporter.testing.bench import fresh_bodies
from reporter.testing.clock import FakeClock

REF = "TEST-000001"
HOUR = timedelta(hours=1)


class Scene:
    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.clock = engine, FakeClock()
        self.bodies = fresh_bodies(folder)
        self.desk = self.asking(2)

    def asking(self, people: int) -> TaskDesk:
        return TaskDesk(self.engine, self.clock, self.bodies, people)

    def open(self, about: str = "a", kind: Kind = Kind.TELL, **more: object) -> int:
        now = self.clock.now()
        with transaction(self.engine) as connection:
            return open_task(connection, now, kind=kind, about=about, actor="robin", **{"reference": REF, **more})

    def close(self, about: str = "a") -> bool:
        with transaction(self.engine) as connection:
            return close_task(
                connection, self.clock.now(), kind=Kind.TELL, about=about, actor="reporter", outcome="revised"
            )

    def events(self) -> list[str]:
        with transaction(self.engine) as connection:
            return [event.kind for event in audit.events(connection)]


@pytest.fixture
def scene(engine: Engine, tmp_path: Path) -> Scene:
    return Scene(engine, tmp_path)


def test_one_matter_has_one_open_task_and_may_have_another_later(scene: Scene) -> None:
    first = scene.open()
    assert scene.open() == first
    assert scene.close() and not scene.close()
    assert scene.open() != first
    assert scene.events() == ["task_opened", "task_closed", "task_opened"]


def test_an_open_task_takes_the_sooner_clock_and_never_a_later_one(scene: Scene) -> None:
    now = scene.clock.now()
    number = scene.open()
    scene.open(due=now + 2 * HOUR, level=2, rule="x/1")
    scene.open(due=now + 3 * HOUR, level=3)
    scene.open()
    assert scene.desk.show(number).due == now + 2 * HOUR
    scene.open(due=now + HOUR, basis=Basis.LAW, level=1, rule="x/2")
    task = scene.desk.show(number)
    assert (task.due, task.basis, task.level, task.rule) == (now + HOUR, Basis.LAW, 1, "x/2")
    assert scene.events() == ["task_opened", "task_clock", "task_clock"]


def test_what_is_due_first_stands_first_and_what_has_no_clock_last(scene: Scene) -> None:
    now = scene.clock.now()
    scene.open("none")
    scene.open("late", due=now + 2 * HOUR)
    scene.open("soon", due=now + HOUR)
    assert [task.about for task in scene.desk.tasks()] == ["soon", "late", "none"]


def test_a_clock_has_run_out_at_its_instant(scene: Scene) -> None:
    due = scene.clock.now() + HOUR
    task = scene.desk.show(scene.open(due=due))
    assert not task.overdue(due - timedelta(microseconds=1))
    assert task.overdue(due)


def test_two_people_say_the_same_before_a_task_that_takes_two_is_closed(scene: Scene) -> None:
    number = scene.open()
    assert scene.desk.done(number, "dana", Outcome.DONE, "By their form.", "BKA-7").missing == 1
    with pytest.raises(PolicyError, match="different person"):
        scene.desk.done(number, "dana", Outcome.DONE, "By their form.", "BKA-7")
    assert scene.desk.done(number, "robin", Outcome.DONE, "It was BKA-8.", "BKA-8").missing == 1  # takes its place
    assert scene.desk.tasks()[0].proposed_by == "robin"
    closed = scene.desk.done(number, "dana", Outcome.DONE, "I see BKA-8.", "BKA-8")
    assert (closed.missing, closed.task.receipt, closed.task.closed_by) == (0, "BKA-8", "dana")
    assert scene.desk.tasks() == []
    assert scene.desk.reasons(number, "lee") == [("robin", "It was BKA-8."), ("dana", "I see BKA-8.")]
    assert scene.events()[-2:] == ["task_closed", "words_read"]
    with pytest.raises(PolicyError, match="is closed"):
        scene.desk.done(number, "robin", Outcome.DONE, "Again.", "BKA-8")


def test_words_about_a_task_of_no_case_are_sealed_under_no_cases_key(scene: Scene) -> None:
    number = scene.open(reference=None)
    scene.desk.done(number, "dana", Outcome.DONE, "By their form.", "BKA-7")
    assert scene.desk.reasons(number, "lee") == [("dana", "By their form.")]
    with transaction(scene.engine) as connection:
        (reference,) = connection.execute(select(col(SealedBody.reference))).scalars()
    assert not re.fullmatch(REFERENCE_PATTERN, reference)


def test_one_person_is_enough_where_the_house_asks_for_one(scene: Scene) -> None:
    number = scene.open()
    assert scene.asking(1).done(number, "dana", Outcome.NOT_NEEDED, "They were told already.").missing == 0


def test_a_task_takes_the_reference_that_its_kind_asks_for(scene: Scene) -> None:
    number = scene.open()
    for outcome, receipt in [(Outcome.DONE, ""), (Outcome.DONE, "two words"), (Outcome.NOT_NEEDED, "BKA-7")]:
        with pytest.raises(UsageError):
            scene.desk.done(number, "dana", outcome, "Words.", receipt)
    with pytest.raises(UsageError, match="words"):
        scene.desk.done(number, "dana", Outcome.DONE, " ", "BKA-7")
    with pytest.raises(NotFoundError):
        scene.desk.done(number + 1, "dana", Outcome.DONE, "Words.", "BKA-7")


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_says_what_it_waits_for_who_moves_it_and_how(kind: Kind) -> None:
    at = FakeClock().now()
    task = Task(7, kind, "about", REF, "nca", 1, at, Basis.TARGET, "", at, "robin")
    assert task.movers and task.waits_for and MEANINGS[kind].people in (1, 2)
    assert "{" not in task.next_step


def test_of_a_destroyed_case_only_the_references_of_authorities_stay(scene: Scene) -> None:
    told = scene.open("told")
    scene.asking(1).done(told, "dana", Outcome.DONE, "By their form.", "BKA-7")
    scene.open("open")
    scene.open("proposed")
    scene.desk.done(scene.open("proposed"), "dana", Outcome.DONE, "By their form.", "BKA-8")
    other = scene.open("other", reference="TEST-000002")
    with transaction(scene.engine) as connection:
        forget(connection, REF)
    assert {task.id for task in scene.desk.tasks(closed_too=True)} == {told, other}
