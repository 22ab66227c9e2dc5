"""Two faults and two workers; and the explorer sees when something is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reporter.authority import Answer, Call, Lost, Outcome, Package, Plan
from reporter.delivery.ledger import Ledger
from reporter.delivery.model import Claim
from reporter.testing.contract.explorations import all_hold
from reporter.testing.contract.subject import AdapterSubject
from reporter.testing.simulation.explore import Run, explore, play
from reporter.testing.simulation.replay import first_files
from reporter.testing.simulation.schedule import Injection, possible, read, written
from reporter.testing.simulation.world import Template
from tests.contract.ncmec_subject import NCMECSubject

NCMEC = NCMECSubject()


def template(folder: Path, files: int, subject: AdapterSubject = NCMEC) -> Template:
    return Template.make(folder, subject, first_files(files))


@pytest.mark.chaos
@pytest.mark.parametrize("files", [0, 1, 2])
def test_two_faults_and_two_workers(tmp_path: Path, files: int) -> None:
    all_hold(NCMEC, files, explore(template(tmp_path, files), faults=2, pauses=1))


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
    careless = NCMECSubject()
    careless.adapter = adapter or NCMEC.adapter
    runs = explore(replace(sound, subject=careless), **bounds)
    return next(run for run in runs if any(problem in broken for broken in run.broken))


def test_a_client_that_begins_anew_after_a_lost_finish_is_caught_filing_twice(tmp_path: Path) -> None:
    sound = template(tmp_path, 0)

    def connect(*args: Any) -> Any:
        connection = NCMEC.adapter.connect(*args)
        perform = connection.perform

        def forget(call: Call) -> Answer:
            answer = perform(call)
            lost = answer.outcome is Outcome.UNKNOWN and call.step.key == "finish"
            return Answer(Outcome.GONE) if lost else answer

        connection.perform = forget
        return connection

    caught = first_broken(sound, "2 reports were filed", Careless(NCMEC.adapter, connect=connect), faults=1)
    assert not play(sound, caught.schedule).broken


def test_a_client_that_uploads_again_into_the_same_draft_is_caught(tmp_path: Path) -> None:
    sound = template(tmp_path, 1)

    def plan(package: Package) -> Plan:
        careful = NCMEC.adapter.plan(package)
        return replace(careful, steps=tuple(replace(step, lost=Lost.REPEAT) for step in careful.steps))

    caught = first_broken(sound, "files once each", Careless(NCMEC.adapter, plan=plan), faults=1)
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
