"""``reporter key``: what locks the root key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from reporter.cli.acting import As, actor
from reporter.cli.output import AsJson, open_app, print_json, say

app = typer.Typer(no_args_is_help=True, help="The root key, under which all other keys are wrapped.")


@app.callback()
def _group() -> None:
    pass


@app.command()
def protect(
    passphrase_file: Annotated[
        Path | None, typer.Option("--passphrase-file", metavar="FILE", help="Lock with the passphrase in this file.")
    ] = None,
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Lock with a passphrase that is asked for, twice.")
    ] = False,
    machine_secret: Annotated[
        bool, typer.Option("--machine-secret", help="Lock with the secret of this machine.")
    ] = False,
    acting: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Lock the local keyring with something else; nothing that is sealed changes.

    Example: reporter key protect --passphrase-file /etc/reporter/passphrase
    """
    from reporter.errors import UsageError

    if sum((passphrase_file is not None, passphrase, machine_secret)) != 1:
        raise UsageError("Choose one of --passphrase-file, --passphrase and --machine-secret.")
    with open_app() as house:
        if machine_secret:
            words, file = "machine secret", str(house.protection.by_machine_secret(actor(acting, house)))
            advice = f"Keep an offline copy of {file}: without it nothing opens. Take passphrase_file out of [keys]."
        else:
            words, file = "passphrase", str(passphrase_file.absolute()) if passphrase_file else ""
            house.protection.by_passphrase(actor(acting, house), passphrase_file)
            advice = f"Set in [keys] of reporter.toml: passphrase_file = {json.dumps(file)}" if file else ""
    if as_json:
        print_json({"locked_with": words, "file": file})
        return
    say(f"The keyring is locked with a {words} now. {advice}".rstrip())
    say("Old copies of the folder `keys` still open with what locked them then. Start workers again soon.")
