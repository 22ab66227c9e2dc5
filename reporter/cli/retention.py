"""``reporter retention``: how long each case is kept, and what people decide about it."""

from __future__ import annotations

from typing import Annotated

import typer

from reporter.cli import retention_text
from reporter.cli.acting import As, actor
from reporter.cli.hold_text import instant
from reporter.cli.output import AsJson, Reference, moment, open_app, print_json, say, words
from reporter.cli.resolution import Reason

app = typer.Typer(no_args_is_help=True, help="How long each case is kept, and why.")
Review = Annotated[str, typer.Option("--review", metavar="TIME", help="When somebody looks again, with its zone.")]


@app.command()
def show(reference: Reference, as_json: AsJson = False) -> None:
    """
    Show every clock of a case: how long at least, how long at most, by which rule, and what they come to.

    Exit code 1: they are in conflict, and nobody has decided yet.

    Example: reporter retention show TS-2026-000101
    """
    with open_app() as house:
        kept = house.retention.clocks.show(reference)
    if as_json:
        print_json(retention_text.data(kept))
    else:
        retention_text.say_kept(kept)
    if kept.material.standing == "conflict" and kept.decided_until is None:
        raise typer.Exit(1)


@app.command()
def extend(
    reference: Reference,
    until: Annotated[str, typer.Option(metavar="TIME", help="How long to keep it, with its zone.")],
    review: Review,
    purpose: Annotated[
        str, typer.Option(callback=words, metavar="TEXT", help="What for, in words; kept sealed with the case.")
    ],
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Keep a case longer than a law asks, as 18 USC 2258A(h)(5) allows: two people, the same times, a purpose.

    Exit code 1: another person must still say the same.

    Example: reporter retention extend TS-101 --until 2029-01-01T00:00Z --review 2028-01-01T00:00Z --purpose TEXT
    """
    with open_app() as house:
        who = actor(name, house)
        done = house.retention.longer.extend(reference, instant(until), instant(review), who, purpose)
    if as_json:
        print_json({"reference": reference, "until": retention_text.text(done.until), "approved": done.approved})
    elif done.approved:
        say(f"Case {reference} is kept until {moment(done.until)}; to be reviewed by {moment(done.review_at)}.")
    else:
        say("Recorded; one more person must say the same with the same times. It keeps nothing yet.")
    if not done.approved:
        raise typer.Exit(1)


@app.command()
def review(
    number: Annotated[int, typer.Argument(metavar="N", help="The extension's number, as its clock shows it.")],
    again: Annotated[str, typer.Option(metavar="TIME", help="When somebody looks again, with its zone.")],
    reason: Reason,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Say that an extension is still needed, and when to look again.

    Example: reporter retention review 4 --again 2028-07-01T00:00:00Z --reason "Still in use for prevention."
    """
    with open_app() as house:
        house.retention.longer.review(number, actor(name, house), reason, instant(again))
    if as_json:
        print_json({"extension": number, "review_at": retention_text.text(instant(again))})
    else:
        say(f"Recorded; extension {number} comes up again on {moment(instant(again))}.")


@app.command()
def decide(reference: Reference, review: Review, reason: Reason, name: As = None, as_json: AsJson = False) -> None:
    """
    Decide a conflict: the case is kept although a law says that it should be gone, until somebody looks again.

    A law's floor is never shortened, so nothing else can be decided. Where a hold is what conflicts, release it.

    Example: reporter retention decide TS-101 --review 2027-01-01T00:00:00Z --reason "Counsel, memo 2026-31." --as lea
    """
    with open_app() as house:
        house.retention.longer.decide_conflict(reference, instant(review), actor(name, house), reason)
    if as_json:
        print_json({"reference": reference, "decided_until": retention_text.text(instant(review))})
    else:
        say(f"Recorded; the conflict comes up again on {moment(instant(review))}.")


@app.command()
def rules(
    apply: Annotated[bool, typer.Option("--apply", help="Add the clocks that are longer or new.")] = False,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Show what the rule packs would change of the clocks that run; with --apply add what is longer or new.

    Nothing is ever shortened or taken away. Exit code 1: something would change, and --apply was not given.

    Example: reporter retention rules
    """
    with open_app() as house:
        effects = list(house.retention.rules.effects())
        added = house.retention.rules.apply(actor(name, house)) if apply else 0
    if as_json:
        listed = [
            {
                "reference": each.reference, "change": each.change.value, "applies": each.change.applies,
                "rule": f"{each.clock.rule}/{each.clock.version}", "retention": each.clock.retention,
                "ends": retention_text.text(each.clock.ends),
            }
            for each in effects
        ]  # fmt: skip
        print_json({"effects": listed, "added": added})
    else:
        for each in effects:
            end = moment(each.clock.ends) if each.clock.ends else "until it is released"
            stays = "" if each.change.applies else "; the clock that runs stays"
            say(f"{each.reference}  {each.clock.rule} {each.clock.retention}: {each.change.value}, {end}{stays}")
        say(f"{added} clocks added." if apply else f"{len(effects)} differences.")
    if not apply and any(each.change.applies for each in effects):
        raise typer.Exit(1)
