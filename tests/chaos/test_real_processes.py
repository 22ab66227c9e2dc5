"""
Real processes, real HTTP, real databases, and everything that can happen to them: nothing is lost, nothing doubled.

Trouble comes by progress and from a seed, which is printed; ``REPORTER_CHAOS_SEED=…`` plays the same trouble again
(the processes' own timing stays theirs).
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from reporter import config, home
from reporter.bootstrap import App, open_home
from reporter.testing.documents import write_case
from tests.chaos.surroundings import Authority, Fleet, Postgres, own_postgres, until

SEED = int(os.environ.get("REPORTER_CHAOS_SEED") or secrets.randbelow(10**9))
LEASE, TIMEOUT = 2.0, 1.0
SETTLED = {"accepted", "rejected", "in_doubt", "attention"}
#: Trouble for any call; a delay beyond TIMEOUT is a lost answer, a drip of 0.3 s makes a body take longer than that.
KINDS = (
    "drop_before", "drop_after", "cut", "truncate", "status=503", "status=500 processed", "html=502",
    "html=504 processed", "code=1000", "code=1000 processed", "throttle=1", "oversize", "delay=1.5", "drip=0.3",
)  # fmt: skip
#: What must happen in every run, also in the short one.
ALWAYS = {
    "submit": ("drop_after",),
    "upload": ("drop_before", "cut", "wrong_digest", "drip=0.3"),
    "fileinfo": ("drop_after",),
    "finish": ("drop_before", "drop_after", "cut", "status=503 processed", "drip=0.3"),
}


@dataclass(frozen=True)
class Scale:
    """How much, and how often what happens; ``extra`` faults are drawn on top of those that always happen."""

    submissions: int
    workers: int
    extra: int
    kills: int
    pauses: int
    outages: int


SHORT = Scale(submissions=40, workers=3, extra=6, kills=2, pauses=1, outages=1)
LONG = Scale(submissions=400, workers=4, extra=120, kills=20, pauses=10, outages=6)


# --- the surroundings -------------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgresql"])
def postgres(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Postgres | None]:
    """Give a PostgreSQL that the home uses, or None: then it uses SQLite."""
    with ExitStack() as stack:
        server = stack.enter_context(own_postgres()) if request.param == "postgresql" else None
        if server:
            monkeypatch.setenv("REPORTER_DATABASE_URL", server.url)
        yield server


@pytest.fixture
def watching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: Postgres | None) -> Iterator[Engine]:
    """Set a home up, and give a way to look into its database that takes no lock and outlives its crashes."""
    monkeypatch.setenv("REPORTER_HOME", str(tmp_path / "home"))
    for name, value in {"LEASE": LEASE, "TIMEOUT": TIMEOUT, "RETRY_BASE": 0.1, "RETRY_MAX": 1}.items():
        monkeypatch.setenv(f"REPORTER_DELIVERY__{name}_SECONDS", str(value))
    home.create(tmp_path / "home")
    url = make_url(config.load().database)
    engine = create_engine(url.set(drivername="postgresql+psycopg") if postgres else url, pool_pre_ping=True)
    yield engine
    engine.dispose()


def script(scale: Scale, draw: random.Random, files: int) -> str:
    """Write the faults: no request has two, and each falls on a request that must come."""
    counts = {"submit": scale.submissions, "upload": files, "fileinfo": files, "finish": scale.submissions}
    wanted = [(endpoint, kind) for endpoint, kinds in ALWAYS.items() for kind in kinds]
    wanted += [(draw.choice(list(counts)), draw.choice(KINDS)) for _ in range(scale.extra)]
    free = {endpoint: draw.sample(range(1, count + 1), count) for endpoint, count in counts.items()}
    lines = [f"{endpoint}:{free[endpoint].pop()} {kind}" for endpoint, kind in wanted if free[endpoint]]
    assert len(lines) == len(wanted)
    return "\n".join([*lines, "retract:1 drop_before", "retract:2 drop_after", "* delay=0.02"])


def hand_in(app: App, folder: Path, scale: Scale, draw: random.Random) -> dict[str, list[str]]:
    """Add the cases; give the digests of each one's files."""
    digests: dict[str, list[str]] = {}
    for number in range(scale.submissions):
        reference = f"CHAOS-{number:06}"
        sizes = [draw.choice((1, 20_000, 1_500_000)) for _ in range(draw.choice((0, 1, 1, 2)) if number else 2)]
        files = {f"e{at}": f"{reference}-{at} ".encode() + b"." * size for at, size in enumerate(sizes)}
        people = [{"id": "p1", "roles": ["suspect"], "account": {"id": reference, "service": "Example Forum"}}]
        app.cases.add(write_case(folder / "cases", reference, files=files, people=people), "preparer")
        digests[reference] = sorted(hashlib.sha256(content).hexdigest() for content in files.values())
    return digests


# --- what happens -----------------------------------------------------------------------------------------------


def count(watching: Engine, query: str) -> int:
    with watching.connect() as connection:
        return int(connection.execute(text(query)).scalar_one())


def waiting(watching: Engine) -> int:
    """Count the submissions that are neither filed nor waiting for a person."""
    return count(watching, "SELECT count(*) FROM submission WHERE state IN ('approved', 'delivering')")


