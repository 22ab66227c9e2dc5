"""``reporter verify``: a bundle, as a stranger checks it; no home is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reporter.cli.output import AsJson, moment, print_json, say


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(verify)


def verify(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The decrypted tar, or the unpacked bag's folder.")],
    seal_ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Certificates that the seal is believed by, from elsewhere.")
    ] = None,
    tsa_ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Certificates that the time-stamp is believed by.")
    ] = None,
    log_key: Annotated[
        str | None, typer.Option(metavar="VKEY", help="The key of the organisation's custody log, from elsewhere.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """
    Check a bundle: its lists, seal, time-stamp and the proofs of its custody log. Nothing is unpacked.

    Exit code 1: something is wrong with it, or nobody but the bundle itself vouches for seal or time-stamp.

    Example: reporter verify bundle.tar --seal-ca seal-ca.pem --tsa-ca tsa-root.pem
    """
    from reporter.audit.notes import Verifier
    from reporter.errors import CustodyError, UsageError
    from reporter.export.verification import verify as check

    try:
        key = Verifier.parse(log_key) if log_key else None
    except CustodyError as error:
        raise UsageError(error.message) from None
    found = check(bundle, seal_ca=seal_ca, tsa_ca=tsa_ca, log_key=key)
    if as_json:
        print_json(
            {
                "bundle": found.name,
                "holds": found.holds,
                "files": found.files,
                "size": found.size,
                "custody_entries": found.entries,
                "stamped_at": found.stamped_at.isoformat() if found.stamped_at else None,
                "seal_certificates": list(found.fingerprints),
                "faults": list(found.faults),
                "doubts": list(found.doubts),
            }
        )
    else:
        for fault in found.faults:
            say(f"WRONG  {fault}")
        for doubt in found.doubts:
            say(f"DOUBT  {doubt}")
        if not found.faults:
            stamp = f", time-stamped {moment(found.stamped_at)}" if found.stamped_at else ""
            say(f"{found.name}: {found.files:,} files, {found.size:,} bytes, {found.entries:,} log entries{stamp}")
            for each in found.fingerprints[:1]:
                say(f"sealed by {each}")
        if found.holds:
            say("ALL-OK")
    if not found.holds:
        raise typer.Exit(1)
