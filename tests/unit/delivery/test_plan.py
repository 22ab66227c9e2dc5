"""A plan that nobody could act on is refused where it is made."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from reporter.authority import Lost, Plan, Step
from reporter.errors import UsageError

FILE, LOOK, RETRACT = Step("report", Lost.REPEAT), Step("look", Lost.REPEAT), Step("retract", Lost.REPEAT)


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (lambda: Plan(steps=()), "no step"),
        (lambda: Plan(steps=(FILE, FILE)), "same key"),
        (lambda: Plan(steps=(FILE,), look_up=FILE), "have the same key"),
        (lambda: Plan(steps=(Step("report", Lost.LOOK_UP),)), "no step looks up"),
        (lambda: Plan(steps=(Step("open", Lost.LOOK_UP), FILE), look_up=LOOK), "open files nothing"),
        (lambda: Plan(steps=(Step("report", Lost.RESTART),)), "no step takes it back"),
        (lambda: Plan(steps=(FILE,), draft_key="report_id"), "no step abandons it"),
        (lambda: Plan(steps=(FILE,), look_up=Step("look", Lost.ASK)), "look must be harmless to repeat"),
        (lambda: Plan(steps=(FILE,), abandon=Step("retract", Lost.RESTART)), "retract must be harmless to repeat"),
        (lambda: Plan(steps=(FILE,), abandon=RETRACT, stale_after=timedelta(hours=1)), "dead before it is stale"),
    ],
)
def test_a_plan_that_cannot_be_acted_on_is_refused(plan: Callable[[], Plan], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        plan()
