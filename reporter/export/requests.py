"""Asking for an export and approving it: who may have what is decided before a byte of it is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any, Final

import rfc8785
from sqlalchemy import Connection, Engine, Row, insert, select, update

from reporter.actors.service import ActorService, Witness
from reporter.audit import service as audit
from reporter.cases.records import StoredCase
from reporter.cases.store import CaseStore
from reporter.clock import Clock
from reporter.db.engine import reading, transaction
from reporter.errors import ConflictError, NeedsPersonError, PolicyError, UsageError
from reporter.evidence import service as evidence
from reporter.evidence.bodies import BodyVault
from reporter.evidence.looks import gone
from reporter.evidence.model import SealedItem
from reporter.export import guard
from reporter.export import scope as scopes
from reporter.export.attempts import attempt
from reporter.export.documents import SentDocuments
from reporter.export.envelopes import examined, require_short
from reporter.export.model import Envelope, Export, Scope
from reporter.export.store import COPY, ITEM, REQUEST, export_of, exports, items_of, row_of
from reporter.retention.demands import Demand, find_demand, require_proven
from reporter.retention.subjects import Subjects
from reporter.tasks.model import Kind
from reporter.tasks.service import close_task, open_task

#: What sealed bodies of this room are bound to, besides their case and id.
REQUEST_BODY, KEY_BODY, WORDS_BODY = "export-request", "export-key", "export-words"
_VERBS: Final = {"asked": "export create", "approved": "export approve"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for an export; ``key`` is the recipient's public key, empty for a ZIP."""

    reference: str
    demand: int
    scope: Scope = field(repr=False)
    envelope: Envelope
    key: bytes = field(repr=False)


