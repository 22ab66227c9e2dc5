"""How a review of what one person approved alone is shown."""

from __future__ import annotations

from collections.abc import Sequence

from reporter.cli.output import moment, print_json, say
from reporter.submissions.emergencies import Alone


def say_review(shown: Sequence[Alone], as_json: bool) -> None:
    """Say what was approved alone and why, and what its reviewer said."""
    if as_json:
        print_json({"reviews": [_data(each) for each in shown]})
        return
    for each in shown:
        say(f"{each.actor} approved {each.reference} for {each.authority} alone at {moment(each.at)}:")
        say(f"  {each.reason}")
        say(f"  digest sha256:{each.digest}")
        if not each.reviewed_by:
            again = f"reporter submission review {each.reference} --to {each.authority}"
            say(f"Next: {again} --agree --reason TEXT (or --disagree)")
        elif each.verdict == "agreed":
            say(f"  {each.reviewed_by} agreed.")
        else:
            say(
                f"  {each.reviewed_by} disagreed. What was sent stays sent: correct it at {each.authority}, or withdraw"
            )
            say(f"  what is not filed yet: reporter submission withdraw {each.reference} --to {each.authority}")


def _data(each: Alone) -> dict[str, str | None]:
    return {
        "reference": each.reference,
        "authority": each.authority,
        "digest": each.digest,
        "approved_by": each.actor,
        "approved_at": each.at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "reason": each.reason,
        "reviewed_by": each.reviewed_by,
        "verdict": each.verdict or None,
    }
