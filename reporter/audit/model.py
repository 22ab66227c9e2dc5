"""
What one line of the custody log says, and the bytes that stand for it.

``detail`` holds ids, codes and digests; never content, personal data or secrets.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a case, an item, a key or a submission, and who did it."""

    at: datetime
    actor: str
    kind: str
    reference: str | None = None
    item: str | None = None
    detail: str = ""


def canonical(event: Event) -> str:
    """
    Give the event as canonical JSON (RFC 8785); of plain text under plain keys, which needs no library.

    Raises:
        ValueError: The instant has no zone, or the text holds what is no character.
    """
    if event.at.tzinfo is None:
        raise ValueError("an instant without a zone cannot be recorded")
    at = event.at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    text = json.dumps(asdict(event) | {"at": at}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    text.encode()
    return text


def parsed(text: str) -> Event:
    """
    Give the event that canonical JSON stands for.

    Raises:
        ValueError: It stands for none.
    """
    try:
        fields = json.loads(text)
        return Event(**fields | {"at": datetime.fromisoformat(fields["at"])})
    except (TypeError, KeyError) as error:
        raise ValueError("this is no record of an event") from error
