"""Reading and writing the rows and sealed documents of cases, inside a transaction of the caller's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlmodel import col

from reporter.cases.document import ParsedDocument, parse_kept
from reporter.cases.model import REFERENCE_PATTERN, Case
from reporter.cases.records import CaseState, CaseSummary, Revision, StoredCase
from reporter.cases.tables import CaseRecord, CaseRevision
from reporter.errors import ConflictError, NotFoundError
from reporter.evidence.bodies import BodyVault
from reporter.evidence.tables import CaseDestruction

#: What a sealed case document is bound to, besides its case and id.
BODY_KIND = "case"


class CaseStore:
    """Where cases are kept."""

    def __init__(self, bodies: BodyVault) -> None:
        self._bodies = bodies

    def find(self, connection: Connection, reference: str) -> StoredCase | None:
        """
        Give a case with its latest document, if it is on record.

        Raises:
            NotFoundError: It was destroyed.

        """
        row: Any = connection.execute(
            select(
                col(CaseRecord.revision),
                col(CaseRecord.created_at),
                col(CaseRecord.state).label("now"),
                col(CaseRevision.state),
                col(CaseRevision.digest),
                col(CaseRevision.actor),
                col(CaseRevision.body_id),
            )
            .join(
                CaseRevision,
                (col(CaseRevision.reference) == col(CaseRecord.reference))
                & (col(CaseRevision.revision) == col(CaseRecord.revision)),
            )
            .where(col(CaseRecord.reference) == reference)
        ).one_or_none()
        if row is None or row.now == CaseState.DESTROYED:
            _refuse_destroyed(connection, reference)
            return None
        data = self._bodies.open(connection, row.body_id)
        parsed = parse_kept(data)
        return StoredCase(
            reference=reference,
            state=CaseState(row.state),
            revision=row.revision,
            prepared_by=row.actor,
            created_at=row.created_at,
            digest=row.digest,
            case=parsed.case,
            raw=parsed.raw,
            data=data,
        )

    def at(self, connection: Connection, reference: str, number: int) -> Case:
        """
        Give the document that a revision of a case had.

        Raises:
            CustodyError: It does not open.
        """
        body_id = connection.execute(
            select(col(CaseRevision.body_id)).where(
                col(CaseRevision.reference) == reference, col(CaseRevision.revision) == number
            )
        ).scalar_one()
        return parse_kept(self._bodies.open(connection, body_id)).case

    def load(self, connection: Connection, reference: str) -> StoredCase:
        """
        Give a case with its latest document.

        Raises:
            NotFoundError: There is no such case.
            CustodyError: Its document does not open.

        """
        stored = self.find(connection, reference)
        if stored is None:
            raise unknown(reference)
        return stored

    def add(
        self,
        connection: Connection,
        document: ParsedDocument,
        data: bytes,
        *,
        actor: str,
        at: datetime,
        source_digest: str | None = None,
    ) -> CaseState:
        """Put a new case on record; its reference must be free."""
        reference, state = document.case.reference, CaseState(document.case.confirmation.decision)
        connection.execute(insert(CaseRecord).values(reference=reference, state=state, revision=1, created_at=at))
        self._add_revision(connection, document, data, 1, actor, at, source_digest)
        return state

    def revise(
        self,
        connection: Connection,
        was: StoredCase,
        document: ParsedDocument,
        data: bytes,
        *,
        actor: str,
        at: datetime,
    ) -> CaseState:
        """
        Put a new revision on record.

        Raises:
            ConflictError: Somebody else revised the case since ``was`` was read.

        """
        state, number = CaseState(document.case.confirmation.decision), was.revision + 1
        changed = connection.execute(
            update(CaseRecord)
            .where(col(CaseRecord.reference) == was.reference, col(CaseRecord.revision) == was.revision)
            .values(state=state, revision=number)
        )
        if changed.rowcount != 1:
            raise ConflictError(
                f"Case {was.reference} was revised by somebody else meanwhile.",
                next_step=f"Look at it: reporter case show {was.reference}",
            )
        self._add_revision(connection, document, data, number, actor, at, None)
        return state

    def current_revision(self, connection: Connection, reference: str) -> int:
        """
        Give the number of the latest revision, and keep it the latest until the transaction ends.

        Raises:
            NotFoundError: There is no such case.

        """
        query = select(col(CaseRecord.revision)).where(col(CaseRecord.reference) == reference).with_for_update()
        revision: int | None = connection.execute(query).scalar_one_or_none()
        if revision is None:
            raise unknown(reference)
        return revision

    def revisions(self, connection: Connection, reference: str) -> Sequence[Revision]:
        """Give the revisions of a case, oldest first."""
        query = (
            select(
                col(CaseRevision.revision),
                col(CaseRevision.state),
                col(CaseRevision.digest),
                col(CaseRevision.actor),
                col(CaseRevision.at),
            )
            .where(col(CaseRevision.reference) == reference)
            .order_by(col(CaseRevision.revision))
        )
        return [
            Revision(number, CaseState(state), digest, actor, at)
            for number, state, digest, actor, at in connection.execute(query)
        ]

    def source_digest(self, connection: Connection, reference: str) -> str | None:
        """Give the digest of the documents that a case was imported from, if it was."""
        query = select(col(CaseRevision.source_digest)).where(
            col(CaseRevision.reference) == reference, col(CaseRevision.source_digest).is_not(None)
        )
        digest: str | None = connection.execute(query).scalar_one_or_none()
        return digest

    def summaries(self, connection: Connection) -> Sequence[CaseSummary]:
        """Give a line for every case, oldest first."""
        query = select(
            col(CaseRecord.reference), col(CaseRecord.state), col(CaseRecord.revision), col(CaseRecord.created_at)
        ).order_by(col(CaseRecord.created_at), col(CaseRecord.reference))
        return [
            CaseSummary(reference, CaseState(state), revision, created_at)
            for reference, state, revision, created_at in connection.execute(query)
        ]

    def _add_revision(
        self,
        connection: Connection,
        document: ParsedDocument,
        data: bytes,
        number: int,
        actor: str,
        at: datetime,
        source_digest: str | None,
    ) -> None:
        reference = document.case.reference
        connection.execute(
            insert(CaseRevision).values(
                reference=reference,
                revision=number,
                state=CaseState(document.case.confirmation.decision),
                digest=document.digest,
                body_id=self._bodies.seal(connection, reference, BODY_KIND, data, at),
                actor=actor,
                at=at,
                source_digest=source_digest,
            )
        )


def unknown(reference: str) -> NotFoundError:
    """Give the error for a reference that is not on record; the reference is repeated only where it is one."""
    named = f" {reference}" if re.fullmatch(REFERENCE_PATTERN, reference) else " of that reference"
    return NotFoundError(f"There is no case{named} here.", next_step="See them all: reporter case list")


def _refuse_destroyed(connection: Connection, reference: str) -> None:
    query = select(col(CaseDestruction.id)).where(
        col(CaseDestruction.reference) == reference, col(CaseDestruction.decided_at).is_not(None)
    )
    if certificate := connection.execute(query).scalar_one_or_none():
        raise NotFoundError(
            f"Case {reference} was destroyed.", next_step=f"See: reporter evidence certificate {certificate}"
        )
