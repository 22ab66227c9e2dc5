"""The board has everything open, by its clock, with what moves it; on both databases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, insert

from reporter.board.model import Line, span
from reporter.board.service import Board
from reporter.db.engine import transaction
from reporter.delivery.tables import Circuit, LanePause, Quarantine
from reporter.organisation import Organisation
from reporter.rules.reading import shipped
from reporter.submissions.model import State
from reporter.submissions.routing import Router
from reporter.submissions.tables import Submission
from reporter.tasks.model import Basis, Kind
from reporter.tasks.service import open_task
from reporter.testing.clock import FakeClock

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


class Scene:
    def __init__(self, engine: Engine) -> None:
        self.engine, self.clock = engine, FakeClock()
        self.expiries: dict[str, datetime] = {}
        router = Router(shipped(), Organisation(name="Example"))
        self.board = Board(engine, self.clock, router, self.ends, timedelta(days=14))

    def ends(self) -> Mapping[str, datetime]:
        return self.expiries

    def task(self, reference: str, kind: Kind = Kind.TELL, due: timedelta | None = HOUR, **more: Any) -> None:
        now = self.clock.now()
        values = {"about": reference, "authority": "nca", "level": 3, **more}
        with transaction(self.engine) as connection:
            at = now + due if due is not None else None
            open_task(connection, now, kind=kind, reference=reference, due=at, actor="robin", **values)

    def report(self, reference: str, state: State | None = None, version: int = 1, **more: Any) -> None:
        self.task(reference, Kind.REPORT, about=f"{reference} ncmec sandbox", authority="ncmec", **more)
        if state:
            self.submission(reference, state, version)

    def submission(self, reference: str, state: State, version: int = 1) -> None:
        self.add(
            Submission, id=f"{reference}-{version}", reference=reference, authority="ncmec", environment="sandbox",
            version=version, revision=1, state=state, digest="", level=2, created_at=self.clock.now(), reason="",
        )  # fmt: skip

    def add(self, table: type, **values: object) -> None:
        with transaction(self.engine) as connection:
            connection.execute(insert(table).values(**values))

    def lines(self) -> list[Line]:
        return list(self.board.lines()[1])

    def only(self) -> Line:
        (line,) = self.lines()
        return line


@pytest.fixture
def scene(engine: Engine) -> Scene:
    return Scene(engine)


def test_an_immediate_risk_stands_first_then_what_is_due_first_and_last_what_has_no_clock(scene: Scene) -> None:
    scene.task("never", due=None)
    scene.task("late", due=-HOUR)
    scene.task("soon", due=MINUTE)
    scene.task("risk", due=2 * HOUR, level=1)
    assert [line.reference for line in scene.lines()] == ["risk", "late", "soon", "never"]
    now, lines = scene.board.lines()
    assert [line.overdue(now) for line in lines] == [False, True, False, False]


@pytest.mark.parametrize(
    ("state", "waits_for", "movers"),
    [
        (None, "approval", ("compliance", "escalation_lead")),
        (State.READY, "another approval", ("compliance", "escalation_lead")),
        (State.APPROVED, "a worker to deliver it", ("a worker",)),
        (State.DELIVERING, "a worker to deliver it", ("a worker",)),
        (State.IN_DOUBT, "people to ask the authority, and settle it", ("compliance", "escalation_lead")),
        (State.ATTENTION, "people to settle it", ("compliance", "escalation_lead")),
        (State.REJECTED, "the case to be corrected: the authority refused it", ("analyst", "escalation_lead")),
        (State.WITHDRAWN, "a new approval: it was withdrawn", ("compliance", "escalation_lead")),
    ],
)
def test_a_report_says_what_its_submission_waits_for_and_keeps_its_clock(
    scene: Scene, state: State | None, waits_for: str, movers: tuple[str, ...]
) -> None:
    scene.report("A", state, rule="us-2258a/2")
    line = scene.only()
    assert (line.waits_for, line.movers, line.state) == (waits_for, movers, state or "not_approved")
    assert (line.due, line.basis, line.verified) == (scene.clock.now() + HOUR, Basis.TARGET, True)
    assert "A" in line.next_step or state in (State.APPROVED, State.DELIVERING)


def test_what_was_accepted_is_not_open_though_nobody_has_looked_since(scene: Scene) -> None:
    scene.report("A", State.ACCEPTED)
    scene.report("AB")  # whose reference begins like the other's
    assert scene.only().reference == "AB"


def test_the_latest_version_counts(scene: Scene) -> None:
    scene.report("A", State.REJECTED)
    scene.submission("A", State.APPROVED, version=2)
    assert scene.only().state == State.APPROVED


def test_what_goes_by_choice_is_open_without_a_clock(scene: Scene) -> None:
    for number, state in enumerate(State):
        scene.submission(f"S{number}", state)
    lines = scene.lines()
    assert {line.state for line in lines} == set(State) - {State.ACCEPTED, State.WITHDRAWN}
    assert {(line.due, line.level, line.task) for line in lines} == {(None, 2, None)}


def test_a_lane_that_stands_still_says_what_lets_it_go_on(scene: Scene) -> None:
    scene.report("A", State.APPROVED)
    scene.add(Circuit, lane="ncmec:test", opened_at=scene.clock.now(), probe_at=scene.clock.now())
    assert scene.only().waits_for == "a worker to deliver it"
    scene.add(Circuit, lane="ncmec:sandbox", opened_at=scene.clock.now(), probe_at=scene.clock.now())
    assert scene.only().waits_for == "the authority to answer again"
    scene.add(LanePause, lane="ncmec:sandbox", since=scene.clock.now(), reason="")
    assert (scene.only().waits_for, scene.only().movers) == ("credentials that the authority takes", ("custodian",))
    scene.add(Quarantine, since=scene.clock.now(), reason="")
    assert scene.only().next_step == "reporter db status"


def test_a_clock_by_law_and_a_rule_that_is_unverified_say_so(scene: Scene) -> None:
    scene.task("A", Kind.REQUEST, basis=Basis.LAW, rule="uk-nca-request/1")
    assert (scene.only().basis, scene.only().verified) == (Basis.LAW, False)


def test_credentials_that_end_soon_are_on_it(scene: Scene) -> None:
    now = scene.clock.now()
    scene.expiries = {"near": now + timedelta(days=14), "far": now + timedelta(days=15), "gone": now - HOUR}
    assert [line.next_step.split()[-1] for line in scene.lines()] == ["gone", "near"]
    assert scene.lines()[0].overdue(now)


@given(st.timedeltas(timedelta(days=-4000), timedelta(days=4000)))
def test_a_span_is_never_longer_than_the_time_and_off_by_less_than_an_hour_a_day(time: timedelta) -> None:
    units = {"d": timedelta(days=1), "h": HOUR, "min": MINUTE}
    words = span(time).split()
    if words[0] == "less":
        assert abs(time) < MINUTE
        return
    said = sum((int(number) * units[unit] for number, unit in zip(words[::2], words[1::2], strict=True)), timedelta())
    assert said <= abs(time) < said + (HOUR if "d" in words else MINUTE)
