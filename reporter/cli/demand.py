"""``reporter demand``: legal demands, from the day they are served until they are closed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reporter.cli.acting import As, actor
from reporter.cli.hold_text import instant, placed, say_placed
from reporter.cli.output import AsJson, counted, moment, open_app, print_json, say
from reporter.cli.resolution import Reason

if TYPE_CHECKING:
    from reporter.retention.demands import Demand

app = typer.Typer(no_args_is_help=True, help="Legal demands: letters, orders, warrants, requests.")
Number = Annotated[int, typer.Argument(metavar="N", help="Its number, as listed.")]
ExpectNone = Annotated[bool, typer.Option("--expect-none", help="It is meant to reach nothing that is here yet.")]
Everything = Annotated[bool, typer.Option("--everything", help="It is meant to reach every case here.")]


@app.command()
def add(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The demand's document (docs/reference/demand.md).")],
    expect_none: ExpectNone = False,
    everything: Everything = False,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Record a legal demand, and hold at once what it reaches, for as long as its rule says or until it is released.

    Names and addresses stand in the document alone, which is sealed. The same document again changes nothing.

    Example: reporter demand add letter.json --as lea
    """
    from reporter.cases.intake import read_file

    with open_app() as house:
        who = actor(name, house)
        recorded = house.retention.demands.record(
            read_file(path, "demand"), who, expect_none=expect_none, everything=everything
        )  # fmt: skip
    if as_json:
        held = placed(recorded.placed) if recorded.placed else None
        print_json({"demand": recorded.number, "new": recorded.new, "hold": held})
        return
    say(f"Demand {recorded.number} is recorded." if recorded.new else f"It is on record as demand {recorded.number}.")
    if recorded.placed:
        say_placed(recorded.placed)
    if recorded.new:
        say(f"Next, another person: reporter demand verify {recorded.number} --how call_back --reason TEXT")


@app.command("list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="Also those that are closed.")] = False, as_json: AsJson = False
) -> None:
    """
    List the demands that are open.

    Example: reporter demand list
    """
    with open_app() as house:
        demands = house.retention.demands.demands(closed_too=every)
    if as_json:
        print_json({"demands": [data(demand) for demand in demands]})
        return
    for demand in demands:
        say(_line(demand))
    if not demands:
        say("No demands.")


