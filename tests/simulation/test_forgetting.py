"""A database that goes back in time at any moment, under any fault, files nothing twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from reporter.delivery.guard import Guard
from reporter.submissions.model import State
from reporter.testing.contract.explorations import all_hold
from reporter.testing.simulation.explore import explore, play
from reporter.testing.simulation.replay import first_files
from reporter.testing.simulation.world import Template
from tests.contract.ncmec_subject import NCMECSubject

NCMEC = NCMECSubject()


def template(folder: Path, files: int) -> Template:
    return Template.make(folder, NCMEC, first_files(files))


@pytest.mark.parametrize("files", [0, 1])
def test_one_restore_or_failover(tmp_path: Path, files: int) -> None:
    states = all_hold(NCMEC, files, explore(template(tmp_path, files), faults=0, restores=1))
    assert states[State.IN_DOUBT] > 0
    assert states[State.ACCEPTED] > 0


@pytest.mark.chaos
@pytest.mark.parametrize("part", range(4))
def test_one_restore_or_failover_and_one_fault(tmp_path: Path, part: int) -> None:
    all_hold(NCMEC, 0, explore(template(tmp_path, 0), faults=1, restores=1, share=(part, 4)))


@pytest.mark.chaos
@pytest.mark.parametrize("files", [0, 1])
def test_one_restore_or_failover_and_two_workers(tmp_path: Path, files: int) -> None:
    all_hold(NCMEC, files, explore(template(tmp_path, files), faults=0, pauses=1, restores=1))


def test_without_the_guard_a_restored_database_is_caught_filing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = template(tmp_path, 0)
    monkeypatch.setattr(Guard, "check", lambda *_: [])
    monkeypatch.setattr(Guard, "mark", lambda *_: None)
    runs = explore(sound, faults=0, restores=1)
    caught = next(run for run in runs if any("2 reports were filed" in broken for broken in run.broken))
    monkeypatch.undo()
    assert not play(sound, caught.schedule).broken
