"""``reporter recover``: a home rebuilt where there is nothing left."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reporter.cli.acting import As, actor
from reporter.cli.output import AsJson, print_json, say

if TYPE_CHECKING:
    from keycustody.rewrapping import Step
    from reporter.recovery.service import Review


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(recover)


def recover(
    kit: Annotated[Path, typer.Option("--kit", metavar="FILE", help="The recovery kit.")],
    identity: Annotated[
        list[Path], typer.Option("--identity", metavar="FILE", help="A custodian's age identity; two of them.")
    ],
    keystore: Annotated[
        Path | None, typer.Option("--keystore", metavar="DIR", help="A copy of the folder keystore.")
    ] = None,
    database: Annotated[
        Path | None, typer.Option("--database", metavar="FILE", help="A copy of reporter.sqlite3.")
    ] = None,
    objects: Annotated[
        Path | None, typer.Option("--objects", metavar="DIR", help="A copy of the folder objects.")
    ] = None,
    home: Annotated[
        Path | None, typer.Option("--home", metavar="DIR", help="The new home; by default $REPORTER_HOME.")
    ] = None,
    passphrase_file: Annotated[
        Path | None,
        typer.Option("--passphrase-file", metavar="FILE", help="Lock the root key with the passphrase in this file."),
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Read back so many items at random, and not all.")
    ] = None,
    acting: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Rebuild a home from a recovery kit, the key store, the database and the object store; then verify it.

    Two custodians of the kit come together, each with their own identity. The root key is locked anew, with a secret of
    this machine unless a passphrase is given. Deliveries stay quarantined until people release them.

    Exit code 1: the home is there, and something in it is not as it should be.

    Example: reporter recover --kit FILE --identity FILE --identity FILE --keystore DIR --database FILE --objects DIR
    """
    from reporter import bootstrap
    from reporter.config import home_folder
    from reporter.keys.kit import Kit, read_identity
    from reporter.recovery.rebuilding import Copies, rebuild
    from reporter.recovery.service import Recovery

    place = (home or home_folder()).absolute()
    content, sha256 = Kit.open(kit, [read_identity(file) for file in identity])

    def hold(beside: Path) -> None:
        with closing(bootstrap.open_home(beside)) as house:
            Recovery(house, content, sha256).hold(actor(acting, house))

    unopened = rebuild(content, Copies(keystore, database, objects), place, hold, passphrase_file)
    with closing(bootstrap.open_home(place)) as house:
        review = Recovery(house, content, sha256).review(actor(acting, house), sample)
    sound = not (unopened or review.damaged or review.faults) and review.same_log
    if as_json:
        print_json({"home": str(place), "kit_sha256": sha256, "sound": sound, **_data(unopened, review)})
    else:
        for line in _complaints(unopened, review):
            say(line, stderr=True)
        say(f"{place} is rebuilt from the kit {sha256}: {review.items:,} items read back.")
        say("Deliveries are quarantined. What to do: docs/howto/restore-a-backup.md")
    if not sound:
        raise typer.Exit(1)


def _data(unopened: list[Step], review: Review) -> dict[str, Any]:
    return {
        "unopened": [step.name for step in unopened],
        "items": review.items,
        "damaged": [
            {"reference": each.reference, "item": each.item, "finding": each.finding} for each in review.damaged
        ],
        "log": {"holds": not review.faults, "same": review.same_log},
        "quarantined": True,
    }


def _complaints(unopened: list[Step], review: Review) -> list[str]:
    lines = [f"{step.name}: {step.why} A kit made later may open it." for step in unopened]
    lines += [f"{each.reference}/{each.item}: {each.finding}" for each in review.damaged]
    lines += [f"The custody log, {fault.wrong}: {fault.message}" for fault in review.faults]
    if not review.same_log:
        lines.append("The custody log of this database is not that of the home the kit is of.")
    return lines
