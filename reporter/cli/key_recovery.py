"""``reporter key rotate``, ``status`` and ``recovery-kit``: the root key over the years."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from reporter.cli.acting import As, actor
from reporter.cli.output import AsJson, open_app, print_json, say, tell

_EVERY = 500


def register(app: typer.Typer) -> None:
    """Add the commands of this module to ``reporter key``."""
    app.command()(status)
    app.command()(rotate)
    app.command("recovery-kit")(recovery_kit)


def status(as_json: AsJson = False) -> None:
    """
    Say who holds the root key, and how many keys and credentials are wrapped under which of its versions.

    Exit code 1: some are not under the current one; `reporter key rotate --resume` deals with them.

    Example: reporter key status
    """
    with open_app() as house:
        found = house.rotation.status()
    if as_json:
        wraps = {str(version): count for version, count in found.wraps.items()}
        print_json(
            {
                "provider": found.provider, "kek_id": found.kek_id, "version": found.version, "wraps": wraps,
                "behind": found.behind, "others": found.others,
            }
        )  # fmt: skip
    else:
        say(f"{found.provider}: {found.kek_id}, version {found.version}")
        for version, count in found.wraps.items():
            say(f"  version {version}: {count:,} wraps")
        if found.others:
            say(f"  of another key, or damaged: {found.others:,}")
        if found.behind:
            say("A rotation is not finished. Go on: reporter key rotate --resume")
    if found.behind or found.others:
        raise typer.Exit(1)


def rotate(
    resume: Annotated[
        bool, typer.Option("--resume", help="Make no new version; finish a rotation that was interrupted.")
    ] = False,
    acting: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Make a new version of the root key and wrap every key again under it, while everything goes on.

    With --json: one object on a line for each stretch, and a last one with "finished". Exit code 1: a wrap could not
    be opened, and stays as it was. Old versions are kept.

    Example: reporter key rotate --as dana
    """
    from keycustody.rewrapping import Outcome

    done: Counter[Outcome] = Counter()
    with open_app() as house:
        who = actor(acting, house)
        if not resume:
            house.rotation.begin(who)
        total = house.rotation.count()
        for step in house.rotation.rewrap(who):
            done[step.outcome] += 1
            if step.outcome is Outcome.FAILED:
                say(f"{step.name}: {step.why}", stderr=True)
            if done.total() % _EVERY == 0:
                seen = done.total()
                tell(json.dumps({"seen": seen, "of": total}) if as_json else f"{seen:,} of {total:,} …")
        found = house.rotation.status()
    if as_json:
        counts = {str(outcome): done[outcome] for outcome in Outcome}
        typer.echo(json.dumps({"finished": True, "version": found.version, "behind": found.behind, **counts}))
    else:
        say(
            f"{done[Outcome.REWRAPPED]:,} wrapped again under version {found.version}, {done[Outcome.FAILED]:,} failed."
        )
        say("Recovery kits made before know nothing of it. Make a new one: reporter key recovery-kit")
    if done[Outcome.FAILED] or found.behind:
        raise typer.Exit(1)


def recovery_kit(
    to: Annotated[
        list[str], typer.Option("--to", metavar="AGE1…", help="The age public key of one custodian; 2 to 7 of them.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write it; the file must not exist.")],
    acting: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Write what an offline safe needs to bring this home back. Any two of the custodians can read it, and none alone.

    Make a new one after each rotation and each new credential. It holds no case key: what was destroyed stays so.

    Example: reporter key recovery-kit --to age1… --to age1… --to age1… --out /media/safe/reporter.kit
    """
    with open_app() as house:
        made = house.recovery_kits.make(to, out, actor(acting, house))
    if as_json:
        print_json({"file": str(out), "sha256": made.sha256, "kek_id": made.kek_id, "version": made.version})
        return
    say(f"{out} holds {made.kek_id} up to version {made.version}; any two of {len(to)} can read it.")
    say(f"SHA-256 {made.sha256}; it is in the custody log, too.")
    say("Put it into the safe, and the custodians' identities elsewhere, apart from each other.")
