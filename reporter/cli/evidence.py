"""``reporter evidence``: what is sealed, and every look at it."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from reporter.cli.acting import As, actor
from reporter.cli.output import AsJson, Reference, moment, open_app, print_json, say

if TYPE_CHECKING:
    from reporter.evidence.looks import Asked
    from reporter.evidence.model import Look
    from reporter.evidence.overview import Kept

app = typer.Typer(no_args_is_help=True, help="Sealed evidence: look at it, verify it, destroy it. Every look is kept.")

_PURPOSES = "review, report, appeal, law_enforcement, legal_process, export_check or integrity"
_EXTENTS = "entire, partial, blurred, thumbnail or metadata"
Item = Annotated[str, typer.Argument(metavar="REF/ITEM", help="The case's reference and the item, or the item's id.")]
Of = Annotated[str, typer.Argument(metavar="REF[/ITEM]", help="A case, or one item of it.")]
PurposeOption = Annotated[str, typer.Option("--purpose", metavar="P", help=f"What for: {_PURPOSES}.")]
Metadata = Annotated[bool, typer.Option("--metadata", help="The file's metadata was seen too.")]


def place(value: str, *, whole_case: bool = False) -> tuple[str, str | None]:
    """
    Give the reference and the item that an argument names.

    Raises:
        UsageError: It names no item.
        NotFoundError: No case can be called like that.
    """
    from reporter.cases.model import REFERENCE_PATTERN
    from reporter.cases.store import unknown
    from reporter.errors import UsageError

    reference, _, item = value.partition("/")
    if not re.fullmatch(REFERENCE_PATTERN, reference):
        raise unknown(reference)
    if not item and not whole_case:
        raise UsageError("Name the item too: REF/ITEM.", next_step=f"See: reporter evidence list {reference}")
    return reference, item or None


@app.command("list")
def list_(reference: Reference, as_json: AsJson = False) -> None:
    """
    List the sealed items of a case, and what is on record of each. Nothing is opened.

    Example: reporter evidence list TS-2026-000101
    """
    with open_app() as house:
        items = house.evidence.overview.of(reference)
    if as_json:
        print_json({"reference": reference, "items": [_kept(item) for item in items]})
        return
    for item in items:
        _say_kept(item)
    if not items:
        say("No file of it is sealed.")


@app.command("open")
def open_(
    where: Item,
    purpose: PurposeOption,
    extent: Annotated[
        str, typer.Option(metavar="E", help=f"How much of it you view: {_EXTENTS}. Without it: opened, nothing more.")
    ] = "opened",
    metadata: Metadata = False,
    viewer: Annotated[
        str | None, typer.Option(metavar="'CMD ARGS'", help="Hand it to this program's standard input. No shell.")
    ] = None,
    terminal: Annotated[bool, typer.Option("--terminal", help="Print it on a terminal all the same.")] = False,
    name: As = None,
) -> None:
    """
    Stream an item's plaintext to standard output or to a viewer, never to a file; on record before the first byte.

    Only --extent entire counts as viewed by us in a report, and only where the item came out whole. Exit code 1: it is
    not what was sealed, or whoever read it stopped before its end; what came out is then not to be relied upon.

    Example: reporter evidence open TS-2026-000101/e1 --purpose review --extent entire --viewer 'mpv -' --as robin
    """
    from reporter.cli.viewer import to_output, to_viewer
    from reporter.errors import CustodyError, UsageError

    if viewer is None and not terminal and sys.stdout.isatty():
        raise UsageError("Standard output is a terminal.", next_step="Pipe it, or give --viewer or --terminal.")
    consume = to_output if viewer is None else to_viewer(viewer)
    asked_for = place(where)
    with open_app() as house:
        asked = _asked(asked_for, actor(name, house), purpose, extent, metadata)
        try:
            house.evidence.looks.open(asked, "output" if viewer is None else "viewer", consume)
        except CustodyError as error:
            _fail(f"{error.diagnostics()} What came out of it is not to be relied upon.")
        except BrokenPipeError:
            _fail("Whoever read it stopped before its end; on record as partial.")


@app.command()
def viewed(
    where: Item,
    purpose: PurposeOption,
    extent: Annotated[str, typer.Option(metavar="E", help=f"How much was seen: {_EXTENTS}.")],
    metadata: Metadata = False,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="When, such as 2026-11-20T14:05:00Z; or now.")] = None,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Record a look that another tool showed; the same again changes nothing.

    Example: reporter evidence viewed TS-2026-000101/e1 --purpose review --extent entire --at 2026-11-20T14:05Z --as ann
    """
    reference, item = asked_for = place(where)
    with open_app() as house:
        asked = _asked(asked_for, actor(name, house), purpose, extent, metadata)
        new = house.evidence.looks.viewed(asked, at)
    if as_json:
        print_json({"reference": reference, "item": item, "extent": extent, "new": new})
    else:
        say(f"{where}: {extent} view by {asked.actor} {'is on record' if new else 'was on record already'}.")


