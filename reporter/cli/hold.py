"""``reporter hold``: what must not be destroyed, whatever else is due."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reporter.cli import hold_text
from reporter.cli.acting import As, actor
from reporter.cli.demand import Everything, ExpectNone, Number
from reporter.cli.evidence import place as where_of
from reporter.cli.output import AsJson, counted, open_app, print_json, say
from reporter.cli.resolution import Reason

if TYPE_CHECKING:
    from reporter.retention.demand import Scope

app = typer.Typer(no_args_is_help=True, help="Legal holds: placed at once by one person, released by two.")


@app.command()
def place(
    reason: Reason,
    case: Annotated[list[str] | None, typer.Option(metavar="REF", help="A case; may be repeated.")] = None,
    item: Annotated[list[str] | None, typer.Option(metavar="REF/ITEM", help="One item; may be repeated.")] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Cases handed in from then on.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Cases handed in before then.")] = None,
    people: Annotated[
        Path | None, typer.Option(metavar="FILE", help="People and accounts, as JSON: [{kind, value}, …].")
    ] = None,
    expect_none: ExpectNone = False,
    everything: Everything = False,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Hold cases, items, dates, people or accounts, at once; what arrives later and fits is held too.

    Exit code 3: it would reach every case. Items whose destruction was decided before are named.

    Example: reporter hold place --case TS-2026-000101 --reason "Litigation is expected." --as lea
    """
    scope = _scope(case or [], item or [], since, until, people)
    with open_app() as house:
        who = actor(name, house)
        done = house.retention.holds.place(scope, who, reason, expect_none=expect_none, everything=everything)
    if as_json:
        print_json(hold_text.placed(done))
    else:
        hold_text.say_placed(done)


@app.command("list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="Also those that ended or were released.")] = False,
    as_json: AsJson = False,
) -> None:
    """
    List the holds that stand.

    Example: reporter hold list
    """
    with open_app() as house:
        holds, now = house.retention.holds.holds(all_of_them=every), house.clock.now()
    if as_json:
        print_json({"holds": [hold_text.data(hold, now) for hold in holds]})
        return
    for hold in holds:
        say(hold_text.line(hold, now))
    if not holds:
        say("No holds.")


@app.command()
def show(
    number: Number,
    words: Annotated[bool, typer.Option("--words", help="Also what people said, in their words; recorded.")] = False,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Show one hold and the cases that it reaches now.

    Example: reporter hold show 2
    """
    with open_app() as house:
        reader = actor(name, house) if words else ""
        hold, cases = house.retention.holds.show(number)
        said = house.retention.holds.reasons(number, reader) if words else []
        now = house.clock.now()
    if as_json:
        told = {"words": [{"by": who, "text": text} for who, text in said]} if words else {}
        print_json(hold_text.data(hold, now) | {"cases": cases} | told)
        return
    say(hold_text.line(hold, now))
    say(f"  {hold.source}")
    say(f"  reaches {counted(len(cases), 'case')} now{': ' if cases else ''}{', '.join(cases)}")
    for who, text in said:
        say(f"  {who}: {text}")


@app.command()
def review(number: Number, reason: Reason, name: As = None, as_json: AsJson = False) -> None:
    """
    Say that a hold without an end is still needed; it comes up again after retention.hold_review_days.

    Example: reporter hold review 2 --reason "The case is pending." --as lea
    """
    with open_app() as house:
        hold, now = house.retention.holds.review(number, actor(name, house), reason), house.clock.now()
    if as_json:
        print_json(hold_text.data(hold, now))
    else:
        say(hold_text.line(hold, now))


@app.command()
def release(number: Number, reason: Reason, name: As = None, as_json: AsJson = False) -> None:
    """
    Ask for the release of a hold, or agree to it: two people, each with this command.

    Exit code 1: another person must agree yet; the hold stands.

    Example: reporter hold release 2 --reason "The court let us know that it is over." --as lea
    """
    with open_app() as house:
        released = house.retention.holds.release(number, actor(name, house), reason)
    if as_json:
        print_json({"hold": number, "released": released})
    elif released:
        say(f"Hold {number} is released. Other clocks and holds stand as they did.")
    else:
        say(f"Recorded; one more person must agree with the same command. Hold {number} stands.")
    if not released:
        raise typer.Exit(1)


@app.command()
def reindex(name: As = None, as_json: AsJson = False) -> None:
    """
    Index people and accounts anew, where the key by which they were found is lost for good or was replaced.

    Exit code 1: what some holds name cannot be read; they reach what they reached, and must be placed anew for what
    arrives. Exit code 3: nothing is to be done.

    Example: reporter hold reindex --as lea
    """
    with open_app() as house:
        done = house.retention.reindexing.run(actor(name, house))
    if as_json:
        print_json({"cases": done.cases, "entries": done.entries, "left": list(done.left)})
    else:
        say(f"Indexed anew: {counted(done.cases, 'case')}, and who holds, demands and requests name ({done.entries}).")
        for number in done.left:
            say(f"Hold {number} names somebody who cannot be read: place it anew.")
    if done.left:
        raise typer.Exit(1)


def _scope(cases: list[str], items: list[str], since: str | None, until: str | None, people: Path | None) -> Scope:
    from pydantic import ValidationError

    from reporter.errors import UsageError
    from reporter.retention.demand import Scope

    dates: dict[str, str] = {name: text for name, text in (("since", since), ("until", until)) if text}
    pairs = [where_of(text) for text in items]
    told: dict[str, Any] = {
        "cases": cases,
        "items": [{"case": reference, "item": item or ""} for reference, item in pairs],
        "dates": [dates] if dates else [],
        "subjects": _people(people) if people else [],
    }
    try:
        return Scope.model_validate(told)
    except ValidationError as error:
        places = sorted({".".join(map(str, each["loc"])) or "scope" for each in error.errors(include_input=False)})
        raise UsageError(
            f"The scope is wrong at: {', '.join(places)}.", next_step="See: reporter hold place --help"
        ) from None


def _people(file: Path) -> Any:
    from reporter.cases.intake import read_file
    from reporter.errors import UsageError

    try:
        return json.loads(read_file(file, "scope"))
    except ValueError as error:
        raise UsageError("The file of people is not JSON.") from error
