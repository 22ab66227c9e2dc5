"""
From what the rules ask of a case to tasks with clocks: who must judge it, whom a report goes to, who is told by hand.

It is asked with every document that is put on record, and again when a case is approved or looked at anew: what is not
asked any more is closed, and what was done once is not asked again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, select
from sqlmodel import col

from reporter.authority import Environment
from reporter.cases.model import Case
from reporter.cases.records import CaseState
from reporter.cases.service import CaseService
from reporter.clock import Clock
from reporter.db.engine import transaction
from reporter.errors import CustodyError, NotFoundError, UsageError
from reporter.rules.calendar import add
from reporter.rules.evaluate import Obligation
from reporter.rules.model import Means, Urgency, Verdict
from reporter.submissions.model import State
from reporter.submissions.routing import Route, Router, facts
from reporter.submissions.tables import Submission
from reporter.tasks.model import Basis, Kind, Outcome
from reporter.tasks.service import TASK, close_task, open_task, open_tasks

#: The tasks that follow from a case alone.
KINDS = (Kind.JUDGE, Kind.REPORT, Kind.TELL, Kind.MAY_TELL)
#: SI 2026/268 reg. 6(6) knows three levels by these grounds; elsewhere they only order what waits.
LEVELS: Mapping[Urgency, int] = {"immediate": 1, "near_future": 2, "routine": 3}
#: Up to this level people hear at once of what it asks of them.
URGENT_LEVEL = 2
_SETTLED_BY_HAND = (Kind.REPORT.value, Kind.TELL.value, Kind.MAY_TELL.value)
_DONE = tuple(outcome.value for outcome in Outcome)


def lane_matter(reference: str, authority: str, environment: str) -> str:
    """Name what a report of one case to one authority in one environment is about."""
    return f"{reference} {authority} {environment}"


def level_of(case: Case) -> int:
    """Give how urgent a case is, from 1 (immediate risk) to 3."""
    return LEVELS[facts(case).urgency]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A task that the rules ask for."""

    kind: Kind
    about: str
    authority: str = ""
    due: datetime | None = None
    basis: Basis = Basis.TARGET
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Duties:
    """Keeps the tasks of a case what the rules ask; ``environments`` are those of the authorities configured."""

    router: Router
    environments: Mapping[str, Environment]
    clock: Clock

    def keep(self, connection: Connection, case: Case, actor: str) -> None:
        """Open and close tasks as the rules ask of this document today, in the caller's transaction."""
        now, reference = self.clock.now(), case.reference
        asked = self._by_matter(case, now)
        standing = open_tasks(connection, reference=reference, kinds=KINDS)
        for task in sorted(standing, key=lambda task: task.id):  # as everybody who closes several, lest two wait
            if (task.kind, task.about) not in asked:
                close_task(
                    connection, now, kind=task.kind, about=task.about, actor=actor,
                    outcome=f"case_{case.confirmation.decision}",
                )  # fmt: skip
        level = level_of(case)
        done = _done(connection, reference) if asked else frozenset()
        for key, each in asked.items():
            if key not in done:
                open_task(
                    connection, now, kind=each.kind, about=each.about, reference=reference, authority=each.authority,
                    level=level, due=each.due, basis=each.basis, rule=each.rule, actor=actor, exactly=True,
                )  # fmt: skip

    def stale(self, connection: Connection, case: Case) -> bool:
        """Whether the open tasks of a case are not what the rules ask today, so that ``keep`` would change them."""
        asked, done = self._by_matter(case, self.clock.now()), _done(connection, case.reference)
        tasks = open_tasks(connection, reference=case.reference, kinds=KINDS)
        standing = {(task.kind, task.about): task for task in tasks}
        wanted = {
            key: (each.due, each.basis, each.rule, level_of(case)) for key, each in asked.items() if key not in done
        }
        clocks = {key: (task.due, task.basis, task.rule, task.level) for key, task in standing.items()}
        return not standing.keys() <= asked.keys() or not wanted.items() <= clocks.items()

    def request(
        self, connection: Connection, authority: str, number: str, received: datetime, reference: str | None, actor: str
    ) -> int:
        """
        Record that an authority asked for information, with the clock of the rule that was in force; give the task.

        Raises:
            UsageError: It was received in the future, or no rule gives such a request a clock.
        """
        now = self.clock.now()
        if received > now:
            raise UsageError("--received lies in the future.")
        for rule, deadline in self.router.served(authority, received.date()):
            return open_task(
                connection, now, kind=Kind.REQUEST, about=f"{authority} {number}", reference=reference,
                authority=authority, due=add(received, deadline, late=False), basis=Basis.LAW,
                rule=f"{rule.id}/{rule.version}", actor=actor,
            )  # fmt: skip
        raise UsageError(f"No rule in force gives a request of {authority} a clock.")

    def _by_matter(self, case: Case, now: datetime) -> dict[tuple[Kind, str], _Asked]:
        return {(each.kind, each.about): each for each in self._asked(case, now)}

    def _asked(self, case: Case, now: datetime) -> Iterator[_Asked]:
        if case.confirmation.decision not in ("confirmed", "pending"):
            return
        tasks = list(self._of(case.reference, self.router.route(case, now.date())))
        if case.confirmation.decision == "confirmed":
            yield from tasks
        elif tasks:
            first = min(tasks, key=lambda each: (each.due is None, each.due or now))
            yield _Asked(Kind.JUDGE, case.reference, "", first.due, first.basis, first.rule)

    def _of(self, reference: str, route: Route) -> Iterator[_Asked]:
        """Give the tasks of a confirmed case, one for each authority."""
        for name in route.goes_to(self.environments):
            matter = lane_matter(reference, name, self.environments[name])
            yield _first(Kind.REPORT, matter, name, _must(route.of(name)))
        others = {said.rule.authority for said in _must(route.obligations)} - self.environments.keys()
        for name in sorted(others):
            if telling := [said for said in _must(route.of(name)) if said.rule.means is not Means.NONE]:
                yield _first(Kind.TELL, f"{reference} {name}", name, telling)
        for name in sorted({said.instead for said in route.obligations if said.instead}):
            may = [said for said in route.of(name) if said.verdict is Verdict.MAY]
            yield _first(Kind.MAY_TELL, f"{reference} {name}", name, may)


