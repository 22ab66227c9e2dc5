"""``reporter task`` as people use it."""

from __future__ import annotations

from reporter.bootstrap import open_home
from reporter.db.engine import transaction
from reporter.tasks.model import Kind
from reporter.tasks.service import open_task
from tests.e2e.support import MARKER, Home, Run, plaintext_in


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
