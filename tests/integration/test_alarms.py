"""What alarms, once and until somebody heard; on both databases, with a clock that stands still."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, insert, select, update
from sqlmodel import col

from reporter.alarms.heartbeat import Heartbeat
from reporter.alarms.model import Kind, Notice, next_step
from reporter.alarms.notices import Notifier
from reporter.alarms.service import AlarmService
from reporter.alarms.tables import Alarm
from reporter.alarms.wire import Way
from reporter.db.engine import transaction
from reporter.delivery.pulse import Pulse
from reporter.delivery.queue import Queue
from reporter.delivery.tables import Circuit, LanePause, Quarantine, WorkerSeen
from reporter.delivery.ticker import Ticker
from reporter.delivery.watch import NO_WORKER, Patience, Watch
from reporter.errors import EnvironmentTroubleError, NotFoundError, UsageError
from reporter.submissions.tables import Submission
from reporter.tasks.model import Kind as Task
from reporter.tasks.service import close_task, open_task
from reporter.testing.bench import approved_submission
from reporter.testing.clock import FakeClock
from reporter.testing.documents import aware_at
from reporter.testing.house import House

URGENT, SILENT, REPEAT = timedelta(minutes=15), timedelta(minutes=5), timedelta(minutes=30)
LANE = "bench:sandbox"
MARKER = "Quixotic-Marker"
THREADS = 8


class Recorder:
    """A channel that keeps what it was given, or fails."""

    def __init__(self, name: str = "recorder") -> None:
        self.name = name
        self.got: list[Notice] = []
        self.trouble = ""

    def send(self, notice: Notice) -> None:
        if self.trouble:
            raise EnvironmentTroubleError(self.trouble)
        self.got.append(notice)

    def kinds(self) -> list[str]:
        return [notice.matter.kind for notice in self.got]


class Scene:
    """The delivery room with its watch, and two channels."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.clock = engine, FakeClock()
        self.queue = Queue(engine, self.clock, timedelta(minutes=3))
        self.channels = [Recorder("first"), Recorder("second")]
        self.register = AlarmService(engine, self.clock)
        notifier = Notifier(engine, self.clock, self.channels, REPEAT)
        self.watch = Watch(engine, self.clock, Patience(URGENT, SILENT), notifier)

    def submit(self, *, urgent: bool = False) -> str:
        with transaction(self.engine) as connection:
            submission = approved_submission(connection, self.queue, self.clock.now(), LANE, urgent=urgent)
            connection.execute(
                update(Submission).where(col(Submission.id) == submission).values(approved_at=self.clock.now())
            )
        return submission

    def put(self, submission: str, state: str) -> None:
        """Bring a submission to a state in which no worker takes it up."""
        with transaction(self.engine) as connection:
            self.queue.recall(connection, [submission])
            connection.execute(
                update(Submission)
                .where(col(Submission.id) == submission)
                .values(state=state, reason=MARKER, environment="sandbox")
            )

    def add(self, table: type, **values: object) -> None:
        with transaction(self.engine) as connection:
            connection.execute(insert(table).values(**values))

    def open_ones(self) -> list[tuple[str, str]]:
        return [(alarm.matter.kind.value, alarm.matter.about) for alarm in self.register.standing()]

    def later(self, by: timedelta) -> None:
        self.clock.advance(by)
        self.watch.check()


@pytest.fixture
def scene(engine: Engine) -> Scene:
    return Scene(engine)


# --- what alarms ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["in_doubt", "attention", "rejected"])
def test_a_submission_that_waits_for_a_person_alarms_until_it_does_not(scene: Scene, state: str) -> None:
    submission = scene.submit()
    scene.watch.check()
    assert scene.open_ones() == []
    scene.put(submission, state)
    scene.watch.check()
    (notice,) = scene.channels[0].got
    data = notice.data()
    assert (data["kind"], data["reference"], data["about"]) == (state, submission, submission)
    assert (data["authority"], data["environment"]) == ("bench", "sandbox")
    assert submission in data["text"]
    scene.put(submission, "accepted")
    scene.watch.check()
    assert scene.open_ones() == []
    (alarm,) = scene.register.standing(cleared_too=True)
    assert alarm.cleared_at == scene.clock.now()


