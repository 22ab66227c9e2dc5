"""``reporter export``: what leaves under a legal demand, from asking for it to the recipient's word that it arrived."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reporter.cli.acting import As, actor, present
from reporter.cli.output import AsJson, Reference, moment, open_app, print_json, say
from reporter.cli.resolution import Reason

if TYPE_CHECKING:
    from keycustody.redacted import Redacted
    from reporter.export.model import Envelope, Export, Progress, Scope

app = typer.Typer(no_args_is_help=True, help="Bundles under a legal demand, which strangers can check and open.")
Id = Annotated[str, typer.Argument(metavar="ID", help="The export's id, as listed.")]
#: No recipient's key, scope or sealing key comes near.
_LONGEST = 1_000_000


@app.command()
def create(
    reference: Reference,
    demand: Annotated[int, typer.Option(metavar="N", help="The legal demand that it answers.")],
    key: Annotated[
        Path | None,
        typer.Option("--to-key", metavar="FILE", help="The recipient's OpenPGP key, certificate or age recipient."),
    ] = None,
    envelope: Annotated[
        str | None, typer.Option(metavar="E", help="openpgp, cms, age or zip; by default what the key is for.")
    ] = None,
    scope: Annotated[Path | None, typer.Option(metavar="FILE", help="What leaves: docs/reference/export.md.")] = None,
    content: Annotated[list[str] | None, typer.Option(metavar="ITEM", help="An item whose bytes leave.")] = None,
    field: Annotated[list[str] | None, typer.Option(metavar="PATH", help="A part of the case document.")] = None,
    submission: Annotated[
        list[str] | None, typer.Option(metavar="AUTHORITY", help="The documents as sent to an authority.")
    ] = None,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Ask for an export. Where evidence is in it, another person must approve it. Nothing is read or written yet.

    Exit code 3: the demand is not verified, does not reach it, or its kind or whoever made it gets not so much.

    Example: reporter export create TS-2026-000101 --demand 4 --to-key agency.asc --content e1 --field incident --as lea
    """
    from reporter.errors import UsageError
    from reporter.export import scope as scopes
    from reporter.export.requests import Asked

    flags = {"content": content or (), "fields": field or (), "submissions": submission or ()}
    if scope is not None and any(flags.values()):
        raise UsageError("Give --scope, or --content, --field and --submission, not both.")
    wanted: Scope = scopes.read(scope) if scope is not None else scopes.parse(flags)
    held = _read(key) if key is not None else b""
    asked = Asked(reference, demand, wanted, _envelope(envelope, held), held)
    with open_app() as house:
        who = present(name, house)
        export = house.exports.requests.create(asked, who.handle, who.state)
    if as_json:
        _print(export)
        return
    say(f"Export {export.id} is asked for. Digest sha256:{export.digest}")
    if export.recipient.fingerprint:
        say(f"Key: {export.recipient.fingerprint} (read it back to the recipient)")
    approval = f"Next, another person: reporter export approve {export.id}"
    say(f"Next: reporter export write {export.id}" if export.approved_at else approval)


@app.command()
def approve(export: Id, name: As = None, as_json: AsJson = False) -> None:
    """
    Approve an export that somebody else asked for. See first what it takes: reporter export show.

    Example: reporter export approve 0123456789abcdef --as dana
    """
    with open_app() as house:
        who = present(name, house)
        approved = house.exports.requests.approve(export, who.handle, who.state)
    if as_json:
        _print(approved)
        return
    say(f"Export {export} is approved. Next: reporter export write {export}")


@app.command()
def withdraw(export: Id, reason: Reason, name: As = None, as_json: AsJson = False) -> None:
    """
    Take an export back, at once: nothing more is written of it. What was written stays written.

    Example: reporter export withdraw 0123456789abcdef --reason "The wrong item." --as lea
    """
    with open_app() as house:
        withdrawn = house.exports.requests.withdraw(export, actor(name, house), reason)
    if as_json:
        _print(withdrawn)
        return
    say(f"Export {export} is withdrawn.")


@app.command("list")
def list_(
    reference: Annotated[str | None, typer.Argument(metavar="[REF]", help="Only those of this case.")] = None,
    as_json: AsJson = False,
) -> None:
    """
    List exports: how far each has come.

    Example: reporter export list TS-2026-000101
    """
    from reporter.export.model import told

    with open_app() as house:
        exports = house.exports.requests.all(reference)
    if as_json:
        print_json({"exports": [told(export) for export in exports]})
        return
    for export in exports:
        to = f"{export.recipient.kind} by {export.recipient.envelope}"
        say(f"{export.id}  {export.reference}  {export.state:<8}  demand {export.demand}  to {to}")
    if not exports:
        say("There are no exports.")


@app.command()
def show(export: Id, name: As = None, as_json: AsJson = False) -> None:
    """
    Show what an export takes, and why what is left out is; that somebody read it is recorded.

    Example: reporter export show 0123456789abcdef --as dana
    """
    from reporter.export.model import told

    with open_app() as house:
        about, request = house.exports.requests.show(export, actor(name, house))
    if as_json:
        print_json({**told(about), "scope": request["scope"], "items": request["items"]})
        return
    say(f"Export {about.id} of case {about.reference}: {about.state}")
    say(f"demand {about.demand}, to {about.recipient.kind} by {about.recipient.envelope} {about.recipient.fingerprint}")
    scope = request["scope"]
    for item in request["items"]:
        say(f"content: {item['item']} (sha256 {item['sha256']})")
    for title in ("fields", "submissions"):
        say(f"{title}: {', '.join(scope[title]) or 'none'}")
    for left in (*scope["redact"], *scope["withhold"]):
        say(f"left out: {left.get('path') or left.get('document')}: {left['reason']}")
    if scope["whole_case"]:
        say(f"the whole case: {scope['whole_case']}")
    say(f"digest sha256:{about.digest}")
    for copy in about.copies:
        came = f", received {moment(copy.received_at)}" if copy.received_at else ""
        say(f"copy sha256:{copy.sha256}, {copy.size:,} bytes, written {moment(copy.at)}{came}")


