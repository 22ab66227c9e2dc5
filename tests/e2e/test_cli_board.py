"""``reporter board`` as a person at night and a monitor use it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.ncmec.sandbox import CyberTipline
from reporter.testing.documents import aware_at, write_case
from tests.e2e.support import MARKER, Run

REF = "TEST-000001"


def test_from_an_empty_board_to_an_overdue_report_and_back(
    reporter: Run, sandbox: CyberTipline, tmp_path: Path
) -> None:
    empty = reporter("board")
    assert (empty.code, "Nothing is open." in empty.text) == (0, True)
    reporter("case", "add", write_case(tmp_path, REF, files={"e1": MARKER.encode()}), "--as", "robin")
    shown = reporter("board")
    assert shown.code == 1
    assert "1 overdue · 1 open" in shown.text
    first, second = shown.text.splitlines()[1:]
    assert "over by" in first and "target" in first and f"ncmec (sandbox)  {REF}  approval" in first
    assert second.strip() == f"compliance or escalation lead: reporter submission approve {REF} --to ncmec"
    reporter("submission", "approve", REF, "--as", "dana")
    assert "a worker to deliver it" in reporter("board").text
    assert reporter("deliver", "--until-idle").code == 0
    done = reporter("board", "--json")
    assert (done.code, done.json["open"], done.json["lines"]) == (0, 0, [])
    assert MARKER not in shown.text


def test_what_has_time_left_is_no_reason_to_call_anybody(reporter: Run, tmp_path: Path) -> None:
    fresh = aware_at(datetime.now(UTC) - timedelta(minutes=5))
    for number in range(3):
        made = write_case(tmp_path, f"TEST-00000{number}", files={"e1": b"x"}, **fresh)
        assert reporter("case", "add", made, "--as", "robin").code == 0
    assert reporter("board").code == 0
    assert "1 more" not in reporter("board").text
    assert "… and 2 more; see them with --limit 3" in reporter("board", "--limit", "1").text
    line = reporter("board", "--json", "--limit", "1").json["lines"][2]
    assert (line["overdue"], line["basis"], line["state"]) == (False, "target", "not_approved")
    assert 23 * 3600 < line["seconds_left"] < 24 * 3600
