"""
Bodies: case documents, packages, exchanges and receipts, sealed under their case's key.

Their ciphertext stands in the database, so that a receipt is committed in the transaction that says it came.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex

from sqlalchemy import Connection, bindparam, insert, select
from sqlmodel import col

from keycustody.cases import CaseKeys
from reporter.errors import CustodyError, NotFoundError
from reporter.evidence.custody import custody_errors
from reporter.evidence.tables import CaseDestruction, SealedBody

_BODY = SealedBody.__table__  # type: ignore[attr-defined]
_ADD = insert(_BODY)
_DESTROYED = select(col(CaseDestruction.id)).where(
    col(CaseDestruction.reference) == bindparam("of"), col(CaseDestruction.decided_at).is_not(None)
)
_READ = select(_BODY.c.reference, _BODY.c.kind, _BODY.c.ciphertext).where(_BODY.c.id == bindparam("of"))


@dataclass(frozen=True, slots=True)
class BodyVault:
    """Seals bodies into the database and opens them, but for those of a case that ``buried`` says was destroyed."""

    keys: CaseKeys
    buried: Callable[[str], bool] = lambda _reference: False

    def seal(self, connection: Connection, reference: str, kind: str, plaintext: bytes, at: datetime) -> str:
        """
        Seal a body in the caller's transaction and give its id.

        Raises:
            CustodyError: The case's key is damaged.
            EnvironmentTroubleError: The key store does not work.

        """
        body_id = token_hex(16)
        with custody_errors():
            ciphertext = self.keys.seal_body(reference, body_id, kind, plaintext)
        row = {"id": body_id, "reference": reference, "kind": kind, "ciphertext": ciphertext, "at": at}
        connection.execute(_ADD, row)
        return body_id

    def open(self, connection: Connection, body_id: str) -> bytes:
        """
        Open a body.

        Raises:
            NotFoundError: It was destroyed with its case.
            CustodyError: It is missing, altered or swapped, or its key is gone.
            EnvironmentTroubleError: The key store does not work.

        """
        row = connection.execute(_READ, {"of": body_id}).one_or_none()
        if row is None:
            raise CustodyError(f"The sealed body {body_id} is missing from the database.")
        if not row.ciphertext and connection.execute(_DESTROYED, {"of": row.reference}).first():
            raise NotFoundError(f"Body {body_id} was destroyed with case {row.reference}.")
        if self.buried(row.reference):
            raise NotFoundError(
                f"The object store remembers that case {row.reference} was destroyed; what was restored is not opened.",
                next_step="Two people destroy it again: reporter evidence destroy --resume, then reporter case destroy",
            )
        with custody_errors():
            return self.keys.open_body(row.reference, body_id, row.kind, row.ciphertext)
