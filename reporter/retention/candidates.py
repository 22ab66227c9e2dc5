"""Which cases may be due: found by their rows alone; each is then asked for all its clocks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Engine, exists, or_, select
from sqlmodel import col

from reporter.cases.records import CaseState
from reporter.cases.tables import CaseRecord
from reporter.config import Retention
from reporter.db.engine import reading
from reporter.retention.model import Part, Side
from reporter.retention.tables import Disposition, DispositionEntry, RetentionClock
from reporter.submissions.model import State
from reporter.submissions.tables import Submission

_PAGE = 200


def candidates(database: Engine, now: datetime, settings: Retention) -> Iterator[str]:
    """Give the cases that no started floor keeps and that wait in no disposition, in order, page by page."""
    of_case = col(RetentionClock.reference) == col(CaseRecord.reference)
    stands = or_(col(RetentionClock.ends).is_(None), col(RetentionClock.ends) > now)
    material = col(RetentionClock.part) == Part.MATERIAL, col(RetentionClock.side) == Side.FLOOR
    kept = exists().where(of_case, *material, stands)
    under_way = exists().where(
        col(Submission.reference) == col(CaseRecord.reference),
        col(Submission.state).in_((State.APPROVED, State.DELIVERING, State.IN_DOUBT, State.ATTENTION)),
    )
    waiting = exists().where(
        col(DispositionEntry.reference) == col(CaseRecord.reference),
        col(DispositionEntry.batch) == col(Disposition.number),
        col(Disposition.withdrawn_at).is_(None),
        col(Disposition.carried_out_at).is_(None),
    )
    old = col(CaseRecord.created_at) <= now - timedelta(days=min(settings.unfiled_days, settings.unruled_days))
    capped = exists().where(of_case, col(RetentionClock.side) == Side.CAP, col(RetentionClock.ends) < now)
    query = (
        select(col(CaseRecord.reference))
        .where(or_(old, capped), col(CaseRecord.state) != CaseState.DESTROYED, ~kept, ~under_way, ~waiting)
        .order_by(col(CaseRecord.reference))
        .limit(_PAGE)
    )
    after = ""
    while True:
        with reading(database) as connection:
            page = list(connection.execute(query.where(col(CaseRecord.reference) > after)).scalars())
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1]
