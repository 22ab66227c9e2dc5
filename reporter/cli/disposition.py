"""``reporter retention due``, ``propose``, ``confirm`` and the rest: what nothing keeps any more, and its end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reporter.cli.acting import As, actor, present
from reporter.cli.hold_text import instant
from reporter.cli.output import AsJson, counted, moment, open_app, print_json, say
from reporter.cli.resolution import Reason
from reporter.cli.retention_text import text

if TYPE_CHECKING:
    from reporter.retention.batches import Batch
    from reporter.retention.policy import Policy

Number = Annotated[int, typer.Argument(metavar="N", help="The disposition's number.")]
Limit = Annotated[int | None, typer.Option(min=1, metavar="N", help="At most so many cases.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to ``reporter retention``."""
    for command in (due, propose, confirm, withdraw, batches, certificate, policy, adopt_policy, end_policy):
        app.command()(command)


def due(limit: Limit = None, as_json: AsJson = False) -> None:
    """
    List cases that nothing keeps any more: no law, no hold, no extension.

    Example: reporter retention due --limit 20
    """
    with open_app() as house:
        found = house.retention.dispositions.due(limit or house.configuration.retention.batch_max)
    if as_json:
        print_json({"cases": [kept.reference for kept in found.cases], "more": found.more})
        return
    for kept in found.cases:
        end = kept.material.earliest_destroy
        say(f"{kept.reference}  {kept.material.standing.value}{f' since {moment(end)}' if end else ''}")
    say("There is more." if found.more else "That is all." if found.cases else "Nothing is due.")


def propose(limit: Limit = None, name: As = None, as_json: AsJson = False) -> None:
    """
    Propose what is due for destruction, at most retention.batch_max cases; nothing is destroyed by it.

    A worker does the same by itself, one disposition at a time.

    Example: reporter retention propose --as lea
    """
    with open_app() as house:
        batch = house.retention.dispositions.propose(actor(name, house), limit)
    if batch is None:
        print_json({"disposition": None}) if as_json else say("Nothing is due.")
        return
    if as_json:
        print_json(data(batch))
    else:
        say_batch(batch)
        say(f"Next, two people: reporter retention confirm {batch.number} --reason TEXT")


def confirm(number: Number, reason: Reason, name: As = None, as_json: AsJson = False) -> None:
    """
    Confirm a disposition: two people, each with this command; with the second word it is carried out.

    Each case is asked again: one that a hold reaches by then stays. Exit code 1: another person must confirm yet, or
    something was kept.

    Example: reporter retention confirm 3 --reason "Looked through; nothing is pending." --as lea
    """
    with open_app() as house:
        who = present(name, house)
        batch = house.retention.dispositions.confirm(number, who.handle, reason, who.state)
    if as_json:
        print_json(data(batch))
    else:
        say_batch(batch)
    if batch.second is None or any(entry.outcome == "kept" for entry in batch.entries):
        raise typer.Exit(1)


def withdraw(number: Number, reason: Reason, name: As = None, as_json: AsJson = False) -> None:
    """
    Take a disposition back before two people have confirmed it.

    Example: reporter retention withdraw 3 --reason "Counsel wants to look first." --as lea
    """
    with open_app() as house:
        house.retention.dispositions.withdraw(number, actor(name, house), reason)
        batch = house.retention.dispositions.batch(number)
    if as_json:
        print_json(data(batch))
    else:
        say(f"Disposition {number} is withdrawn.")


def batches(as_json: AsJson = False) -> None:
    """
    List the dispositions, newest first.

    Example: reporter retention batches
    """
    with open_app() as house:
        found = house.retention.dispositions.batches()
    if as_json:
        print_json({"dispositions": [data(batch) for batch in found]})
        return
    for batch in found:
        say(_line(batch))
    if not found:
        say("No dispositions.")


