"""The feature matrix names what there is: every command and every test that shows a feature exists."""

import csv
import runpy
from pathlib import Path

import pytest

from adapters.handoff.form import shipped_forms
from reporter.bootstrap import find_adapters

ROOT = Path(__file__).parents[2]
MATRIX = ROOT / "docs" / "reference" / "feature-matrix.csv"
COLUMNS = ["area", "feature", "state", "command", "test", "since"]
STATES = {"supported", "mocked", "by hand", "not yet"}
COMMANDS = runpy.run_path(str(Path(__file__).with_name("cli_reference.py")))["COMMANDS"]
with MATRIX.open(encoding="utf-8", newline="") as file:
    READER = csv.DictReader(file)
    ROWS = list(READER)


def test_the_columns_are_as_agreed() -> None:
    assert READER.fieldnames == COLUMNS


@pytest.mark.parametrize("row", ROWS, ids=[row["feature"] for row in ROWS])
def test_what_shows_a_feature_exists(row: dict[str, str]) -> None:
    assert row["state"] in STATES
    assert bool(row["since"]) == (row["state"] != "not yet")
    assert row["test"] or row["state"] == "not yet", "what is there is held by a test"
    assert not row["test"] or (ROOT / row["test"]).is_file()
    assert not row["command"] or row["command"] in COMMANDS


def test_no_feature_is_listed_twice() -> None:
    assert len({row["feature"] for row in ROWS}) == len(ROWS)


def test_every_authority_is_in_it() -> None:
    text = " ".join(row["feature"] for row in ROWS).casefold()
    assert [form.name for form in shipped_forms() if f"({form.name})" not in text] == []
    assert [name for name in find_adapters() if name not in text] == []
