"""The queue: who works what, and when. One table, claimed by one statement on SQLite and PostgreSQL alike."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Engine,
    ScalarSelect,
    Select,
    String,
    and_,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate
from sqlmodel import col

from reporter.audit import service as audit
from reporter.authority import Outcome
from reporter.clock import Clock
from reporter.db.engine import committed, transaction
from reporter.db.statements import inserting
from reporter.delivery.model import Claim
from reporter.delivery.tables import Circuit, Delivery, LanePause, LateAnswer, LedgerEntry, Quarantine
from reporter.submissions.tables import Submission

ACTOR = "reporter"
#: Priorities: the smaller goes first.
URGENT, ROUTINE = 0, 1
_DELIVERY = Delivery.__table__  # type: ignore[attr-defined]
_REFERENCE = (
    select(col(Submission.reference)).where(col(Submission.id) == _DELIVERY.c.submission_id).scalar_subquery()
).label("reference")


def _runs(lane: ColumnElement[str]) -> ColumnElement[bool]:
    quarantined = exists().where(col(Quarantine.released_at).is_(None))
    return and_(~quarantined, ~exists().where(col(LanePause.lane) == lane))


def _answers(lane: ColumnElement[str]) -> ColumnElement[bool]:
    return ~exists().where(col(Circuit.lane) == lane)


_RUNNING = and_(_runs(_DELIVERY.c.lane), or_(_DELIVERY.c.filing, _answers(_DELIVERY.c.lane)))


def _first(column: ColumnElement[Any], lane: ColumnElement[str], priority: int, *, filing: bool) -> Select[Any]:
    """
    Find the longest due of one kind: one step into ``ix_delivery_due``, however many others wait.

    A lane that stands still is no lane, so that nothing is found in it: SQLite would ask that of each of its rows.
    """
    moving = select(lane).where(_runs(lane), *([] if filing else [_answers(lane)])).scalar_subquery()
    return (
        select(column)
        .where(
            _DELIVERY.c.lane == moving,
            _DELIVERY.c.priority == priority,
            _DELIVERY.c.filing.is_(filing),
            _DELIVERY.c.available_at <= bindparam("now"),
        )
        .order_by(_DELIVERY.c.available_at)
        .limit(1)
    )


def _first_due(lane: ColumnElement[str], priority: int, *, filing: bool) -> ScalarSelect[str]:
    first = _first(_DELIVERY.c.submission_id, lane, priority, filing=filing)
    return first.with_for_update(skip_locked=True).scalar_subquery()


_LANE = bindparam("lane", type_=String)
#: Since when the first of each kind in one lane is due.
_SINCE = select(
    *(
        _first(_DELIVERY.c.available_at, _LANE, priority, filing=filing).scalar_subquery().label(f"{priority}{filing}")
        for priority, filing in itertools.product((URGENT, ROUTINE), (True, False))
    )
)
#: The lanes in which anything waits, one after another: one step into the same index for each.
_NEXT_LANE = select(func.min(_DELIVERY.c.lane)).where(
    _DELIVERY.c.available_at.is_not(None), _DELIVERY.c.lane > bindparam("after", type_=String)
)


@functools.cache
def _claim(lanes: int, urgent_only: bool) -> ReturningUpdate[tuple[str, str, str, int]]:
    """Give the statement that claims in so many lanes: of each kind in turn, the first that is due."""
    kinds = itertools.product((URGENT,) if urgent_only else (URGENT, ROUTINE), (True, False), range(lanes))
    first = [
        _first_due(bindparam(f"lane{lane}", type_=String), priority, filing=filing) for priority, filing, lane in kinds
    ]
    return (
        update(_DELIVERY)
        .where(_DELIVERY.c.submission_id == func.coalesce(*first))
        .values(owner=bindparam("claimant"), fence=_DELIVERY.c.fence + 1, available_at=bindparam("until"))
        .returning(_DELIVERY.c.submission_id, _REFERENCE, _DELIVERY.c.lane, _DELIVERY.c.fence)
    )


class Queue:
    """The deliveries that are waiting, leased or over."""

    def __init__(self, engine: Engine, clock: Clock, lease: timedelta) -> None:
        self._engine, self._clock, self._lease = engine, clock, lease
        self._turns = itertools.count()

    def claim(self, owner: str, lanes: Sequence[str], *, urgent_only: bool = False) -> Claim | None:
        """
        Lease the most urgent delivery that is due in ``lanes``, or give None.

        Filing calls go before others of their urgency, and lanes take turns at being first.
        """
        now, owner = self._clock.now(), f"{owner}#{token_hex(4)}"  # of this one claim: a failover may forget its fence
        if not lanes:
            return None
        turn = next(self._turns) % len(lanes)
        ordered = {f"lane{number}": lane for number, lane in enumerate((*lanes[turn:], *lanes[:turn]))}
        values = {"now": now, "claimant": owner, "until": now + self._lease, **ordered}
        statement = _claim(len(lanes), urgent_only)
        row = committed(self._engine, lambda connection: connection.execute(statement, values).one_or_none())
        return Claim(row.submission_id, row.reference, row.lane, owner, row.fence) if row else None

    def next_due(self, lanes: Sequence[str]) -> datetime | None:
        """Give the moment at which the next delivery comes due or a lease ends; None when all is over or paused."""
        query = select(func.min(_DELIVERY.c.available_at)).where(_DELIVERY.c.lane.in_(lanes), _RUNNING)
        with transaction(self._engine) as connection:
            moment: datetime | None = connection.execute(query).scalar_one_or_none()
        return moment

    def resume(self, lane: str, actor: str) -> bool:
        """Let a paused lane go on; give whether it was paused."""
        with transaction(self._engine) as connection:
            gone: CursorResult[tuple[object]] = connection.execute(delete(LanePause).where(col(LanePause.lane) == lane))
            if gone.rowcount:
                audit.record(connection, at=self._clock.now(), actor=actor, kind="lane_resumed", detail=lane)
            return gone.rowcount > 0

    # --- the Dispatch of the submissions room ---------------------------------------------------------------

    def enqueue(self, connection: Connection, submission_id: str, *, lane: str, urgent: bool, at: datetime) -> None:
        """Make an approved submission due at once, also one that was recalled; urgent ones overtake the rest."""
        due = {"lane": lane, "priority": URGENT if urgent else ROUTINE, "available_at": at}
        connection.execute(
            inserting(connection, _DELIVERY)
            .values(submission_id=submission_id, fence=0, **due)
            .on_conflict_do_update(index_elements=["submission_id"], set_=due)
        )

    def hold(self, connection: Connection, reference: str) -> None:
        """Lock the case's deliveries, so that no worker begins one before this transaction ends."""
        of_case = select(col(Submission.id)).where(col(Submission.reference) == reference)
        connection.execute(
            select(_DELIVERY.c.submission_id).where(_DELIVERY.c.submission_id.in_(of_case)).with_for_update()
        )

    def recall(self, connection: Connection, submission_ids: Collection[str]) -> None:
        """Take submissions that no worker has begun out of the queue; the fence goes on, so no claim outlives this."""
        connection.execute(
            update(_DELIVERY)
            .where(_DELIVERY.c.submission_id.in_(submission_ids))
            .values(available_at=None, owner=None, fence=_DELIVERY.c.fence + 1)
        )

    def attempts(self, connection: Connection, submission_ids: Collection[str]) -> Mapping[str, int]:
        """Count the attempts begun for each submission."""
        rows = connection.execute(
            select(col(LedgerEntry.submission_id), func.max(col(LedgerEntry.attempt)).label("attempts"))
            .where(col(LedgerEntry.submission_id).in_(submission_ids))
            .group_by(col(LedgerEntry.submission_id))
        )
        return {row.submission_id: row.attempts for row in rows}

    def learnt(self, connection: Connection, submission_id: str) -> Mapping[str, str]:
        """Give the remote ids that the authority's own word of a filing brought, late answers included."""
        said = select(col(LedgerEntry.ids)).where(
            col(LedgerEntry.submission_id) == submission_id,
            col(LedgerEntry.outcome).in_([Outcome.ACCEPTED, Outcome.ALREADY]),
        )
        late = (
            select(col(LateAnswer.ids))
            .join(LedgerEntry, col(LedgerEntry.id) == col(LateAnswer.entry_id))
            .where(col(LedgerEntry.submission_id) == submission_id, col(LateAnswer.filed))
        )
        texts = [*connection.execute(said).scalars(), *connection.execute(late).scalars()]
        return {name: value for text in texts for name, value in json.loads(text).items()}


def oldest_due(connection: Connection, now: datetime) -> datetime | None:
    """Give since when a delivery that could be worked has been due; None when none is."""
    moments: list[datetime | None] = []
    lane = ""
    while lane := connection.execute(_NEXT_LANE, {"after": lane}).scalar_one() or "":
        moments += connection.execute(_SINCE, {"lane": lane, "now": now}).one()
    return min((moment for moment in moments if moment is not None), default=None)


def paused_lanes(engine: Engine) -> Mapping[str, str]:
    """Give the paused lanes with the reason of each."""
    with transaction(engine) as connection:
        rows = connection.execute(select(col(LanePause.lane), col(LanePause.reason)))
        return {row.lane: row.reason for row in rows}


def pause(connection: Connection, lane: str, reason: str, at: datetime) -> None:
    """Stop a lane until a person has mended what the authority refuses; safe to repeat."""
    connection.execute(
        inserting(connection, LanePause)
        .values(lane=lane, since=at, reason=reason)
        .on_conflict_do_nothing(index_elements=["lane"])
    )
    audit.record(connection, at=at, actor=ACTOR, kind="lane_paused", detail=lane)