def test_a_corrected_version_ends_the_alarm_of_the_rejected_one(scene: Scene) -> None:
    submission = scene.submit()
    scene.put(submission, "rejected")
    scene.watch.check()
    assert scene.open_ones() == [("rejected", submission)]
    with transaction(scene.engine) as connection:
        row = dict(connection.execute(select(Submission.__table__)).mappings().one())  # type: ignore[attr-defined]
        connection.execute(insert(Submission).values(**{**row, "id": "next", "version": 2, "state": "draft"}))
    scene.watch.check()
    assert scene.open_ones() == []


def test_an_urgent_submission_alarms_when_it_waited_too_long_and_a_routine_one_never(scene: Scene) -> None:
    urgent, _ = scene.submit(urgent=True), scene.submit()
    alive = {"name": "w", "started_at": scene.clock.now()}
    scene.add(WorkerSeen, **alive, seen_at=scene.clock.now() + URGENT)
    scene.later(URGENT - timedelta(seconds=1))
    assert scene.open_ones() == []
    scene.later(timedelta(seconds=1))
    assert scene.open_ones() == [("urgent_undelivered", urgent)]
    scene.put(urgent, "accepted")
    scene.watch.check()
    assert scene.open_ones() == []


@pytest.mark.parametrize(
    ("table", "about", "kind"),
    [
        (LanePause, {"lane": LANE, "reason": MARKER}, "lane_paused"),
        (Circuit, {"lane": LANE, "probes": 1}, "circuit_open"),
    ],
)
def test_a_lane_that_does_not_run_alarms_until_it_does(scene: Scene, table: type, about: dict, kind: str) -> None:
    now = scene.clock.now()
    moments = {"since": now} if table is LanePause else {"opened_at": now, "probe_at": now}
    scene.add(table, **about, **moments)
    scene.watch.check()
    assert scene.open_ones() == [(kind, LANE)]
    with transaction(scene.engine) as connection:
        connection.execute(delete(table))
    scene.watch.check()
    assert scene.open_ones() == []


def test_a_quarantine_alarms_until_it_is_released_and_no_worker_is_blamed_meanwhile(scene: Scene) -> None:
    scene.submit()
    scene.add(Quarantine, since=scene.clock.now(), reason=MARKER)
    scene.later(SILENT * 2)
    assert scene.open_ones() == [("quarantine", "quarantine 1")]
    with transaction(scene.engine) as connection:
        connection.execute(update(Quarantine).values(released_by="robin", released_at=scene.clock.now()))
    scene.watch.check()
    assert ("quarantine", "quarantine 1") not in scene.open_ones()


def test_a_worker_that_falls_silent_while_something_is_due_alarms(scene: Scene) -> None:
    scene.add(WorkerSeen, name="gone", started_at=scene.clock.now(), seen_at=scene.clock.now())
    scene.later(SILENT)
    assert scene.open_ones() == []  # nothing is due
    scene.submit()
    scene.watch.check()
    assert scene.open_ones() == [("worker_silent", "gone")]
    scene.add(WorkerSeen, name="new", started_at=scene.clock.now(), seen_at=scene.clock.now())
    scene.watch.check()
    assert scene.open_ones() == []


@pytest.mark.parametrize("well", [True, False])
def test_beside_a_worker_that_is_well_a_silent_one_matters_only_when_work_waits(scene: Scene, well: bool) -> None:
    now = scene.clock.now()
    for name, seen_at in (("gone", now), ("well", now + SILENT * 3)):
        scene.add(WorkerSeen, name=name, started_at=now, seen_at=seen_at)
    scene.clock.advance(SILENT)
    scene.submit()
    scene.watch.check()
    assert scene.open_ones() == []
    if not well:
        scene.later(SILENT)
        assert scene.open_ones() == [("worker_silent", "gone")]


@pytest.mark.parametrize("stopped", [True, False])
def test_work_that_waits_long_with_no_worker_at_all_alarms(scene: Scene, stopped: bool) -> None:
    now = scene.clock.now()
    if stopped:
        scene.add(WorkerSeen, name="stopped", started_at=now, seen_at=now, stopped_at=now)
    scene.submit()
    scene.later(SILENT - timedelta(seconds=1))
    assert scene.open_ones() == []
    scene.later(timedelta(seconds=1))
    assert scene.open_ones() == [("worker_silent", NO_WORKER)]


# --- once, and until somebody heard -----------------------------------------------------------------------------


