"""What the rules say of a case: as JSON, and in plain lines for a person."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from reporter.cases.records import CaseState
from reporter.cli.output import say
from reporter.rules.evaluate import Due, Obligation
from reporter.rules.model import Verdict
from reporter.submissions.routing import Route

_VERDICTS = {
    Verdict.MUST: "must be told",
    Verdict.MAY: "may be told",
    Verdict.MUST_NOT: "must not be told",
    Verdict.NOT_BOUND: "not bound",
}


def duty(said: Obligation, configured: bool) -> dict[str, Any]:
    """Give what one rule says."""
    rule = said.rule
    return {
        "rule": rule.id,
        "version": rule.version,
        "authority": rule.authority,
        "body": rule.body,
        "verdict": said.verdict.value,
        "binding": said.binding,
        "reason": said.reason,
        "means": rule.means.value,
        "configured": configured,
        "due": _due(said.due) if said.due else None,
        "source": {
            "text": rule.source.text,
            "section": rule.source.section,
            "mark": rule.source.mark.value,
            "checked": rule.source.checked.isoformat(),
        },
    }


def say_duties(route: Route, configured: Container[str], state: CaseState) -> None:
    """Say what every rule asks that reaches the case, and why; and of configured authorities, why none does."""
    if state is CaseState.NOT_CONFIRMED:
        say("People decided that it is no case: nobody is told.")
    if state is CaseState.PENDING:
        say("Once somebody has confirmed it:")
    for said in route.obligations:
        rule = said.rule
        if said.verdict is Verdict.NOT_BOUND and rule.authority not in configured:
            continue
        unverified = "" if said.binding else " (unverified: it only advises; ask counsel)"
        say(f"{rule.authority}: {_VERDICTS[said.verdict]}{unverified}")
        say(f"  {said.reason} [{rule.id}/{rule.version}: {rule.source.text}, {rule.source.section}]")
        if said.due:
            say(f"  when: {_when(said.due)}")
        if said.verdict is Verdict.MUST and rule.authority not in configured:
            say(f"  not configured here: a person tells {rule.body} ({rule.means.value}); see: reporter task list")


def _when(due: Due) -> str:
    unverified = "" if due.verified else " (unverified)"
    said = f"{due.words}{unverified}"
    law = f": by {due.law_by:%Y-%m-%d %H:%M} UTC" if due.law_by else ""
    return f"{said}{law}" + (f"; own target {due.target_by:%Y-%m-%d %H:%M} UTC" if due.target_by else "")


def _due(due: Due) -> dict[str, Any]:
    return {
        "words": due.words,
        "starts": due.starts.value,
        "law_by": due.law_by.isoformat().replace("+00:00", "Z") if due.law_by else None,
        "target_by": due.target_by.isoformat().replace("+00:00", "Z") if due.target_by else None,
        "verified": due.verified,
    }
