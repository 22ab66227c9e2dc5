"""
How fast deliveries go over real HTTP: against a bare script that makes the same calls, and with several processes.

Prints figures and gates nothing on time.
"""

from __future__ import annotations

import multiprocessing
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier
from typing import Self

import httpx
import pytest
from sqlalchemy import insert, select
from sqlmodel import col

from reporter import home
from reporter.authority import Package
from reporter.bootstrap import App, open_home
from reporter.clock import SystemClock
from reporter.db.engine import transaction
from reporter.delivery.tables import LanePause, LedgerEntry
from reporter.submissions.tables import Submission
from tests.benchmarks.surroundings import PROGRAM, approved, authority, states

CONCURRENCY, REPORTS = 16, 250
CONTENT = b"harmless OVERHEAD-000000 " * 100
LATENCY = "* delay=0.02"
#: So many turns each with the custody log and without it, and so many reports in each.
TURNS, BATCH = 5, 30
URL = "REPORTER_AUTHORITY__NCMEC__BASE_URL"


@pytest.fixture
def app(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    """Give a house on either database whose authority answers after 20 ms."""
    monkeypatch.setenv("REPORTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("REPORTER_DATABASE_URL", database_url)
    monkeypatch.setenv("REPORTER_DELIVERY__CONCURRENCY", str(CONCURRENCY))
    home.create(tmp_path / "home")
    with authority(tmp_path, LATENCY) as url:
        monkeypatch.setenv(URL, url)
        app = open_home()
        yield app
        app.close()


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


class Bare:
    """The four calls with httpx and nothing else: nothing is written down, nothing is checked, nothing is sealed."""

    def __init__(self, url: str, package: Package, content: bytes, threads: int = CONCURRENCY) -> None:
        self._threads = threads
        self._report, self._details = (document.body for document in package.documents)
        self._content = content
        self._client = httpx.Client(
            base_url=url,
            auth=("usr123", "pswd456"),
            trust_env=False,
            limits=httpx.Limits(max_connections=threads, max_keepalive_connections=threads),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def run(self, reports: int = REPORTS) -> None:
        """File so many reports."""
        with ThreadPoolExecutor(self._threads) as pool:
            list(pool.map(self._file, range(reports)))

    def _file(self, _number: int) -> None:
        xml = {"Content-Type": "text/xml; charset=utf-8"}
        opened = self._client.post("/submit", content=self._report, headers=xml).text
        report_id = re.findall(r"<reportId>(\d+)<", opened)[0]
        sent = self._client.post("/upload", data={"id": report_id}, files={"file": ("e1.txt", self._content)}).text
        file_id = re.findall(r"<fileId>(\w+)<", sent)[0]
        details = self._details.replace(b"{{report_id}}", report_id.encode())
        details = re.sub(rb"\{\{file_id[^}]*\}\}", file_id.encode(), details)
        assert "<responseCode>0<" in self._client.post("/fileinfo", content=details, headers=xml).text
        finished = self._client.post("/finish", data={}, files={"id": (None, report_id)}).text
        assert "<responseCode>0<" in finished


def bare_share(url: str, package: Package, threads: int, reports: int, ready: Barrier) -> tuple[float, float]:
    """Be one of several processes of the bare script; give when its work began and ended, by the machine's clock."""
    with Bare(url, package, CONTENT, threads) as bare:
        bare.run(2 * threads)
        ready.wait()
        begun = time.monotonic()
        bare.run(reports)
        return begun, time.monotonic()


def bare_rate(url: str, package: Package, processes: int) -> float:
    """Give the reports/s of the bare script with its ``CONCURRENCY`` spread over processes."""
    spawn = multiprocessing.get_context("spawn")
    with spawn.Manager() as manager, ProcessPoolExecutor(processes, spawn) as pool:
        share = (url, package, CONCURRENCY // processes, REPORTS // processes, manager.Barrier(processes))
        times = [future.result() for future in [pool.submit(bare_share, *share) for _ in range(processes)]]
    return (REPORTS // processes * processes) / (max(end for _, end in times) - min(begun for begun, _ in times))


def test_overhead(app: App, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    references = approved(app, tmp_path, "OVERHEAD", REPORTS)
    package = app.submissions.frozen_package(_id_of(app, references[0])).package
    url = str(app.configuration.authority["ncmec"].base_url)
    with Bare(url, package, CONTENT) as bare:
        bare.run()  # warms the double and the connections up
        before = seconds(bare.run)
        ours = seconds(app.deliveries.worker().once)
        after = seconds(bare.run)
    assert states(app, references) == {"accepted"}
    theirs = statistics.mean((before, after))
    with capsys.disabled():
        print(
            f"\n{app.database.dialect.name:<10} {CONCURRENCY} at once, 20 ms: bare {REPORTS / theirs:.0f} reports/s, "
            f"reporter {REPORTS / ours:.0f} reports/s, ratio {theirs / ours:.2f}",
            end="",
        )


def test_with_and_without_the_custody_log(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same deliveries by turns with the log's outbox and without: in one run, beside whatever else is going on."""
    took: dict[bool, list[float]] = {True: [], False: []}
    spent: dict[bool, list[float]] = {True: [], False: []}
    for number in range(2 * TURNS + 1):  # the first warms up
        references, logged = approved(app, tmp_path, f"LOG-{number}", BATCH), number % 2 == 0
        with monkeypatch.context() as patch:
            if not logged:
                patch.setattr("reporter.audit.service.record", lambda *_, **__: None)
                patch.setattr("reporter.audit.service.record_all", lambda *_: None)
            begun = time.process_time()
            took[logged].append(seconds(app.deliveries.worker().once))
            spent[logged].append((time.process_time() - begun) * 1000 / BATCH)
        assert states(app, references) == {"accepted"}
    with_log, without = (statistics.median(took[logged][-TURNS:]) for logged in (True, False))
    ratios = sorted(off / on for on, off in zip(took[True][-TURNS:], took[False], strict=True))
    cpu_with, cpu_without = (statistics.median(spent[logged][-TURNS:]) for logged in (True, False))
    rates, span = f"{BATCH / with_log:.0f} with, {BATCH / without:.0f} without", f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
    with capsys.disabled():
        print(
            f"\n{app.database.dialect.name:<10} reports/s {rates} the custody log: ratio {without / with_log:.2f} "
            f"({span}); processor {cpu_with:.1f} and {cpu_without:.1f} ms a report, ratio {cpu_without / cpu_with:.2f}",
            end="",
        )


def _id_of(app: App, reference: str) -> str:
    with transaction(app.database) as connection:
        return str(
            connection.execute(select(col(Submission.id)).where(col(Submission.reference) == reference)).scalar_one()
        )


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_processes(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], processes: int
) -> None:
    if app.database.dialect.name == "sqlite":
        pytest.skip("many processes share a PostgreSQL")
    monkeypatch.setenv("REPORTER_DELIVERY__CONCURRENCY", str(CONCURRENCY // processes))
    references = approved(app, tmp_path, f"MANY-{processes}", REPORTS)
    with transaction(app.database) as connection:
        connection.execute(insert(LanePause).values(lane="ncmec:sandbox", since=SystemClock().now(), reason="bench"))
    with ExitStack() as stack:
        workers = [
            stack.enter_context(subprocess.Popen([PROGRAM, "worker"], stdout=subprocess.PIPE)) for _ in range(processes)
        ]
        for worker in workers:
            stack.callback(worker.terminate)
            assert worker.stdout
            worker.stdout.readline()
        app.deliveries.queue.resume("ncmec:sandbox", "bench")
        while states(app, references[-1:]) != {"accepted"} or states(app, references) != {"accepted"}:
            time.sleep(0.5)
        for worker in workers:
            worker.terminate()
            worker.communicate()
    with transaction(app.database) as connection:
        times = connection.execute(select(col(LedgerEntry.intent_at), col(LedgerEntry.outcome_at))).all()
    took = (max(row.outcome_at for row in times) - min(row.intent_at for row in times)).total_seconds()
    ours = len(references) / took
    package = app.submissions.frozen_package(_id_of(app, references[0])).package
    bare = bare_rate(str(app.configuration.authority["ncmec"].base_url), package, processes)
    with capsys.disabled():
        print(
            f"\npostgresql {CONCURRENCY} at once in {processes} processes: bare {bare:.0f} reports/s, "
            f"reporter {ours:.0f} reports/s, ratio {ours / bare:.2f}",
            end="",
        )
