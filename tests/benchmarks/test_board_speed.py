"""How long the board takes with ten thousand open lines; the figure to meet is one second of processor time."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from reporter.db.engine import transaction
from reporter.submissions.tables import Submission
from reporter.tasks.service import TASK
from reporter.testing.house import House

OPEN, ACCEPTED = 10_000, 10_000


def test_ten_thousand_open_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    house = House(tmp_path)
    now = house.clock.now()
    tasks: list[dict[str, Any]] = []
    submissions: list[dict[str, Any]] = []
    for number in range(OPEN + ACCEPTED):
        about = {"reference": f"X-{number:06}", "authority": "ncmec"}
        state = "accepted" if number >= OPEN else "approved"
        submissions.append(
            {**about, "id": f"{number}", "environment": "sandbox", "version": 1, "revision": 1, "state": state,
             "digest": "", "urgent": False, "rules": "", "created_at": now, "reason": ""}
        )  # fmt: skip
        tasks.append(
            {**about, "kind": "report", "about": f"X-{number:06} ncmec sandbox", "level": 3,
             "due": now + timedelta(minutes=number - 200), "basis": "target", "rule": "us-2258a/2", "opened_at": now,
             "opened_by": "robin", "outcome": "", "receipt": "", "closed_at": now if number >= OPEN else None}
        )  # fmt: skip
    with transaction(house.app.database) as connection:
        connection.execute(insert(Submission), submissions)
        connection.execute(insert(TASK), tasks)
    begun = time.process_time()
    _, lines = house.app.board.lines()
    spent = time.process_time() - begun
    assert len(lines) == OPEN
    with capsys.disabled():
        print(f"\nthe board with {OPEN:,} open lines and {ACCEPTED:,} accepted: {spent * 1000:.0f} ms")
    assert spent < 1
