"""
Keeps tasks in step with deliveries: what an authority accepted is no task any more, and what is urgent and stuck, or
sent while the authority's office is closed, is telephoned by a person.

Everything is derived from what is on record, so what was missed while nothing ran is found by the next look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, or_, select
from sqlmodel import col

from reporter.delivery.forgotten import standing
from reporter.delivery.model import lane_name
from reporter.delivery.queue import ACTOR
from reporter.delivery.tables import Circuit, LanePause
from reporter.rules.calendar import OfficeHours, add
from reporter.rules.model import Length
from reporter.submissions.duties import LEVELS
from reporter.submissions.latest import is_latest
from reporter.submissions.model import NEEDS_PERSON, State
from reporter.submissions.routing import Router, telephone_rule
from reporter.submissions.tables import Submission
from reporter.tasks.model import Kind, Outcome
from reporter.tasks.service import TASK, close_row, open_task

#: How soon somebody telephones about an immediate risk that is past its clock, where no rule says more: a house rule.
CALL_WITHIN = Length(minutes=15)
#: How long one that nobody must send, and that has no clock, may wait after its approval: the same.
_PATIENCE = timedelta(minutes=CALL_WITHIN.minutes)
#: What was accepted longer ago is not looked at again.
_LOOKED_AT = timedelta(days=7)
_UNDER_WAY = (State.APPROVED, State.DELIVERING, *sorted(NEEDS_PERSON))
_PER_SUBMISSION = (Kind.OUT_OF_HOURS.value, Kind.CONTINGENCY.value)
_BY_PEOPLE = tuple(outcome.value for outcome in Outcome)


@dataclass(frozen=True, slots=True)
class Clocks:
    """Opens and closes the tasks that deliveries ask for; every call joins the caller's transaction."""

    router: Router

    def keep(self, connection: Connection, now: datetime) -> None:
        """Look once, at everything."""
        self._end(connection, now)
        self._telephone(connection, now)
        self._call(connection, now)

    def _end(self, connection: Connection, now: datetime) -> None:
        """Close what is over. Rows are taken in their order, as by everybody who closes several."""
        for row in connection.execute(_ACCEPTED).all():
            close_row(connection, now, row, actor=ACTOR, outcome=State.ACCEPTED)
        for row in connection.execute(_NOT_ASKED).all():
            close_row(connection, now, row, actor=ACTOR, outcome="not_asked")
        for row in connection.execute(_ENDED).all():
            if row.kind == Kind.CONTINGENCY or row.state != State.ACCEPTED:
                close_row(connection, now, row, actor=ACTOR, outcome=row.state)

    def _telephone(self, connection: Connection, now: datetime) -> None:
        """Have authorities telephoned that ask for it: out of hours, and while they do not take what is urgent."""
        urgent = connection.execute(_urgent(now)).all()
        known = _known(connection, _PER_SUBMISSION, [row.id for row in urgent])
        down = _down(connection)
        for row in urgent:
            asked = self.router.telephone(row.authority, now.date())
            if asked is None or row.level not in {LEVELS[urgency] for urgency in asked[1].urgency}:
                continue
            rule, telephone, within = asked
            accepted = row.state == State.ACCEPTED
            closed = OfficeHours.of(telephone).closed_from(row.approved_at)
            since = {Kind.OUT_OF_HOURS: closed if closed <= (row.receipt_at if accepted else now) else None}
            if not accepted:
                stuck = now if row.state in NEEDS_PERSON else down.since(lane_name(row.authority, row.environment))
                since[Kind.CONTINGENCY] = max(stuck, row.approved_at) if stuck else None
            for kind, arose in since.items():
                if arose and (kind, row.id) not in known:
                    open_task(
                        connection, now, kind=kind, about=row.id, reference=row.reference, authority=row.authority,
                        level=row.level, due=add(arose, within, late=False), rule=telephone_rule(rule),
                        actor=ACTOR,
                    )  # fmt: skip

    def _call(self, connection: Connection, now: datetime) -> None:
        """Have any authority telephoned whose report of an immediate risk is past its clock, or has none and waits."""
        late = connection.execute(_LATE.where(TASK.c.due <= now)).all()
        waited = connection.execute(_BY_CHOICE.where(col(Submission.approved_at) <= now - _PATIENCE)).all()
        arose = [*((row, row.due) for row in late), *((row, row.due + _PATIENCE) for row in waited)]
        known = _known(connection, [Kind.URGENT_CALL.value], [row.about for row, _ in arose])
        for row, since in arose:
            if (Kind.URGENT_CALL, row.about) not in known:
                asked = self.router.telephone(row.authority, now.date())
                due = add(since, asked[2] if asked else CALL_WITHIN, late=False)
                open_task(
                    connection, now, kind=Kind.URGENT_CALL, about=row.about, reference=row.reference,
                    authority=row.authority, level=row.level, due=due, rule=row.rule, actor=ACTOR,
                )  # fmt: skip