@dataclass
class Chaos:
    """Approves the cases bit by bit, so that there is always work under way when something happens to it."""

    scale: Scale
    draw: random.Random
    app: App
    fleet: Fleet
    authority: Authority
    watching: Engine
    postgres: Postgres | None
    done: Counter[str] = field(default_factory=Counter)

    def wreak(self, references: Sequence[str]) -> None:
        """Let it all happen, in any order."""
        actions = ["kill"] * self.scale.kills + ["pause"] * self.scale.pauses + ["outage"] * self.scale.outages
        actions += ["crash"] * self.scale.outages if self.postgres else []
        self.draw.shuffle(actions)
        for number, action in enumerate(actions):
            part = references[number :: len(actions)]
            first = self.draw.randrange(1, len(part))
            self._approve(part[:first])
            self.done[action] += 1
            match action:
                case "kill":
                    self.fleet.kill(self.fleet.busy(self.draw))
                case "pause":
                    self.pause()
                case "outage":
                    self.authority.stop()
                case "crash" if self.postgres:
                    self.fleet.all_begun()  # to begin without a database is refused: that is for a supervisor to repeat
                    self.postgres.crash()
            met = self._met_with_silence()
            self._approve(part[first:])
            if action == "outage":
                until(lambda met=met: self._met_with_silence() > met, "a refused connection")  # type: ignore[misc]
                self.authority.start()

    def pause(self) -> None:
        """Let a worker miss the end of its lease."""
        self.done["taken over"] += self.fleet.pause(self.fleet.busy(self.draw), LEASE)

    def _approve(self, references: Sequence[str]) -> None:
        for reference in references:
            self.app.submissions.approve(reference, "approver")

    def _met_with_silence(self) -> int:
        return count(self.watching, "SELECT count(*) FROM ledger_entry WHERE outcome = 'not_sent'")


# --- what must hold ---------------------------------------------------------------------------------------------


def rows(watching: Engine, query: str) -> list[Mapping[str, Any]]:
    with watching.connect() as connection:
        return [dict(row) for row in connection.execute(text(query)).mappings()]


def require_exactly_once(authority: Authority, watching: Engine, digests: Mapping[str, list[str]]) -> Counter[str]:
    """Hold what the authority has against what was approved; give the states that submissions ended in."""
    filed: dict[str, list[Any]] = {reference: [] for reference in digests}
    for report in authority.double.reports.values():
        if report.state == "finished":
            (reference,) = set(re.findall(rb"CHAOS-\d{6}", report.document))
            filed[reference.decode()].append(report)
    submissions = rows(watching, "SELECT reference, state, reason, receipt_reference FROM submission")
    assert sorted(row["reference"] for row in submissions) == sorted(digests)
    for row in submissions:
        reports = filed[row["reference"]]
        if row["state"] == "accepted":
            assert [report.id for report in reports] == [row["receipt_reference"]], row
        else:
            assert row["state"] in SETTLED, row
            assert row["reason"], row
            assert len(reports) <= 1, row
        for report in reports:
            assert sorted(file.sha256 for file in report.files.values()) == digests[row["reference"]], row
            assert all(file.details for file in report.files.values()), row
    return Counter(row["state"] for row in submissions)


def require_known(authority: Authority, watching: Engine) -> None:
    """Hold the authority's journal against the ledger: no request without an intent, no known draft left open."""
    kinds = {"open": "submit", "upload": "upload", "details": "fileinfo", "finish": "finish", "retract": "retract"}
    intents = Counter(kinds[row["step"].partition(":")[0]] for row in rows(watching, "SELECT step FROM ledger_entry"))
    seen = Counter(request.endpoint for request in authority.double.requests if request.endpoint in intents)
    assert all(seen[endpoint] <= intents[endpoint] for endpoint in seen), (seen, intents)
    known = "".join(row["ids"] for row in rows(watching, "SELECT ids FROM ledger_entry"))
    left = [report.id for report in authority.double.reports.values() if report.state == "open"]
    assert not [report_id for report_id in left if f'"{report_id}"' in known]


@pytest.mark.parametrize(
    "scale", [pytest.param(SHORT, id="short"), pytest.param(LONG, id="long", marks=pytest.mark.chaos)]
)
def test_nothing_is_lost_and_nothing_doubled(
    scale: Scale,
    postgres: Postgres | None,
    watching: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    print(f"\nREPORTER_CHAOS_SEED={SEED}")
    draw = random.Random(SEED)
    with ExitStack() as stack:
        app = open_home()
        stack.callback(app.close)
        digests = hand_in(app, tmp_path, scale, draw)
        authority = Authority(script(scale, draw, files=sum(map(len, digests.values()))))
        stack.callback(authority.stop)
        monkeypatch.setenv("REPORTER_AUTHORITY__NCMEC__BASE_URL", authority.url)
        fleet = Fleet(scale.workers, tmp_path, watching)
        stack.callback(fleet.close)
        chaos = Chaos(scale, draw, app, fleet, authority, watching, postgres)
        chaos.wreak(list(digests))
        while not chaos.done["taken over"] and waiting(watching):
            chaos.pause()
        until(lambda: not waiting(watching), "the last submission", seconds=600)
        fleet.end()
    states = require_exactly_once(authority, watching, digests)
    require_known(authority, watching)
    assert authority.double.faults.unfired == []
    assert chaos.done["taken over"]
    cut_short = count(watching, "SELECT count(*) FROM ledger_entry WHERE outcome IS NULL")
    assert cut_short
    late = count(watching, "SELECT count(*) FROM late_answer")
    log = fleet.log.read_text()
    assert "Traceback" not in log
    assert "internal fault" not in log
    print(
        f"{dict(states)}; {len(authority.double.faults.faults) - 1} faults, {dict(chaos.done)}; "
        f"{cut_short} calls without an outcome, {late} late answers, {len(authority.double.requests)} requests"
    )
