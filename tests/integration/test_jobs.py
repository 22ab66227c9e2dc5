"""Jobs: at their intervals, on one of many workers, and a person hears of one that fails or does not run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from reporter.alarms.model import Kind
from reporter.db.engine import reading
from reporter.errors import EnvironmentTroubleError, NotFoundError
from reporter.jobs.model import Job
from reporter.jobs.service import RETRY, JobService, troubled
from reporter.testing.clock import FakeClock

HOUR = timedelta(hours=1)
LEASE = timedelta(minutes=15)


class Task:
    """What a job does: it is counted, and may fail."""

    def __init__(self) -> None:
        self.runs = 0
        self.trouble: Exception | None = None
        self.during: Callable[[], object] = lambda: None

    def __call__(self) -> None:
        self.runs += 1
        self.during()
        if self.trouble:
            raise self.trouble


class Scene:
    def __init__(self, engine: Engine) -> None:
        self.engine, self.clock, self.task = engine, FakeClock(), Task()

    def worker(self, every: timedelta = HOUR) -> JobService:
        return JobService(self.engine, self.clock, (Job("sweep", every, self.task, LEASE),))

    def alarms(self) -> list[tuple[Kind, str]]:
        with reading(self.engine) as connection:
            return [(matter.kind, matter.about) for matter in troubled(connection, self.clock.now())]


@pytest.fixture
def scene(engine: Engine) -> Scene:
    return Scene(engine)


def test_a_job_runs_at_once_and_then_at_its_interval(scene: Scene) -> None:
    worker = scene.worker()
    (never,) = worker.standings()
    assert (never.ended_at, never.next_at) == (None, None)
    assert worker.run_due() == {"sweep": ""}
    scene.clock.advance(HOUR - timedelta(seconds=1))
    assert worker.run_due() == scene.worker().run_due() == {}
    scene.clock.advance(timedelta(seconds=1))
    assert scene.worker().run_due() == {"sweep": ""}
    (standing,) = worker.standings()
    assert (standing.ended_at, standing.next_at) == (scene.clock.now(), scene.clock.now() + HOUR)
    assert (standing.running, scene.task.runs) == (False, 2)


def test_of_many_workers_one_runs_a_job(scene: Scene) -> None:
    workers = [scene.worker() for _ in range(4)]
    barrier = threading.Barrier(len(workers))

    def go(worker: JobService) -> int:
        barrier.wait()
        return len(worker.run_due())

    with ThreadPoolExecutor(len(workers)) as pool:
        assert sum(pool.map(go, workers)) == scene.task.runs == 1


def test_a_job_under_way_is_left_alone_until_its_lease_ends(scene: Scene) -> None:
    seen: list[object] = []

    def meanwhile() -> None:
        other = scene.worker()
        seen.append((other.standings()[0].running, other.run_due(), other.run("sweep")))
        scene.task.during = lambda: None
        scene.clock.advance(LEASE)
        seen.append(other.run_due())  # this one is taken for dead
        scene.clock.advance(timedelta(seconds=1))

    scene.task.during = meanwhile
    scene.worker().run_due()
    assert seen == [(True, {}, False), {"sweep": ""}]
    (standing,) = scene.worker().standings()
    assert standing.ended_at == scene.clock.now() - timedelta(seconds=1)  # the late one wrote nothing


def test_a_job_that_fails_is_tried_again_soon_and_alarms_until_it_does_not(scene: Scene) -> None:
    worker = scene.worker()
    scene.task.trouble = EnvironmentTroubleError("The disk is full.")
    assert worker.run_due() == {"sweep": "The disk is full."}
    since = scene.clock.now()
    assert scene.alarms() == [(Kind.JOB_FAILED, "sweep")]
    scene.clock.advance(RETRY)
    scene.task.trouble = ZeroDivisionError("words of a case")
    assert worker.run_due() == {"sweep": "ZeroDivisionError"}
    (standing,) = worker.standings()
    assert (standing.failing_since, standing.trouble) == (since, "ZeroDivisionError")
    with pytest.raises(ZeroDivisionError):
        worker.run("sweep")
    scene.task.trouble = None
    assert worker.run("sweep")
    assert (scene.alarms(), worker.standings()[0].failing_since) == ([], None)


def test_a_job_that_has_not_run_for_long_alarms(scene: Scene) -> None:
    scene.worker().run_due()
    scene.clock.advance(2 * HOUR + LEASE - timedelta(seconds=1))
    assert scene.alarms() == []
    scene.clock.advance(timedelta(seconds=1))
    assert scene.alarms() == [(Kind.JOB_FAILED, "sweep")]
    scene.worker().run_due()
    assert scene.alarms() == []


def test_a_shorter_interval_counts_at_once_and_a_job_that_is_no_more_is_forgotten(scene: Scene) -> None:
    scene.worker(timedelta(days=30)).run_due()
    scene.clock.advance(HOUR)
    assert scene.worker(HOUR).run_due() == {}
    scene.clock.advance(HOUR)
    assert scene.worker(HOUR).run_due() == {"sweep": ""}
    scene.clock.advance(timedelta(days=365))
    assert JobService(scene.engine, scene.clock, ()).run_due() == {}
    assert scene.alarms() == []
    with pytest.raises(NotFoundError, match="no job sweep"):
        JobService(scene.engine, scene.clock, ()).run("sweep")


def test_jobs_run_beside_a_worker_and_trouble_with_the_database_is_outlived(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reporter.jobs.service.POLL_SECONDS", 0.001)
    worker, ran, asked = scene.worker(), threading.Event(), threading.Event()
    real = worker.run_due

    def first_fails(over: threading.Event | None = None) -> dict[str, str]:
        if not asked.is_set():
            asked.set()
            raise EnvironmentTroubleError("The database does not work.")
        return real(over)

    monkeypatch.setattr(worker, "run_due", first_fails)
    scene.task.during = ran.set
    with worker.running():
        assert ran.wait(30)
    assert asked.is_set() and scene.task.runs == 1
