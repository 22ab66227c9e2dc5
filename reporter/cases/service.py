"""
The use cases of the cases room: taking cases in, revising and confirming them, looking at them.

Files are sealed before anything is written, then one transaction writes all rows. Whatever fails takes back what was
sealed, so that neither row nor file is left.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from reporter.abilities import Importing
from reporter.actors.service import Witness, unsigned
from reporter.audit import service as audit
from reporter.cases import reader
from reporter.cases.difference import differences, only_adds_views
from reporter.cases.document import ParsedDocument, listed, parse, parse_kept
from reporter.cases.intake import HandedIn, take
from reporter.cases.model import REFERENCE_PATTERN, Case
from reporter.cases.records import CaseDescription, CaseState, CaseSummary, Outcome, Revision, StoredCase, Taken
from reporter.cases.sealing import Sealing
from reporter.cases.store import CaseStore
from reporter.clock import Clock
from reporter.db.engine import transaction
from reporter.errors import ConflictError, DocumentError, Finding, PolicyError, UsageError
from reporter.evidence import leftovers
from reporter.evidence import service as evidence
from reporter.evidence.bodies import BodyVault
from reporter.evidence.model import SealedItem
from reporter.evidence.vault import EvidenceVault

Revised = Callable[[Connection, str], None]
Recorded = Callable[[Connection, Case, str], None]


class CaseService:
    """
    The use cases of the cases room; ``witness`` signs the digest of what somebody hands in, in its transaction.

    ``digests`` are taken of evidence besides SHA-256. ``revised`` is called with every new revision of a case, in its
    transaction, so that approvals of the old one can be voided; ``recorded`` with every document that is put on record,
    the first too, and who did, so that its clocks start.
    """

    def __init__(
        self,
        engine: Engine,
        vault: EvidenceVault,
        bodies: BodyVault,
        clock: Clock,
        *,
        digests: frozenset[str],
        revised: Revised = lambda _connection, _reference: None,
        recorded: Recorded = lambda _connection, _case, _actor: None,
    ) -> None:
        self._engine, self._clock, self._revised, self._recorded = engine, clock, revised, recorded
        self._store, self._sealing = CaseStore(bodies), Sealing(engine, vault, digests)

    # --- looking --------------------------------------------------------------------------------------------

    def load(self, reference: str, connection: Connection | None = None) -> StoredCase:
        """
        Give a case as its latest revision has it.

        Raises:
            NotFoundError: There is no such case.
            CustodyError: Its document does not open.

        """
        if connection is not None:
            return self._store.load(connection, reference)
        with transaction(self._engine) as fresh:
            return self._store.load(fresh, reference)

    def current_revision(self, connection: Connection, reference: str) -> int:
        """Give the number of the latest revision, and keep it the latest until the transaction ends."""
        return self._store.current_revision(connection, reference)

    def revision(self, connection: Connection, reference: str, number: int) -> Revision:
        """Give a revision of a case: who handed it in or confirmed it, and when."""
        return next(entry for entry in self._store.revisions(connection, reference) if entry.number == number)

    def at(self, connection: Connection, reference: str, number: int) -> Case:
        """Give the document that a revision of a case had."""
        return self._store.at(connection, reference, number)

    def list(self) -> Sequence[CaseSummary]:
        """Give a line for every case, oldest first."""
        with transaction(self._engine) as connection:
            return self._store.summaries(connection)

    def describe(self, reference: str) -> CaseDescription:
        """Give what is on record of a case besides what it says."""
        with transaction(self._engine) as connection:
            stored = self._store.load(connection, reference)
            return CaseDescription(
                stored,
                self._store.revisions(connection, reference),
                evidence.facts(connection, reference, stored.case),
                evidence.views_of(connection, reference, stored.case),
                evidence.claims_of(connection, reference),
                evidence.destroyed_of(connection, reference, stored.case),
            )

    def document(self, reference: str, actor: str) -> bytes:
        """Give a case's latest document, byte for byte; that somebody read it is recorded."""
        with transaction(self._engine) as connection:
            stored = self._store.load(connection, reference)
            self._tell(connection, actor, "document_read", reference, f"revision {stored.revision}")
            return stored.data

    # --- handing in -----------------------------------------------------------------------------------------

    def add(self, path: Path, actor: str, *, remove_source: bool = False, witness: Witness = unsigned) -> Taken:
        """
        Take a case in; the same document again changes nothing, and one that only adds views adds them.

        Raises:
            UsageError: There is no such document.
            DocumentError: The document or a file of it is refused.
            ConflictError: The reference is on record with other content; the findings name what differs.

        """
        handed = take(path, self._clock.now())
        try:
            taken = self._take_in(handed, actor, witness)
        except IntegrityError:  # somebody else wrote the same meanwhile, and it is on record now
            taken = self._take_in(handed, actor, witness)
        return self._without_sources(taken, handed, actor) if remove_source else taken

    def revise(
        self, reference: str, path: Path, actor: str, *, remove_source: bool = False, witness: Witness = unsigned
    ) -> Taken:
        """
        Make a document the new revision of a case, which voids the approvals given so far.

        Files whose SHA-256 is unchanged keep their seal; files left out stay preserved.

        Raises:
            NotFoundError: There is no such case.
            DocumentError: The document or a file of it is refused, or it has another reference.
            ConflictError: Somebody else revised the case meanwhile.

        """
        handed = take(path, self._clock.now())
        document = handed.parsed
        if document.case.reference != reference:
            raise DocumentError(
                "The document belongs to another case:",
                [Finding("reference", "reference", "is not the reference of the case to revise")],
            )
        with transaction(self._engine) as connection:
            was = self._store.load(connection, reference)
            sealed = {(item.item, item.sha256) for item in evidence.sealed_items(connection, reference)}
            same = was.digest == document.digest or only_adds_views(was.raw, document.raw)
            taken = self._again(connection, was, handed, actor, witness) if same else None
        if taken is None:
            with self._sealing.files_of(handed, sealed) as fresh, transaction(self._engine) as connection:
                taken = self._revise(connection, was, document, handed.data, fresh, actor, witness)
        return self._without_sources(taken, handed, actor) if remove_source else taken

    def confirm(self, reference: str, basis: str, actor: str, witness: Witness = unsigned) -> Taken:
        """
        Confirm a pending case, as a new revision that says who did, when and why.

        Raises:
            NotFoundError: There is no such case.
            UsageError: No basis is given.
            PolicyError: The case is not pending.

        """
        if not basis.strip():
            raise UsageError("A confirmation needs its basis, in words.")
        with transaction(self._engine) as connection:
            was = self._store.load(connection, reference)
            if was.state is not CaseState.PENDING:
                raise PolicyError(
                    f"Case {reference} is {was.state}, and only a pending case can be confirmed.",
                    next_step=f"Where a person judges it anew: reporter case revise {reference} PATH",
                )
            at = self._clock.now().isoformat(timespec="seconds").replace("+00:00", "Z")
            confirmation = {"decision": "confirmed", "by": actor, "at": at, "basis": basis}
            data = reader.write({**was.raw, "confirmation": confirmation})
            taken = self._revise(connection, was, parse_kept(data), data, [], actor, witness)
            return replace(taken, outcome=Outcome.CONFIRMED)

    def import_report(
        self,
        adapter: Importing,
        documents: Sequence[bytes],
        reference: str | None,
        actor: str,
        witness: Witness = unsigned,
    ) -> Taken:
        """
        Take in a report in an authority's own format, as a case that is pending until it is confirmed here.

        Without ``reference`` the case gets one made from the content, so the same documents meet the same case.

        Raises:
            UsageError: The reference is none.
            DocumentError: The documents are malformed, or hold what a case document cannot carry.
            ConflictError: The reference is on record with other content.

        """
        if reference is not None and not re.fullmatch(REFERENCE_PATTERN, reference):
            raise UsageError(f"A reference must have the form {REFERENCE_PATTERN}.")
        source = hashlib.sha256(b"".join(hashlib.sha256(document).digest() for document in documents)).hexdigest()
        reference = reference or f"IMPORT-{source[:16]}"
        with transaction(self._engine) as connection:
            known = self._store.find(connection, reference)
            if known is not None:
                return self._imported_again(connection, known, source)
        now = self._clock.now()
        imported = adapter.read(documents, reference, now, actor)
        data = reader.write(imported.document)
        document = parse(data, now)
        try:
            with transaction(self._engine) as connection:
                _sign(connection, document, witness)
                state = self._store.add(connection, document, data, actor=actor, at=now, source_digest=source)
                evidence.record_claims(connection, reference, imported.claims)
                self._tell(connection, actor, "case_imported", reference, f"{adapter.name} sha256:{source}")
                self._recorded(connection, document.case, actor)
        except IntegrityError:  # somebody else imported it meanwhile
            with transaction(self._engine) as connection:
                return self._imported_again(connection, self._store.load(connection, reference), source)
        return Taken(reference, Outcome.ADDED, state, 1, waiting=_waiting(document), notes=imported.notes)

    # --- parts ----------------------------------------------------------------------------------------------

    def _take_in(self, handed: HandedIn, actor: str, witness: Witness) -> Taken:
        document, reference = handed.parsed, handed.parsed.case.reference
        with transaction(self._engine) as connection:
            known = self._store.find(connection, reference)
            if known is not None:
                return self._again(connection, known, handed, actor, witness)
        with self._sealing.files_of(handed) as fresh, transaction(self._engine) as connection:
            now = self._clock.now()
            _sign(connection, document, witness)
            state = self._store.add(connection, document, handed.data, actor=actor, at=now)
            self._tell(connection, actor, "case_added", reference, f"revision 1 {state} sha256:{document.digest}")
            views = self._record_evidence(connection, document, fresh, actor)
            self._recorded(connection, document.case, actor)
        return Taken(
            reference, Outcome.ADDED, state, 1, len(fresh), views, sources=len(fresh), waiting=_waiting(document)
        )

    def _revise(
        self,
        connection: Connection,
        was: StoredCase,
        document: ParsedDocument,
        data: bytes,
        fresh: Sequence[SealedItem],
        actor: str,
        witness: Witness,
    ) -> Taken:
        reference, number = was.reference, was.revision + 1
        _sign(connection, document, witness)
        state = self._store.revise(connection, was, document, data, actor=actor, at=self._clock.now())
        detail = f"revision {number} {was.state} to {state} sha256:{document.digest}"
        self._tell(connection, actor, "case_revised", reference, detail)
        if state is not was.state:
            self._tell(connection, actor, f"case_{state}", reference, f"revision {number}")
        views = self._record_evidence(connection, document, fresh, actor)
        self._revised(connection, reference)
        self._recorded(connection, document.case, actor)
        return Taken(
            reference, Outcome.REVISED, state, number, len(fresh), views, sources=len(fresh), waiting=_waiting(document)
        )

    def _again(
        self, connection: Connection, known: StoredCase, handed: HandedIn, actor: str, witness: Witness
    ) -> Taken:
        """Take a document of a case on record: it must say the same, and may add views."""
        document, reference = handed.parsed, known.reference
        if known.digest != document.digest and not only_adds_views(known.raw, document.raw):
            raise ConflictError(
                f"Case {reference} is on record with other content; nothing was changed. These places differ:",
                listed(list(differences(known.raw, document.raw))),
                next_step=f"To make it the new revision: reporter case revise {reference} PATH",
            )
        _sign(connection, document, witness)
        views = self._record_views(connection, document, actor)
        outcome = Outcome.VIEWS_ADDED if views else Outcome.UNCHANGED
        return Taken(reference, outcome, known.state, known.revision, views=views, waiting=_waiting(document))

    def _imported_again(self, connection: Connection, known: StoredCase, source: str) -> Taken:
        if self._store.source_digest(connection, known.reference) != source:
            raise ConflictError(
                f"Case {known.reference} is on record, and was not imported from these documents.",
                next_step="Give another --reference, or leave it out.",
            )
        return Taken(known.reference, Outcome.UNCHANGED, known.state, known.revision)

    def _record_evidence(
        self, connection: Connection, document: ParsedDocument, fresh: Sequence[SealedItem], actor: str
    ) -> int:
        evidence.record_items(connection, fresh)
        leftovers.end(connection, fresh)
        for item in fresh:
            detail = f"sha256:{item.sha256} {item.size} bytes"
            self._tell(connection, actor, "evidence_sealed", item.reference, detail, item=item.item)
        return self._record_views(connection, document, actor)

    def _record_views(self, connection: Connection, document: ParsedDocument, actor: str) -> int:
        reference = document.case.reference
        views = evidence.record_views(connection, reference, document.case, self._clock.now())
        if views:
            self._tell(connection, actor, "views_added", reference, f"{views} by document sha256:{document.digest}")
        return views

    def _without_sources(self, taken: Taken, handed: HandedIn, actor: str) -> Taken:
        """Remove the sources; one that cannot be removed is noted, for the case is on record by now."""
        removed, findings = self._sealing.remove_sources(handed)
        with transaction(self._engine) as connection:
            for item in removed:
                self._tell(connection, actor, "source_removed", taken.reference, item=item)
        return replace(taken, removed=len(removed), sources=len(findings), notes=(*taken.notes, *findings))

    def _tell(
        self,
        connection: Connection,
        actor: str,
        kind: str,
        reference: str,
        detail: str = "",
        item: str | None = None,
    ) -> None:
        audit.record(
            connection, at=self._clock.now(), actor=actor, kind=kind, reference=reference, item=item, detail=detail
        )


def _sign(connection: Connection, document: ParsedDocument, witness: Witness) -> None:
    witness(connection, {"reference": document.case.reference, "digest": document.digest})


def _waiting(document: ParsedDocument) -> tuple[str, ...]:
    """Give the items that have no file yet, by their path in the document."""
    return tuple(
        f"evidence[{index}]"
        for index, item in enumerate(document.case.evidence or [])
        if item.path is None or item.sha256 is None
    )
