"""The threat model and the NIST mapping name tests and commands that exist."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

import pytest
import typer.main

from reporter.cli.main import app

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security.md"
MAPPING = ROOT / "docs" / "compliance" / "nist-csf-2.csv"
#: NIST CSWP 29, appendix A: function, category, number.
OUTCOME = re.compile(
    r"(GV\.(OC|RM|RR|PO|OV|SC)|ID\.(AM|RA|IM)|PR\.(AA|AT|DS|PS|IR)|DE\.(CM|AE)|RS\.(MA|AN|CO|MI)|RC\.(RP|CO))-\d\d"
)


@cache
def known_tests() -> frozenset[str]:
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    shipped = (path.read_text(encoding="utf-8") for path in (ROOT / "reporter" / "testing" / "contract").glob("*.py"))
    return frozenset(name for source in (*sources, *shipped) for name in re.findall(r"def (test_\w+)", source))


@cache
def known_commands() -> frozenset[str]:
    root = typer.main.get_command(app)
    found = set()
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        found.add(name)
        found |= {f"{name} {inner}" for inner in getattr(command, "commands", {})}
    return frozenset(found)


def rows() -> list[dict[str, str]]:
    with MAPPING.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_test_that_the_page_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text(encoding="utf-8")))
    assert len(named) > 40
    assert named <= known_tests(), sorted(named - known_tests())


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["outcome"])
def test_every_outcome_is_one_of_the_framework_and_shown_by_what_exists(row: dict[str, str]) -> None:
    assert OUTCOME.fullmatch(row["outcome"])
    assert row["what Reporter does"]
    assert row["left to the operator"]
    for shown in filter(None, (part.strip() for part in row["shown by"].split(";"))):
        kind, name = shown.split(":")
        assert name in {"test": known_tests(), "command": known_commands()}[kind], shown


def test_no_outcome_stands_twice() -> None:
    outcomes = [row["outcome"] for row in rows()]
    assert len(set(outcomes)) == len(outcomes)
