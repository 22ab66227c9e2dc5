"""
Indexing people and accounts anew, where the key by which they were found is lost or was replaced.

What holds, demands and requests say of them is kept sealed, as the documents of cases are, so all of it can be indexed
again. An entry that says nothing readable keeps its old index, and with it the cases that were found by it until then.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, delete, select, update

from keycustody.blind_index import Kind
from reporter.clock import Clock as Time
from reporter.db.engine import transaction
from reporter.errors import CustodyError, PolicyError
from reporter.retention.demands import DEMAND, digest_of
from reporter.retention.subjects import Subjects
from reporter.retention.tables import CaseIndexed, CaseSubject, LegalHold, ScopeEntry
from reporter.retention.words import Words, tell

_ENTRY = ScopeEntry.__table__  # type: ignore[attr-defined]
_HOLD = LegalHold.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Reindexed:
    """How many cases and entries were indexed anew, and the holds of which an entry could not be."""

    cases: int
    entries: int
    left: Sequence[int]


@dataclass(frozen=True, slots=True)
class Reindexing:
    """The use case of it."""

    database: Engine
    time: Time
    words: Words
    subjects: Subjects

    def run(self, actor: str) -> Reindexed:
        """
        Index every person and account anew, by the key that the key store has now.

        Raises:
            PolicyError: They are indexed by that key already.
            CustodyError: A demand or a case document does not open.
        """
        now = self.time.now()
        with transaction(self.database) as connection:
            if not self.subjects.take_key(connection):
                raise PolicyError("People and accounts are indexed by the key in the key store; nothing is to be done.")
            entries = connection.execute(select(_ENTRY).where(_ENTRY.c.subject.is_not(None))).all()
            lost = {entry.scope for entry in entries if not self._again(connection, entry)}
            for row in connection.execute(select(DEMAND.c.number, DEMAND.c.document_body)).all():
                digest = digest_of(connection, self.subjects, self.words.open(connection, row.document_body).encode())
                connection.execute(update(DEMAND).where(DEMAND.c.number == row.number).values(digest=digest))
            if not lost:
                connection.execute(delete(CaseSubject))
            connection.execute(delete(CaseIndexed))
            left = connection.execute(select(_HOLD.c.number).where(_HOLD.c.scope.in_(lost)).order_by(_HOLD.c.number))
            found = list(left.scalars())
            detail = f"{len(entries)} entries, {len(lost)} scopes left"
            tell(connection, now, actor, "people_reindexed", "people", detail)
        return Reindexed(self.subjects.complete(), len(entries), found)

    def _again(self, connection: Connection, entry: Any) -> bool:
        """Index one entry anew; give whether what it says can be read."""
        try:
            said = json.loads(self.words.open(connection, entry.subject_body)) if entry.subject_body else None
        except CustodyError:
            said = None
        if said is None:
            return False
        index = self.subjects.index_of(connection, Kind(said["kind"]), said["value"])
        connection.execute(update(_ENTRY).where(_ENTRY.c.id == entry.id).values(subject=index))
        return True
