"""
What the custody log costs: an event recorded, a batch made leaves of, a proof, a verification; beside few and many.

``REPORTER_BENCH_MILLION=1`` adds a million. Prints figures and gates nothing on time.
"""

from __future__ import annotations

import os
import statistics
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from reporter.audit import service as audit
from reporter.audit import tree
from reporter.audit.merkle import consistency, inclusion
from reporter.audit.model import Event
from reporter.audit.sequencer import Sequencer
from reporter.audit.walk import Walk
from reporter.db.engine import reading, snapshot, transaction

NOW = datetime.now(UTC)
#: Read before the tests' own surroundings take such variables away.
SIZES = [1_000, 100_000, *([1_000_000] if os.environ.get("REPORTER_BENCH_MILLION") else [])]
ROUNDS = 200


def some(count: int) -> list[Event]:
    return [
        Event(NOW, "reporter", "call_concluded", f"TS-{n:06}", "0" * 32, "ncmec sandbox open 0") for n in range(count)
    ]


def milliseconds(task: Callable[[], object]) -> float:
    """Give the median of many runs."""
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        task()
        times.append((time.perf_counter() - begun) * 1000)
    return statistics.median(times)


@pytest.mark.parametrize("size", SIZES)
def test_custody_log_cost(engine: Engine, size: int, capsys: pytest.CaptureFixture[str]) -> None:
    sequencer, begun = Sequencer(engine), 0.0
    for _ in range(0, size, 10_000):
        with transaction(engine) as connection:
            audit.record_all(connection, some(min(size, 10_000)))
        at = time.perf_counter()
        sequencer.run()
        begun += time.perf_counter() - at
    with transaction(engine) as connection:
        one = milliseconds(lambda: audit.record_all(connection, some(1)))
        ten = milliseconds(lambda: audit.record_all(connection, some(10)))
    sequencer.run()
    append = []
    for _ in range(ROUNDS):
        with transaction(engine) as connection:
            audit.record_all(connection, some(1))
        at = time.perf_counter()
        sequencer.run()
        append.append((time.perf_counter() - at) * 1000)
    with reading(engine) as connection:
        now = tree.size_of(connection)
        included = milliseconds(lambda: tree.roots(connection, inclusion(now // 3, now)))
        consistent = milliseconds(lambda: tree.roots(connection, consistency(now // 3, now)))
    with snapshot(engine) as connection:
        at = time.perf_counter()
        walk = Walk(connection, [])
        assert walk.run() is None
        verified = time.perf_counter() - at
    tracemalloc.start()
    with snapshot(engine) as connection:
        assert Walk(connection, []).run() is None
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    with capsys.disabled():
        print(
            f"\n{engine.dialect.name:<10} {size:>9,} entries: record 1 {one:.2f} ms, 10 {ten:.2f} ms; sequencing "
            f"{size / begun:,.0f}/s, one alone {statistics.median(append):.2f} ms; inclusion {included:.2f} ms, "
            f"consistency {consistent:.2f} ms; verify {walk.frontier.size / verified:,.0f}/s, peak {peak:.1f} MB",
            end="",
        )
