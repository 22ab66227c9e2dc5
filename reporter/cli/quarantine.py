"""``reporter db status``, ``quarantine`` and ``release-quarantine``: a database that may have forgotten something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from reporter.cli.acting import As, actor
from reporter.cli.output import AsJson, moment, open_app, print_json, say, words

if TYPE_CHECKING:
    from reporter.delivery.quarantine import QuarantineService

Reason = Annotated[
    str, typer.Option(callback=words, metavar="TEXT", help="Why, in words; nothing of a case belongs here.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to ``reporter db``."""
    app.command()(status)
    app.command()(quarantine)
    app.command("release-quarantine")(release)


def status(as_json: AsJson = False) -> None:
    """
    Say whether the database remembers all that the object store does, and what it has forgotten.

    Exit code 1: deliveries are quarantined, or will be before the next one.

    Example: reporter db status
    """
    with open_app() as house:
        shown = _status(house.deliveries.quarantine)
    held = shown["quarantine"]
    if as_json:
        print_json(shown)
    elif held:
        say(f"Deliveries are quarantined since {held['since']}: {held['reason']}")
        if held["proposed_by"]:
            say(f"{held['proposed_by']} proposes to release them; another person has to agree.")
        for entry in shown["forgotten"]:
            case = entry["reference"] or "a case that this database does not know"
            say(f"  {case}, {entry['lane']}: {entry['what']}")
        say("What to do: docs/howto/restore-a-backup.md. Then: reporter db release-quarantine --reason TEXT")
    elif shown["remembers"]:
        say("The database remembers all that the object store does. Deliveries are not held.")
    else:
        say("The object store remembers a later time than this database; the next worker will quarantine deliveries.")
    raise typer.Exit(1 if held or not shown["remembers"] else 0)


def quarantine(reason: Reason, name: As = None, as_json: AsJson = False) -> None:
    """
    Stop all deliveries until people release them, as after a restore of database and object store together.

    Example: reporter db quarantine --reason "Database and objects come from the backup of 21 November."
    """
    with open_app() as house:
        imposed = house.deliveries.quarantine.impose(reason, actor(name, house))
    if as_json:
        print_json({"quarantined": True, "changed": imposed})
        return
    say("Deliveries are quarantined now." if imposed else "Deliveries were quarantined already.")


def release(reason: Reason, name: As = None, as_json: AsJson = False) -> None:
    """
    Let deliveries go on after a quarantine; outside the sandbox, once a second person has said so too.

    What the object store remembers and the database does not is in doubt by then, and waits for: delivery resolve.

    Example: reporter db release-quarantine --reason "Asked the authority about all four." --as dana
    """
    with open_app() as house:
        released = house.deliveries.quarantine.release(actor(name, house), reason)
    if as_json:
        print_json({"released": released})
    elif released:
        say("Deliveries go on. What is in doubt waits for: reporter delivery list --in-doubt")
    else:
        say("Noted. Another person has to agree: reporter db release-quarantine --reason TEXT")


def _status(service: QuarantineService) -> dict[str, Any]:
    standing = service.standing()
    return {
        "remembers": service.remembers(),
        "quarantine": {
            "since": moment(standing.since),
            "reason": standing.reason,
            "proposed_by": standing.proposed_by,
        }
        if standing
        else None,
        "forgotten": [
            {
                "reference": entry.reference or None,
                "lane": entry.marker.lane,
                "attempt": entry.marker.attempt,
                "draft": entry.marker.draft or None,
                "decision": entry.marker.decision or None,
                "what": str(entry.marker),
                "at": moment(entry.marker.at),
            }
            for entry in (service.forgotten() if standing else [])
        ],
    }
