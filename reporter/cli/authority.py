"""``reporter authority``: is it there, and its own schema."""

from __future__ import annotations

from typing import Annotated

import typer

from reporter.cli.acting import As, actor
from reporter.cli.output import AsJson, open_app, print_json, say

app = typer.Typer(no_args_is_help=True, help="Ask an authority for its state and its schema.")

Name = Annotated[str, typer.Argument(metavar="AUTHORITY", help="As in [authority.NAME].")]


@app.command()
def status(authority: Name, name: As = None, as_json: AsJson = False) -> None:
    """
    Ask whether the authority is there and knows our credentials; a queue that stood still for them goes on.

    Example: reporter authority status ncmec
    """
    with open_app() as house:
        environment, resumed = house.authorities.probe(authority, actor(name, house))
        title = house.adapters[authority].title
    if as_json:
        shown = {"authority": authority, "title": title, "environment": environment, "reachable": True}
        print_json({**shown, "resumed": resumed})
    else:
        say(f"{authority} ({environment}) is there and knows our credentials.")
        say(f"It is: {title}.")
        if resumed:
            say("Its queue goes on.")


@app.command()
def schema(authority: Name, name: As = None, as_json: AsJson = False) -> None:
    """
    Fetch the authority's own schema; every package is validated against it from now on.

    Example: reporter authority schema ncmec
    """
    with open_app() as house:
        stored, changed = house.authorities.fetch_schema(authority, actor(name, house))
    if as_json:
        print_json(
            {
                "authority": authority,
                "sha256": stored.sha256,
                "fetched_at": stored.fetched_at.isoformat(),
                "changed": changed,
            }
        )
    else:
        say(f"{authority}: schema sha256:{stored.sha256} {'is now' if changed else 'is still'} in force.")


@app.command()
def probe(authority: Name, name: As = None, as_json: AsJson = False) -> None:
    """
    Ask the authority's test system what its adapter only assumes, with harmless documents; production is refused.

    Exit code 1: it behaves otherwise than the adapter assumes.

    Example: reporter authority probe ncmec
    """
    with open_app() as house:
        observations = house.authorities.probe_assumptions(authority, actor(name, house))
    if as_json:
        print_json(
            {
                "authority": authority,
                "observations": [
                    {"question": o.question, "assumed": o.assumed, "observed": o.observed, "agrees": o.agrees}
                    for o in observations
                ],
            }
        )
    else:
        for seen in observations:
            differs = "" if seen.agrees else f", but {seen.assumed} is assumed"
            say(f"{'ok' if seen.agrees else 'differs':>7}  {seen.question}: {seen.observed}{differs}")
    if not all(o.agrees for o in observations):
        raise typer.Exit(1)
