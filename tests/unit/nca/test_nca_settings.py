"""Registration, administrator, replacement and those who may report: what a check-up says of them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters.nca.adapter import NCAAdapter
from reporter import doctor
from reporter.authority import Environment
from reporter.errors import ConfigurationError
from tests.contract.nca_subject import ORGANISATION, SETTINGS
from tests.integration.nca_house import nca_house

ADAPTER = NCAAdapter()
TODAY = date(2026, 11, 22)


def said(**changes: Any) -> dict[str, tuple[str, str]]:
    settings = {**SETTINGS, **changes}
    return {name: (state, words) for name, state, words in ADAPTER.examine(settings, ORGANISATION, TODAY)}


def test_a_registration_in_order_is_told_so_and_that_nothing_reaches_the_nca() -> None:
    found = said()
    assert {name: state for name, (state, _) in found.items()} == {
        "nca contract": "warn",
        "nca registration": "ok",
        "nca administrator": "ok",
        "nca replacement": "ok",
        "nca authorised person": "ok",
    }
    assert "nothing reaches the NCA" in found["nca contract"][1]


@pytest.mark.parametrize(
    ("changes", "name", "state", "words"),
    [
        ({"registered_on": None}, "nca registration", "warn", "registered_on is not set"),
        ({"registered_on": "2026-12-01"}, "nca registration", "fail", "lies ahead"),
        ({"replacement": None}, "nca replacement", "fail", "regulation 5"),
        ({"replacement": SETTINGS["administrator"]}, "nca replacement", "fail", "somebody else"),
        (
            {"administrator": {**SETTINGS["administrator"], "until": "2026-11-21"}},
            "nca administrator",
            "fail",
            "lapsed",
        ),
        ({"replacement": {**SETTINGS["replacement"], "until": "2026-12-01"}}, "nca replacement", "warn", "ends on"),
        (
            {"authorised_persons": [{**SETTINGS["authorised_persons"][0], "until": "2026-11-21"}]},
            "nca authorised person",
            "fail",
            "lapsed",
        ),
        ({"idempotency": "perhaps"}, "nca settings", "fail", "[authority.nca] idempotency"),
    ],
)
def test_what_is_missing_or_lapsed_is_named(changes: dict[str, Any], name: str, state: str, words: str) -> None:
    found = said(**changes)[name] if name != "nca replacement" else _last(name, changes)
    assert found[0] == state
    assert words in found[1]


def _last(name: str, changes: dict[str, Any]) -> tuple[str, str]:
    settings = {**SETTINGS, **changes}
    lines = [(state, words) for n, state, words in ADAPTER.examine(settings, ORGANISATION, TODAY) if n == name]
    return next(line for line in lines if line[0] != "ok")


def test_the_reporting_person_is_one_of_those_named() -> None:
    lines = list(ADAPTER.examine({**SETTINGS, "authorised_persons": []}, ORGANISATION, TODAY))
    assert any(state == "fail" and "authorised_persons" in words for _, state, words in lines)


def test_doctor_looks_at_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORTER_HOME", str(tmp_path / "home"))
    nca_house(tmp_path).app.close()
    found = {symptom.name: symptom.state for symptom in doctor.examine()}
    assert found["nca replacement"] == found["nca:sandbox"] == "ok"
    assert "nca schema" not in found


@pytest.mark.parametrize("environment", [Environment.TEST, Environment.PRODUCTION])
def test_the_real_interface_is_refused_with_what_to_do(environment: Environment) -> None:
    with pytest.raises(ConfigurationError) as refused:
        ADAPTER.endpoint_url(environment, None)
    assert "gives its API on registration" in refused.value.message
    assert "portal" in refused.value.diagnostics()