def certificate(number: Number, as_json: AsJson = False) -> None:
    """
    Print the certificate of a disposition: with --json its exact bytes, canonical JSON.

    Example: reporter retention certificate 3 --json > disposition-3.json
    """
    from reporter.errors import NotFoundError

    with open_app() as house:
        batch = house.retention.dispositions.batch(number)
    if batch.certificate is None:
        raise NotFoundError(
            f"Disposition {number} has no certificate: it is not carried out, or the certificate's time is over.",
            next_step="See: reporter retention batches",
        )
    if as_json:
        say(batch.certificate)
        return
    fields = json.loads(batch.certificate)
    say(_line(batch))
    for case in fields["destroyed"]:
        say(f"  {case['reference']}: destroyed, reporter evidence certificate {case['certificate']}")
    for case in fields["kept"]:
        say(f"  {case['reference']}: kept. {case['why']}")
    say(fields["statement"])


def policy(as_json: AsJson = False) -> None:
    """
    Show the standing policy, by which a worker disposes of what is due without two people for each disposition.

    Example: reporter retention policy
    """
    with open_app() as house:
        _say_policy(house.retention.policies.standing(), as_json)


def adopt_policy(
    cap: Annotated[int, typer.Option(metavar="N", help="At most so many cases a day.")],
    until: Annotated[str, typer.Option(metavar="TIME", help="Until when, at most a year, with its zone.")],
    reason: Reason,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Adopt a standing policy: two people, each with this command and the same cap and time. What keeps a case, keeps it.

    Exit code 1: another person must still say the same.

    Example: reporter retention adopt-policy --cap 20 --until 2027-06-01T00:00:00Z --reason "Minutes of May." --as lea
    """
    with open_app() as house:
        who = present(name, house)
        adopted = house.retention.policies.adopt(cap, instant(until), who.handle, reason, who.state)
    _say_policy(adopted, as_json)
    if not adopted.adopted:
        raise typer.Exit(1)


def end_policy(reason: Reason, name: As = None, as_json: AsJson = False) -> None:
    """
    End the standing policy, at once; one person can.

    Example: reporter retention end-policy --reason "A case is expected." --as lea
    """
    with open_app() as house:
        house.retention.policies.end(actor(name, house), reason)
    _say_policy(None, as_json)


def _say_policy(policy: Policy | None, as_json: bool) -> None:
    if as_json:
        found = None if policy is None else {
            "policy": policy.number, "cap": policy.cap, "until": text(policy.until), "adopted": policy.adopted,
            "people": [word.by for word in (policy.first, policy.second) if word],
        }  # fmt: skip
        print_json({"policy": found})
    elif policy is None:
        say("No standing policy: two people confirm each disposition.")
    elif policy.second is None:
        asked = f"{counted(policy.cap, 'case')} a day until {moment(policy.until)}"
        say(f"{policy.first.by} asks for {asked}; one more person must.")
    else:
        people = f"{policy.first.by} and {policy.second.by}"
        say(f"Policy {policy.number}: {counted(policy.cap, 'case')} a day until {moment(policy.until)}, by {people}.")


def data(batch: Batch) -> dict[str, Any]:
    """Give a disposition for programs."""
    return {
        "disposition": batch.number,
        "state": batch.state,
        "proposed_by": batch.proposed_by,
        "proposed_at": text(batch.proposed_at),
        "confirmed_by": [word.by for word in (batch.first, batch.second) if word],
        "carried_out_at": text(batch.carried_out_at),
        "certificate_kept_until": text(batch.keep_until),
        "cases": [
            {
                "reference": entry.reference, "outcome": entry.outcome or None, "why": entry.why or None,
                "certificate": entry.certificate,
            }
            for entry in batch.entries
        ],
    }  # fmt: skip


def say_batch(batch: Batch) -> None:
    """Say where a disposition stands, case by case."""
    say(_line(batch))
    for entry in batch.entries:
        why = f": {entry.why}" if entry.why else ""
        say(f"  {entry.reference}  {entry.outcome or 'proposed'}{why}")
    if batch.first and not batch.second and not batch.withdrawn_at:
        say(f"{batch.first.by} confirmed it; one more person must. Nothing is destroyed yet.")


def _line(batch: Batch) -> str:
    state = batch.state.replace("_", " ")
    cases = counted(len(batch.entries), "case")
    return f"Disposition {batch.number}: {cases}, {state}, proposed {moment(batch.proposed_at)}"