@app.command()
def views(where: Of, as_json: AsJson = False) -> None:
    """
    List every look at a case's items, or at one, oldest first.

    Example: reporter evidence views TS-2026-000101/e1
    """
    reference, item = place(where, whole_case=True)
    with open_app() as house:
        looks = house.evidence.looks.views(reference, item)
    if as_json:
        print_json({"reference": reference, "views": [_look(name, look) for name, look in looks]})
        return
    for name, look in looks:
        metadata = ", metadata too" if look.metadata_viewed and look.extent != "metadata" else ""
        told = f"to {look.purpose}, by {look.via}" if look.purpose else "as a case document tells"
        say(f"{look.at}  {name}  {look.by}: {look.extent}{metadata}, {told}")
    if not looks:
        say("Nobody looked.")


@app.command()
def request_open(where: Item, purpose: PurposeOption, name: As = None, as_json: AsJson = False) -> None:
    """
    Ask another person to let you open an item once, where evidence.open_people is 2.

    Example: reporter evidence request-open TS-2026-000101/e1 --purpose appeal --as robin
    """
    reference, item = asked_for = place(where)
    with open_app() as house:
        asked = _asked(asked_for, actor(name, house), purpose, "opened", metadata=False)
        number = house.evidence.looks.permits.ask(reference, asked.item, asked.actor, asked.purpose)
    if as_json:
        print_json({"permit": number, "reference": reference, "item": item, "purpose": purpose, "by": asked.actor})
    else:
        say(f"Permit {number} is asked for. Another person: reporter evidence grant-open {number} --as NAME")


@app.command()
def grant_open(
    number: Annotated[int, typer.Argument(metavar="PERMIT", help="Its number.")],
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Grant one opening that another person asked for; it is good for twelve hours.

    Example: reporter evidence grant-open 7 --as dana
    """
    with open_app() as house:
        by, reference, item = house.evidence.looks.permits.grant(number, actor(name, house))
    if as_json:
        print_json({"permit": number, "reference": reference, "item": item, "by": by})
    else:
        say(f"{by} may open {reference}/{item} once.")


def _asked(where: tuple[str, str | None], who: str, purpose: str, extent: str, metadata: bool) -> Asked:
    from reporter.errors import UsageError
    from reporter.evidence.looks import PURPOSES, Asked, Extent, Purpose

    reference, item = where
    if purpose not in PURPOSES:
        known = "\n".join(f"  {each}: to {words}" for each, words in PURPOSES.items())
        raise UsageError(f"--purpose is one of:\n{known}")
    if extent not in list(Extent):
        raise UsageError(f"--extent is {_EXTENTS}.")
    if metadata and extent == Extent.OPENED:
        raise UsageError("--metadata needs an --extent.")
    return Asked(reference, item or "", who, Purpose(purpose), Extent(extent), metadata)


def _fail(text: str) -> NoReturn:
    say(f"Error: {text}", stderr=True)
    raise typer.Exit(1)


def _look(item: str, look: Look) -> dict[str, Any]:
    return {
        "item": item,
        "by": look.by,
        "at": look.at,
        "extent": look.extent,
        "metadata_viewed": look.metadata_viewed,
        "purpose": look.purpose or None,
        "via": look.via or None,
    }


def _kept(kept: Kept) -> dict[str, Any]:
    sealed = kept.sealed
    return {
        "item": sealed.item,
        "id": sealed.id,
        "sha256": sealed.sha256,
        "md5": sealed.md5,
        "size": sealed.size,
        "sealed_at": sealed.sealed_at.isoformat(),
        "looks": kept.looks,
        "viewed_entire": kept.viewed_entire,
        "verified_at": kept.verified_at.isoformat() if kept.verified_at else None,
        "finding": kept.finding.value or None,
        "destruction": kept.destruction,
        "destruction_proposed_by": kept.proposed_by,
        "destroyed_at": kept.destroyed_at.isoformat() if kept.destroyed_at else None,
    }


def _say_kept(kept: Kept) -> None:
    from reporter.evidence.examination import WORDS

    sealed = kept.sealed
    say(f"{sealed.item}  {sealed.size:,} bytes, sha256 {sealed.sha256}")
    seen = "viewed entirely" if kept.viewed_entire else "not viewed entirely"
    verified = f"verified {moment(kept.verified_at)}" if kept.verified_at else "not verified since it was sealed"
    say(f"    id {sealed.id}; {kept.looks} look{'' if kept.looks == 1 else 's'} on record, {seen}; {verified}")
    if kept.finding:
        say(f"    {WORDS[kept.finding]}")
    if kept.destroyed_at:
        say(f"    destroyed by decision of {moment(kept.destroyed_at)}, certificate {kept.destruction}")
    elif kept.destruction:
        say(f"    {kept.proposed_by} proposed to destroy it; another person must confirm")
