"""The published contract says what the code takes."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reporter.cases.model import Case

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def contract() -> Draft202012Validator:
    schema = Case.json_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("file", sorted(DATA.glob("EX-*/case.json")), ids=lambda file: file.parent.name)
def test_the_synthetic_cases_are_valid(contract: Draft202012Validator, file: Path) -> None:
    assert list(contract.iter_errors(json.loads(file.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("shoe_size",), 44),
        (("incident", "type"), "weather"),
        (("people", 0, "roles"), "suspect"),
        (("locations", 0, "kind"), "moon"),
        (("evidence", 0, "sha256"), "00"),
        (("uk",), None),
        (("case_version",), 2),
    ],
)
def test_what_the_code_refuses_by_shape_the_contract_refuses(
    contract: Draft202012Validator, routine: dict[str, Any], path: tuple[str | int, ...], value: Any
) -> None:
    place: Any = routine
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert not contract.is_valid(routine)


def test_files_may_wait_in_a_pending_case_only(contract: Draft202012Validator, routine: dict[str, Any]) -> None:
    del routine["evidence"][0]["sha256"]
    assert not contract.is_valid(routine)
    routine["confirmation"]["decision"] = "pending"
    assert contract.is_valid(routine)
