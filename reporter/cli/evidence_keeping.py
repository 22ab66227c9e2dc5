"""``reporter evidence verify``, ``destroy`` and ``certificate``: that evidence is whole, and how it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reporter.cli.acting import As, actor
from reporter.cli.evidence import place
from reporter.cli.output import AsJson, open_app, print_json, say, tell, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reporter.bootstrap import App
    from reporter.evidence.verification import Verified

_MEGABYTE = 1_000_000


def register(app: typer.Typer) -> None:
    """Add the commands of this module to ``reporter evidence``."""
    for command in (verify, destroy, certificate):
        app.command()(command)


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


def destroy(
    where: Annotated[str | None, typer.Argument(metavar="[REF/ITEM]", help="The item.")] = None,
    reason: Annotated[
        str | None, typer.Option(callback=words, metavar="TEXT", help="Why, in words; kept sealed with the case.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Finish what was interrupted, or what a restored store brought back.")
    ] = False,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Destroy an item for good: its key, then its object. Two people say so, each with this command.

    Exit code 1: another person must still say the same, or --resume found a key that is back, or a hold. 3: something
    stands against it, such as a delivery that may need the file, or a legal hold in the object store.

    Example: reporter evidence destroy TS-2026-000101/e1 --reason "Request of an officer, letter 2026-17" --as dana
    """
    from reporter.errors import UsageError

    if resume == (where is not None) or resume == (reason is not None):
        raise UsageError("Give an item with --reason, or --resume alone.")
    if where is None:
        _resume(name, as_json)
        return
    reference, item = place(where)
    with open_app() as house:
        done = house.evidence.destruction.destroy(reference, item or "", actor(name, house), reason or "")
    if as_json:
        answer = {"reference": reference, "item": item, "destroyed": done.decided}
        print_json({**answer, "certificate": done.id, "proposed_by": done.proposed_by})
    elif done.decided:
        say(f"{where} is destroyed. See: reporter evidence certificate {done.id}")
    else:
        say(f"{where}: recorded; one more person must confirm it with the same command. Nothing is destroyed yet.")
    if not done.decided:
        raise typer.Exit(1)


def certificate(
    number: Annotated[str, typer.Argument(metavar="ID", help="The certificate's id.")], as_json: AsJson = False
) -> None:
    """
    Print the certificate of a destruction: with --json its exact bytes, canonical JSON.

    Example: reporter evidence certificate 0123456789abcdef0123456789abcdef --json > certificate.json
    """
    with open_app() as house:
        text = house.evidence.destruction.certificate(number)
    if as_json:
        say(text)
        return
    for key, value in json.loads(text).items():
        say(f"{key.replace('_', ' ')}: {_plain(value)}")


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


def _resume(name: str | None, as_json: bool) -> None:
    with open_app() as house:
        resumed = house.evidence.destruction.resume(actor(name, house))
    if as_json:
        print_json({name: list(getattr(resumed, name)) for name in ("finished", "back", "held")})
    else:
        for number in resumed.finished:
            say(f"Destruction {number} is finished.")
        for item in resumed.back:
            say(f"{item}: its tombstone says that it was destroyed, and its key is back. Destroy it again, two people.")
        for item in resumed.held:
            say(f"{item}: it is to be destroyed, and its object is under legal hold in the object store.")
        if not (resumed.finished or resumed.back or resumed.held):
            say("Nothing was left to finish.")
    if resumed.back or resumed.held:
        raise typer.Exit(1)


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


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {part}" for key, part in value.items())
    return ", ".join(value) if isinstance(value, list) else "none" if value is None else str(value)
