"""Joining loses nothing: the same ends are reached, and what is wrong is found, as if every schedule were played."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reporter.authority import Lost, Outcome
from reporter.delivery import moves
from reporter.delivery.model import Move
from reporter.testing.contract.subject import AdapterSubject
from reporter.testing.simulation.explore import Run, explore, play
from reporter.testing.simulation.replay import command, first_files, main
from reporter.testing.simulation.world import Template
from tests.contract.mini import MiniAdapter, Registry
from tests.contract.ncmec_subject import NCMECSubject


class MiniSubject(AdapterSubject):
    own_classes = ("code=422",)

    def __init__(self, kind: Lost, truly: Lost | None = None) -> None:
        self.adapter = MiniAdapter(kind)
        self.truly = truly or kind

    def held(self, double: Registry) -> Any:
        return double.held()

    def double(self, clock: Any, faults: str = "") -> Registry:
        double: Registry = super().double(clock, faults)
        double.kind = self.truly
        return double

    @property
    def faults(self) -> tuple[str, ...]:
        return self.classes


class Plain(NCMECSubject):
    @property
    def faults(self) -> tuple[str, ...]:
        return self.classes


def ends(runs: list[Run]) -> set[tuple[Any, str]]:
    return {(run.state, run.end) for run in runs if run.state is not None}


@pytest.mark.parametrize(
    ("subject", "faults", "pauses"),
    [
        (MiniSubject(Lost.REPEAT), 2, 0),
        (MiniSubject(Lost.LOOK_UP), 1, 1),
        (MiniSubject(Lost.ASK), 1, 1),
        (Plain(), 2, 0),
        (Plain(), 1, 1),
    ],
    ids=["a key", "a look-up", "neither", "drafts and two faults", "drafts and two workers"],
)
def test_the_same_ends_are_reached(tmp_path: Path, subject: AdapterSubject, faults: int, pauses: int) -> None:
    template = Template.make(tmp_path, subject, {})
    joined = list(explore(template, faults=faults, pauses=pauses))
    played = list(explore(template, faults=faults, pauses=pauses, joining=False))
    print(f"{len(joined)} of {len(played)} schedules")
    assert [run.broken for run in (*joined, *played) if run.broken] == []
    assert len(joined) < len(played)
    assert ends(joined) == ends(played)


@pytest.mark.parametrize("files", [0, 1])
@pytest.mark.parametrize("truly", [Lost.LOOK_UP, Lost.ASK])
def test_a_client_that_files_again_blindly_is_caught(tmp_path: Path, truly: Lost, files: int) -> None:
    template = Template.make(tmp_path, MiniSubject(Lost.REPEAT, truly), first_files(files))
    assert any("2 reports were filed" in run.broken for run in explore(template, faults=1, pauses=1))


def test_a_look_up_that_is_taken_for_an_answer_too_soon_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report of a worker that fell silent is not found, and is filed again; then that worker makes its call."""
    after = moves._Situation._after_look_up

    def hasty(self: Any, look_up: Any) -> Move:
        missing = self.last.outcome is Outcome.MISSING
        return self._perform(self.plan.final) if missing else after(self, look_up)

    template = Template.make(tmp_path, MiniSubject(Lost.LOOK_UP), {})
    monkeypatch.setattr(moves._Situation, "_after_look_up", hasty)
    caught = next(r for r in explore(template, faults=0, pauses=1) if "2 reports were filed" in r.broken)
    monkeypatch.undo()
    assert play(template, caught.schedule).broken == ()


def test_a_failing_schedule_replays_by_its_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    subject = NCMECSubject()
    run = play(Template.make(tmp_path, subject, {}), ())
    words = command(subject, 0, run).split('"')[0].split()
    assert words[:3] == ["python", "-m", "reporter.testing.simulation.replay"]
    assert words[3].endswith("tests/contract/ncmec_subject.py:NCMECSubject")
    assert main([words[3], words[4], "6=drop_after"]) == 0
    assert "6  before_call    drop_after" in capsys.readouterr().out
    assert main([words[3], words[4], "999=crash"]) == 1
    assert "moments [999] were never reached" in capsys.readouterr().out