#: What a report of a submission is about, as ``duties.lane_matter`` writes it.
_MATTER = col(Submission.reference) + " " + col(Submission.authority) + " " + col(Submission.environment)


def accepted_report() -> ColumnElement[bool]:
    """Give the condition that a submission is the accepted one that a report, or a call about it, is about."""
    return and_(
        col(Submission.reference) == TASK.c.reference, col(Submission.state) == State.ACCEPTED, TASK.c.about == _MATTER
    )


_OPEN = TASK.c.closed_at.is_(None)
#: Reports that their authority has accepted, and the calls about them.
_ACCEPTED = (
    select(TASK)
    .where(
        _OPEN,
        TASK.c.kind.in_([Kind.REPORT.value, Kind.URGENT_CALL.value]),
        exists().where(accepted_report()),
    )
    .order_by(TASK.c.id)
    .with_for_update()
)
_REPORT = TASK.alias()
#: Calls about reports that nobody asks for any more.
_NOT_ASKED = (
    select(TASK)
    .where(
        _OPEN,
        TASK.c.kind == Kind.URGENT_CALL.value,
        ~exists().where(
            _REPORT.c.kind == Kind.REPORT.value, _REPORT.c.about == TASK.c.about, _REPORT.c.closed_at.is_(None)
        ),
        ~exists().where(
            col(Submission.reference) == TASK.c.reference,
            col(Submission.state).in_(_UNDER_WAY),
            TASK.c.about == _MATTER,
        ),
    )
    .order_by(TASK.c.id)
    .with_for_update()
)
#: Calls about submissions that are over, or were taken back.
_ENDED = (
    select(TASK, col(Submission.state).label("state"))
    .join(Submission, col(Submission.id) == TASK.c.about)
    .where(_OPEN, TASK.c.kind.in_(_PER_SUBMISSION), col(Submission.state).not_in(_UNDER_WAY))
    .order_by(TASK.c.id)
    .with_for_update(of=TASK)
)
#: Submissions of an immediate risk that are sent by choice, so that no report has a clock.
_BY_CHOICE: Any = select(
    _MATTER.label("about"), col(Submission.reference), col(Submission.authority), col(Submission.level),
    col(Submission.rules).label("rule"), col(Submission.approved_at).label("due"),
).where(
    col(Submission.level) == 1, col(Submission.state).in_(_UNDER_WAY), is_latest(),
    ~exists().where(_REPORT.c.kind == Kind.REPORT.value, _REPORT.c.closed_at.is_(None), _REPORT.c.about == _MATTER),
)  # fmt: skip
#: Reports of an immediate risk; those past their clock are chosen by the caller.
_LATE = select(TASK).where(_OPEN, TASK.c.kind == Kind.REPORT.value, TASK.c.level == 1).order_by(TASK.c.id)


def _urgent(now: datetime) -> Select[Any]:
    """Ask for approved submissions of levels 1 and 2 under way, or accepted a short while ago."""
    names = ("id", "reference", "authority", "environment", "state", "level", "approved_at", "receipt_at")
    return select(*(getattr(Submission, name) for name in names)).where(
        col(Submission.level).in_([1, 2]),
        col(Submission.approved_at).is_not(None),
        is_latest(),
        or_(
            col(Submission.state).in_(_UNDER_WAY),
            and_(col(Submission.state) == State.ACCEPTED, col(Submission.receipt_at) > now - _LOOKED_AT),
        ),
    )


def _known(connection: Connection, kinds: Iterable[str], matters: Iterable[str]) -> set[tuple[Kind, str]]:
    """Give the tasks about these matters that are open, or that people have closed."""
    about = list(matters)
    if not about:
        return set()
    query = select(TASK.c.kind, TASK.c.about).where(
        TASK.c.kind.in_(kinds), TASK.c.about.in_(about), or_(_OPEN, TASK.c.outcome.in_(_BY_PEOPLE))
    )
    return {(Kind(row.kind), row.about) for row in connection.execute(query)}


@dataclass(frozen=True, slots=True)
class _Down:
    """Lanes on which nothing is taken now, each with since when; ``everywhere`` when deliveries are quarantined."""

    lanes: Mapping[str, datetime]
    everywhere: datetime | None

    def since(self, lane: str) -> datetime | None:
        return min(filter(None, (self.everywhere, self.lanes.get(lane))), default=None)


def _down(connection: Connection) -> _Down:
    resting = select(col(Circuit.lane), col(Circuit.opened_at))
    paused = select(col(LanePause.lane), col(LanePause.since))
    lanes: dict[str, datetime] = {}
    for query in (resting, paused):
        for lane, since in connection.execute(query):
            lanes[lane] = min(since, lanes.get(lane, since))
    quarantine = standing(connection)
    return _Down(lanes, quarantine.since if quarantine else None)
