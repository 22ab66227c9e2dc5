"""Who is named and why, before anything leaves: as JSON, and in plain lines for a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reporter.cli.output import one_line, say
from reporter.contacts.model import Named


def people(named: Sequence[Named], *, words: bool = False) -> list[dict[str, Any]]:
    """Give everybody a case tells of; with ``words``, also what the document says of how they come to be in it."""
    return [
        {
            "path": each.path,
            "id": each.id,
            "roles": list(each.roles),
            "because": list(each.because),
            **({"context": each.context} if words else {}),
            "told_us": list(each.told_us),
            "both_roles": each.both,
            "contacts": [kind.value for kind in each.contacts],
            "people_missing": each.missing,
        }
        for each in named
    ]


def say_people(named: Sequence[Named], *, words: bool = False, stderr: bool = False) -> None:
    """Say it, whoever stands in both roles or is a contact of ours first."""
    if named:
        say("People the case tells of, and why:", stderr=stderr)
    for each in sorted(named, key=lambda one: not (one.both or one.contacts)):
        roles = ", ".join(role.replace("_", " ") for role in each.roles) or "no role"
        reported = " (told us; never reported)" if set(each.roles) == {"notifier"} else ""
        say(f"  {each.id}: {roles}{reported}", stderr=stderr)
        for why in each.because:
            say(f"      {why}", stderr=stderr)
        if words and each.context:
            say(f"      {one_line(each.context)}", stderr=stderr)
        if each.both:
            say("      WARNING: told us, and stands in another role. See that this is right.", stderr=stderr)
        if each.contacts:
            kinds = " and ".join(sorted({kind.replace("_", " ") for kind in each.contacts}))
            state = "nobody has agreed yet" if each.missing > 1 else "one more person must agree"
            said = f"{state}: reporter contact allow" if each.missing else "two people wrote why they are named"
            say(f"      WARNING: a {kinds} contact of ours; {said}.", stderr=stderr)
