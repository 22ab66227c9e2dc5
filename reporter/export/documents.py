"""The documents of a case as they were sent, every exchange of them, and the receipts: byte for byte, with names."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from reporter.delivery.ledger import Ledger, answer_in, request_in
from reporter.evidence.bodies import BodyVault
from reporter.export.model import Withheld
from reporter.submissions.frozen import thaw
from reporter.submissions.tables import Submission

_SUBMISSION: Final = Submission.__table__  # type: ignore[attr-defined]
_NAME: Final = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class SentDocuments:
    """Reads what was sent, from where the delivery room keeps it."""

    ledger: Ledger
    bodies: BodyVault

    def authorities(self, connection: Connection, reference: str) -> set[str]:
        """Give the authorities to which anything of a case was sent, or is frozen to be."""
        rows = connection.execute(select(_SUBMISSION.c.authority).where(*_sent(reference)))
        return set(rows.scalars())

    def of(self, connection: Connection, reference: str, authority: str) -> Iterator[tuple[str, bytes]]:
        """
        Give every document of every submission to an authority, with the path that it has in a bundle.

        ``package`` is what people approved, before the authority gave any id; ``exchanges`` are the requests (uploads
        as their envelope and the item's digest) and the answers, in the order of the calls; ``receipt`` is the answer
        that says that it is filed.

        Raises:
            CustodyError: One does not open.
        """
        query = select(_SUBMISSION).where(*_sent(reference), _SUBMISSION.c.authority == authority)
        for row in connection.execute(query.order_by(_SUBMISSION.c.environment, _SUBMISSION.c.version)).all():
            folder = f"meta/report/{_safe(row.authority)}-{_safe(row.environment)}-{row.version}"
            for path, content in self._submission(connection, row):
                yield f"{folder}/{path}", content

    def _submission(self, connection: Connection, row: Row[Any]) -> Iterator[tuple[str, bytes]]:
        yield "submission.json", _json(_about(row))
        for number, document in enumerate(thaw(self.bodies.open(connection, row.package_body)).documents, 1):
            yield f"package/{number:03}-{_safe(document.name)}", document.body
        for number, call in enumerate(self.ledger.entries(connection, row.id), 1):
            if call.exchange_body:
                exchange = self.bodies.open(connection, call.exchange_body)
                name = f"exchanges/{number:03}-{_safe(call.step)}"
                yield f"{name}-request", request_in(exchange)
                yield f"{name}-answer", answer_in(exchange)
        if row.receipt_body:
            yield "receipt", answer_in(self.bodies.open(connection, row.receipt_body))


def withheld(files: Mapping[str, bytes], decisions: tuple[Withheld, ...]) -> dict[str, bytes]:
    """Put a note, with the reason, size and digest of the original, in the place of each document that is withheld."""
    reasons = {decision.document: decision.reason for decision in decisions}
    return {
        f"{path}.withheld.json" if path in reasons else path: (
            _json(
                {
                    "withheld": path,
                    "reason": reasons[path],
                    "original_size": len(content),
                    "original_sha256": hashlib.sha256(content).hexdigest(),
                }
            )
            if path in reasons
            else content
        )
        for path, content in files.items()
    }


def _sent(reference: str) -> tuple[Any, ...]:
    return _SUBMISSION.c.reference == reference, _SUBMISSION.c.package_body.is_not(None)


def _about(row: Row[Any]) -> dict[str, Any]:
    return {
        "authority": row.authority,
        "environment": row.environment,
        "version": row.version,
        "state": row.state,
        "digest_approved": f"sha256:{row.digest}",
        "receipt_kind": row.receipt_kind,
        "receipt_reference": row.receipt_reference,
        "receipt_at": row.receipt_at.isoformat() if row.receipt_at else None,
    }


def _safe(name: str) -> str:
    return _NAME.sub("-", name).lstrip(".") or "document"


def _json(data: Any) -> bytes:
    return json.dumps(data, indent=2, ensure_ascii=False).encode() + b"\n"
