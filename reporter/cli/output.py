"""What every command shares: opening the house, and what goes to the screen."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console

    from reporter.bootstrap import App
    from reporter.errors import Finding


def _reference(value: str) -> str:
    """
    Give a reference that could be one; typed names and addresses go no further than this.

    Raises:
        NotFoundError: No case is called like that.
    """
    from reporter.cases.model import REFERENCE_PATTERN
    from reporter.cases.store import unknown

    if not re.fullmatch(REFERENCE_PATTERN, value):
        raise unknown(value)
    return value


def words(value: str | None) -> str | None:
    """
    Give text from the command line, where there is any.

    Raises:
        UsageError: It holds bytes that are no characters here.
    """
    from reporter.errors import UsageError

    if value and any("\ud800" <= character <= "\udfff" for character in value):
        raise UsageError("The text holds bytes that are no characters in this terminal's encoding.")
    return value


Reference = Annotated[str, typer.Argument(metavar="REF", callback=_reference, help="The case's reference.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@contextmanager
def open_app() -> Iterator[App]:
    """Open the home that the environment names, and close it again."""
    from reporter import bootstrap
    from reporter.errors import ReporterError

    app = bootstrap.open_home()
    try:
        yield app
        with suppress(ReporterError):  # what waits is named by `audit verify`; the command itself is done
            app.log.sequencer.run()
    finally:
        app.close()


def print_json(data: Any) -> None:
    """Print JSON on standard output."""
    typer.echo(json.dumps(data, indent=2, ensure_ascii=not _speaks_utf8()))


def console(*, stderr: bool = False) -> Console:
    """Give the rich console; it drops colour by itself where nobody looks."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=True)


def say(text: str, *, stderr: bool = False) -> None:
    """Print a plain line."""
    typer.echo(text, err=stderr)


def tell(text: str) -> None:
    """Print a line of progress; where nobody can take it any more, work goes on in silence."""
    try:
        typer.echo(text)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def one_line(text: str) -> str:
    """Give people's words in one line that no terminal obeys."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def counted(number: int, what: str) -> str:
    """Give a number of things, such as ``1 case`` or ``2 cases``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def moment(at: datetime) -> str:
    """Give an instant for people."""
    return f"{at:%Y-%m-%d %H:%M:%S}Z"


def finding(entry: Finding) -> dict[str, str]:
    """Give a finding as JSON."""
    return {"path": entry.path, "rule": entry.rule, "message": entry.message}


def _speaks_utf8() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
