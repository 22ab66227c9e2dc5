"""
What a lost answer comes to, for each policy: DESIGN's table, worked by the real engine and ledger on both databases.

Each line is the delivery of one report to an authority of that kind: what goes wrong, the state it ends in, and how
many reports the authority then has.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from reporter.authority import Call, Lost
from reporter.db.engine import open_engine
from reporter.evidence.bodies import BodyVault
from reporter.submissions.model import ReceiptKind
from reporter.testing.bench import Bench, fresh_bodies
from reporter.testing.clock import FakeClock
from reporter.testing.contract.deliveries import once
from reporter.testing.contract.subject import FILES, AdapterSubject
from tests.contract.mini import LOOK, REPORT, MiniAdapter, Registry

_FILES = {"e1": FILES["e1"]}
_LEASE = timedelta(seconds=180)

KEY, FIND, ASK = Lost.REPEAT, Lost.LOOK_UP, Lost.ASK


class Killed(BaseException):
    """The worker dies here."""


class Story:
    """One report on its way to one authority."""

    def __init__(self, kind: Lost, faults: str, database: Engine, bodies: BodyVault) -> None:
        subject = AdapterSubject()
        subject.adapter = MiniAdapter(kind)
        clock = FakeClock()
        self.double: Registry = subject.double(clock, faults)
        self.bench = Bench(database, bodies, clock, subject.adapter, subject.connect(self.double), lease=_LEASE)
        package = subject.package(_FILES)
        self.id = self.bench.submit(package, _FILES)
        self.package, self.report = package, subject.adapter.plan(package).final

    def ends(self) -> tuple[str, int]:
        """Work to the end and give the state and the number of reports."""
        self.bench.until_idle()
        assert self.double.faults.unfired == []
        return self.bench.submission(self.id).state, len(self.double.reports)


@pytest.fixture(scope="module")
def database(shared_database_url: str) -> Iterator[Engine]:
    engine = open_engine(shared_database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def bodies(tmp_path_factory: pytest.TempPathFactory) -> BodyVault:
    return fresh_bodies(Path(tmp_path_factory.mktemp("keys")))


@pytest.fixture
def story(database: Engine, bodies: BodyVault) -> Callable[[Lost, str], Story]:
    return lambda kind, faults="": Story(kind, faults, database, bodies)


@pytest.mark.parametrize(
    ("kind", "faults", "state", "filed"),
    [
        (KEY, "", "accepted", 1),
        (KEY, "reports:1 refuse", "accepted", 1),
        (KEY, "reports:1 drop_before", "accepted", 1),
        (KEY, "reports:1-5 drop_after", "accepted", 1),
        (KEY, "reports:1-3 status=503 processed", "accepted", 1),
        (KEY, "files:1 wrong_digest", "accepted", 1),
        (KEY, "reports:1 code=422", "rejected", 0),
        (KEY, "reports:1 drop_after\nreports:2 code=422", "in_doubt", 1),
        (KEY, "reports:1 drop_before\nreports:2 code=422", "in_doubt", 0),
        (FIND, "", "accepted", 1),
        (FIND, "reports:1 refuse", "accepted", 1),
        (FIND, "reports:1 throttle=60", "accepted", 1),
        (FIND, "reports:1 drop_after", "accepted", 1),
        (FIND, "reports:1 cut\nfind:1-3 drop_after", "accepted", 1),
        (FIND, "reports:1 cut\nfind:1-2 throttle=60", "accepted", 1),
        (FIND, "reports:1 drop_before", "accepted", 1),
        (FIND, "reports:1 html", "accepted", 1),
        (FIND, "reports:1-3 drop_before\nfind:2 drop_after", "accepted", 1),
        (FIND, "reports:1 drop_before\nreports:2 cut", "accepted", 1),
        (FIND, "reports:1 drop_before\nreports:2 code=422", "rejected", 0),
        (FIND, "reports:1 code=422", "rejected", 0),
        (ASK, "", "accepted", 1),
        (ASK, "reports:1 refuse", "accepted", 1),
        (ASK, "reports:1 throttle=60", "accepted", 1),
        (ASK, "files:1 drop_after", "accepted", 1),
        (ASK, "reports:1 drop_after", "in_doubt", 1),
        (ASK, "reports:1 drop_before", "in_doubt", 0),
        (ASK, "reports:1 html", "in_doubt", 0),
        (ASK, "reports:1 code=422", "rejected", 0),
    ],
)
def test_trouble_with_the_network_or_the_authority(
    story: Callable[[Lost, str], Story], kind: Lost, faults: str, state: str, filed: int
) -> None:
    assert story(kind, faults).ends() == (state, filed)


@pytest.mark.parametrize(
    ("kind", "moment", "state", "filed"),
    [
        (KEY, "before", "accepted", 1),
        (KEY, "after", "accepted", 1),
        (FIND, "before", "in_doubt", 0),
        (FIND, "after", "accepted", 1),
        (ASK, "before", "in_doubt", 0),
        (ASK, "after", "in_doubt", 1),
    ],
)
def test_a_worker_dies_around_the_call_that_files(
    story: Callable[[Lost], Story], kind: Lost, moment: str, state: str, filed: int
) -> None:
    def die() -> None:
        raise Killed

    told = story(kind)
    setattr(told.bench.tap, moment, once(told.report, die))
    with pytest.raises(Killed):
        told.ends()
    assert told.ends() == (state, filed)


@pytest.mark.parametrize(("kind", "state"), [(KEY, "accepted"), (FIND, "in_doubt"), (ASK, "in_doubt")])
def test_a_worker_makes_its_call_after_another_has_settled_the_matter(
    story: Callable[[Lost], Story], kind: Lost, state: str
) -> None:
    told = story(kind)

    def another_works() -> None:
        told.bench.clock.advance(2 * _LEASE)
        told.bench.until_idle()
        assert told.bench.submission(told.id).state == state

    told.bench.tap.before = once(told.report, another_works)
    assert told.ends() == (state, 1)


def test_a_call_that_arrives_after_it_was_not_found_is_not_made_again(story: Callable[[Lost, str], Story]) -> None:
    told = story(FIND, "reports:1 drop_before")

    def it_arrives(_call: Call) -> None:
        if not told.double.reports:
            told.double.reports.append({**json.loads(told.package.document(REPORT).body), "reference": "R-1"})

    told.bench.tap.after = lambda call: it_arrives(call) if call.step == LOOK else None
    assert told.ends() == ("accepted", 1)
    assert [call.outcome for call in told.bench.calls(told.id) if call.step == LOOK.key] == ["missing", "accepted"]


def test_a_report_that_was_looked_up_has_its_receipt(story: Callable[[Lost, str], Story]) -> None:
    told = story(FIND, "reports:1 drop_after")
    told.ends()
    submission = told.bench.submission(told.id)
    assert (submission.receipt_kind, submission.receipt_reference) == (ReceiptKind.ACKNOWLEDGED, "R-1")
    with told.bench.database.connect() as connection:
        assert b'"reference": "R-1"' in told.bench.bodies.open(connection, submission.receipt_body)


def test_what_a_late_worker_brings_home_of_a_matter_in_doubt_is_kept(story: Callable[[Lost], Story]) -> None:
    told = story(ASK)

    def another_works() -> None:
        told.bench.clock.advance(2 * _LEASE)
        told.bench.until_idle()

    told.bench.tap.before = once(told.report, another_works)
    told.ends()
    late = told.bench.calls(told.id)[-1]
    assert (late.step, late.outcome, late.reference) == (REPORT, "accepted", "R-1")
