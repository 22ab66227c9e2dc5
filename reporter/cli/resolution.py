"""``reporter delivery list`` and ``resolve``: what is not settled, and what people settle."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reporter.cli.acting import As, actor
from reporter.cli.output import AsJson, Reference, moment, open_app, print_json, say, words

if TYPE_CHECKING:
    from reporter.abilities import Handoff
    from reporter.authority import Adapter
    from reporter.delivery.resolution import Decided
    from reporter.delivery.standing import Standing

To = Annotated[str, typer.Option("--to", metavar="AUTHORITY", help="Which authority.")]
Reason = Annotated[str, typer.Option(callback=words, metavar="TEXT", help="Why, in words; kept sealed with the case.")]


def register(records: typer.Typer) -> None:
    """Add the commands of this module to ``reporter delivery``."""
    records.command("list")(list_)
    records.command()(resolve)


def list_(
    in_doubt: Annotated[bool, typer.Option("--in-doubt", help="Only what nobody can know without asking.")] = False,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="At most so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """
    List what is not settled, the worst first: what is known of it, why it waits, and what settles it.

    Before all, what keeps whole queues waiting: a quarantine, refused credentials, an authority that does not answer.

    Example: reporter delivery list --in-doubt
    """
    from reporter.delivery.authorities import standing_still
    from reporter.delivery.circuit import open_circuits
    from reporter.delivery.model import lane_name

    with open_app() as house:
        standings, total = house.standings.unsettled(in_doubt=in_doubt, limit=limit)
        paused = standing_still(house.database, house.configuration.authority)
        resting = open_circuits(house.database)
        held = house.deliveries.quarantine.standing()
        adapters = house.adapters
    shown = [
        _shown(
            standing,
            adapters.get(standing.authority),
            paused.get(lane_name(standing.authority, standing.environment), ""),
        )
        for standing in standings
    ]
    if as_json:
        print_json(
            {
                "submissions": shown,
                "total": total,
                "quarantine": {"since": held.since.isoformat(), "reason": held.reason} if held else None,
                "paused": paused,
                "circuits": {
                    lane: {"since": since.isoformat(), "next_probe": probe.isoformat()}
                    for lane, (since, probe) in resting.items()
                },
            }
        )
        return
    if held:
        say(f"Deliveries are quarantined since {moment(held.since)}: {held.reason} See: reporter db status")
    for lane, advice in paused.items():
        say(f"{lane} stands still: {advice}")
    for lane, (since, probe) in resting.items():
        say(f"{lane} has not answered since {moment(since)} and rests; it is asked again at {moment(probe)}.")
    for entry in shown:
        _say(entry)
    if not shown:
        say("Nothing is in doubt." if in_doubt else "Everything is settled.")
    elif total > len(shown):
        say(f"… and {total - len(shown)} more; see them with --limit {total}")


def resolve(
    reference: Reference,
    authority: To,
    reason: Reason,
    accepted: Annotated[bool, typer.Option("--accepted", help="The authority has it; give --reference.")] = False,
    not_accepted: Annotated[
        bool, typer.Option("--not-accepted", help="The authority does not have it: it is delivered anew.")
    ] = False,
    receipt: Annotated[
        str | None, typer.Option("--reference", metavar="N", help="The authority's own reference of the report.")
    ] = None,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Settle what is in doubt or needs attention, once the authority was asked.

    Outside the sandbox a second person confirms with the same command. Exit code 3: it does not wait for a person, or
    the authority's own word says otherwise.

    Example: reporter delivery resolve TS-2026-000101 --to ncmec --not-accepted --reason "NCMEC has no such report."
    """
    from reporter.errors import UsageError

    if accepted == not_accepted:
        raise UsageError("Give either --accepted with --reference, or --not-accepted.")
    if accepted != (receipt is not None):
        raise UsageError("--accepted needs --reference, and --not-accepted has none.")
    with open_app() as house:
        decided = house.resolutions.resolve(reference, authority, actor(name, house), reason, receipt)
        by_hand = house.desks[authority].by_hand
    say_decided(decided, as_json, by_hand=by_hand)


def instant(text: str, option: str) -> datetime:
    """
    Give a moment typed with its offset from UTC.

    Raises:
        UsageError: It is none.
    """
    from reporter.errors import UsageError

    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise UsageError(f"{option} needs a moment with its offset from UTC, such as 2026-11-20T14:05:00Z.")
    return at.astimezone(UTC)


def say_decided(decided: Decided, as_json: bool, *, by_hand: bool = False) -> None:
    """Say what a decision came to, and who or what is needed next."""
    if as_json:
        print_json(
            {
                "reference": decided.reference,
                "authority": decided.authority,
                "environment": decided.environment,
                "decision": decided.decision.verdict,
                "state": decided.state,
                "people_missing": decided.missing,
            }
        )
        return
    where = f"{decided.reference} for {decided.authority} ({decided.environment})"
    if decided.missing:
        say(f"{where}: {decided.decision} is recorded; one more person must confirm it with the same command.")
        return
    if decided.decision.verdict == "withdrawn" and decided.state == "delivering":
        say(f"{where}: it is withdrawn once the draft at the authority is taken back.")
        say("Next: reporter deliver --until-idle")
        return
    say(f"{where}: {decided.decision} is recorded; it is {decided.state.replace('_', ' ')} now.")
    if by_hand and decided.state == "approved":
        say(f"Next: reporter submission hand-out {decided.reference} --to {decided.authority} --out FOLDER")
    elif decided.state in ("approved", "delivering"):
        say("Next: reporter deliver --until-idle")


