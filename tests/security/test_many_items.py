"""Very many files in one case, and documents that are nothing but many values."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from reporter.cases import reader
from reporter.errors import DocumentError
from reporter.testing.documents import case_document
from reporter.testing.house import House

REF = "TEST-000001"
#: What reading a document may take, in MiB, the program itself included.
MEMORY = 500


def _folder(tmp_path: Path, count: int, *, files: bool) -> Path:
    folder = tmp_path / REF
    folder.mkdir()
    evidence = []
    for number in range(count):
        content = b"harmless %d" % number
        if files:
            (folder / f"{number}.bin").write_bytes(content)
        evidence.append({"id": f"e{number}", "path": f"{number}.bin", "sha256": hashlib.sha256(content).hexdigest()})
    document = json.dumps(case_document(REF, evidence=evidence))
    (folder / "case.json").write_text(document, encoding="utf-8")
    return folder


def test_a_case_of_a_thousand_items_is_taken_in(tmp_path: Path) -> None:
    house = House(tmp_path / "house")
    house.app.cases.add(_folder(tmp_path, 1_000, files=True), "preparer")
    assert len(house.app.cases.describe(REF).facts) == 1_000


def test_a_case_of_a_hundred_thousand_items_is_refused_before_anything_is_sealed(tmp_path: Path) -> None:
    house, folder = House(tmp_path / "house"), _folder(tmp_path, 100_000, files=False)
    with pytest.raises(DocumentError) as refused:
        house.app.cases.add(folder, "preparer")
    (finding,) = refused.value.findings
    assert (finding.path, finding.rule) == ("evidence", "too_many_entries")
    assert finding.message == "has 100,000 entries, and at most 40,000 are taken"
    assert "Split a case" in refused.value.next_step
    assert list(house.app.vault.objects.keys("")) == []
    assert house.app.cases.list() == []


@pytest.mark.chaos
def test_the_largest_case_is_taken_in(tmp_path: Path) -> None:
    house = House(tmp_path / "house")
    house.app.cases.add(_folder(tmp_path, reader.MAX_ENTRIES, files=True), "preparer")
    assert len(house.app.cases.describe(REF).facts) == reader.MAX_ENTRIES


_READ = """
import sys
from datetime import UTC, datetime
from reporter.cases.document import parse
from reporter.errors import DocumentError
piece = sys.argv[1].encode()
data = b'{"evidence":[' + piece * ((16 * 2**20 - 100) // len(piece)) + b"1]}"
try:
    parse(data, datetime.now(UTC))
except DocumentError as error:
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))  # of this program alone
    print(error.findings[0].rule, int(peak.split()[1]) // 1024)
"""


@pytest.mark.parametrize("piece", ["[],", "[[]],", "{},", '{"a":1},', '"ab",', "1.1,", "300,", "null,", '"",'])
def test_a_document_of_nothing_but_values_takes_bounded_memory(piece: str) -> None:
    """The largest document there may be, made of the smallest values."""
    command = [sys.executable, "-c", _READ, piece]
    rule, peak = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert rule in ("too_many_values", "too_many_entries")
    assert int(peak) < MEMORY
