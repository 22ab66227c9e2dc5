"""``reporter secret``: credentials, read from standard input and never shown."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from reporter.cli.acting import As, actor
from reporter.cli.output import AsJson, open_app, print_json, say

app = typer.Typer(no_args_is_help=True, help="Keep credentials; they are never printed.")

#: Bytes of a secret at most; no password or token comes near.
_LONGEST = 4096

Name = Annotated[str, typer.Argument(metavar="NAME", help='As in password = "secret:NAME".')]


@app.command("set")
def set_(
    name: Name,
    expires: Annotated[
        datetime | None,
        typer.Option(
            "--expires",
            metavar="DATE",
            formats=["%Y-%m-%d"],
            help="The day (UTC) on which it ends.",
        ),
    ] = None,
    acting: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Seal a secret from standard input; it belongs to the environment of the authority that uses it.

    Example: printf %s "$PASSWORD" | reporter secret set ncmec-password
    """
    from reporter.errors import UsageError

    asked = sys.stdin is not None and sys.stdin.isatty()
    value = typer.prompt(f"Value of {name}", hide_input=True) if asked else _standard_input()
    if not value.strip():
        raise UsageError("Standard input is empty; nothing was changed.")
    if not value.isprintable():
        raise UsageError("A secret is one line without control characters; nothing was changed.")
    with open_app() as house:
        until = expires.replace(tzinfo=UTC) if expires else None
        environment, lanes = house.secrets.set(name, value, actor(acting, house), until)
    if as_json:
        print_json({"secret": name, "environment": environment, "resumed": lanes})
        return
    say(f"Secret {name} is sealed for {environment}.")
    for lane in lanes:
        say(f"{lane} goes on.")


def _standard_input() -> str:
    from reporter.errors import UsageError

    given = sys.stdin.buffer.read(_LONGEST + 1) if sys.stdin else b""
    if len(given) > _LONGEST:
        raise UsageError(f"A secret has at most {_LONGEST:,} bytes; nothing was changed.")
    try:
        return given.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise UsageError("Standard input is not UTF-8 text; nothing was changed.") from None


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """
    List the names of the secrets kept here.

    Example: reporter secret list
    """
    from reporter.evidence.custody import custody_errors

    with open_app() as house, custody_errors():
        names, expiries = house.custody.credentials.names(), house.custody.credentials.expiries()
    if as_json:
        print_json({"secrets": names, "expires": {name: at.isoformat() for name, at in expiries.items()}})
        return
    lines = [f"{name}  expires {expiries[name]:%Y-%m-%d}" if name in expiries else name for name in names]
    say("\n".join(lines) or "No secrets are kept here.")


@app.command()
def delete(name: Name, acting: As = None, as_json: AsJson = False) -> None:
    """
    Remove a secret for good; whatever uses it stands still until it is set again.

    Example: reporter secret delete ncmec-password
    """
    with open_app() as house:
        house.secrets.delete(name, actor(acting, house))
    if as_json:
        print_json({"secret": name, "deleted": True})
        return
    say(f"Secret {name} is deleted.")


@app.command()
def share(acting: As = None, as_json: AsJson = False) -> None:
    """
    Move the credentials of this machine's home into the key store's database, for all machines (keys.credentials).

    Exit code 1: the database has another credential of the same name; which of the two is right, a person must say.

    Example: reporter secret share
    """
    from reporter.keys import sharing

    with open_app() as house:
        who = actor(acting, house)
        shared = sharing.share(house.database, house.clock, house.configuration, house.custody, who)
    if as_json:
        print_json({"moved": list(shared.moved), "left": list(shared.left)})
    else:
        say(f"Moved: {', '.join(shared.moved)}." if shared.moved else "Nothing was moved.")
        for name in shared.left:
            say(f"{name}: the database has another one of that name; this machine's was left in its folder.")
    if shared.left:
        raise typer.Exit(1)
