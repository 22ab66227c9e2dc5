"""``reporter task`` as people use it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reporter.bootstrap import open_home
from reporter.db.engine import transaction
from reporter.tasks.model import Kind
from reporter.tasks.service import open_task
from reporter.testing.documents import write_case
from tests.e2e.support import MARKER, Home, Run, plaintext_in

REF = "TEST-000001"


def opened(home: Home) -> int:
    """Open a task as another room does."""
    app = open_home(home.folder)
    with transaction(app.database) as connection:
        now = app.clock.now()
        number = open_task(connection, now, kind=Kind.TELL, about="x", authority="bka", due=now, actor="robin")
    app.close()
    return number


def test_two_people_close_a_task_and_their_words_are_sealed(home: Home, reporter: Run) -> None:
    number = opened(home)
    assert f"{number}  tell: x bka; own target" in reporter("task", "list").text
    assert reporter("task", "list", "--json").json["tasks"][0]["overdue"] is True
    shown = reporter("task", "show", str(number)).text
    assert "compliance, escalation lead" in shown and f"reporter task done {number}" in shown
    done = ("task", "done", str(number), "--receipt", "BKA-7", "--reason", MARKER, "--as")
    assert "another person" in reporter(*done, "dana").text
    assert reporter(*done, "dana").code == 3
    assert reporter(*done, "robin", "--json").json["outcome"] == "done"
    assert reporter("task", "list").text == "No tasks.\n"
    assert "done" in reporter("task", "list", "--all").text
    assert plaintext_in(home, MARKER) == []
    assert MARKER in reporter("task", "show", str(number), "--words").text


def test_what_is_no_task_or_has_no_reference_is_refused(home: Home, reporter: Run) -> None:
    assert reporter("task", "show", "77").code == 2
    number = opened(home)
    assert "--receipt" in reporter("task", "done", str(number), "--reason", "x").err


URGENT = {"level": "immediate", "reason": "SYNTHETIC.", "assessed_by": "robin", "assessed_at": "2026-11-18T10:04:00Z"}
INCIDENT = {"type": "csam", "occurred_at": "2026-11-18T09:55:00Z"}


def test_an_authority_that_is_not_configured_is_named_at_approval(
    home: Home, reporter: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPORTER_ORGANISATION__SERVES", '["US", "DE"]')
    made = write_case(tmp_path, REF, files={"e1": b"harmless"})
    reporter("case", "add", made, "--as", "robin")
    said = reporter("submission", "approve", REF, "--as", "dana")
    assert said.code == 0
    assert "Not by machine: de-bka waits for somebody to tell the authority by other means; own target" in said.text
    tasks = reporter("submission", "approve", REF, "--as", "dana", "--json").json["tasks"]
    assert [task["authority"] for task in tasks] == ["de-bka", "eu-police"]
    assert "tell: TEST-000001 de-bka (level 3); own target" in reporter("case", "show", REF).text
    assert len(reporter("case", "show", REF, "--json").json["tasks"]) == 3
    monkeypatch.setenv("REPORTER_ORGANISATION__SERVES", '["US"]')
    assert reporter("task", "refresh", "--as", "dana", "--json").json == {"cases": 1, "unread": [], "open_tasks": 1}


def test_break_glass_from_approval_to_review(home: Home, reporter: Run, tmp_path: Path) -> None:
    made = write_case(tmp_path, REF, files={"e1": b"harmless"}, incident={**INCIDENT, "urgency": URGENT})
    reporter("case", "add", made, "--as", "robin")
    approve = ("submission", "approve", REF, "--as", "robin")
    assert reporter(*approve, "--break-glass").code == 2
    assert reporter(*approve, "--reason", MARKER).code == 2
    assert reporter(*approve).code == 3  # they prepared it
    said = reporter(*approve, "--break-glass", "--reason", MARKER)
    assert (said.code, f"submission review {REF} --to ncmec" in said.text) == (0, True)
    assert "review" in {task["kind"] for task in reporter("task", "list", "--json").json["tasks"]}
    review = ("submission", "review", REF, "--to", "ncmec")
    assert MARKER in reporter(*review, "--as", "dana").text
    assert reporter(*review, "--agree", "--reason", "x", "--as", "robin").code == 3
    assert reporter(*review, "--agree", "--disagree", "--reason", "x", "--as", "dana").code == 2
    shown = reporter(*review, "--disagree", "--reason", MARKER, "--as", "dana")
    assert "What was sent stays sent" in shown.text
    assert reporter(*review, "--as", "dana").code == 3
    assert plaintext_in(home, MARKER) == []


def test_a_request_is_recorded_with_its_clock(home: Home, reporter: Run) -> None:
    request = ("task", "request", "IR-1", "--from", "nca", "--as", "dana", "--received")
    task = reporter(*request, "2026-11-20T14:05:00Z", "--json").json
    assert (task["due"], task["basis"], task["kind"]) == ("2026-11-27T14:05:00Z", "law", "information_request")
    assert reporter(*request, "yesterday").code == 2
    assert reporter(*request, "2026-11-20T14:05:00Z", "--of", "TS-NONE").code == 2
    assert "rule uk-nca-request/1, unverified" in reporter("task", "show", str(task["id"])).text
    late = reporter("task", "list").text
    assert "information request: nca IR-1" in late and "due by law 2026-11-27" in late
