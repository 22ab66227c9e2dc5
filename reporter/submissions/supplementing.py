"""Beginning a supplement: only to what the authority has accepted, and only with something new."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine

from reporter.audit import service as audit
from reporter.authority import Environment
from reporter.cases.service import CaseService
from reporter.clock import Clock
from reporter.db.engine import transaction
from reporter.errors import NotFoundError, PolicyError
from reporter.submissions.duties import level_of
from reporter.submissions.model import CLOSED_UNFILED, State
from reporter.submissions.packaging import Desk
from reporter.submissions.service import SubmissionService
from reporter.submissions.tables import Submission


@dataclass(frozen=True, slots=True)
class Begun:
    """A supplement that waits for its approvals; it adds to the version ``adds_to``, whose receipt is named."""

    reference: str
    authority: str
    environment: Environment
    version: int
    adds_to: int
    receipt: str


class SupplementService:
    """The use case; one transaction."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        cases: CaseService,
        submissions: SubmissionService,
        desks: Mapping[str, Desk],
    ) -> None:
        self._engine, self._clock, self._cases = engine, clock, cases
        self._submissions, self._desks = submissions, desks

    def begin(self, reference: str, authority: str, actor: str) -> Begun:
        """
        Begin a supplement to what the authority accepted last, of the case as it is now.

        Raises:
            NotFoundError: The authority is not configured.
            PolicyError: The case is not confirmed, nothing is accepted yet, a supplement is under way already, or the
                case is as it was when it was reported.
        """
        if authority not in self._desks:
            raise NotFoundError(f"Authority {authority} is not configured.")
        environment = self._desks[authority].environment
        with transaction(self._engine) as connection:
            revision = self._cases.current_revision(connection, reference)
            stored = self._cases.load(reference, connection)
            if stored.state != "confirmed":
                raise PolicyError(f"Case {reference} is {stored.state}: only a confirmed case is ever sent (law 1).")
            before = self._submissions.latest(connection, reference, authority, environment)
            if before is None or before.state != State.ACCEPTED:
                raise _too_early(reference, authority, before)
            if revision <= before.revision:
                raise PolicyError(
                    f"Case {reference} has gained nothing since version {before.version} was reported.",
                    next_step="Hand in what turned up: reporter case revise",
                )
            submission_id = self._submissions.new_version(
                connection, before, reference=reference, authority=authority, environment=environment,
                revision=revision, digest="", urgent=False, level=level_of(stored.case),
                rules=self._submissions.route_of(stored).grounds(authority), supplements=before.id,
            )  # fmt: skip
            audit.record(
                connection, at=self._clock.now(), actor=actor, kind="supplement_begun", reference=reference,
                item=submission_id, detail=f"{authority} {environment} to {before.id}",
            )  # fmt: skip
        receipt = before.receipt_reference or ""
        return Begun(reference, authority, environment, before.version + 1, before.version, receipt)


def _too_early(reference: str, authority: str, latest: Submission | None) -> PolicyError:
    what = f"{reference} for {authority}"
    if latest is not None and latest.supplements and latest.state in CLOSED_UNFILED:
        return PolicyError(
            f"The supplement of {what} was not filed ({latest.state}); approving it makes its next version.",
            next_step=f"Mend the case if need be, then: reporter submission approve {reference} --to {authority}",
        )
    if latest is not None and latest.supplements:
        return PolicyError(
            f"A supplement of {what} is under way already ({latest.state.replace('_', ' ')}).",
            next_step="What turned up goes into it: reporter case revise",
        )
    return PolicyError(
        f"{what} is not accepted yet; a supplement follows an accepted report.",
        next_step="What turned up before that goes into the report itself: reporter case revise",
    )
