"""
From a case to one authority: what is lacking, the exact payload, approval, and the freeze.

A submission is derived from the case until its first approval; from then on a row binds the approvals to the digest of
the bytes that were shown. The last approval needed seals those bytes and hands them to delivery in one transaction.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, insert, select, update
from sqlmodel import col

from reporter.actors.service import Witness, unsigned
from reporter.audit import service as audit
from reporter.authority import Check, Environment, EvidenceFacts, Packaging
from reporter.cases.records import StoredCase
from reporter.cases.service import CaseService
from reporter.clock import Clock
from reporter.contacts import naming
from reporter.contacts.model import Named
from reporter.contacts.naming import Naming
from reporter.db.engine import reading, transaction
from reporter.errors import ConfigurationError, ConflictError, Finding, NotFoundError, NotReadyError, PolicyError
from reporter.evidence import service as evidence
from reporter.evidence.bodies import BodyVault
from reporter.submissions import by_hand
from reporter.submissions.approvals import Approvals, Approving
from reporter.submissions.dispatch import Dispatch
from reporter.submissions.duties import URGENT_LEVEL, Duties, level_of
from reporter.submissions.emergencies import Emergencies, require_emergency
from reporter.submissions.frozen import Frozen, freeze, thaw
from reporter.submissions.model import CLOSED_UNFILED, State
from reporter.submissions.overview import entry, linked, receipt
from reporter.submissions.packaging import Desk
from reporter.submissions.results import Approved, FrozenPackage, Preview
from reporter.submissions.routing import Route
from reporter.submissions.supplements import revised_since, submissions_of, supplement_of, to_authority
from reporter.submissions.tables import Submission
from reporter.submissions.viewed import changed, viewed

_SUBMISSION = Submission.__table__  # type: ignore[attr-defined]
_FROZEN = select(
    _SUBMISSION.c.reference, _SUBMISSION.c.package_body, _SUBMISSION.c.environment, _SUBMISSION.c.revision,
    _SUBMISSION.c.digest, _SUBMISSION.c.approved_at,
).where(_SUBMISSION.c.id == bindparam("of"))  # fmt: skip


class SubmissionService:
    """
    The use cases of the submissions room; each method is one transaction.

    ``urgent`` is called after something urgent was approved, so that people hear of what it asks of them at once.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        cases: CaseService,
        desks: Mapping[str, Desk],
        bodies: BodyVault,
        dispatch: Dispatch,
        approvals: Approvals,
        duties: Duties,
        people: Naming,
        emergencies: Emergencies,
        urgent: Callable[[], object] = lambda: None,
    ) -> None:
        self._engine, self._clock, self._cases, self._desks = engine, clock, cases, desks
        self._people, self._emergencies, self._urgent = people, emergencies, urgent
        self._bodies, self._dispatch, self._approvals, self._duties = bodies, dispatch, approvals, duties

    # --- looking --------------------------------------------------------------------------------------------

    def check(self, reference: str) -> dict[str, Check]:
        """Say, for each configured authority that may be told, what the case still lacks and what to know."""
        stored = self._cases.load(reference)
        route, named = self.route_of(stored), self._people.of(stored)
        return {name: self._check(stored, desk, named) for name, desk in self._desks.items() if route.concerns(name)}

    def named(self, reference: str) -> tuple[Named, ...]:
        """Give everybody the case tells of: in which roles, why, and what stands against naming them."""
        return self._people.of(self._cases.load(reference))

    def route(self, reference: str) -> Route:
        """Say what every rule says of the case today: who must be told, who may, who must not, and why."""
        return self.route_of(self._cases.load(reference))

    def route_of(self, stored: StoredCase) -> Route:
        """Say the same of a case that was loaded; of one that people decided is none, no rule says anything."""
        if stored.state == "not_confirmed":
            return Route(())
        return self._duties.router.route(stored.case, self._clock.now().date())

    def preview(self, reference: str, authority: str) -> Preview:
        """Build the exact documents that would be sent now."""
        stored, desk = self._cases.load(reference), self._desk(authority)
        named = self._people.of(stored)
        frozen, check = self._freeze(stored, desk, named), self._check(stored, desk, named)
        with reading(self._engine) as connection:
            row = self.latest(connection, reference, authority, desk.environment)
            facts = evidence.facts(connection, reference, stored.case)
        if row is not None and row.package_body and (items := changed(row.viewed, facts)):
            text = f"version {row.version} is frozen with other facts: the view log has more of {', '.join(items)}"
            check = Check(check.needs, (*check.notes, Finding("evidence", "viewed_since", text)))
        if row is not None:
            check = Check(check.needs, (*check.notes, *revised_since(row, stored.revision)))
        return Preview(frozen.package, check, frozen.digest, named)

    def overview(self, reference: str) -> list[dict[str, Any]]:
        """Give every submission of a case, those not approved yet included, as ``case show --json`` prints them."""
        stored = self._cases.load(reference)
        with transaction(self._engine) as connection:
            rows = submissions_of(connection, reference)
            attempts = self._dispatch.attempts(connection, [row.id for row in rows])
            facts = evidence.facts(connection, reference, stored.case)
        named = self._people.of(stored)
        numbers = {row.id: row.version for row in rows}
        shown = [self._shown(stored, row, attempts.get(row.id, 0), facts, named) | linked(row, numbers) for row in rows]
        filed, route = {(row.authority, row.environment) for row in rows}, self.route_of(stored)
        for name, desk in self._desks.items():
            if (name, desk.environment) not in filed and stored.state != "not_confirmed" and route.concerns(name):
                needs = self._check(stored, desk, named).needs
                state = State.DRAFT if needs else State.READY
                shown.append(entry(name, desk.environment, state, needs=needs))
        return shown

    def where(self, submission_id: str) -> dict[str, str]:
        """Give the case's reference, the authority and the environment of a submission."""
        query = select(col(Submission.reference), col(Submission.authority), col(Submission.environment))
        with transaction(self._engine) as connection:
            row = connection.execute(query.where(col(Submission.id) == submission_id)).one()
        return {"reference": row.reference, "authority": row.authority, "environment": row.environment}

    # --- approving ------------------------------------------------------------------------------------------

    def approve(
        self,
        reference: str,
        actor: str,
        authority: str | None = None,
        witness: Witness = unsigned,
        *,
        alone: str | None = None,
    ) -> list[Approved]:
        """
        Approve a case for one authority, or for every configured one that must be told: all or none.

        ``witness`` signs the digest of what is approved; outside the sandbox an approval without it does not count.
        ``alone`` is why one person is enough, in words: there is an immediate risk; another person reviews it later.

        Raises:
            PolicyError: The case is not confirmed, this person may not approve it (law 1), nothing was signed, or a
                rule forbids the report or asks for none.
            NotReadyError: An authority's rules are not met.
            ConflictError: The case was revised while it was being approved.

        """
        stored = self._cases.load(reference)
        if stored.state != "confirmed":
            raise PolicyError(f"Case {reference} is {stored.state}: only a confirmed case is ever sent (law 1).")
        if alone is not None:
            require_emergency(stored.case, alone)
        if not self._desks:
            raise ConfigurationError("No authority is configured.", next_step="Add an [authority.NAME] section.")
        route = self.route_of(stored)
        desks = {name: self._desk(name) for name in route.addressed(self._desks, authority)}
        with reading(self._engine) as connection:
            destroyed = evidence.destroyed_of(connection, reference, stored.case)
        named = self._people.of(stored)
        checks = {name: self._check(stored, desk, named) for name, desk in desks.items()}
        needs = [need for check in checks.values() for need in check.needs]
        if needs:
            raise NotReadyError(f"Case {reference} is not ready for {', '.join(desks)}.", needs)
        frozen = {name: self._freeze(stored, desk, named) for name, desk in desks.items()}
        with transaction(self._engine) as connection:
            if self._cases.current_revision(connection, reference) != stored.revision:
                raise ConflictError(f"Case {reference} was revised meanwhile.", next_step="Look at it again.")
            if self._people.of(stored, connection) != named:
                raise ConflictError("Contacts changed meanwhile, and so who may be named.", next_step="Look again.")
            if evidence.destroyed_of(connection, reference, stored.case) != destroyed:
                raise ConflictError(f"Evidence of case {reference} is being destroyed.", next_step="Look at it again.")
            self._duties.keep(connection, stored.case, actor)  # the rules may have changed since the case was taken in
            asked = Approving(stored, actor, witness, named, alone)
            approved = [
                self._approve(connection, asked, name, desk.environment, frozen[name], checks[name], route)
                for name, desk in desks.items()
            ]
        if level_of(stored.case) <= URGENT_LEVEL and any(each.state is State.APPROVED for each in approved):
            self._urgent()
        return approved

    def _approve(
        self,
        connection: Connection,
        asked: Approving,
        authority: str,
        environment: Environment,
        frozen: Frozen,
        check: Check,
        route: Route,
    ) -> Approved:
        stored, actor, named = asked.stored, asked.actor, asked.named
        rules, notes = route.grounds(authority), check.notes
        now = self._clock.now()
        row = self.latest(connection, stored.reference, authority, environment)
        if row is not None and State(row.state) not in CLOSED_UNFILED | {State.READY}:
            later = (*notes, *revised_since(row, stored.revision))
            return Approved(authority, environment, State(row.state), row.digest, 0, later, named)
        if frozen.adds_to != ((row and row.supplements) or ""):
            raise ConflictError(
                f"A supplement of case {stored.reference} was begun meanwhile.", next_step="Look again."
            )
        submission_id = self._prepare(connection, row, stored, authority, environment, frozen, rules)
        prepared = self._cases.revision(connection, stored.reference, stored.revision)
        naming.require_two(named, prepared.actor, actor)
        about = {"reference": stored.reference, "authority": authority, "environment": environment.value}
        subject = {**about, "digest": frozen.digest}
        if asked.alone is not None:
            self._emergencies.approve(connection, submission_id, subject, actor, asked.alone, asked.witness)
            missing = 0
        else:
            missing = self._approvals.give(connection, submission_id, subject, prepared, actor, asked.witness)
        audit.record(
            connection, at=now, actor=actor, kind="submission_approval", reference=stored.reference,
            item=submission_id, detail=f"{authority} {environment} sha256:{frozen.digest} rules:{rules or 'none'}",
        )  # fmt: skip
        if missing:
            return Approved(authority, environment, State.READY, frozen.digest, missing, notes, named)
        body = self._bodies.seal(connection, stored.reference, "package", frozen.content, now)
        connection.execute(
            update(Submission)
            .where(col(Submission.id) == submission_id)
            .values(state=State.APPROVED, package_body=body, approved_at=now, viewed=frozen.viewed)
        )
        self._people.remember(connection, submission_id, stored)
        latest = self.latest(connection, stored.reference, authority, environment)
        by_hand.pass_on(connection, now, self._desks[authority], self._dispatch, latest, actor)
        return Approved(authority, environment, State.APPROVED, frozen.digest, 0, notes, named)

    def _prepare(
        self,
        connection: Connection,
        row: Submission | None,
        stored: StoredCase,
        authority: str,
        environment: Environment,
        frozen: Frozen,
        rules: str,
    ) -> str:
        """Give the row that collects approvals of this digest: the one under way, or a new version."""
        values: dict[str, Any] = {
            "revision": stored.revision, "digest": frozen.digest, "urgent": frozen.package.urgent, "rules": rules,
            "level": level_of(stored.case),
        }  # fmt: skip
        if row is not None and row.state == State.READY:
            connection.execute(update(Submission).where(col(Submission.id) == row.id).values(**values))
            return row.id
        return self.new_version(
            connection, row, reference=stored.reference, authority=authority, environment=environment, **values
        )

    def void(self, connection: Connection, reference: str) -> None:
        """Take back what a new revision of the case makes stale; what delivery has begun goes on as frozen."""
        self._dispatch.hold(connection, reference)
        stale = connection.execute(
            update(Submission)
            .where(col(Submission.reference) == reference, col(Submission.state) == State.APPROVED)
            .values(state=State.READY, package_body=None, approved_at=None)
            .returning(_SUBMISSION)
        ).all()
        by_hand.take_back(connection, self._clock.now(), self._desks, self._dispatch, stale)

    # --- for delivery ---------------------------------------------------------------------------------------

    def latest(
        self, connection: Connection, reference: str, authority: str, environment: Environment
    ) -> Submission | None:
        """Give the latest version of a case's submission to one authority."""
        versions = to_authority(submissions_of(connection, reference), authority, environment)
        return versions[-1] if versions else None

    def new_version(
        self,
        connection: Connection,
        before: Submission | None,
        *,
        reference: str,
        authority: str,
        environment: Environment,
        revision: int,
        digest: str,
        urgent: bool,
        level: int,
        rules: str,
        supplements: str | None = None,
    ) -> str:
        """
        Begin the submission that comes after ``before``, and give its id.

        Either ``before`` was never filed and this one takes its place, or it was accepted and ``supplements`` names it.
        """
        submission_id = uuid.uuid4().hex
        connection.execute(
            insert(Submission).values(
                id=submission_id,
                reference=reference,
                authority=authority,
                environment=environment,
                version=before.version + 1 if before else 1,
                revision=revision,
                state=State.READY,
                digest=digest,
                urgent=urgent,
                level=level,
                rules=rules,
                supplements=supplements or (before.supplements if before else None),
                created_at=self._clock.now(),
                reason="",
            )
        )
        return submission_id

    def frozen_package(self, submission_id: str) -> FrozenPackage:
        """Give the package of an approved submission, exactly as approved, and what stands against it since."""
        with reading(self._engine) as connection:
            row = connection.execute(_FROZEN, {"of": submission_id}).one()
            content = self._bodies.open(connection, row.package_body)
            missing = 0
            if row.environment != Environment.SANDBOX:
                prepared = self._cases.revision(connection, row.reference, row.revision)
                digest = hashlib.sha256(content).hexdigest()
                subject = {"reference": row.reference, "digest": digest, "environment": row.environment}
                missing = self._approvals.missing(connection, submission_id, subject, prepared)
                missing = missing if digest == row.digest else max(1, missing)  # approved once, and not what is now
            protected = self._people.became_contacts(connection, submission_id, row.approved_at)
            return FrozenPackage(row.reference, thaw(content), missing, protected)

    # --- parts ----------------------------------------------------------------------------------------------

    def _desk(self, authority: str) -> Desk:
        if authority not in self._desks:
            known = ", ".join(self._desks) or "none"
            raise NotFoundError(f"Authority {authority} is not configured (configured: {known}).")
        return self._desks[authority]

    def _packaging(self, stored: StoredCase, desk: Desk) -> Packaging:
        with transaction(self._engine) as connection:
            versions = to_authority(submissions_of(connection, stored.reference), desk.adapter.name, desk.environment)
            supplement = supplement_of(connection, versions, self._cases, self._dispatch)
            return desk.packaging(connection, stored.reference, stored.case, self._clock.now(), supplement)

    def _check(self, stored: StoredCase, desk: Desk, named: Sequence[Named]) -> Check:
        check = desk.adapter.check(stored.case, self._packaging(stored, desk))
        needs = [*naming.needs(stored.case, named), *check.needs]
        if stored.state != "confirmed":
            text = f"the case is {stored.state}; it is never sent so"
            needs.insert(0, Finding("confirmation.decision", "confirmed", text))
        return Check(tuple(needs), (*naming.notes(stored.case, named), *check.notes))

    def _freeze(self, stored: StoredCase, desk: Desk, named: Sequence[Named]) -> Frozen:
        packaging = self._packaging(stored, desk)
        return freeze(
            desk.adapter.build(stored.case, packaging),
            reference=stored.reference,
            revision=stored.revision,
            environment=desk.environment,
            viewed=viewed(packaging.evidence),
            decided=naming.decided(named),
            supplement=packaging.supplement,
        )

    def _shown(
        self,
        stored: StoredCase,
        row: Submission,
        attempts: int,
        facts: Mapping[str, EvidenceFacts],
        named: Sequence[Named],
    ) -> dict[str, Any]:
        state = State(row.state)
        needs: Sequence[Finding] = ()
        desk = self._desks.get(row.authority)
        if state is State.READY and desk is not None and desk.environment == row.environment:
            needs = self._check(stored, desk, named).needs
            state = State.DRAFT if needs else State.READY
        since = changed(row.viewed, facts) if row.package_body else ()
        return entry(
            row.authority, row.environment, state, version=row.version, attempts=attempts, receipt=receipt(row),
            needs=needs, reason=row.reason, digest=row.digest, viewed_since=since,
        )  # fmt: skip
