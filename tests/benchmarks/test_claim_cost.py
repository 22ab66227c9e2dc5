"""
What a claim costs beside few and many deliveries, and a look at the oldest: no backlog must slow the queue down.

``REPORTER_BENCH_MILLION=1`` adds a million. Prints figures and gates nothing on time.
"""

from __future__ import annotations

import os
import statistics
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, event, insert, text

from reporter.clock import SystemClock
from reporter.db.engine import reading, transaction
from reporter.delivery.queue import Queue, oldest_due
from reporter.delivery.tables import Delivery, LanePause
from reporter.submissions.tables import Submission

CLAIMS = 400
LANE, OTHER = "ncmec:sandbox", "nca:sandbox"
#: Read before the tests' own surroundings take such variables away.
SIZES = [1_000, 100_000, *([1_000_000] if os.environ.get("REPORTER_BENCH_MILLION") else [])]
NOW = datetime.now(UTC)


def fill(engine: Engine, count: int, due: datetime, lane: str = LANE) -> None:
    """Put deliveries into the queue, one after another due a millisecond later."""
    for begin in range(0, count, 20_000):
        ids = [uuid.uuid4().hex for _ in range(min(20_000, count - begin))]
        submissions = [
            {
                "id": one, "reference": one, "authority": "ncmec", "environment": "sandbox", "version": 1,
                "revision": 1, "state": "approved", "digest": "", "urgent": False, "created_at": due, "reason": "",
            }
            for one in ids
        ]  # fmt: skip
        deliveries = [
            {
                "submission_id": one,
                "lane": lane,
                "priority": 1,
                "available_at": due + timedelta(milliseconds=begin + at),
            }
            for at, one in enumerate(ids)
        ]
        with transaction(engine) as connection:
            connection.execute(insert(Submission), submissions)
            connection.execute(insert(Delivery), deliveries)


def settle(engine: Engine) -> None:
    """Let the database do what it does by itself once in a while."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM (ANALYZE) delivery, submission"))


def pages(engine: Engine) -> str:
    """Count the pages that PostgreSQL touches for one claim: what it costs whatever else the machine does."""
    if engine.dialect.name != "postgresql":
        return ""
    seen: list[int] = []

    def explained(
        connection: Connection, cursor: object, statement: str, parameters: object, *_: object
    ) -> tuple[str, object]:
        plan = connection.connection.driver_connection.execute(  # type: ignore[union-attr]
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", parameters
        ).fetchone()[0][0]["Plan"]
        seen.append(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
        return statement, parameters

    event.listen(engine, "before_cursor_execute", explained, retval=True)
    Queue(engine, SystemClock(), timedelta(hours=1)).claim("explained", [LANE, OTHER])
    event.remove(engine, "before_cursor_execute", explained)
    return f", {seen[0]} pages"


def look(engine: Engine) -> float:
    """Give the median milliseconds of what each worker asks every 15 seconds: since when the oldest is due."""
    times = []
    with reading(engine) as connection:
        for _ in range(100):
            begun = time.perf_counter()
            assert oldest_due(connection, NOW) is not None
            times.append((time.perf_counter() - begun) * 1000)
    return statistics.median(times)


def all_due(engine: Engine, size: int) -> None:
    fill(engine, size + 2 * CLAIMS, NOW - timedelta(days=1))


def most_later(engine: Engine, size: int) -> None:
    fill(engine, 2 * CLAIMS, NOW - timedelta(days=1))
    fill(engine, size, NOW + timedelta(days=1))


def another_lane_stands_still(engine: Engine, size: int) -> None:
    fill(engine, size, NOW - timedelta(days=2), OTHER)
    fill(engine, 2 * CLAIMS, NOW - timedelta(days=1))
    with transaction(engine) as connection:
        connection.execute(insert(LanePause).values(lane=OTHER, since=NOW, reason="SYNTHETIC"))


@pytest.mark.parametrize("make", [all_due, most_later, another_lane_stands_still])
@pytest.mark.parametrize("size", SIZES)
def test_claim_cost(engine: Engine, size: int, make: object, capsys: pytest.CaptureFixture[str]) -> None:
    make(engine, size)  # type: ignore[operator]
    settle(engine)
    queue = Queue(engine, SystemClock(), timedelta(hours=1))
    times = []
    for _ in range(CLAIMS):
        begun = time.perf_counter()
        claim = queue.claim("bench", [LANE, OTHER])
        times.append((time.perf_counter() - begun) * 1000)
        assert claim is not None
        assert claim.lane == LANE
    touched, looked = pages(engine), look(engine)
    cuts = statistics.quantiles(times, n=100)
    with capsys.disabled():
        print(
            f"\n{engine.dialect.name:<10} {make.__name__.replace('_', ' '):<26} "  # type: ignore[attr-defined]
            f"{size:>9,} beside: p50 {cuts[49]:.2f} ms, p99 {cuts[98]:.2f} ms{touched}; "
            f"oldest due {looked:.2f} ms",
            end="",
        )
