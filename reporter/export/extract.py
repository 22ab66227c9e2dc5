"""The part of the custody log that tells of one case, each entry with the proof that it stands in the signed log."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from reporter.audit import tree
from reporter.audit.merkle import includes, inclusion
from reporter.audit.model import leaf_of
from reporter.audit.notes import Verifier
from reporter.audit.tables import Record
from reporter.errors import CustodyError

_RECORD: Final = Record.__table__  # type: ignore[attr-defined]
_PAGE: Final = 1000


def lines(
    connection: Connection, reference: str, size: int, leaves: Callable[[Mapping[str, Any]], bool]
) -> Iterator[str]:
    """
    Give the entries of a case among the first ``size`` of the log, one line of JSON each, in the log's order.

    Those that ``leaves`` says no of are left out.

    Each holds the event, its salt, and the audit path of its leaf (RFC 6962, section 2.1.1).
    """
    query = (
        select(_RECORD.c.position, _RECORD.c.salt, _RECORD.c.content)
        .where(_RECORD.c.reference == reference, _RECORD.c.position < size)
        .order_by(_RECORD.c.position)
        .limit(_PAGE)
    )
    after = -1
    while page := connection.execute(query.where(_RECORD.c.position > after)).all():
        for row in page:
            told = json.loads(row.content)
            if not leaves(told):
                continue
            path = tree.roots(connection, inclusion(row.position, size))
            proof = {"salt": bytes(row.salt).hex(), "content": row.content, "path": [part.hex() for part in path]}
            yield json.dumps({"position": row.position, **told, **proof}, ensure_ascii=False)
        after = page[-1].position


@dataclass(frozen=True, slots=True)
class Proven:
    """What an extract comes to: how many entries it has, and how many the log had when it was signed."""

    entries: int
    size: int


def verify(text: str, checkpoint: str, verifier: Verifier) -> Proven:
    """
    Hold every line of an extract against a signed checkpoint.

    Raises:
        CustodyError: The checkpoint, an entry, its proof or the order does not hold; the text names the line.
    """
    signed, before, count = verifier.open(checkpoint), -1, 0
    for count, line in enumerate(text.splitlines(), 1):
        try:
            entry = json.loads(line)
            position, path = int(entry["position"]), [bytes.fromhex(part) for part in entry["path"]]
            leaf = leaf_of(bytes.fromhex(entry["salt"]), entry["content"])
            told = _told(entry)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise CustodyError(f"Line {count} of the custody log's extract is no entry.") from None
        if position <= before:
            raise CustodyError(f"Line {count} of the custody log's extract stands out of order.")
        if not told:
            raise CustodyError(f"Line {count} of the custody log's extract says something else than its record.")
        if not includes(leaf, position, signed.size, path, signed.root):
            raise CustodyError(f"Line {count} of the custody log's extract is not in the log that was signed.")
        before = position
    return Proven(count, signed.size)


def _told(entry: dict[str, Any]) -> bool:
    """Whether what an entry says in plain fields is what its record, which the proof is about, says."""
    record = json.loads(entry["content"])
    return all(entry.get(key) == value for key, value in record.items())