def _shown(standing: Standing, adapter: Adapter | Handoff | None, stands_still: str) -> dict[str, Any]:
    from reporter.abilities import Handoff

    last, proposal = standing.last, standing.proposal
    waits = standing.state in ("approved", "delivering")
    title = adapter.title if adapter else standing.authority
    by_hand = isinstance(adapter, Handoff)
    check, settle = _advice_by_hand(standing, title) if by_hand and waits else _advice(standing, title)
    return {
        "reference": standing.reference,
        "authority": standing.authority,
        "environment": standing.environment,
        "version": standing.version,
        "state": standing.state,
        "reason": (waits and stands_still) or standing.reason or (last.reason if last else ""),
        "approved_at": standing.approved_at.isoformat() if standing.approved_at else None,
        "by_hand": by_hand,
        "attempts": standing.attempts,
        "last_call": {
            "step": last.step,
            "outcome": last.outcome,
            "code": last.code,
            "at": last.at.isoformat(),
            "request_id": last.request_id,
        }
        if last
        else None,
        "ids": dict(standing.ids),
        "sent": list(standing.sent),
        "next_try": standing.due.isoformat() if standing.due else None,
        "proposal": {"decision": str(proposal.decision), "by": proposal.by, "at": proposal.at.isoformat()}
        if proposal
        else None,
        "check": check,
        "settle": settle,
    }


def _advice(standing: Standing, title: str) -> tuple[str, list[str]]:
    """Give what to check at the authority, and the commands that settle it."""
    at = f"{standing.reference} --to {standing.authority}"
    look = f"reporter delivery show {standing.reference} --words"
    filed = f"reporter delivery resolve {at} --accepted --reference {standing.receipt or 'N'} --reason TEXT"
    anew = f"reporter delivery resolve {at} --not-accepted --reason TEXT"
    known = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in standing.ids.items() if ":" not in name)
    quote = ""
    if (asked := standing.asked) is not None:
        quote = f"; quote request id {asked.request_id} of {moment(asked.at)} ({asked.step})"
    match standing.state:
        case "in_doubt":
            return f"Ask {title} whether {known or 'such a report'} is filed{quote}.", [filed, anew]
        case "attention" if standing.receipt:
            return f"Compare what {title} has as {standing.receipt} with what was approved{quote}.", [filed]
        case "attention" if standing.proposal and standing.proposal.decision.verdict == "receipt":
            confirm = f"reporter submission record-receipt {at} {_receipt(standing)} --reason TEXT"
            return f"See that {title} has it under that reference.", [confirm, anew]
        case "attention":
            return f"See why, and ask {title} whether {known or 'it'} is filed{quote}.", [look, filed, anew]
        case "rejected":
            revise = f"reporter case revise {standing.reference} PATH"
            approve = f"reporter submission approve {at}"
            return f"Read what {title} refused, and mend the case.", [look, revise, approve]
        case _:
            return "", []


def _advice_by_hand(standing: Standing, title: str) -> tuple[str, list[str]]:
    """Give what a person has to do, and the command for it."""
    at = f"{standing.reference} --to {standing.authority}"
    if standing.state == "approved":
        return f"A person tells {title}.", [f"reporter submission hand-out {at} --out FOLDER"]
    record = f"reporter submission record-receipt {at} --reference N --at TIME --reason TEXT"
    anew = f"reporter delivery resolve {at} --not-accepted --reason TEXT"
    return f"See that {title} has it, and bring its receipt back; or say that nobody told it.", [record, anew]


def _receipt(standing: Standing) -> str:
    decision = standing.proposal.decision if standing.proposal else None
    if decision is None or decision.at is None:
        return ""
    return f"--reference {decision.reference} --at {decision.at.isoformat().replace('+00:00', 'Z')}"


def _say(entry: dict[str, Any]) -> None:
    line = f"{entry['reference']} → {entry['authority']} ({entry['environment']}): {entry['state'].replace('_', ' ')}"
    line += f", version {entry['version']}" if entry["version"] > 1 else ""
    say(line + (f", next try {entry['next_try']}" if entry["next_try"] else ""))
    if entry["reason"]:
        say(f"    {entry['reason']}")
    if last := entry["last_call"]:
        request = f", request id {last['request_id']}" if last["request_id"] else ""
        what = f"{last['step']} at {last['at']}: {last['outcome']} {last['code']}".rstrip()
        say(f"    attempt {entry['attempts']}, last call {what}{request}")
    if known := [f"{name.replace('_', ' ')} {value}" for name, value in entry["ids"].items() if ":" not in name]:
        say(f"    known there as {', '.join(known)}")
    if entry["sent"]:
        say(f"    taken there: {', '.join(entry['sent'])}")
    if proposal := entry["proposal"]:
        say(f"    {proposal['by']} proposed at {proposal['at']}: {proposal['decision']}; another person must confirm.")
    if entry["check"]:
        say(f"    {entry['check']}")
    for command in entry["settle"]:
        say(f"      {command}")
