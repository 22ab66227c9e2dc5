"""Every schedule within the bound files exactly once, or asks for a person; and the explorer sees when it does not."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from ncmec_subject import FILES, NCMEC
from replay import command

from reporter.authority import Answer, Call, Lost, Outcome, Package, Plan
from reporter.delivery.ledger import Ledger
from reporter.delivery.model import Claim
from reporter.submissions.model import State
from reporter.testing.simulation.explore import Run, explore, play
from reporter.testing.simulation.schedule import Injection, possible, read, written
from reporter.testing.simulation.world import Template


def template(folder: Path, files: int) -> Template:
    return Template.make(folder, NCMEC, dict(list(FILES.items())[:files]))


def all_hold(files: int, runs: Any) -> Counter[State]:
    states: Counter[State] = Counter()
    failed = []
    for run in runs:
        states[run.state] += 1
        if run.broken:
            failed.append(f"{'; '.join(run.broken)}\n    {command(files, run)}")
    print(
        f"{files} files: {sum(states.values())} schedules, {', '.join(f'{s} {n}' for s, n in sorted(states.items()))}"
    )
    assert not failed, "\n".join(failed[:20])
    return states


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("files", [0, 1, 2])
def test_one_fault_and_two_workers(tmp_path: Path, files: int, part: int) -> None:
    states = all_hold(files, explore(template(tmp_path, files), faults=1, pauses=1, share=(part, 4)))
    assert set(states) <= {State.ACCEPTED, State.REJECTED, State.IN_DOUBT, State.ATTENTION}


@pytest.mark.chaos
@pytest.mark.parametrize("part", range(8))
@pytest.mark.parametrize("files", [0, 1, 2])
def test_two_faults_and_two_workers(tmp_path: Path, files: int, part: int) -> None:
    all_hold(files, explore(template(tmp_path, files), faults=2, pauses=1, share=(part, 8)))


def test_every_documented_code_and_fault_is_among_what_goes_wrong(tmp_path: Path) -> None:
    run = play(template(tmp_path, 0), ())
    actions = {injection.action for injection in possible(run.trace, NCMEC.faults)}
    assert {"crash", "pause", "expire", "drop_after", "code=5102", "wrong_digest"} <= actions


def test_a_schedule_can_be_written_down_and_read_back() -> None:
    schedule = (Injection(8, "code=5102"), Injection(12, "pause"), Injection(14, "status=503 processed"))
    assert read(written(schedule)) == schedule


# --- the explorer sees what is wrong ----------------------------------------------------------------------------


class Careless:
    """The adapter, with one thing done as others do it."""

    def __init__(self, adapter: Any, **instead: Any) -> None:
        self._adapter = adapter
        self.__dict__.update(instead)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._adapter, name)


def first_broken(sound: Template, problem: str, adapter: Any = None, **bounds: int) -> Run:
    careless = replace(sound, load=replace(sound.load, adapter=adapter or sound.load.adapter))
    return next(run for run in explore(careless, **bounds) if any(problem in broken for broken in run.broken))


def test_a_client_that_begins_anew_after_a_lost_finish_is_caught_filing_twice(tmp_path: Path) -> None:
    sound = template(tmp_path, 0)

    def connect(*args: Any) -> Any:
        connection = sound.load.adapter.connect(*args)
        perform = connection.perform

        def forget(call: Call) -> Answer:
            answer = perform(call)
            lost = answer.outcome is Outcome.UNKNOWN and call.step.key == "finish"
            return Answer(Outcome.GONE) if lost else answer

        connection.perform = forget
        return connection

    caught = first_broken(sound, "2 reports were filed", Careless(sound.load.adapter, connect=connect), faults=1)
    assert not play(sound, caught.schedule).broken


def test_a_client_that_uploads_again_into_the_same_draft_is_caught(tmp_path: Path) -> None:
    sound = template(tmp_path, 1)

    def plan(package: Package) -> Plan:
        careful = sound.load.adapter.plan(package)
        return replace(careful, steps=tuple(replace(step, lost=Lost.REPEAT) for step in careful.steps))

    caught = first_broken(sound, "files once each", Careless(sound.load.adapter, plan=plan), faults=1)
    assert not play(sound, caught.schedule).broken


def test_a_ledger_without_a_fence_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hold = Ledger._hold

    def hold_without_fence(self: Ledger, connection: Any, claim: Claim, *rest: Any) -> None:
        fence, owner = connection.exec_driver_sql("SELECT fence, owner FROM delivery").one()
        hold(self, connection, replace(claim, fence=fence, owner=owner), *rest)

    sound = template(tmp_path, 0)
    monkeypatch.setattr(Ledger, "_hold", hold_without_fence)
    caught = first_broken(sound, "changed something", faults=0, pauses=1)
    monkeypatch.undo()
    assert not play(sound, caught.schedule).broken
