"""``reporter secret``: credentials, read from standard input and never shown."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from reporter.cli.output import As, AsJson, actor, open_app, print_json, say

app = typer.Typer(no_args_is_help=True, help="Keep credentials; they are never printed.")

Name = Annotated[str, typer.Argument(metavar="NAME", help='As in password = "secret:NAME".')]


@app.command("set")
def set_(name: Name, acting: As = None) -> None:
    """
    Seal a secret from standard input; it belongs to the environment of the authority that uses it.

    Example: printf %s "$PASSWORD" | reporter secret set ncmec-password
    """
    from reporter.errors import UsageError

    asked = sys.stdin.isatty()
    value = typer.prompt(f"Value of {name}", hide_input=True) if asked else sys.stdin.read().rstrip("\r\n")
    if not value:
        raise UsageError("Standard input is empty; nothing was changed.")
    with open_app() as house:
        environment, lanes = house.set_secret(name, value, actor(acting, house))
    say(f"Secret {name} is sealed for {environment}.")
    for lane in lanes:
        say(f"{lane} goes on.")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """
    List the names of the secrets kept here.

    Example: reporter secret list
    """
    with open_app() as house:
        names = house.credentials.names()
    if as_json:
        print_json({"secrets": names})
    else:
        say("\n".join(names) or "No secrets are kept here.")
