"""``reporter evidence destroy``, ``evidence certificate`` and ``case destroy``: how items and cases end."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reporter.cli.acting import As, actor
from reporter.cli.evidence import place
from reporter.cli.output import AsJson, Reference, open_app, print_json, say, words

if TYPE_CHECKING:
    from reporter.evidence.destruction import Destroyed


def register(evidence: typer.Typer, case: typer.Typer) -> None:
    """Add the commands of this module to ``reporter evidence`` and ``reporter case``."""
    evidence.command()(destroy)
    evidence.command()(certificate)
    case.command("destroy")(destroy_case)


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

    Exit code 1: another person must still say the same, or --resume found a key that is back, or was stopped. 3:
    something stands against it, such as a delivery that may need the file, or a legal hold in the object store.

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
    _say_done(where, {"reference": reference, "item": item}, done, as_json)


def destroy_case(
    reference: Reference,
    reason: Annotated[str, typer.Option(callback=words, metavar="TEXT", help="Why, in words; it goes with the case.")],
    basis: Annotated[
        str, typer.Option(metavar="CODE", help="Why, as a code that stays, such as the id of a rule.")
    ] = "",
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Destroy a whole case for good: every item, its key, its document and all that was sent. Two people say so.

    What remains is the reference, what was filed where and when, the certificates, and the leaves of the custody log.
    Exit code 1: another person must still say the same. 3: something stands against it. Where it was interrupted:
    reporter evidence destroy --resume

    Example: reporter case destroy TS-2026-000101 --reason "Its time is over." --basis retention/us-2258a-h --as dana
    """
    with open_app() as house:
        done = house.evidence.cases.destroy(reference, actor(name, house), reason, basis)
    _say_done(reference, {"reference": reference}, done, as_json)


def certificate(
    number: Annotated[str, typer.Argument(metavar="ID", help="The certificate's id.")],
    proof: Annotated[
        bool, typer.Option("--proof", help="Prove it too: its events in the custody log, under a signed checkpoint.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """
    Print the certificate of a destruction: with --json its exact bytes, canonical JSON.

    With --proof, always JSON: the certificate as text, its SHA-256, which the last entry names, and each entry with
    its inclusion proof.

    Example: reporter evidence certificate 0123456789abcdef0123456789abcdef --json > certificate.json
    """
    with open_app() as house:
        text = house.evidence.certificates.text(number)
        if proof:
            entries = [each.to_json() for each in house.evidence.certificates.proof(number)]
            digest = hashlib.sha256(text.encode()).hexdigest()
            key = str(house.log.checkpoints.verifier)
            print_json({"certificate": text, "sha256": digest, "log": key, "entries": entries})
            return
    if as_json:
        say(text)
        return
    for key, value in json.loads(text).items():
        say(f"{key.replace('_', ' ')}: {_plain(value)}")


def _say_done(what: str, about: dict[str, Any], done: Destroyed, as_json: bool) -> None:
    if as_json:
        print_json({**about, "destroyed": done.decided, "certificate": done.id, "proposed_by": done.proposed_by})
    elif done.decided:
        say(f"{what} is destroyed. See: reporter evidence certificate {done.id}")
    else:
        say(f"{what}: recorded; one more person must confirm it with the same command. Nothing is destroyed yet.")
    if not done.decided:
        raise typer.Exit(1)


def _resume(name: str | None, as_json: bool) -> None:
    with open_app() as house:
        who = actor(name, house)
        resumed = house.evidence.destruction.resume(who) + house.evidence.cases.resume(who)
    if as_json:
        stopped = [{"what": what, "why": why} for what, why in resumed.stopped]
        print_json({"finished": list(resumed.finished), "back": list(resumed.back), "stopped": stopped})
    else:
        for number in resumed.finished:
            say(f"Destruction {number} is finished.")
        for item in resumed.back:
            say(f"{item}: its tombstone says that it was destroyed, and its key is back. Destroy it again, two people.")
        for _, why in resumed.stopped:
            say(why)
        if not (resumed.finished or resumed.back or resumed.stopped):
            say("Nothing was left to finish.")
    if resumed.back or resumed.stopped:
        raise typer.Exit(1)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {part}" for key, part in value.items())
    return ", ".join(value) if isinstance(value, list) else "none" if value is None else str(value)