def test_it_is_said_once_repeated_until_acknowledged_and_then_silent(scene: Scene) -> None:
    scene.put(scene.submit(), "in_doubt")
    scene.watch.check()
    scene.later(REPEAT - timedelta(seconds=1))
    assert len(scene.channels[0].got) == 1
    scene.later(timedelta(seconds=1))
    assert [notice.number for notice in scene.channels[0].got] == [1, 2]
    alarm = scene.register.acknowledge(scene.channels[0].got[0].alarm, "robin")
    assert (alarm.acknowledged_by, alarm.calls) == ("robin", False)
    assert scene.register.acknowledge(alarm.id, "dana").acknowledged_by == "robin"
    scene.later(REPEAT * 2)
    assert len(scene.channels[0].got) == 2
    assert len(scene.open_ones()) == 1


def test_a_new_occurrence_is_a_new_alarm_even_if_no_watch_saw_the_end_of_the_last(scene: Scene) -> None:
    scene.add(LanePause, lane=LANE, since=scene.clock.now(), reason="")
    scene.watch.check()
    scene.register.acknowledge(1, "robin")
    scene.clock.advance(timedelta(seconds=1))
    with transaction(scene.engine) as connection:
        connection.execute(update(LanePause).values(since=scene.clock.now()))
    scene.watch.check()
    first, second = scene.register.standing(cleared_too=True)
    assert first.cleared_at == scene.clock.now()
    assert (second.calls, second.matter.since) == (True, scene.clock.now())
    assert [notice.alarm for notice in scene.channels[0].got] == [first.id, second.id]


def test_an_unknown_alarm_cannot_be_acknowledged(scene: Scene) -> None:
    with pytest.raises(NotFoundError):
        scene.register.acknowledge(7, "robin")


def test_a_channel_that_fails_is_tried_again_and_keeps_no_other_waiting(scene: Scene) -> None:
    first, second = scene.channels
    first.trouble = "it answered 500"
    scene.put(scene.submit(), "in_doubt")
    scene.put(scene.submit(), "attention")
    assert scene.watch.check() == {"first": "it answered 500"}
    assert sorted(second.kinds()) == ["attention", "in_doubt"]
    troubles = {
        (sent.channel, sent.trouble) for alarm in scene.register.standing() for sent in alarm.sendings if sent.trouble
    }
    assert troubles == {("first", "it answered 500")}
    first.trouble = ""
    assert scene.watch.check() == {}
    assert sorted(first.kinds()) == ["attention", "in_doubt"]
    assert len(second.got) == 2
    assert not any(sent.trouble for alarm in scene.register.standing() for sent in alarm.sendings)


def test_one_message_that_a_channel_refuses_holds_up_no_other(scene: Scene) -> None:
    refused = scene.submit()
    first = scene.channels[0]
    take = first.send

    def send(notice: Notice) -> None:
        if notice.matter.about == refused:
            raise EnvironmentTroubleError("not this one")
        take(notice)

    first.send = send  # type: ignore[method-assign]
    scene.put(refused, "in_doubt")
    scene.put(scene.submit(), "attention")
    assert scene.watch.check() == {"first": "not this one"}
    scene.later(timedelta(seconds=15))
    assert first.kinds() == ["attention"]


def test_a_message_whose_worker_died_over_it_is_sent_again(scene: Scene) -> None:
    first = scene.channels[0]
    take = first.send

    class Killed(BaseException):
        pass

    def die(_notice: Notice) -> None:
        raise Killed

    first.send = die  # type: ignore[method-assign]
    scene.put(scene.submit(), "in_doubt")
    with pytest.raises(Killed):
        scene.watch.check()
    first.send = take  # type: ignore[method-assign]
    scene.watch.check()
    assert first.got == []  # it may still be on its way
    scene.later(timedelta(minutes=2))
    assert first.kinds() == ["in_doubt"]


def test_nothing_of_a_case_is_in_a_message_or_in_the_register(scene: Scene) -> None:
    scene.put(scene.submit(), "in_doubt")
    scene.add(LanePause, lane=LANE, since=scene.clock.now(), reason=MARKER)
    scene.add(Quarantine, since=scene.clock.now(), reason=MARKER)
    scene.watch.check()
    assert len(scene.channels[0].got) == 3
    assert MARKER not in json.dumps([notice.data() for notice in scene.channels[0].got])
    with transaction(scene.engine) as connection:
        assert MARKER not in str(connection.execute(select(Alarm)).all())


# --- many at once -----------------------------------------------------------------------------------------------


