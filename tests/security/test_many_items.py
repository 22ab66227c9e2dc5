"""Very many files in one case."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from reporter.testing.documents import case_document
from reporter.testing.house import House

REF = "TEST-000001"


def _add(tmp_path: Path, count: int) -> None:
    folder = tmp_path / REF
    folder.mkdir()
    evidence = []
    for number in range(count):
        content = b"harmless %d" % number
        (folder / f"{number}.bin").write_bytes(content)
        evidence.append({"id": f"e{number}", "path": f"{number}.bin", "sha256": hashlib.sha256(content).hexdigest()})
    (folder / "case.json").write_text(json.dumps(case_document(REF, evidence=evidence)), encoding="utf-8")
    house = House(tmp_path / "house")
    house.app.cases.add(folder, "preparer")
    assert len(house.app.cases.describe(REF).facts) == count


def test_a_case_of_a_thousand_items_is_taken_in(tmp_path: Path) -> None:
    _add(tmp_path, 1_000)


@pytest.mark.chaos
def test_a_case_of_a_hundred_thousand_items_is_taken_in(tmp_path: Path) -> None:
    _add(tmp_path, 100_000)
