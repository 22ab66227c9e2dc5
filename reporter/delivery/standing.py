"""What is not settled yet, the worst first: what is known of it, why it waits, and what settles it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, and_, case, exists, func, select
from sqlmodel import col

from reporter.audit import service as audit
from reporter.authority import Outcome
from reporter.clock import Clock
from reporter.db.engine import transaction
from reporter.delivery.decisions import Decisions, Proposal
from reporter.delivery.ledger import Ledger, answer_in
from reporter.delivery.model import DECISIONS, Entry
from reporter.delivery.tables import Delivery
from reporter.evidence.bodies import BodyVault
from reporter.submissions.model import State
from reporter.submissions.tables import Submission

_SUBMISSION = Submission.__table__  # type: ignore[attr-defined]
#: What is not settled, the worst first.
ORDER = (State.IN_DOUBT, State.ATTENTION, State.REJECTED, State.DELIVERING, State.APPROVED)
_RANK = case({state.value: rank for rank, state in enumerate(ORDER)}, value=_SUBMISSION.c.state)
_NEWER = _SUBMISSION.alias("newer")
_IS_NEWER = (
    *(_NEWER.c[name] == _SUBMISSION.c[name] for name in ("reference", "authority", "environment")),
    _NEWER.c.version > _SUBMISSION.c.version,
)


@dataclass(frozen=True, slots=True)
class Standing:
    """
    One submission that is not settled.

    ``ids`` are what the authority calls it in the present attempt, ``sent`` the steps that it took, ``due`` when a
    worker goes on with it (or may, while another holds it).
    """

    reference: str
    authority: str
    environment: str
    version: int
    state: State
    reason: str
    receipt: str
    approved_at: datetime | None
    due: datetime | None
    calls: Sequence[Entry]
    proposal: Proposal | None

    @property
    def attempts(self) -> int:
        """How many attempts were begun."""
        return max((call.attempt for call in self.calls), default=0)

    @property
    def last(self) -> Entry | None:
        """The last call that was made."""
        return next((call for call in reversed(self.calls) if call.step not in DECISIONS), None)

    @property
    def ids(self) -> Mapping[str, str]:
        """The remote ids learnt in the present attempt."""
        present = (call for call in self.calls if call.attempt == self.attempts)
        return {name: value for call in present for name, value in call.ids.items()}

    @property
    def sent(self) -> Sequence[str]:
        """The steps that the authority took in the present attempt."""
        return [c.step for c in self.calls if c.attempt == self.attempts and c.outcome is Outcome.ACCEPTED]

    @property
    def asked(self) -> Entry | None:
        """The last call that carries the authority's own id of the request: what to quote when asking there."""
        return next((call for call in reversed(self.calls) if call.request_id), None)


@dataclass(frozen=True, slots=True)
class Words:
    """What an authority answered to one call, in its own words, and what people said when they decided about it."""

    authority: str
    environment: str
    version: int
    call: Entry | None
    answer: bytes = field(repr=False)
    reasons: Sequence[tuple[str, str]] = field(repr=False)


class StandingService:
    """Looks at submissions that are not settled."""

    def __init__(self, database: Engine, clock: Clock, ledger: Ledger, bodies: BodyVault) -> None:
        self._database, self._clock, self._ledger, self._bodies = database, clock, ledger, bodies
        self._decisions = Decisions(bodies, clock)

    def unsettled(self, *, in_doubt: bool = False, limit: int = 100) -> tuple[Sequence[Standing], int]:
        """Give what is not settled, the worst first and of these the urgent and oldest, and how many it is in all."""
        states = (State.IN_DOUBT,) if in_doubt else ORDER
        which = and_(_SUBMISSION.c.state.in_(states), ~exists().where(*_IS_NEWER))
        query = (
            select(_SUBMISSION, col(Delivery.available_at))
            .outerjoin(Delivery, col(Delivery.submission_id) == _SUBMISSION.c.id)
            .where(which)
            .order_by(_RANK, _SUBMISSION.c.urgent.desc(), _SUBMISSION.c.created_at)
            .limit(limit)
        )
        with transaction(self._database) as connection:
            count = connection.execute(select(func.count()).select_from(_SUBMISSION).where(which)).scalar_one()
            return [self._standing(connection, row) for row in connection.execute(query).all()], count

    def _standing(self, connection: Connection, row: Any) -> Standing:
        return Standing(
            reference=row.reference,
            authority=row.authority,
            environment=row.environment,
            version=row.version,
            state=State(row.state),
            reason=row.reason,
            receipt=row.receipt_reference or "",
            approved_at=row.approved_at,
            due=row.available_at,
            calls=self._ledger.entries(connection, row.id),
            proposal=self._decisions.proposal(connection, row.id),
        )

    def words(self, reference: str, actor: str) -> Sequence[Words]:
        """
        Give the sealed words about a case: the refusing answer of each submission, or the last; who reads is recorded.

        Raises:
            CustodyError: They do not open.
        """
        with transaction(self._database) as connection:
            rows = connection.execute(
                select(_SUBMISSION).where(_SUBMISSION.c.reference == reference).order_by(_SUBMISSION.c.created_at)
            ).all()
            return [self._words(connection, row, actor) for row in rows]

    def _words(self, connection: Connection, row: Any, actor: str) -> Words:
        kept = [call for call in self._ledger.entries(connection, row.id) if call.exchange_body]
        refusals = [call for call in kept if call.outcome is Outcome.REJECTED]
        call = next(reversed(refusals or kept), None)
        answer = answer_in(self._bodies.open(connection, call.exchange_body)) if call and call.exchange_body else b""
        reasons = self._decisions.reasons(connection, row.id)
        audit.record(
            connection, at=self._clock.now(), actor=actor, kind="words_read", reference=row.reference, item=row.id,
            detail=f"{row.authority} {row.environment} {call.step if call else ''}".strip(),
        )  # fmt: skip
        return Words(row.authority, row.environment, row.version, call, answer, reasons)