def ask_again(engine: Engine, cases: CaseService, duties: Duties, actor: str) -> tuple[int, list[str]]:
    """Ask the rules about every case that is not over; give how many, and those that could not be read."""
    waiting = [entry.reference for entry in cases.list() if entry.state in (CaseState.PENDING, CaseState.CONFIRMED)]
    unread = []
    for reference in waiting:
        try:
            with transaction(engine) as connection:
                cases.current_revision(connection, reference)
                duties.keep(connection, cases.load(reference, connection).case, actor)
        except (CustodyError, NotFoundError):
            unread.append(reference)
    return len(waiting) - len(unread), unread


def _must(said: Iterable[Obligation]) -> list[Obligation]:
    return [each for each in said if each.verdict is Verdict.MUST]


def _first(kind: Kind, about: str, authority: str, said: Sequence[Obligation]) -> _Asked:
    """Give the task with the soonest of its clocks."""
    clocks = [(due.by, due.by_law, each.rule) for each in said if (due := each.due) and due.by]
    by, by_law, rule = min(clocks, key=lambda clock: clock[0], default=(None, False, None))
    if by is None or rule is None:
        return _Asked(kind, about, authority, rule=next((f"{each.rule.id}/{each.rule.version}" for each in said), ""))
    return _Asked(kind, about, authority, by, Basis.LAW if by_law else Basis.TARGET, f"{rule.id}/{rule.version}")


def _done(connection: Connection, reference: str) -> frozenset[tuple[Kind, str]]:
    """Give what was done once: reports accepted, and what people said is done or not needed."""
    accepted = select(col(Submission.authority), col(Submission.environment)).where(
        col(Submission.reference) == reference, col(Submission.state) == State.ACCEPTED
    )
    told = select(TASK.c.kind, TASK.c.about).where(
        TASK.c.reference == reference, TASK.c.kind.in_(_SETTLED_BY_HAND), TASK.c.closed_at.is_not(None),
        TASK.c.outcome.in_(_DONE),
    )  # fmt: skip
    reports = {(Kind.REPORT, lane_matter(reference, *row)) for row in connection.execute(accepted)}
    return frozenset(reports | {(Kind(row.kind), row.about) for row in connection.execute(told)})
