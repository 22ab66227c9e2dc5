"""``reporter submission hand-out``: what people take to an authority that no machine can call."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reporter.cli.acting import As, actor
from reporter.cli.output import AsJson, Reference, open_app, print_json, say
from reporter.cli.resolution import To

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reporter.handouts.service import HandedOut

_MODE = 0o600


def register(app: typer.Typer) -> None:
    """Add the command of this module to ``submission``."""
    app.command()(hand_out)


def hand_out(
    reference: Reference,
    authority: To,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="An existing folder of yours; by default one tar goes to standard output."),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="It was handed out before: give the same once more.")] = False,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Hand an approved submission to you, who tell the authority; on record, with your name, before the first byte.

    Where recipient_key is configured it is sealed to the authority's key; else it leaves in the clear, and is yours to
    protect and to remove. Exit code 3: it is not approved, a worker delivers it, or it was handed out before.

    Example: reporter submission hand-out TS-2026-000101 --to de-bka --out /media/stick --as dana
    """
    from reporter.errors import UsageError

    if out is None and as_json:
        raise UsageError("--json needs --out: standard output takes the archive.")
    if out is None and sys.stdout.isatty():
        raise UsageError("Standard output is a terminal.", next_step="Give --out FOLDER, or pipe it.")
    with open_app() as house:
        if out is not None:
            _require_free(out, house.configuration.home, f"{reference}-{authority}")
        given = house.hand_outs.hand_out(reference, authority, actor(name, house), again=again)
    if out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(given.archive)
        sys.stdout.buffer.flush()
    else:
        _write(out, given.files)
    if as_json:
        print_json(_shown(reference, given))
        return
    for line in _lines(reference, authority, given, out):
        say(line, stderr=out is None)


def _require_free(folder: Path, home: Path, stem: str) -> None:
    """
    See that a folder is the person's own, and that nothing lies there under the names that are to come.

    Raises:
        UsageError: It is not, or it lies in the home (law 4).
    """
    from reporter.errors import UsageError

    place = folder.expanduser().resolve()
    if not place.is_dir():
        raise UsageError("--out must be a folder that exists; nothing was handed out.")
    if place.is_relative_to(home.resolve()):
        raise UsageError("--out lies in Reporter's home, where nothing lies in the clear (law 4).")
    if not os.access(place, os.W_OK):
        raise UsageError("--out cannot be written; nothing was handed out.")
    if any(path.name.startswith(f"{stem}.") for path in place.iterdir()):
        raise UsageError(f"--out holds {stem}.* already, and nothing is replaced; nothing was handed out.")


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """
    Write files that only their owner may read, and replace none.

    Raises:
        EnvironmentTroubleError: A file of that name is there, or the disk does not work.
    """
    from reporter.errors import EnvironmentTroubleError

    try:
        for name, content in files.items():
            path = folder.expanduser() / name
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _MODE)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
    except OSError as error:
        raise EnvironmentTroubleError(
            f"{error.filename or folder} cannot be written: {error.strerror}. The hand-out is on record.",
            next_step="Choose another folder, and give --again.",
        ) from error


def _shown(reference: str, given: HandedOut) -> dict[str, object]:
    return {
        "reference": reference,
        "authority": given.authority,
        "environment": given.environment,
        "means": given.means,
        "digest": given.digest,
        "sealed_to": given.sealed_to or None,
        "archive_sha256": given.sha256,
        "files": sorted(given.files),
        "notes": list(given.notes),
    }


def _lines(reference: str, authority: str, given: HandedOut, out: Path | None) -> list[str]:
    sealed = f"sealed to {given.sealed_to}" if given.sealed_to else "in the clear: protect it, and remove it afterwards"
    where = f"{', '.join(sorted(given.files))}" if out else given.name
    return [
        f"{reference} for {authority} ({given.environment}) is handed out, {sealed}: {where}",
        *(f"note: {note}" for note in given.notes),
        f"Tell the authority ({given.means}); then: reporter submission record-receipt {reference} --to {authority} "
        "--reference N --at TIME --reason TEXT (two people)",
    ]
