"""
What one line of the custody log says, and what stands for it in the tree.

``detail`` holds ids, codes and digests; never content, personal data or secrets. The leaf of an event is a salted
commitment: once salt and event are gone, nobody can tell what it stood for, not even by guessing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256

from reporter.audit.merkle import leaf_hash

#: Bytes of the random salt in a commitment: as many as the hash has.
SALT_BYTES = 32
#: Keeps a commitment from being mistaken for any other hash of ours.
_DOMAIN = b"reporter custody event v1\n"


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
        event = Event(**fields | {"at": datetime.fromisoformat(fields["at"])})
    except (TypeError, KeyError, RecursionError) as error:
        raise ValueError("this is no record of an event") from error
    if event.at.tzinfo is None:
        raise ValueError("this record of an event has no zone")
    return event


def leaf_of(salt: bytes, content: str) -> bytes:
    """Give the leaf of an event: SHA-256(0x00 || SHA-256(domain || salt || canonical JSON))."""
    return leaf_hash(commitment(salt, content))


def commitment(salt: bytes, content: str) -> bytes:
    """Give what a leaf is the hash of; with salt and event it can be computed again, without them it says nothing."""
    return sha256(_DOMAIN + salt + content.encode()).digest()


def written_positions(positions: Iterable[int]) -> str:
    """Give positions as ranges: ``3-5,9``."""
    ranges: list[list[int]] = []
    for position in sorted(set(positions)):
        if ranges and ranges[-1][1] == position - 1:
            ranges[-1][1] = position
        else:
            ranges.append([position, position])
    return ",".join(f"{first}-{last}" if first < last else f"{first}" for first, last in ranges)


def listed_positions(text: str, below: int) -> Iterator[range]:
    """
    Give the ranges of positions written in ``text`` as far as they are ``below`` a position.

    Raises:
        ValueError: They are not written like that.
    """
    for part in text.split(","):
        first, _, last = part.partition("-")
        found = range(int(first), min(int(last or first) + 1, below))
        if found:
            yield found
