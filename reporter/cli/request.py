"""``reporter request``: what people ask of their own data, answered without tipping off."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reporter.cli.acting import As, actor
from reporter.cli.output import AsJson, moment, open_app, print_json, say
from reporter.cli.resolution import Reason
from reporter.cli.retention_text import text

if TYPE_CHECKING:
    from reporter.retention.persons import Request

app = typer.Typer(no_args_is_help=True, help="Requests of people for access to their data, or its erasure.")
Number = Annotated[int, typer.Argument(metavar="N", help="Its number, as listed.")]
_FOUND = {
    "nothing": "no case here names them",
    "kept": "a law, a hold or an extension keeps what there is: nothing is erased, and nothing is said of it",
    "undisclosed": "a demand forbids to tell of it: your counsel looks before anything is sent",
    "due": "nothing keeps it any more: reporter retention propose",
}


@app.command()
def add(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The request's document, as JSON.")],
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Record a request, see what it reaches, and get the words that may be said: the same to everybody.

    The document: {"request_version": 1, "right": "erasure", "received_at": TIME, "subjects": [{"kind": "email",
    "value": "…"}]}. It is sealed. Exit code 1: your counsel must look first.

    Example: reporter request add request.json --as lea
    """
    from reporter.cases.intake import read_file

    with open_app() as house:
        request, cases = house.retention.persons.record(read_file(path, "request"), actor(name, house))
    if as_json:
        print_json(data(request) | {"cases": list(cases)})
    else:
        say(_line(request))
        say(f"  inside: {_FOUND[request.found.value]}{': ' if cases else ''}{', '.join(cases)}")
        say(f"  what may be said: {request.answer}")
    if request.found == "undisclosed":
        raise typer.Exit(1)


@app.command("list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="Also those that were answered.")] = False,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    List the requests that wait for their answer.

    Example: reporter request list
    """
    with open_app() as house:
        actor(name, house)
        requests = house.retention.persons.requests(answered_too=every)
    if as_json:
        print_json({"requests": [data(request) for request in requests]})
        return
    for request in requests:
        say(_line(request))
    if not requests:
        say("No requests.")


@app.command()
def answer(number: Number, reason: Reason, name: As = None, as_json: AsJson = False) -> None:
    """
    Record that the answer was sent, and in --reason what else was said and how you knew who asked.

    Example: reporter request answer 2 --reason "Sent the standard words to the account's own address." --as lea
    """
    with open_app() as house:
        request = house.retention.persons.answered(number, actor(name, house), reason)
    if as_json:
        print_json(data(request))
    else:
        say(f"Request {number} is answered.")


def data(request: Request) -> dict[str, Any]:
    """Give a request for programs; ``found`` is for those inside."""
    return {
        "request": request.number,
        "right": request.right.value,
        "received_at": text(request.received_at),
        "due_at": text(request.due_at),
        "found": request.found.value,
        "answer": request.answer,
        "recorded_by": request.recorded_by,
        "answered_by": request.answered_by,
        "answered_at": text(request.answered_at),
    }


def _line(request: Request) -> str:
    state = (
        f"answered by {request.answered_by}" if request.answered_at else f"to be answered by {moment(request.due_at)}"
    )
    return f"{request.number:>5}  {request.right.value}, received {moment(request.received_at)}; {state}"
