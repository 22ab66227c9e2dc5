"""What an intake that was killed leaves behind: swept where it is certainly that, told of where it may be more."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from reporter.db.engine import reading
from reporter.errors import ConflictError, PolicyError
from reporter.evidence.leftovers import LEASE, Leftovers
from reporter.evidence.objects import LocalObjectStore
from reporter.evidence.tables import SealingBatch
from reporter.evidence.vault import EvidenceVault
from reporter.testing.documents import write_case
from reporter.testing.house import House
from tests.conftest import copied_database

REF, OTHER = "TEST-000001", "TEST-000002"
FILES = {"e1": b"harmless one", "e2": b"harmless two"}


class Killed(BaseException):
    """The process is gone: nothing that it would have taken back is taken back."""


#: Runs a test on both databases; the others need SQLite alone.
both = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with copied_database(getattr(request, "param", "sqlite"), request) as url:
        yield url


@pytest.fixture
def house(tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    house = House(tmp_path, database=engine)
    monkeypatch.setattr(EvidenceVault, "discard", lambda *_: None)
    house.app.cases.add(write_case(tmp_path / "whole", OTHER, files=FILES), "preparer")
    yield house
    house.app.close()


def killed(house: House, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    def die(*_: object) -> None:
        raise Killed

    case = write_case(house.folder / "killed", REF, files=FILES)
    with monkeypatch.context() as patch:
        patch.setattr(*{
            "before keys": (house.app.vault.keys, "keep_identity", die),
            "before rows": ("reporter.cases.service.CaseService._record_evidence", die),
        }[where])  # fmt: skip
        with pytest.raises(Killed):
            house.app.cases.add(case, "preparer")


def objects(house: House) -> int:
    return sum(1 for path in (house.folder / "home" / "objects").iterdir() if len(path.name) == 32)


def batches(house: House) -> int:
    with reading(house.app.database) as connection:
        return len(connection.execute(select(SealingBatch.__table__)).all())


@both
def test_what_was_sealed_and_never_recorded_goes_after_a_day(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    leftovers = house.app.evidence.leftovers
    assert (batches(house), objects(house)) == (0, 2)
    killed(house, monkeypatch, "before keys")
    assert (batches(house), objects(house)) == (1, 4)
    assert (leftovers.sweep(), list(leftovers.strays())) == (0, [])
    house.clock.advance(LEASE)
    assert leftovers.sweep() == 2
    assert (batches(house), objects(house)) == (0, 2)
    assert [found.sound for found in house.app.evidence.integrity.one(OTHER, None, "ann")] == [True, True]
    house.app.cases.add(house.folder / "killed" / REF, "preparer")


def test_what_has_its_key_is_told_of_and_never_swept(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    killed(house, monkeypatch, "before rows")
    house.clock.advance(LEASE)
    leftovers = house.app.evidence.leftovers
    assert leftovers.sweep() == 0
    assert (len(list(leftovers.strays())), objects(house)) == (2, 4)


def test_nothing_of_before_a_restore_is_swept(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    killed(house, monkeypatch, "before keys")
    house.clock.advance(LEASE)
    house.app.deliveries.quarantine.impose("Synthetic.", "ann")
    house.app.deliveries.quarantine.release("ann", "Synthetic.")
    leftovers = house.app.evidence.leftovers
    assert leftovers.sweep() == 0
    assert (len(list(leftovers.strays())), objects(house)) == (2, 4)


def test_a_database_that_lost_its_rows_loses_no_object(house: House) -> None:
    """Restored from before the case: no batch explains the objects, so nothing removes them."""
    from sqlalchemy import text

    from reporter.db.engine import transaction

    with transaction(house.app.database) as connection:
        connection.execute(text("DELETE FROM evidence_item"))
    house.clock.advance(LEASE * 2)
    leftovers = house.app.evidence.leftovers
    assert leftovers.sweep() == 0
    assert (len(list(leftovers.strays())), objects(house)) == (2, 2)


@both
def test_whoever_took_too_long_cannot_record_what_may_be_swept(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    seal_all = EvidenceVault.seal_all

    def slow(*arguments: object, **more: object) -> object:
        sealed = seal_all(*arguments, **more)  # type: ignore[arg-type]
        house.clock.advance(LEASE)
        house.app.evidence.leftovers.sweep()
        return sealed

    monkeypatch.setattr(EvidenceVault, "seal_all", slow)
    with pytest.raises(ConflictError, match="took too long"):
        house.app.cases.add(write_case(house.folder / "slow", REF, files=FILES), "preparer")
    assert [case.reference for case in house.app.cases.list()] == [OTHER]


def test_what_a_store_has_locked_waits_for_its_lock(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    class Locked(LocalObjectStore):
        def delete(self, key: str, *, despite_lock: bool = False) -> None:
            assert not despite_lock
            raise PolicyError("locked")

    killed(house, monkeypatch, "before keys")
    house.clock.advance(LEASE)
    leftovers = house.app.evidence.leftovers
    locked: Leftovers = replace(leftovers, objects=Locked(house.folder / "home" / "objects"))
    assert locked.sweep() == 0
    assert leftovers.sweep() == 2


def test_half_written_files_go_too(house: House) -> None:
    folder = house.folder / "home" / "objects"
    old, young = folder / ".partial-old", folder / ".partial-young"
    for file in (old, young):
        file.write_bytes(b"half")
        file.chmod(0o600)
    age = (house.clock.now() - LEASE - timedelta(minutes=1)).timestamp()
    os.utime(old, (age, age))
    os.utime(young, (house.clock.now().timestamp(),) * 2)
    assert house.app.evidence.leftovers.sweep() == 1
    assert (old.exists(), young.exists()) == (False, True)
