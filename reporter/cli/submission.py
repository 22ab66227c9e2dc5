"""``reporter submission``: the exact payload, approval, and the ways out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from reporter.cli import hand_out, task
from reporter.cli.acting import As, actor, present
from reporter.cli.output import AsJson, Reference, console, finding, open_app, print_json, say, words
from reporter.cli.resolution import Reason, To, instant, say_decided

if TYPE_CHECKING:
    from reporter.authority import Document

app = typer.Typer(no_args_is_help=True, help="Preview and approve what is sent to an authority.")


@app.command()
def preview(
    reference: Reference,
    authority: Annotated[str, typer.Option("--to", metavar="AUTHORITY", help="Whose format.")],
    document: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this document, such as report or fileDetails:e1.")
    ] = None,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Print the exact documents that would be sent, from the builders that send them.

    Ids that the authority gives later stand as {{report_id}} and {{file_id}}. On a terminal the documents are indented
    for reading; piped they are the exact bytes. What is lacking goes to standard error; see `reporter case check`.

    Example: reporter submission preview TS-2026-000101 --to ncmec > payload.xml
    """
    from reporter.cli import named_text
    from reporter.errors import NotFoundError

    with open_app() as house:
        actor(name, house)
        shown = house.submissions.preview(reference, authority)
    documents = [entry for entry in shown.package.documents if document in (None, entry.name)]
    if not documents:
        names = ", ".join(entry.name for entry in shown.package.documents)
        raise NotFoundError(f"There is no document {document} (there are: {names}).")
    if as_json:
        print_json(
            {
                "reference": reference,
                "authority": authority,
                "digest": shown.digest,
                "documents": [
                    {"name": entry.name, "media_type": entry.media_type, "body": entry.body.decode()}
                    for entry in documents
                ],
                "files": [
                    {"id": file.item, "file_name": file.file_name, "size": file.size, "md5": file.md5}
                    for file in shown.package.files
                ],
                "needs": [finding(entry) for entry in shown.check.needs],
                "notes": [finding(entry) for entry in shown.check.notes],
                "people": named_text.people(shown.named, words=True),
            }
        )
    else:
        _write(documents)
        named_text.say_people(shown.named, words=True, stderr=True)
        for note in shown.check.notes:
            say(f"note: {note}", stderr=True)
        for need in shown.check.needs:
            say(f"needed: {need}", stderr=True)


def _write(documents: Sequence[Document]) -> None:
    """Write the exact bytes where nobody looks, and a readable form on a terminal."""
    if sys.stdout.isatty():
        from rich.syntax import Syntax

        screen = console()
        for entry in documents:
            screen.rule(entry.name, align="left")
            screen.print(
                Syntax(_indented(entry), "xml", theme="ansi_light", word_wrap=True, background_color="default")
            )
        return
    sys.stdout.flush()
    for entry in documents:
        sys.stdout.buffer.write(entry.body + (b"" if entry.body.endswith(b"\n") else b"\n"))
    sys.stdout.buffer.flush()