@app.command()
def write(
    export: Id,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to; by default its own name, in this folder.")
    ] = None,
    passphrase_to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the passphrase of a ZIP goes: send it by another way.")
    ] = None,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Seal an approved export and write it, encrypted to its recipient. The file appears whole or not at all.

    Every opening of evidence is on record. After an interruption run it again. Exit code 4: the disk is full, the
    time-stamp authority cannot be reached or gives another time, a program is missing; nothing is left behind.

    Example: reporter export write 0123456789abcdef --out /mnt/handover/bundle.tar.gpg --as lea
    """
    from reporter.actors.proofs import write_private
    from reporter.errors import UsageError

    kept: list[Path] = []

    def hand_over(passphrase: Redacted) -> None:
        if passphrase_to is None:
            raise UsageError("A ZIP needs --passphrase-to FILE: its passphrase is kept nowhere else.")
        write_private(passphrase_to, f"{passphrase.reveal()}\n".encode())
        kept.append(passphrase_to)

    with open_app() as house, _bar() as progress:
        try:
            written = house.exports.writer.write(export, out, actor(name, house), progress, hand_over)
        except BaseException:
            for path in kept:
                path.unlink(missing_ok=True)
            raise
    if as_json:
        print_json({"export": export, "file": str(written.path), "sha256": written.sha256, "size": written.size})
        return
    say(f"{written.path}: {written.size:,} bytes, sha256 {written.sha256}")
    if kept:
        say(f"Its passphrase is in {kept[0]}: send it by another way, then delete the file.")
    say(f"When the recipient confirms it: reporter export receipt {export} --sha256 DIGEST --reason TEXT")


@app.command()
def receipt(
    export: Id,
    sha256: Annotated[str, typer.Option(metavar="DIGEST", help="What the recipient says that the file's SHA-256 is.")],
    reason: Reason,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Record that the recipient confirms what arrived, by its digest. Exit code 1: something else arrived.

    Example: reporter export receipt 0123456789abcdef --sha256 9f86d0…0a08 --reason "By telephone, desk 4." --as lea
    """
    with open_app() as house:
        received = house.exports.requests.receive(export, sha256, actor(name, house), reason)
    if as_json:
        _print(received)
        return
    close = f"reporter demand close {received.demand} --outcome answered --reason TEXT"
    say(f"On record. If the demand is answered: {close}")


@app.command()
def certificate(as_json: AsJson = False) -> None:
    """
    Print the certificate that seals exports, in PEM: recipients get it, or its fingerprint, by another way.

    Example: reporter export certificate > seal-ca.pem
    """
    with open_app() as house:
        sealer = house.exports.seal_key.sealer(house.clock.now())
    if as_json:
        print_json({"sha256": sealer.fingerprint, "pem": sealer.own})
        return
    say(sealer.own.rstrip())
    say(f"SHA-256 {sealer.fingerprint}", stderr=True)


@app.command()
def seal_key(name: As = None, as_json: AsJson = False) -> None:
    """
    Seal with the organisation's own key from now on: private key, its certificate and those above, in PEM, on stdin.

    Example: cat seal-key.pem seal-chain.pem | reporter export seal-key --as cara
    """
    from reporter.errors import UsageError

    text = sys.stdin.buffer.read(_LONGEST + 1) if sys.stdin and not sys.stdin.isatty() else b""
    if not text.strip() or len(text) > _LONGEST:
        raise UsageError("Give the key and its certificates on standard input.")
    with open_app() as house:
        sealer = house.exports.seal_key.replace(text.decode(errors="replace"), actor(name, house))
    if as_json:
        print_json({"sha256": sealer.fingerprint})
        return
    say(f"Exports are sealed by the certificate {sealer.fingerprint} from now on.")


def _print(export: Export) -> None:
    from reporter.export.model import told

    print_json(told(export))


def _envelope(name: str | None, key: bytes) -> Envelope:
    from reporter.errors import UsageError
    from reporter.export.envelopes import kind_of
    from reporter.export.model import Envelope

    if name is not None and name not in set(Envelope):
        raise UsageError("--envelope is openpgp, cms, age or zip.")
    found = Envelope(name) if name is not None else kind_of(key)
    if found is None:
        raise UsageError("Give the recipient's key with --to-key; to somebody without one, --envelope zip.")
    return found


def _read(file: Path) -> bytes:
    from reporter.errors import UsageError

    try:
        with file.open("rb") as opened:
            content = opened.read(_LONGEST + 1)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    if not content.strip() or len(content) > _LONGEST:
        raise UsageError(f"{file} is no recipient's key.")
    return content


@contextmanager
def _bar() -> Iterator[Progress]:
    """Show how far it is where somebody looks."""
    from reporter.export.model import unheard

    if not sys.stderr.isatty():
        yield unheard
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    from reporter.cli.output import console

    columns: list[Any] = [TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()]
    with Progress(*columns, TimeRemainingColumn(), console=console(stderr=True), transient=True) as shown:
        stages: dict[str, Any] = {}

        def progress(stage: str, done: int, total: int) -> None:
            if stage not in stages:
                stages[stage] = shown.add_task(stage, total=total)
            shown.update(stages[stage], completed=done)

        yield progress