@app.command()
def show(
    number: Number,
    words: Annotated[bool, typer.Option("--words", help="Print the document as handed in; recorded.")] = False,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Show one demand: who recorded and verified it, its clocks, its hold, and the cases that it reaches now.

    Example: reporter demand show 3
    """
    with open_app() as house:
        if words:
            say(house.retention.demands.document(number, actor(name, house)).decode().rstrip("\n"))
            return
        demand = house.retention.demands.demand(number)
        cases = house.retention.demands.cases(demand)
    if as_json:
        print_json(data(demand) | {"cases": cases})
        return
    say(_line(demand))
    said = f"verified by {demand.verified_by} ({demand.verified_how})" if demand.verified else "not verified"
    say(f"  recorded by {demand.recorded_by} at {moment(demand.recorded_at)}; {said}")
    if demand.nondisclosure_until:
        say(f"  nobody is told of it before {moment(demand.nondisclosure_until)}")
    if demand.hold:
        say(f"  hold {demand.hold}: reporter hold show {demand.hold}")
    say(f"  reaches {counted(len(cases), 'case')} now{': ' if cases else ''}{', '.join(cases)}")


@app.command()
def verify(
    number: Number,
    how: Annotated[
        str, typer.Option(metavar="call_back|portal|court_register|signature|in_person", help="How you made sure.")
    ],
    reason: Reason,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Say how you made sure that a demand is genuine; another person than who recorded it.

    An e-mail address's domain is no proof; nor is a number that stands in the letter itself.

    Example: reporter demand verify 3 --how call_back --reason "Called the desk, by its public number." --as sam
    """
    from reporter.errors import UsageError
    from reporter.retention.demand import Check

    if how not in list(Check):
        raise UsageError(f"--how is one of: {', '.join(Check)}.")
    with open_app() as house:
        demand = house.retention.demands.verify(number, Check(how), actor(name, house), reason)
    _answer(demand, as_json, f"Demand {number} is verified ({how}).")


@app.command()
def renew(
    number: Number,
    at: Annotated[str, typer.Option(metavar="TIME", help="When the renewed request came, with its zone.")],
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Record that the authority renewed its request: the hold stands longer, never shorter.

    Example: reporter demand renew 3 --at 2027-02-10T15:00:00Z --as lea
    """
    with open_app() as house:
        demand = house.retention.demands.renew(number, instant(at), actor(name, house))
    _answer(demand, as_json, f"Recorded. See: reporter hold show {demand.hold}")


@app.command()
def close(
    number: Number,
    outcome: Annotated[str, typer.Option(metavar="answered|refused|withdrawn", help="How it ended.")],
    reason: Reason,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Close a demand. Its hold stands on until it ends, or two people release it.

    Example: reporter demand close 3 --outcome answered --reason "Handed over on the agency's portal." --as lea
    """
    from reporter.errors import UsageError

    if outcome not in ("answered", "refused", "withdrawn"):
        raise UsageError("--outcome is answered, refused or withdrawn.")
    with open_app() as house:
        demand = house.retention.demands.close(number, outcome, actor(name, house), reason)
    on = f" Its hold stands until: reporter hold release {demand.hold}" if demand.hold else ""
    _answer(demand, as_json, f"Demand {number} is closed.{on}")


@app.command()
def destroy(
    number: Number,
    where: Annotated[str, typer.Argument(metavar="REF/ITEM", help="The item.")],
    reason: Reason,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Destroy a visual depiction that a verified police request names (18 USC 2258B(c)(2)): two people, each with this.

    It comes before the law's floors, and before no hold. Exit code 1: another person must still say the same.

    Example: reporter demand destroy 4 TS-2026-000101/e1 --reason "Letter of the agency, verified." --as lea
    """
    from reporter.cli.evidence import place

    reference, item = place(where)
    with open_app() as house:
        done = house.retention.requests.destroy(number, reference, item or "", actor(name, house), reason)
    if as_json:
        print_json({"demand": number, "reference": reference, "destroyed": done.decided, "certificate": done.id})
    elif done.decided:
        say(f"{where} is destroyed. See: reporter evidence certificate {done.id}")
    else:
        say(f"{where}: recorded; one more person must confirm it with the same command. Nothing is destroyed yet.")
    if not done.decided:
        raise typer.Exit(1)


def data(demand: Demand) -> dict[str, Any]:
    """Give a demand for programs."""
    return {
        "demand": demand.number,
        "kind": demand.kind.value,
        "requester": demand.requester.value,
        "served_at": _text(demand.served_at),
        "due_at": _text(demand.due_at),
        "nondisclosure_until": _text(demand.nondisclosure_until),
        "recorded_by": demand.recorded_by,
        "verified": demand.verified_how.value if demand.verified_how else None,
        "verified_by": demand.verified_by,
        "closed": demand.closed_how,
        "hold": demand.hold,
    }


def _answer(demand: Demand, as_json: bool, text: str) -> None:
    if as_json:
        print_json(data(demand))
    else:
        say(text)


def _line(demand: Demand) -> str:
    due = f"; due {moment(demand.due_at)}" if demand.due_at else ""
    state = demand.closed_how or ("verified" if demand.verified else "not verified")
    kind, who = demand.kind.value.replace("_", " "), demand.requester.value.replace("_", " ")
    return f"{demand.number:>5}  {kind} ({who}), served {moment(demand.served_at)}; {state}{due}"


def _text(at: Any) -> str | None:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z") if at else None
