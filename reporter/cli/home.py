"""``reporter init``, ``doctor`` and ``db``: the home itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reporter.cli import quarantine
from reporter.cli.output import AsJson, print_json, say

db = typer.Typer(no_args_is_help=True, help="The database of this home.")
quarantine.register(db)


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the root."""
    app.command()(init)
    app.command()(doctor)


def init(
    keys: Annotated[
        list[str] | None,
        typer.Option("--keys", metavar="KEY=VALUE", help="What stands in [keys] of reporter.toml, one key each time."),
    ] = None,
    passphrase_file: Annotated[
        Path | None,
        typer.Option("--passphrase-file", metavar="FILE", help="Lock the root key with the passphrase in this file."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """
    Set up a home: reporter.toml, keys, database. It talks to the sandbox until you say otherwise.

    The home is $REPORTER_HOME, by default ~/.local/share/reporter.

    Example: reporter init
    """
    from reporter.config import FILE_NAME, home_folder
    from reporter.home import create

    home = home_folder()
    settings = _settings(keys or [])
    if passphrase_file is not None:
        settings["passphrase_file"] = str(passphrase_file.absolute())
    create(home, settings)
    if as_json:
        print_json({"home": str(home)})
        return
    say(f"Reporter lives in {home} now. It reports to the built-in sandbox until you say otherwise.")
    say(f"Next: write who you are into {home / FILE_NAME}, and in another terminal run: reporter sandbox")


def _settings(given: list[str]) -> dict[str, str]:
    from reporter.config import Keys
    from reporter.errors import UsageError

    pairs = [text.partition("=") for text in given]
    for key, _, value in pairs:
        if key not in Keys.model_fields or not value:
            raise UsageError(f"--keys takes KEY=VALUE; the keys are: {', '.join(Keys.model_fields)}.")
    return {key: value for key, _, value in pairs}


def doctor(as_json: AsJson = False) -> None:
    """
    Check the home, the keys, the database and each authority's configuration; nothing is changed or sent.

    Example: reporter doctor
    """
    from reporter.doctor import examine

    findings = examine()
    if as_json:
        print_json({"checks": [{"name": f.name, "state": f.state, "text": f.text} for f in findings]})
    else:
        for entry in findings:
            say(f"{entry.state:>5}  {entry.name}: {entry.text}")
    if any(entry.state == "fail" for entry in findings):
        raise typer.Exit(1)


@db.command()
def upgrade(as_json: AsJson = False) -> None:
    """
    Bring the database to this program's revision; safe to run from several machines at once.

    A database that is missing or empty is refused: restore it. Only `reporter init` makes one.

    Example: reporter db upgrade
    """
    from reporter import config
    from reporter.db import migrate
    from reporter.db.engine import open_engine

    engine = open_engine(config.load().database)
    migrate.require_used(engine)
    before, head = migrate.revisions(engine)
    migrate.upgrade(engine)
    engine.dispose()
    if as_json:
        print_json({"revision": head, "changed": before != head})
        return
    say(f"The database is at revision {head}{' already' if before == head else ''}.")