class ExportRequests:
    """The use cases around an export's request; each method is one transaction."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        bodies: BodyVault,
        actors: ActorService,
        subjects: Subjects,
        documents: SentDocuments,
    ) -> None:
        self._engine, self._clock, self._bodies, self._actors = engine, clock, bodies, actors
        self._subjects, self._documents, self._cases = subjects, documents, CaseStore(bodies)

    # --- asking ---------------------------------------------------------------------------------------------

    def create(self, asked: Asked, actor: str, witness: Witness) -> Export:
        """
        Ask for an export; with content in it, another person must approve it.

        Raises:
            NotFoundError: There is no such case, item or demand.
            DocumentError: The scope names nothing, or something that is not there.
            PolicyError: The demand does not unlock it, the recipient may not have it, or the key must not be used.
            UsageError: The key is of another kind.
        """
        with attempt(self._engine, self._clock, actor, "create", asked.reference):
            demand = self._demand(asked, actor)
            key = examined(asked.envelope, asked.key, self._clock.now())
            with transaction(self._engine) as connection:
                case = self._cases.load(connection, asked.reference)
                items = self._items(connection, asked)
                require_short(sum(item.size for item in items), key)
                guard.require_reached(connection, demand, asked.reference, asked.scope, [item.id for item in items])
                require_proven(connection, demand, self._actors.require)
                self._check(connection, asked, case, items)
                return self._keep(connection, asked, case, items, (demand.requester, key.fingerprint), actor, witness)

    def require_unlocked(self, connection: Connection, row: Row[Any]) -> None:
        """
        See that an export is approved, and that its demand unlocks it still.

        What counts is the request that people approved, not what the tables repeat of it.

        Raises:
            PolicyError: It is not, or the demand does not.
            ConflictError: The tables say something else than what was approved.
            NotFoundError: The demand is gone.
        """
        if row.withdrawn_at:
            raise PolicyError(f"This export was withdrawn by {row.withdrawn_by}.")
        request = self.request(connection, row)
        scope = Scope.model_validate(request["scope"])
        items = [each["id"] for each in request["items"]]
        same = {
            "export": row.id, "reference": row.reference, "demand": row.demand, "recipient": row.recipient,
            "envelope": row.envelope, "key": row.fingerprint,
        }  # fmt: skip
        kept = sorted(each.evidence_id for each in items_of(connection, row.id))
        if any(request[name] != value for name, value in same.items()) or kept != sorted(items):
            raise ConflictError("What the database says of this export is not what its request says.")
        self._require_approved(connection, row, alone=not scope.content)
        demand = find_demand(connection, row.demand)
        guard.require(demand, scope)
        require_proven(connection, demand, self._actors.require)
        guard.require_reached(connection, demand, row.reference, scope, items)

    def _require_approved(self, connection: Connection, row: Row[Any], *, alone: bool) -> None:
        if not row.approved_at or (row.approved_by == row.asked_by and not alone):
            raise PolicyError(
                "Nobody has approved this export yet.", next_step=f"Another person: reporter export approve {row.id}"
            )
        if not self._actors.required:
            return
        for role, verb in _VERBS.items():
            who, where = getattr(row, f"{role}_by"), getattr(row, f"{role}_in")
            needed = role == "asked" or not alone
            if needed and not self._actors.vouches(connection, where, who, verb, {"digest": row.digest}):
                raise PolicyError(f"That {who} {role} this export is not proved by a signature that holds.")

    def request(self, connection: Connection, row: Row[Any]) -> dict[str, Any]:
        """
        Give what was asked for, in words.

        Raises:
            CustodyError: It does not open, or is not what people approved.
        """
        content = self._bodies.open(connection, row.request_body)
        if hashlib.sha256(content).hexdigest() != row.digest:
            raise ConflictError("The request of this export is not the one that its digest is of.")
        told: dict[str, Any] = json.loads(content)
        return told

    # --- approving ------------------------------------------------------------------------------------------

    def approve(self, export: str, actor: str, witness: Witness) -> Export:
        """
        Be the second person.

        Raises:
            NotFoundError: There is no such export.
            PolicyError: It is one's own, or the demand does not unlock it any more.
            UsageError: It is approved already.
        """
        with reading(self._engine) as connection:
            reference = row_of(connection, export).reference
        with (
            attempt(self._engine, self._clock, actor, "approve", reference, export),
            transaction(self._engine) as connection,
        ):
            row = row_of(connection, export, held=True)
            if row.approved_at:
                raise UsageError("This export is approved already.")
            if row.asked_by == actor:
                raise PolicyError(f"{actor} asked for this export, and a different person must approve it.")
            statement = self._signed(witness(connection, {"reference": row.reference, "digest": row.digest}))
            values = {"approved_at": self._clock.now(), "approved_by": actor, "approved_in": statement}
            connection.execute(update(REQUEST).where(REQUEST.c.id == export).values(values))
            row = row_of(connection, export)
            self.require_unlocked(connection, row)
            done = {"about": export, "actor": actor, "outcome": "approved"}
            close_task(connection, self._clock.now(), kind=Kind.EXPORT_APPROVE, **done)
            self._tell(connection, actor, "export_approved", row, f"sha256:{row.digest}")
            return export_of(connection, row)

    def withdraw(self, export: str, actor: str, words: str) -> Export:
        """
        Take an export back: nothing more is written of it, by one person at once. What was written stays written.

        Raises:
            NotFoundError: There is no such export.
            UsageError: No words, or it was withdrawn already.
        """
        if not words.strip():
            raise UsageError("Say why it is withdrawn.")
        now = self._clock.now()
        with transaction(self._engine) as connection:
            row = row_of(connection, export, held=True)
            if row.withdrawn_at:
                raise UsageError("This export was withdrawn already.")
            body = self._bodies.seal(connection, row.reference, WORDS_BODY, words.encode(), now)
            values = {"withdrawn_at": now, "withdrawn_by": actor, "withdrawn_body": body}
            connection.execute(update(REQUEST).where(REQUEST.c.id == export).values(values))
            for kind in (Kind.EXPORT_APPROVE, Kind.EXPORT_RECEIPT):
                close_task(connection, now, kind=kind, about=export, actor=actor, outcome="withdrawn")
            self._tell(connection, actor, "export_withdrawn", row, "")
            return export_of(connection, row_of(connection, export))

    # --- looking --------------------------------------------------------------------------------------------

    def all(self, reference: str | None = None) -> Sequence[Export]:
        """Give the exports of a case, or all, oldest first."""
        with reading(self._engine) as connection:
            return exports(connection, reference)

    def show(self, export: str, actor: str) -> tuple[Export, dict[str, Any]]:
        """
        Give an export, and what was asked for in words; who reads it is recorded.

        Raises:
            NotFoundError: There is no such export.
        """
        with transaction(self._engine) as connection:
            row = row_of(connection, export)
            self._tell(connection, actor, "export_read", row, "")
            return export_of(connection, row), self.request(connection, row)

    # --- receipts -------------------------------------------------------------------------------------------

    def receive(self, export: str, sha256: str, actor: str, words: str) -> Export:
        """
        Record that the recipient says that a copy arrived, by the digest that they read back.

        Raises:
            NotFoundError: There is no such export.
            UsageError: No words, or it is confirmed already.
            NeedsPersonError: No copy of this export has that digest: something else arrived.
        """
        if not words.strip():
            raise UsageError("Say who confirmed it, and how.")
        with reading(self._engine) as connection:
            reference = row_of(connection, export).reference
        with (
            attempt(self._engine, self._clock, actor, "receipt", reference, export),
            transaction(self._engine) as connection,
        ):
            row, now = row_of(connection, export, held=True), self._clock.now()
            which = COPY.c.export == export, COPY.c.sha256 == sha256.lower()
            copy = connection.execute(select(COPY).where(*which)).one_or_none()
            if copy is None:
                raise NeedsPersonError(
                    "No copy of this export has that digest: what arrived is not what was written.",
                    next_step="Compare the digest again, then write and send another copy.",
                )
            if copy.received_at:
                raise UsageError("That this copy arrived is on record already.")
            body = self._bodies.seal(connection, row.reference, WORDS_BODY, words.encode(), now)
            values = {"received_at": now, "received_by": actor, "received_body": body}
            connection.execute(update(COPY).where(*which).values(values))
            close_task(connection, now, kind=Kind.EXPORT_RECEIPT, about=export, actor=actor, outcome="received")
            self._tell(connection, actor, "export_received", row, f"sha256:{copy.sha256}")
            return export_of(connection, row)

    # --- inside ---------------------------------------------------------------------------------------------

    def _demand(self, asked: Asked, actor: str) -> Demand:
        """Give the demand, if it lets something leave; where it does not, counsel gets to know."""
        self._subjects.complete()
        with reading(self._engine) as connection:
            demand = find_demand(connection, asked.demand)
        try:
            guard.require(demand, asked.scope)
        except guard.CounselError:
            with transaction(self._engine) as connection:
                open_task(
                    connection, self._clock.now(), kind=Kind.DEMAND_COUNSEL, about=str(demand.number), actor=actor
                )
            raise
        return demand

    def _items(self, connection: Connection, asked: Asked) -> list[SealedItem]:
        items = [evidence.find_item(connection, asked.reference, name) for name in dict.fromkeys(asked.scope.content)]
        certificates = evidence.destroyed(connection, asked.reference)
        for item in items:
            if item.id in certificates:
                raise gone(item, certificates[item.id])
        return items

    def _check(self, connection: Connection, asked: Asked, case: StoredCase, items: Sequence[SealedItem]) -> None:
        kept = evidence.sealed_items(connection, asked.reference, kept_only=True)
        told = self._documents.authorities(connection, asked.reference)
        scopes.check(
            asked.scope, case.raw,
            items=[item.id for item in kept], named=[item.id for item in items], submissions=told,
        )  # fmt: skip
        if asked.scope.withhold or asked.scope.redact:
            sent = {
                path: content for authority in asked.scope.submissions
                for path, content in self._documents.of(connection, asked.reference, authority)
            }  # fmt: skip
            scopes.check_documents(asked.scope, case.raw, sent)

    def _keep(
        self,
        connection: Connection,
        asked: Asked,
        case: StoredCase,
        items: Sequence[SealedItem],
        recipient: tuple[str, str],
        actor: str,
        witness: Witness,
    ) -> Export:
        export, now, (kind, fingerprint) = token_hex(8), self._clock.now(), recipient
        content = rfc8785.dumps(
            {
                "export": export,
                "reference": asked.reference,
                "revision": case.revision,
                "demand": asked.demand,
                "recipient": kind,
                "envelope": asked.envelope.value,
                "key": fingerprint,
                "items": [{"id": item.id, "item": item.item, "sha256": item.sha256} for item in items],
                "scope": asked.scope.model_dump(mode="json"),
            }
        )
        digest = hashlib.sha256(content).hexdigest()
        statement = self._signed(witness(connection, {"reference": asked.reference, "digest": digest}))
        alone = {} if asked.scope.content else {"approved_at": now, "approved_by": actor, "approved_in": statement}
        seal = self._bodies.seal
        values = {
            "id": export,
            "reference": asked.reference,
            "demand": asked.demand,
            "recipient": kind,
            "envelope": asked.envelope.value,
            "fingerprint": fingerprint,
            "content": bool(items),
            "request_body": seal(connection, asked.reference, REQUEST_BODY, content, now),
            "key_body": seal(connection, asked.reference, KEY_BODY, asked.key, now) if asked.key else None,
            "digest": digest,
            "asked_at": now,
            "asked_by": actor,
            "asked_in": statement,
        }
        connection.execute(insert(REQUEST).values({**values, **alone}))
        if items:
            connection.execute(insert(ITEM), [{"export": export, "evidence_id": item.id} for item in items])
        row = row_of(connection, export)
        if not alone:
            open_task(connection, now, kind=Kind.EXPORT_APPROVE, about=export, reference=asked.reference, actor=actor)
        self._tell(connection, actor, "export_asked", row, f"demand {asked.demand} {kind} sha256:{digest}")
        return export_of(connection, row)

    def _signed(self, statement: str | None) -> str | None:
        if statement is None and self._actors.required:
            raise PolicyError("Outside the sandbox an export is asked for and approved by people who are enrolled.")
        return statement

    def _tell(self, connection: Connection, actor: str, kind: str, row: Row[Any], detail: str) -> None:
        audit.record(
            connection, at=self._clock.now(), actor=actor, kind=kind, reference=row.reference, item=row.id,
            detail=detail,
        )  # fmt: skip
