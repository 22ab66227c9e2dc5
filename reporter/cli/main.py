"""The root of the command line: the sub-commands, and how errors leave the program."""

from __future__ import annotations

import io
import sys
import traceback
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer

from reporter import __version__
from reporter.cli import (
    actor,
    alarm,
    audit,
    authority,
    board,
    case,
    contact,
    delivery,
    demand,
    demo,
    destruction,
    disposition,
    evidence,
    evidence_keeping,
    export,
    hold,
    home,
    job,
    key,
    key_recovery,
    recover,
    referral,
    request,
    retention,
    sandbox,
    secret,
    submission,
    task,
    verify,
)
from reporter.cli.acting import Key, Means, PassphraseFile, TokenFile
from reporter.cli.hygiene import harden

app = typer.Typer(
    name="reporter",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="From a confirmed child-safety case to the authority's receipt: exactly once, with the evidence sealed.",
)
app.add_typer(case.app, name="case")
app.add_typer(submission.app, name="submission")
app.add_typer(task.app, name="task")
app.add_typer(referral.app, name="referral")
app.add_typer(contact.app, name="contact")
app.add_typer(delivery.records, name="delivery")
app.add_typer(evidence.app, name="evidence")
app.add_typer(demand.app, name="demand")
app.add_typer(hold.app, name="hold")
app.add_typer(export.app, name="export")
app.add_typer(retention.app, name="retention")
app.add_typer(request.app, name="request")
app.add_typer(alarm.app, name="alarm")
app.add_typer(audit.app, name="audit")
app.add_typer(authority.app, name="authority")
app.add_typer(job.app, name="job")
app.add_typer(key.app, name="key")
app.add_typer(secret.app, name="secret")
app.add_typer(actor.app, name="actor")
app.add_typer(home.db, name="db")
evidence_keeping.register(evidence.app)
destruction.register(evidence.app, case.app)
disposition.register(retention.app)
board.register(app)
demo.register(app)
key_recovery.register(key.app)
home.register(app)
recover.register(app)
delivery.register(app)
sandbox.register(app)
verify.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"reporter {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    _wanted: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
    key_file: Key = None,
    passphrase_file: PassphraseFile = None,
    token_file: TokenFile = None,
) -> None:
    context.obj = Means(key_file, passphrase_file, token_file)


@cache
def _command() -> Any:
    """Give the tree of commands; to build it takes as long as many a command."""
    return typer.main.get_command(app)


def run() -> None:
    """Run the command line; every trouble leaves as one line on standard error and an exit code (see errors)."""
    harden()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # no terminal is too old to be told
    try:
        code = _command()(prog_name="reporter", standalone_mode=False)
    except typer.TyperException as error:
        if message := error.format_message():  # empty where the help was shown for want of arguments
            typer.echo(f"Error: {_discreet(message)}{_help(error)}", err=True)
        sys.exit(2)
    except (typer.Abort, KeyboardInterrupt):
        typer.echo("Stopped.", err=True)
        sys.exit(130)
    except SystemExit:  # typer's answer to a closed pipe: whoever reads, such as head, has had enough
        sys.exit(0)
    except Exception as error:
        sys.exit(_fail(error))
    sys.exit(code if isinstance(code, int) else 0)


def _discreet(message: str) -> str:
    """Leave out words that nobody asked for: they may be a password, or a name without quotes."""
    if message.startswith("Got unexpected extra argument"):
        return "There are more words than this command takes. Text with spaces goes in quotes."
    return message


def _help(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    return f" See: {context.command_path} --help" if context else ""


def _fail(error: Exception) -> int:
    from reporter.errors import ReporterError

    if isinstance(error, ReporterError):
        typer.echo(f"Error: {error.diagnostics()}", err=True)
        return error.exit_code
    if isinstance(error, OSError):
        where = f": {error.filename}" if error.filename else ""
        typer.echo(f"Error: {error.strerror or type(error).__name__}{where}.", err=True)
        return 4
    last = traceback.extract_tb(error.__traceback__)[-1]
    what = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
    typer.echo(
        f"Error: an internal fault ({what}); nothing half-done was kept. "
        "Please report it with the command you ran; no case data is needed.",
        err=True,
    )
    return 4
