"""Probing: the sandbox behaves as the adapter assumes, and a difference is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from reporter.authority import Environment
from reporter.errors import AuthorityTroubleError, PolicyError
from reporter.testing.house import House


def test_the_sandbox_behaves_as_the_adapter_assumes_and_keeps_no_draft_open(tmp_path: Path) -> None:
    house = House(tmp_path)
    observations = house.app.authorities.probe_assumptions("ncmec", "op")
    assert len(observations) >= 9
    assert [o for o in observations if not o.agrees] == []
    assert {report.state for report in house.double.reports.values()} == {"finished", "retracted"}


def test_what_differs_is_told(tmp_path: Path) -> None:
    house = House(tmp_path, faults="finish:2 code=4000")
    differing = [o for o in house.app.authorities.probe_assumptions("ncmec", "op") if not o.agrees]
    assert [(o.question, o.observed) for o in differing] == [("a second /finish", "rejected 4000")]


def test_an_authority_that_cannot_be_asked_is_named(tmp_path: Path) -> None:
    house = House(tmp_path, faults="submit refuse")
    with pytest.raises(AuthorityTroubleError, match="opens no report"):
        house.app.authorities.probe_assumptions("ncmec", "op")


def test_production_is_never_probed(tmp_path: Path) -> None:
    house = House(tmp_path)
    object.__setattr__(house.app.desks["ncmec"], "environment", Environment.PRODUCTION)
    with pytest.raises(PolicyError):
        house.app.authorities.probe_assumptions("ncmec", "op")
    assert house.double.requests == []
