"""Workers that die and connections that are cut, on both databases; processes that share one queue."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from reporter.authority import Answer, Call, Document, Exchange, Lost, Outcome, Package, Plan, Step
from reporter.db.engine import transaction
from reporter.delivery.model import Entry
from reporter.errors import EnvironmentTroubleError
from reporter.submissions.tables import Submission
from reporter.testing.bench import Bench
from tests.integration import queue_worker
from tests.integration.delivery_room import LEASE, STEP, Room

# --- one commit between two calls -------------------------------------------------------------------------------


class Killed(BaseException):
    """The process dies here."""


class Authority:
    """An authority of two calls, the second of which files, and one package on its way to it."""

    plan = Plan(steps=(Step("prepare", Lost.REPEAT), STEP))

    def __init__(self, room: Room) -> None:
        self.calls: list[str] = []
        adapter: Any = SimpleNamespace(plan=lambda _package: self.plan)
        connection: Any = self
        self.bench = Bench(room.database, room.bodies, room.clock, adapter, connection, lease=LEASE)
        self.id = self.bench.submit(Package("bench", (Document("report", "text/plain", b"harmless"),)), {})

    def perform(self, call: Call) -> Answer:
        self.calls.append(call.step.key)
        return Answer(Outcome.ACCEPTED, ids={"ticket": "t-1"}, reference="R-1", exchange=Exchange(b"asked", b"said"))

    @property
    def state(self) -> str:
        return self.bench.submission(self.id).state

    @property
    def entries(self) -> list[Entry]:
        return self.bench.calls(self.id)


@pytest.mark.parametrize("part", ["_conclude", "_intend", "_hold"])
def test_outcome_and_next_intent_are_committed_together_or_not_at_all(
    room: Room, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    authority = Authority(room)
    bench = authority.bench
    genuine = getattr(bench.ledger, part)

    def dying(*arguments: Any) -> Any:
        done = genuine(*arguments)
        if authority.calls:
            raise Killed
        return done

    monkeypatch.setattr(bench.ledger, part, dying)
    with pytest.raises(Killed):
        bench.work()
    (entry,) = authority.entries
    assert (entry.step, entry.outcome, entry.ids) == ("prepare", Outcome.UNKNOWN, {})
    monkeypatch.undo()
    bench.until_idle()
    assert authority.calls == ["prepare", "prepare", "report"]
    assert authority.state == "accepted"


@pytest.mark.parametrize("moment", ["before", "after"])
def test_connections_that_are_cut_around_a_call_cost_nothing(room: Room, moment: str) -> None:
    authority = Authority(room)
    bench = authority.bench
    setattr(bench.tap, moment, lambda _call: room.cut_connections())
    bench.until_idle()
    assert authority.calls == ["prepare", "report"]
    assert authority.state == "accepted"


@pytest.mark.parametrize("part", ["_conclude", "_intend", "_settle"])
def test_connections_that_are_cut_inside_a_commit_leave_the_ledger_whole(
    room: Room, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    authority = Authority(room)
    bench = authority.bench
    genuine = getattr(bench.ledger, part)

    def cutting(*arguments: Any) -> Any:
        monkeypatch.undo()
        room.cut_connections()
        return genuine(*arguments)

    monkeypatch.setattr(bench.ledger, part, cutting)
    if room.database.dialect.name == "sqlite":
        bench.work()
    else:
        with pytest.raises(EnvironmentTroubleError):
            bench.work()
    bench.until_idle()
    assert [entry.step for entry in authority.entries] == authority.calls
    assert authority.state == "accepted"


# --- processes --------------------------------------------------------------------------------------------------


def test_four_processes_lose_nothing_and_double_nothing_though_one_dies(
    room: Room, shared_database_url: str, room_keys: Path
) -> None:
    room.clock.advance_to(datetime.now(UTC))
    submitted = room.submit(300)
    script = [sys.executable, queue_worker.__file__, shared_database_url, str(room_keys), room.lane]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen([*script, *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for more in (["--die-at", "5"], [], [], [])
        ]
        for process in processes:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
        with ThreadPoolExecutor(len(processes)) as pool:
            list(pool.map(lambda process: process.communicate("go\n"), processes))
        assert [process.returncode for process in processes] == [9, 0, 0, 0]

    def calls() -> Counter[str]:
        lines = queue_worker.filed(room_keys, room.lane).read_text().splitlines()
        assert len({line.split()[1] for line in lines}) > 2, "the work was never shared"
        return Counter(line.split()[0] for line in lines)

    def states() -> Counter[str]:
        with transaction(room.database) as connection:
            which = Submission.__table__.c.id.in_(submitted)
            return Counter(connection.execute(select(Submission.__table__.c.state).where(which)).scalars())

    left = 300 - states()["accepted"]
    assert 1 <= left <= queue_worker.THREADS, "only what the dead one held waits for the end of its lease"
    room.clock.advance(2 * queue_worker.LEASE)
    queue_worker.worker(room.database, room_keys, room.lane, room.clock).once()
    assert states() == {"accepted": 300}
    assert set(calls()) == set(submitted)
    assert sorted(calls().values(), reverse=True)[left:] == [1] * (300 - left), "only the dead one's calls are repeated"
