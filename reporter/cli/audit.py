"""``reporter audit``: the custody log, and the proof that nobody changed it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reporter.cli.output import AsJson, moment, open_app, print_json, say

if TYPE_CHECKING:
    from reporter.audit.model import Event

app = typer.Typer(no_args_is_help=True, help="The custody log: who did what, and the proof that nobody changed it.")

Position = Annotated[int, typer.Argument(metavar="POSITION", min=0, help="The entry's position, as listed.")]


@app.command("list")
def list_(
    reference: Annotated[str | None, typer.Argument(metavar="[REF]", help="One case's.")] = None,
    as_json: AsJson = False,
) -> None:
    """
    List the entries, oldest first: of one case, or all. Those whose records were destroyed are not among them.

    Example: reporter audit list TS-2026-000101
    """
    from reporter.audit import service
    from reporter.db.engine import reading

    with open_app() as house:
        house.log.sequencer.run()
        with reading(house.database) as connection:
            entries = service.entries(connection, reference)
            if as_json:
                print_json({"entries": [_data(entry.position, entry.event) for entry in entries]})
                return
            for entry in entries:
                say(_line(entry.position, entry.event))


@app.command()
def show(position: Position, as_json: AsJson = False) -> None:
    """
    Show one entry, or which later entry says that its record was destroyed.

    Example: reporter audit show 41
    """
    with open_app() as house:
        entry = house.log.prover.show(position)
    if as_json:
        event = _data(position, entry.event) if entry.event else None
        print_json({"position": position, "leaf": entry.leaf.hex(), "event": event, "destroyed_by": entry.destroyed_by})
        return
    if entry.event:
        say(_line(position, entry.event))
    elif entry.destroyed_by is not None:
        say(f"{position}  its record was destroyed; entry {entry.destroyed_by} says so")
    else:
        say(f"{position}  its record is missing, and no later entry says that it was destroyed", stderr=True)
    if entry.event is None and entry.destroyed_by is None:
        raise typer.Exit(1)


@app.command()
def checkpoint(as_json: AsJson = False) -> None:
    """
    Sign the log as it is now, and print the signed checkpoint; keep it where this machine's owner cannot change it.

    Exit code 1: its copy could not be written, or its time-stamp could not be had. 4: the log does not continue what
    was signed before.

    Example: reporter audit checkpoint > checkpoint-2026-11-23.txt
    """
    with open_app() as house:
        made = house.log.checkpoints.make()
    if as_json:
        stamped = made.stamped_at.isoformat() if made.stamped_at else None
        trouble = list(made.trouble)
        print_json(
            {"size": made.size, "at": made.at.isoformat(), "note": made.note, "stamped_at": stamped, "trouble": trouble}
        )
    else:
        typer.echo(made.note, nl=False)
    for trouble_ in made.trouble:
        say(trouble_, stderr=True)
    if made.trouble:
        raise typer.Exit(1)


@app.command()
def key(as_json: AsJson = False) -> None:
    """
    Print the key that checkpoints are verified with (a C2SP vkey); give it to whoever keeps checkpoints.

    Example: reporter audit key
    """
    with open_app() as house:
        verifier = house.log.checkpoints.verifier
    if as_json:
        print_json({"vkey": str(verifier), "origin": verifier.name, "key_id": verifier.key_id.hex()})
    else:
        say(str(verifier))


@app.command()
def verify(
    given: Annotated[
        list[Path] | None, typer.Option("--checkpoint", metavar="FILE", help="One kept elsewhere; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """
    Compute the whole log again and compare it with every checkpoint: its own, the copy outside, and those given.

    Exit code 1: it does not hold; the first bad entry is named.

    Example: reporter audit verify --checkpoint checkpoint-2026-11-23.txt
    """
    notes = [_note(file) for file in given or []]
    with open_app() as house:
        outside = house.log.checkpoints.outside()
        verdict = house.log.verification.run([*notes, *([outside] if outside else [])])
    if as_json:
        print_json(
            {
                "holds": not verdict.faults,
                "size": verdict.size,
                "root": verdict.root.hex(),
                "checkpoints": verdict.checkpoints,
                "timestamps": verdict.timestamps,
                "destroyed": verdict.destroyed,
                "faults": [
                    {"wrong": fault.wrong, "position": fault.position, "message": fault.message}
                    for fault in verdict.faults
                ],
            }
        )
    else:
        for fault in verdict.faults:
            say(f"{fault.wrong}: {fault.message}", stderr=True)
        if not verdict.faults:
            say(
                f"The log holds: {verdict.size} entries, {verdict.destroyed} of them destroyed as recorded, "
                f"{verdict.checkpoints} checkpoints agree."
            )
    if verdict.faults:
        raise typer.Exit(1)


@app.command()
def prove(position: Position, as_json: AsJson = False) -> None:
    """
    Prove that an entry stands in the log: its inclusion proof and the signed checkpoint it leads to (C2SP tlog-proof).

    Example: reporter audit prove 41 > entry-41.tlog-proof
    """
    with open_app() as house:
        proof = house.log.prover.prove(position)
    if as_json:
        print_json(proof.to_json())
    else:
        typer.echo(str(proof), nl=False)


def _note(file: Path) -> str:
    from reporter.errors import UsageError

    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"{file} cannot be read as a checkpoint.") from None


def _data(position: int | None, event: Event) -> dict[str, Any]:
    return {
        "position": position,
        "at": event.at.isoformat(),
        "actor": event.actor,
        "kind": event.kind,
        "reference": event.reference,
        "item": event.item,
        "detail": event.detail,
    }


def _line(position: int | None, event: Event) -> str:
    about = "  ".join(part for part in (event.reference, event.item, event.detail) if part)
    return (
        f"{'' if position is None else position:>7}  {moment(event.at)}  {event.actor}  {event.kind}  {about}".rstrip()
    )