def all_at_once(work: Callable[[int], object]) -> None:
    start = threading.Barrier(THREADS)

    def go(number: int) -> None:
        start.wait()
        work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(go, range(THREADS)))


def test_of_many_workers_one_raises_and_one_tells(scene: Scene) -> None:
    submissions = [scene.submit() for _ in range(6)]
    for submission in submissions:
        scene.put(submission, "in_doubt")
    all_at_once(lambda _number: scene.watch.check())
    assert Counter(scene.open_ones()) == Counter({("in_doubt", submission): 1 for submission in submissions})
    for channel in scene.channels:
        assert Counter(n.matter.about for n in channel.got) == Counter(dict.fromkeys(submissions, 1))
    scene.clock.advance(REPEAT)
    all_at_once(lambda _number: scene.watch.check())
    for channel in scene.channels:
        assert Counter(n.matter.about for n in channel.got) == Counter(dict.fromkeys(submissions, 2))


def test_of_many_people_one_acknowledges(scene: Scene) -> None:
    scene.put(scene.submit(), "in_doubt")
    scene.watch.check()
    all_at_once(lambda number: scene.register.acknowledge(1, f"person {number}"))
    (alarm,) = scene.register.standing()
    assert alarm.acknowledged_by is not None


# --- the tick ---------------------------------------------------------------------------------------------------


