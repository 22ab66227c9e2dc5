"""How much memory and time a large evidence file takes; the figure to stay under is 150 MiB."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import time
from pathlib import Path

import pytest

from reporter import home
from reporter.testing.documents import case_document
from tests.benchmarks.surroundings import PROGRAM, authority

SIZE = 4 << 30
MOST_MEMORY = 150 << 20


def ran(*arguments: str | Path) -> tuple[int, float]:
    """Run the program; give the peak of its memory in bytes, and seconds. Linux: the kernel keeps the peak."""
    begun, peak = time.perf_counter(), 0
    process = subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while process.poll() is None:  # wait4 would count what this process held when it forked
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
        peak = int(found[1]) * 1024 if found else peak
        time.sleep(0.02)
    assert process.returncode == 0
    return peak, time.perf_counter() - begun


def test_four_gibibytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("REPORTER_HOME", str(tmp_path / "home"))
    home.create(tmp_path / "home")
    case = tmp_path / "case"
    case.mkdir()
    with (case / "e1.bin").open("wb") as file:
        file.truncate(SIZE)
    with (case / "e1.bin").open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    document = case_document("LARGE-000001")
    document["evidence"] = [{"id": "e1", "path": "e1.bin", "sha256": digest, "kind": "video", "relevance": "reported"}]
    (case / "case.json").write_text(json.dumps(document))
    with authority(tmp_path) as url:
        monkeypatch.setenv("REPORTER_AUTHORITY__NCMEC__BASE_URL", url)
        peaks = {
            "case add": ran("case", "add", case, "--as", "ann"),
            "approve": ran("submission", "approve", "LARGE-000001", "--as", "bob"),
            "deliver": ran("deliver"),
        }
    with capsys.disabled():
        for name, (peak, took) in peaks.items():
            print(f"\n4 GiB: {name:<8} {took:6.1f} s, peak {peak / 2**20:.0f} MiB", end="")
    assert all(peak < MOST_MEMORY for peak, _ in peaks.values())
