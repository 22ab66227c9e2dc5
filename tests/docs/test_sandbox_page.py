"""The sandbox's page describes every fault, and its examples can be read."""

from __future__ import annotations

import re
from pathlib import Path

from adapters._faults import FaultScript, Kind

PAGE = (Path(__file__).parents[2] / "docs/reference/sandbox.md").read_text(encoding="utf-8")


def test_every_kind_of_fault_is_described() -> None:
    described = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(described) == sorted(kind.value for kind in Kind)


def test_examples_of_faults_can_be_read() -> None:
    [example] = re.findall(r"```faults\n(.*?)```", PAGE, re.DOTALL)
    assert len(FaultScript(example).faults) == len(example.strip().splitlines())
