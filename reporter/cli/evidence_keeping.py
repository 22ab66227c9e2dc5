"""``reporter evidence verify``: that evidence is what was sealed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reporter.cli.acting import As, actor
from reporter.cli.evidence import place
from reporter.cli.output import AsJson, open_app, say, tell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reporter.bootstrap import App
    from reporter.evidence.verification import Verified

_MEGABYTE = 1_000_000


def register(app: typer.Typer) -> None:
    """Add the command of this module to ``reporter evidence``."""
    app.command()(verify)


def verify(
    where: Annotated[str | None, typer.Argument(metavar="[REF[/ITEM]]", help="A case, or one item of it.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every item.")] = False,
    sample: Annotated[int | None, typer.Option(min=1, metavar="N", help="So many items, drawn at random.")] = None,
    due: Annotated[bool, typer.Option("--due", help="What was not verified for evidence.verify_days.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run that was interrupted last.")] = False,
    rate: Annotated[
        float | None, typer.Option(min=0.001, metavar="MB/S", help="Read at most so much a second.")
    ] = None,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Read sealed items back to their last byte and hold them against their records. Evidence is never changed.

    With --json: one object on a line for each item. Exit code 1: an item is not as it should be; the first one is an
    alarm at once.

    Example: reporter evidence verify --due --rate 50
    """
    from reporter.errors import UsageError

    if sum([where is not None, every, sample is not None, due, resume]) != 1:
        raise UsageError("Give one of: a case or an item, --all, --sample, --due, --resume.")
    count = damaged = 0
    with open_app() as house:
        for found in _begun(house, where, every, sample, due, actor(name, house), rate * _MEGABYTE if rate else None):
            count, damaged = count + 1, damaged + (not found.sound)
            tell(json.dumps(_data(found)) if as_json else _line(found))
    if not as_json:
        say(f"{count:,} verified, {damaged:,} not as {'it' if damaged == 1 else 'they'} should be.")
    if damaged:
        raise typer.Exit(1)


def _begun(
    house: App, where: str | None, every: bool, sample: int | None, due: bool, who: str, rate: float | None
) -> Iterator[Verified]:
    integrity = house.evidence.integrity
    if where is not None:
        reference, item = place(where, whole_case=True)
        house.evidence.overview.of(reference)  # an unknown case is refused, not verified in no time
        return integrity.one(reference, item, who, rate)
    if sample is not None:
        return integrity.sample(sample, who, rate)
    if every:
        return integrity.everything(who, rate)
    return integrity.due(who, rate) if due else integrity.resume(who, rate)


def _data(found: Verified) -> dict[str, Any]:
    return {
        "reference": found.reference,
        "item": found.item,
        "id": found.evidence_id,
        "sound": found.sound,
        "finding": found.finding.value or "whole",
        "detail": found.detail,
    }


def _line(found: Verified) -> str:
    from reporter.evidence.examination import WORDS

    detail = f" ({found.detail})" if found.detail else ""
    state = "ok  " if found.sound else "BAD "
    return f"{state} {found.reference}/{found.item}: {WORDS[found.finding]}{detail}"
