"""``reporter submission``: the exact payload, and approval."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from reporter.cli.output import As, AsJson, actor, finding, open_app, print_json, say

app = typer.Typer(no_args_is_help=True, help="Preview and approve what is sent to an authority.")

Reference = Annotated[str, typer.Argument(metavar="REF", help="The case's reference.")]


@app.command()
def preview(
    reference: Reference,
    authority: Annotated[str, typer.Option("--to", metavar="AUTHORITY", help="Whose format.")],
    document: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this document, such as report or fileDetails:e1.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """
    Print the exact documents that would be sent, from the builders that send them.

    Ids that the authority gives later stand as {{report_id}} and {{file_id}}. What is lacking goes to standard error,
    and the exit code is 1 then.

    Example: reporter submission preview TS-2026-000101 --to ncmec > payload.xml
    """
    from reporter.errors import NotFoundError

    with open_app() as house:
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
            }
        )
    else:
        sys.stdout.flush()
        for entry in documents:
            sys.stdout.buffer.write(entry.body + (b"" if entry.body.endswith(b"\n") else b"\n"))
        sys.stdout.buffer.flush()
        for note in shown.check.notes:
            say(f"note: {note}", stderr=True)
        for need in shown.check.needs:
            say(f"needed: {need}", stderr=True)
    if shown.check.needs:
        raise typer.Exit(1)


@app.command()
def approve(
    reference: Reference,
    authority: Annotated[
        str | None, typer.Option("--to", metavar="AUTHORITY", help="Only this one; by default all, or none.")
    ] = None,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Approve what preview shows; the last approval needed freezes it and queues it for delivery.

    Example: reporter submission approve TS-2026-000101 --to ncmec --as dana
    """
    with open_app() as house:
        results = house.submissions.approve(reference, actor(name, house), authority)
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
            }
        )
        return
    for result in results:
        for note in result.notes:
            say(f"note: {note}")
        where = f"{reference} for {result.authority} ({result.environment})"
        if result.missing:
            people = "person" if result.missing == 1 else "people"
            say(f"Approval of {where} is recorded; {result.missing} more {people} must approve.")
        else:
            say(f"{where} is {result.state.value}. Digest sha256:{result.digest}")
            say("Next: reporter deliver --until-idle")
