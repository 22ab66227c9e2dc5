"""How fast the main job goes, in one run; prints figures and gates nothing on time (`make bench`)."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

import pytest

from reporter.bootstrap import App, find_adapters, open_home
from reporter.clock import SystemClock
from reporter.home import create

CASES = 100


def write_cases(folder: Path, count: int, files: int) -> list[Path]:
    """Write synthetic cases with small harmless files."""
    paths = []
    for number in range(count):
        case = folder / f"case-{number:04}"
        case.mkdir()
        evidence = []
        for index in range(files):
            content = f"harmless bytes {number} {index}".encode() * 40
            (case / f"{index}.txt").write_bytes(content)
            evidence.append(
                {
                    "id": f"e{index}",
                    "path": f"{index}.txt",
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "kind": "text",
                }
            )
        document = {
            "case_version": 1,
            "reference": f"BENCH-{number:06}",
            "detected_at": "2026-11-18T10:00:00Z",
            "confirmation": {"decision": "confirmed", "by": "r-1", "at": "2026-11-18T10:04:30Z", "basis": "SYNTHETIC"},
            "incident": {"type": "csam", "occurred_at": "2026-11-18T09:55:00Z", "summary": "SYNTHETIC"},
            "people": [{"id": "p1", "roles": ["suspect"], "account": {"id": str(number), "service": "Example"}}],
            "evidence": evidence,
        }
        (case / "case.json").write_text(json.dumps(document))
        paths.append(case)
    return paths


def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, concurrency: int) -> tuple[App, object]:
    monkeypatch.setenv("REPORTER_DELIVERY__CONCURRENCY", str(concurrency))
    create(tmp_path / "home")
    double = find_adapters()["ncmec"].double(SystemClock())
    return open_home(tmp_path / "home", transports={"ncmec": double.transport()}), double


def finished(double: object) -> int:
    return sum(1 for report in double.reports.values() if report.state == "finished")  # type: ignore[attr-defined]


@pytest.mark.parametrize("concurrency", [1, 4])
def test_happy_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, concurrency: int) -> None:
    app, double = house(tmp_path, monkeypatch, concurrency)
    cases = write_cases(tmp_path, CASES, 2)
    start = time.perf_counter()
    references = [app.cases.add(case, "a").reference for case in cases]
    added = time.perf_counter()
    for reference in references:
        app.submissions.approve(reference, "b")
    approved = time.perf_counter()
    app.deliveries.worker().once()
    end = time.perf_counter()
    app.close()
    assert finished(double) == CASES
    print(
        f"\n{CASES} cases, 2 files each, concurrency {concurrency}: {CASES / (end - start):.0f} cases/s "
        f"(add {added - start:.2f} s, approve {approved - added:.2f} s, deliver {end - approved:.2f} s); aim >= 20"
    )


def test_delivery_at_50_ms_latency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, double = house(tmp_path, monkeypatch, 16)
    for case in write_cases(tmp_path, CASES, 2):
        app.submissions.approve(app.cases.add(case, "a").reference, "b")
    double.faults.add("* delay=0.05")  # type: ignore[attr-defined]
    start = time.perf_counter()
    app.deliveries.worker().once()
    took = time.perf_counter() - start
    app.close()
    assert finished(double) == CASES
    ideal = CASES * 6 * 0.05 / 16
    print(f"\n{CASES} cases at 50 ms, 16 at once {took:.2f} s, ideal {ideal:.2f} s, ratio {took / ideal:.2f}; aim <= 2")
