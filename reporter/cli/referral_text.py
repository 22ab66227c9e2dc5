"""How the referral commands read and answer: as JSON, and in plain lines for a person."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reporter.cases.intake import read_file
from reporter.cases.reader import MAX_BYTES
from reporter.cli.output import one_line, print_json, say
from reporter.errors import UsageError
from reporter.referrals.model import Item, Referral, State, Taken, counts
from reporter.referrals.overview import Said

_RANGE = re.compile(r"([1-9][0-9]{0,4})(?:-([1-9][0-9]{0,4}))?")
_STANDING = {
    State.UNDECIDED: "undecided",
    State.SECOND_LOOK: "your decision is recorded; a second person decides it too",
    State.LEAD: "two people saw it differently; the escalation lead decides",
}


def read(file: Path) -> bytes:
    """
    Give the bytes of a document; ``-`` is standard input.

    Raises:
        UsageError: There is no such file.
        DocumentError: It is too large.
    """
    return sys.stdin.buffer.read(MAX_BYTES + 1) if str(file) == "-" else read_file(file, "referral")


def numbers(given: Sequence[str]) -> list[int]:
    """
    Give the numbers that ``3 5-9`` means.

    Raises:
        UsageError: It means none.
    """
    found: set[int] = set()
    for part in given:
        match = _RANGE.fullmatch(part)
        if match is None or int(match[2] or match[1]) < int(match[1]):
            raise UsageError("Items are numbers from 1 on, or ranges of them: 3 5-9.")
        found |= set(range(int(match[1]), int(match[2] or match[1]) + 1))
    return sorted(found)


def say_taken(taken: Taken, as_json: bool, *, sources_left: bool) -> None:
    """Say what became of a referral handed in."""
    if as_json:
        print_json(
            {
                "referral": taken.id,
                "outcome": "added" if taken.new else "unchanged",
                "items": taken.items,
                "attachments_sealed": taken.attachments,
                "sources_removed": taken.removed,
                "sources_left": list(taken.left),
            }
        )
        return
    count = f"{taken.items} item{'' if taken.items == 1 else 's'}"
    say(f"{taken.id}: {f'taken in, {count}' if taken.new else 'unchanged, it is on record already'}.")
    if taken.attachments:
        removed = f"; the source of {taken.removed} is removed" if taken.removed else ""
        say(f"  {taken.attachments} files that came along are sealed unopened{removed}.")
        if sources_left:
            say("  They still lie where they were: remove them, or hand them in with --remove-source.")
    for item in taken.left:
        say(f"  The source of {item} could not be removed.")
    if taken.new:
        say(f"Next: reporter referral show {taken.id} --words")


def item(each: Item, said: Said | None = None) -> dict[str, Any]:
    """Give an item as somebody may see it; with the words, what was sent and why it was decided as it was."""
    verdict = each.verdict
    sent = said.document.items[each.number - 1].model_dump(exclude_none=True) if said else None
    return {
        "number": each.number,
        "state": verdict.outcome.value if verdict else each.state.value,
        "clause": verdict.clause if verdict else "",
        "exemption": verdict.exemption.value if verdict and verdict.exemption else None,
        "case": (verdict.case or None) if verdict else None,
        "round": each.round,
        "seen_twice": len(each.present) > 1,
        **({"sent": sent} if sent is not None else {}),
        "decisions": [
            {
                "round": made.round,
                "place": made.place.value,
                "outcome": made.verdict.outcome.value,
                "clause": made.verdict.clause,
                "exemption": made.verdict.exemption.value if made.verdict.exemption else None,
                "case": made.verdict.case or None,
                "by": made.actor,
                "at": made.at.isoformat(timespec="seconds"),
                **({key: said.reasons[made.body][key] for key in ("reason", "ground")} if said else {}),
            }
            for made in each.decisions
        ],
    }


def standing(each: Item) -> str:
    """Say where an item stands, in words."""
    verdict = each.verdict
    if verdict is None:
        return _STANDING[each.state]
    parts = [verdict.outcome.replace("_", " ")]
    parts += [f"clause {verdict.clause}"] if verdict.clause else []
    parts += [f"known context: {verdict.exemption.replace('_', ' ')}"] if verdict.exemption else []
    parts += [f"case {verdict.case}"] if verdict.case else []
    parts += ["decided by two people or more"] if len(each.present) > 1 else []
    return ", ".join(parts)


def say_shown(shown: Referral, items: Sequence[Item], said: Said | None, as_json: bool) -> None:
    """Say what became of a referral, as whoever asks may see it."""
    if as_json:
        print_json(_shown(shown, items, said))
        return
    kind, asked = shown.sender_kind.replace("_", " "), _REQUESTS[shown.requested_by]
    say(f"{shown.id}: from a {kind}, {asked}, received {shown.received_at:%Y-%m-%d %H:%M}Z, added by {shown.added_by}")
    found = counts(items)
    said_counts = [f"{count} {name.replace('_', ' ')}" for name, count in found.items() if count and name != "items"]
    say(f"Of {found['items']} items: {', '.join(said_counts)}")
    for each in items:
        say(f"  {each.number:>4}  {standing(each)}")
        if said:
            sent = said.document.items[each.number - 1].model_dump(exclude_none=True)
            say(f"        sent: {'; '.join(f'{key} {one_line(str(value))}' for key, value in sent.items())}")
            for made in each.decisions:
                words = said.reasons[made.body]
                ground = f" Ground: {one_line(words['ground'])}" if words["ground"] else ""
                outcome = made.verdict.outcome.replace("_", " ")
                who = f"{made.place} of round {made.round}, {made.actor}"
                say(f"        {who}, {outcome}: {one_line(words['reason'])}{ground}")
    for file in shown.attachments:
        parts = f", a mail with {file.parts} attached" if file.parts else ""
        say(f"  came along, sealed unopened: {file.item}, {file.size:,} bytes, sha256 {file.sha256}{parts}")
    for made_answer in shown.answers:
        say(f"  answered {made_answer.at:%Y-%m-%d %H:%M}Z by {made_answer.actor}, sha256 {made_answer.digest}")


_REQUESTS = {"nobody": "unasked", "platform": "at our own request", "authority": "at an authority's request"}


def _shown(shown: Referral, items: Sequence[Item], said: Said | None) -> dict[str, Any]:
    words = {"sender": said.document.sender.model_dump(mode="json"), "note": said.document.note} if said else {}
    return {
        "referral": shown.id,
        "sender_kind": shown.sender_kind,
        "requested_by": shown.requested_by,
        "received_at": shown.received_at.isoformat(timespec="seconds"),
        "added_at": shown.added_at.isoformat(timespec="seconds"),
        "added_by": shown.added_by,
        **words,
        "counts": counts(items),
        "items": [item(each, said) for each in items],
        "reopenings": [
            {
                "number": again.number,
                "round": again.round,
                "by": again.actor,
                "at": again.at.isoformat(timespec="seconds"),
                **({"reason": said.reasons[again.body]["reason"]} if said else {}),
            }
            for again in shown.reopenings
        ],
        "attachments": [
            {
                "id": file.item, "sha256": file.sha256, "size": file.size, "attached_to_mail": file.parts,
                "unasked": shown.requested_by == "nobody", "opened": False,
            }
            for file in shown.attachments
        ],
        "answers": [
            {"at": made.at.isoformat(timespec="seconds"), "by": made.actor, "sha256": made.digest}
            for made in shown.answers
        ],
    }  # fmt: skip
