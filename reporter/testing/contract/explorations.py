"""Exactly once, or a person knows: the adapter under every schedule of one fault and two workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from reporter.submissions.model import State
from reporter.testing.contract.subject import AdapterSubject
from reporter.testing.simulation.explore import Run, explore
from reporter.testing.simulation.replay import command, first_files
from reporter.testing.simulation.world import Template

#: No more failing schedules are printed than this: the first tell most.
_SHOWN = 20


class ExplorationContract(AdapterSubject):
    """Every schedule within a bound; what fails is printed as a command that replays it."""

    @pytest.mark.parametrize("count", [0, 1, 2])
    def test_one_fault_and_two_workers(self, tmp_path: Path, count: int) -> None:
        template = Template.make(tmp_path, self, first_files(count))
        all_hold(self, count, explore(template, faults=1, pauses=1))


def all_hold(subject: AdapterSubject, files: int, runs: Iterable[Run]) -> Counter[State]:
    """Hold that no run breaks an invariant; print how many there were and give how they ended."""
    ends: Counter[State] = Counter()
    played, failed = 0, []
    for run in runs:
        played += 1
        if run.state is not None:
            ends[run.state] += 1
        if run.broken:
            failed.append(f"{'; '.join(run.broken)}\n    {command(subject, files, run)}")
    told = ", ".join(f"{state} {number}" for state, number in sorted(ends.items()))
    print(f"{files} files: {played} schedules, {told}, joined to another {played - ends.total()}")
    assert not failed, "\n".join(failed[:_SHOWN])
    return ends
