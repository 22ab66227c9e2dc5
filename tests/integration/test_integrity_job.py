"""The integrity job of a worker: what is due is read back a part at a time, in one run, and damage alarms."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlmodel import col

from reporter.db.engine import reading
from reporter.evidence.tables import Verification, VerificationRun
from reporter.testing.documents import write_case
from reporter.testing.house import House

SIZE = 1000


@pytest.fixture
def house(tmp_path: Path, engine: Engine) -> Iterator[House]:
    house = House(tmp_path, database=engine)
    files = {f"e{number}": b"x" * SIZE for number in range(5)}
    house.app.cases.add(write_case(tmp_path / "cases", files=files), "preparer")
    yield house
    house.app.close()


def go_on(house: House, size: int) -> None:
    house.clock.advance(timedelta(minutes=10))
    house.app.evidence.integrity.go_on_with_due("reporter", size)


def state(house: House) -> tuple[int, list[bool]]:
    """Give how many items were read back, and whether each run is over."""
    with reading(house.app.database) as connection:
        items = connection.execute(select(col(Verification.evidence_id))).all()
        runs = connection.execute(select(col(VerificationRun.finished_at)).order_by(col(VerificationRun.id))).scalars()
        return len(items), [at is not None for at in runs]


def test_each_run_of_the_job_reads_a_part_and_one_run_is_on_record(house: House) -> None:
    go_on(house, 2 * SIZE)
    assert state(house) == (2, [False])
    go_on(house, 2 * SIZE)
    assert state(house) == (4, [False])
    go_on(house, 2 * SIZE)
    assert state(house) == (5, [True])
    go_on(house, 2 * SIZE)
    assert state(house) == (5, [True])
    house.clock.advance(timedelta(days=90))
    go_on(house, SIZE)
    assert state(house) == (5, [True, False])


def test_the_job_goes_on_with_no_run_of_somebody_elses(house: House) -> None:
    theirs = house.app.evidence.integrity.due("robin")
    next(theirs)
    go_on(house, SIZE)
    assert state(house)[1] == [False, False]


def test_damage_that_the_job_finds_alarms(house: House) -> None:
    sealed = house.app.evidence.overview.of("TEST-000001")[3].sealed
    house.app.vault.objects.delete(sealed.id)
    assert house.app.jobs.run("evidence-verify")
    assert "evidence_damaged" in {alarm.matter.kind for alarm in house.app.alarms.register.standing()}
    assert house.app.jobs.run("audit-verify")
    assert {standing.trouble for standing in house.app.jobs.standings()} == {""}