@app.command()
def approve(
    reference: Reference,
    authority: Annotated[
        str | None, typer.Option("--to", metavar="AUTHORITY", help="Only this one; by default all, or none.")
    ] = None,
    break_glass: Annotated[
        bool, typer.Option("--break-glass", help="Alone, because of an immediate risk; give --reason.")
    ] = False,
    reason: Annotated[
        str, typer.Option(callback=words, metavar="TEXT", help="Why nobody can be waited for; kept sealed.")
    ] = "",
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Approve what preview shows; the last approval needed freezes it and queues it for delivery.

    With --break-glass one person is enough where the case says that the risk is immediate: it is sent at once, alarms,
    and another person reviews it within a day (submission review).

    Example: reporter submission approve TS-2026-000101 --to ncmec --as dana
    """
    from reporter.cli import named_text
    from reporter.errors import UsageError

    if bool(reason) != break_glass:
        raise UsageError("--break-glass needs --reason, and --reason has no other place here.")
    with open_app() as house:
        who = present(name, house)
        alone = reason if break_glass else None
        handed_out = {name for name, desk in house.desks.items() if desk.by_hand}
        results = house.submissions.approve(reference, who.handle, authority, who.state, alone=alone)
        by_hand = [each for each in house.tasks.desk.tasks(reference=reference) if each.by_hand]
    if as_json:
        print_json(
            {
                "reference": reference,
                "submissions": [
                    {
                        "authority": result.authority,
                        "environment": result.environment,
                        "state": result.state,
                        "digest": result.digest,
                        "people_missing": result.missing,
                        "notes": [finding(note) for note in result.notes],
                    }
                    for result in results
                ],
                "people": named_text.people(results[0].named, words=True),
                "tasks": [task.data(each) for each in by_hand],
            }
        )
        return
    named_text.say_people(results[0].named, words=True)
    for result in results:
        for note in result.notes:
            say(f"note: {note}")
        where = f"{reference} for {result.authority} ({result.environment})"
        if result.missing:
            people = "person" if result.missing == 1 else "people"
            say(f"Approval of {where} is recorded; {result.missing} more {people} must approve.")
        else:
            say(f"{where} is {result.state.value}. Digest sha256:{result.digest}")
            if result.state == "approved":
                hand = f"submission hand-out {reference} --to {result.authority} --out FOLDER"
                say(f"Next: reporter {hand if result.authority in handed_out else 'deliver --until-idle'}")
            if break_glass:
                again = f"reporter submission review {reference} --to {result.authority}"
                say(f"Another person reviews it within a day: {again}")
    task.say_by_hand(by_hand)


@app.command()
def review(
    reference: Reference,
    authority: To,
    agree: Annotated[bool, typer.Option("--agree", help="It was right.")] = False,
    disagree: Annotated[bool, typer.Option("--disagree", help="It was not; it cannot be unsent.")] = False,
    reason: Annotated[str, typer.Option(callback=words, metavar="TEXT", help="Why, in words; kept sealed.")] = "",
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Review what one person approved alone: without a verdict, show who did, when, and why in their words.

    Exit code 3: you approved it yourself, or nothing waits for review.

    Example: reporter submission review TS-2026-000101 --to nca --agree --reason "The risk was real." --as robin
    """
    from reporter.cli import review_text
    from reporter.errors import UsageError

    if agree and disagree:
        raise UsageError("Give either --agree or --disagree.")
    if bool(reason) != (agree or disagree):
        raise UsageError("A verdict needs --reason, and --reason needs --agree or --disagree.")
    with open_app() as house:
        who = actor(name, house)
        if agree or disagree:
            shown = house.emergencies.review(reference, authority, who, reason, agree=agree)
        else:
            shown = house.emergencies.waiting(reference, authority, who)
    review_text.say_review(shown, as_json)


@app.command()
def supplement(reference: Reference, authority: To, name: As = None, as_json: AsJson = False) -> None:
    """
    Begin a further report with what turned up after one was accepted: revise the case first, then approve this.

    Exit code 3: nothing is accepted yet, a supplement is under way, or the case has not been revised since.

    Example: reporter submission supplement TS-2026-000101 --to ncmec --as dana
    """
    with open_app() as house:
        begun = house.supplements.begin(reference, authority, actor(name, house))
    if as_json:
        print_json({**asdict(begun)})
        return
    say(f"Version {begun.version} of {reference} for {authority} ({begun.environment}) adds to {begun.receipt}.")
    say(f"Next: reporter submission preview {reference} --to {authority}, then approve")


@app.command()
def withdraw(reference: Reference, authority: To, reason: Reason, name: As = None, as_json: AsJson = False) -> None:
    """
    Take a submission back before it is filed; a draft that the authority holds is taken back first.

    Exit code 3: a call that files was made already, or there is nothing to take back.

    Example: reporter submission withdraw TS-2026-000101 --to ncmec --reason "Confirmed by mistake." --as dana
    """
    with open_app() as house:
        decided = house.resolutions.withdraw(reference, authority, actor(name, house), reason)
    say_decided(decided, as_json)


@app.command()
def record_receipt(
    reference: Reference,
    authority: To,
    receipt: Annotated[str, typer.Option("--reference", metavar="N", help="The authority's reference of the report.")],
    at: Annotated[str, typer.Option(metavar="TIME", help="When it was filed, such as 2026-11-20T14:05:00Z.")],
    reason: Reason,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Record that it was filed elsewhere, such as by web form in an outage. A second person confirms in the same words.

    With the first one's word it leaves the queue. Exit code 3: a call of ours may have filed it.

    Example: reporter submission record-receipt TS-101 --to ncmec --reference 45646 --at 2026-11-20T14:05Z --reason Form
    """
    with open_app() as house:
        decided = house.resolutions.record_receipt(
            reference, authority, actor(name, house), reason, receipt, instant(at, "--at")
        )
    say_decided(decided, as_json)


hand_out.register(app)


def _indented(document: Document) -> str:
    """Give a document with line breaks between its elements, for reading only."""
    if "xml" not in document.media_type:
        return document.body.decode()
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    root = etree.fromstring(document.body, parser)
    etree.indent(root)
    return etree.tostring(root, encoding="unicode")