class Beating:
    """A ticker with a pulse that can be stopped."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        self.file = folder / "heartbeat.json"
        self.pulse = Pulse(scene.clock)
        self.ticker = Ticker(
            scene.engine, scene.clock, scene.watch, Heartbeat(self.file, None, Way()), "me",
            lambda: self.pulse.regular(timedelta(minutes=3)),
        )  # fmt: skip

    def at(self) -> str:
        return str(json.loads(self.file.read_text())["at"])


def seen(scene: Scene) -> dict[str, object]:
    with transaction(scene.engine) as connection:
        return dict(connection.execute(select(WorkerSeen.__table__)).mappings().one())  # type: ignore[attr-defined]


def test_a_tick_says_that_the_worker_lives_and_looks(scene: Scene, tmp_path: Path) -> None:
    beating = Beating(scene, tmp_path)
    beating.ticker.begin()
    scene.submit()
    scene.put(scene.submit(), "in_doubt")
    scene.clock.advance(timedelta(seconds=15))
    beating.ticker.tick()
    beat = json.loads(beating.file.read_text())
    assert beat == {"at": scene.clock.now().isoformat(), "worker": "me", "oldest_due_seconds": 15.0}
    assert seen(scene)["seen_at"] == scene.clock.now()
    assert scene.channels[0].kinds() == ["in_doubt"]
    beating.ticker.end()
    assert seen(scene)["stopped_at"] == scene.clock.now()
    assert [path.name for path in tmp_path.iterdir()] == ["heartbeat.json"]


def test_a_worker_whose_thread_hangs_gives_no_sign_of_life_but_still_looks(scene: Scene, tmp_path: Path) -> None:
    beating = Beating(scene, tmp_path)
    beating.ticker.begin()
    with beating.pulse.felt():
        beating.ticker.tick()
        alive_at = beating.at()
        scene.put(scene.submit(), "attention")
        scene.clock.advance(timedelta(minutes=4))
        beating.ticker.tick()
        assert beating.at() == alive_at
        assert scene.channels[0].kinds() == ["attention"]
        beating.pulse.beat()
        beating.ticker.tick()
        assert beating.at() == scene.clock.now().isoformat()


def test_without_its_database_a_worker_gives_no_sign_of_life(
    scene: Scene, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    beating = Beating(scene, tmp_path)
    beating.ticker.begin()
    beating.ticker.tick()
    alive_at = beating.at()
    scene.clock.advance(timedelta(minutes=1))

    def broken(_engine: object) -> None:
        raise EnvironmentTroubleError("The database does not work.")

    with monkeypatch.context() as patch:
        patch.setattr("reporter.delivery.ticker.transaction", broken)
        beating.ticker.tick()
    assert "The database does not work." in caplog.text
    assert beating.at() == alive_at


def test_workers_long_gone_are_forgotten(scene: Scene, tmp_path: Path) -> None:
    scene.add(WorkerSeen, name="old", started_at=scene.clock.now(), seen_at=scene.clock.now())
    scene.clock.advance(timedelta(days=7, seconds=1))
    Beating(scene, tmp_path).ticker.begin()
    assert seen(scene)["name"] == "me"


# --- the whole house --------------------------------------------------------------------------------------------


@pytest.fixture
def house(tmp_path: Path, engine: Engine) -> Callable[[str], House]:
    return lambda faults: House(tmp_path, faults=faults, database=engine)


def raised(house: House) -> list[tuple[str, str | None, str]]:
    house.app.alarms.watch.check()
    return [(a.matter.kind.value, a.matter.reference, a.matter.lane) for a in house.app.alarms.register.standing()]


def test_a_report_that_the_authority_refuses_alarms(house: Callable[[str], House]) -> None:
    here = house("submit:1 code=4100")
    here.approved(**aware_at(here.clock.now()))
    here.until_idle()
    assert raised(here) == [("rejected", "TEST-000001", "ncmec:sandbox")]
    here.app.submissions.approve("TEST-000001", "approver")
    here.until_idle()
    assert [entry["state"] for entry in here.app.submissions.overview("TEST-000001")] == ["rejected", "accepted"]
    assert raised(here) == []


def test_refused_credentials_alarm_until_they_are_mended(house: Callable[[str], House]) -> None:
    here = house("")
    here.approved(**aware_at(here.clock.now()))
    here.app.secrets.set("ncmec-password", "wrong", "op")
    here.until_idle()
    assert raised(here) == [("lane_paused", None, "ncmec:sandbox")]
    here.app.secrets.set("ncmec-password", "pswd456", "op")
    here.restart()
    here.until_idle()
    assert raised(here) == []


def test_a_credential_that_expires_soon_alarms_until_it_is_set_again(house: Callable[[str], House]) -> None:
    here = house("")
    until = here.clock.now() + timedelta(days=20)
    here.app.secrets.set("ncmec-password", "pswd456", "op", until)
    assert raised(here) == []
    here.clock.advance_to(until - timedelta(days=14))
    assert raised(here) == raised(here) == [("credential_expires", None, "")]
    (alarm,) = here.app.alarms.register.standing()
    assert next_step(alarm.matter) == "reporter secret set ncmec-password"
    here.clock.advance_to(until + timedelta(days=1))
    assert raised(here) == [("credential_expires", None, "")]
    with pytest.raises(UsageError, match="is over"):
        here.app.secrets.set("ncmec-password", "pswd456", "op", until)
    here.app.secrets.set("ncmec-password", "pswd456", "op")
    assert raised(here) == []


def test_a_worker_is_seen_while_it_works_and_said_to_have_stopped(house: Callable[[str], House]) -> None:
    here = house("")
    here.approved()
    worker = here.app.deliveries.worker()
    with here.app.ticker(worker).running():
        worker.once()
    assert here.submission()["state"] == "accepted"
    with transaction(here.app.database) as connection:
        row = connection.execute(select(WorkerSeen.__table__)).one()  # type: ignore[attr-defined]
    assert (row.name, row.stopped_at) == (worker.name, here.clock.now())


def test_every_kind_says_what_to_do_next() -> None:
    from reporter.alarms.model import Matter

    now = FakeClock().now()
    for kind in Kind:
        step = next_step(Matter(kind, "about", now, "TEST-000001", LANE))
        assert step.startswith("reporter ") and "{" not in step


def test_clocks_alarm_before_and_when_they_run_out_and_reports_once_for_each_authority(scene: Scene) -> None:
    now, soon = scene.clock.now(), timedelta(minutes=30)
    for number, (kind, due) in enumerate(
        [(Task.REPORT, soon * 2), (Task.REPORT, soon * 3), (Task.TELL, soon * 2), (Task.TELL, None)]
    ):
        with transaction(scene.engine) as connection:
            at = now + due if due else None
            open_task(connection, now, kind=kind, about=f"{number}", authority="ncmec", due=at, actor="robin")
    scene.later(soon - timedelta(seconds=1))
    assert scene.open_ones() == []
    scene.later(timedelta(seconds=1))
    assert scene.open_ones() == [("task_due", "task 3"), ("task_due", "report ncmec")]
    scene.later(soon)
    assert scene.open_ones() == [("task_overdue", "task 3"), ("task_overdue", "report ncmec")]
    with transaction(scene.engine) as connection:
        for kind, about in ((Task.REPORT, "0"), (Task.TELL, "2")):
            close_task(connection, now, kind=kind, about=about, actor="robin", outcome="done")
    scene.watch.check()
    assert scene.open_ones() == [("task_due", "report ncmec")]  # the next one
