"""What people ask of tasks: see them, and say that one is done."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, select, update

from reporter.actors.service import Require, names_suffice
from reporter.audit import service as audit
from reporter.clock import Clock
from reporter.db.engine import reading, transaction
from reporter.errors import NotFoundError, PolicyError, UsageError
from reporter.evidence.bodies import BodyVault
from reporter.tasks.model import MEANINGS, Kind, Meaning, Outcome, Task
from reporter.tasks.service import TASK, close_row, open_tasks, task_of

#: The key of words about tasks that belong to no case: too short for a case's reference.
NO_CASE: Final = "tasks"
#: How an authority's own reference of something may look.
RECEIPT = re.compile(r"[!-~]{1,100}")


@dataclass(frozen=True, slots=True)
class Answered:
    """What somebody's word came to; while ``missing`` people have yet to say the same, the task stays open."""

    task: Task
    missing: int


class TaskDesk:
    """The use cases of the tasks room; ``people`` is the most that any takes, ``require`` sees what they signed."""

    def __init__(
        self, engine: Engine, clock: Clock, bodies: BodyVault, people: int, require: Require = names_suffice
    ) -> None:
        self._require = require
        self._engine, self._clock, self._bodies, self._people = engine, clock, bodies, people

    def tasks(self, *, reference: str | None = None, closed_too: bool = False) -> list[Task]:
        """Give the open tasks, of one case or all, what is due first before all; then those closed, if asked for."""
        with reading(self._engine) as connection:
            tasks = open_tasks(connection, reference=reference)
            if closed_too:
                query = select(TASK).where(TASK.c.closed_at.is_not(None)).order_by(TASK.c.closed_at, TASK.c.id)
                query = query if reference is None else query.where(TASK.c.reference == reference)
                tasks += [task_of(row) for row in connection.execute(query)]
        return tasks

    def show(self, number: int) -> Task:
        """
        Give one task.

        Raises:
            NotFoundError: There is none of that number.
        """
        with reading(self._engine) as connection:
            return task_of(_row(connection, number))

    def reasons(self, number: int, actor: str) -> list[tuple[str, str]]:
        """Give who said what about a task, in their own words; that somebody read it is recorded."""
        with transaction(self._engine) as connection:
            row = _row(connection, number)
            bodies = ((row.proposed_by, row.reason_body), (row.closed_by, row.closed_reason_body))
            told = [(who or "", self._bodies.open(connection, body).decode()) for who, body in bodies if body]
            self._tell(connection, "words_read", row, actor, f"task {row.id}")
        return told

    def done(self, number: int, actor: str, outcome: Outcome, reason: str, receipt: str = "") -> Answered:
        """
        Say that a task is done or not needed; where it takes two, the second person says the same as the first.

        Another word than the first one's takes its place.

        Raises:
            UsageError: There are no words, or the receipt is none or is missing.
            PolicyError: It is closed, its own command moves it, one person says both words, or one signed nothing.
        """
        if not reason.strip():
            raise UsageError("--reason needs words.")
        with transaction(self._engine) as connection:
            row = _row(connection, number, hold=True)
            meaning = _movable(row, outcome)
            _require_receipt(meaning, outcome, receipt)
            now = self._clock.now()
            body = self._bodies.seal(connection, row.reference or NO_CASE, "reason", reason.encode(), now)
            said, people = (outcome.value, receipt), min(meaning.people, self._people)
            again = row.proposed_by is not None and (row.outcome, row.receipt) == said
            if again and row.proposed_by == actor:
                raise PolicyError(
                    f"{actor} said so already, and a different person must confirm it.",
                    next_step="Ask a colleague to run the same command with --as NAME.",
                )
            if not again:
                first = {"proposed_by": actor, "proposed_at": now, "reason_body": body}
                values = {"outcome": outcome.value, "receipt": receipt, **first}
                connection.execute(update(TASK).where(TASK.c.id == number).values(values))
            if not again and people > 1:
                self._tell(connection, "task_proposed", row, actor, f"{row.kind} {row.about} {outcome}")
                return Answered(task_of(_row(connection, number)), people - 1)
            signed = {"number": str(number), "not_needed": str(outcome is Outcome.NOT_NEEDED)}
            acts = {"task done": {**signed, **({"receipt": receipt} if receipt else {})}}
            for who, at in ({row.proposed_by: row.proposed_at} if again else {}).items() | {(actor, now)}:
                self._require(connection, who, acts, at)
            words = {"closed_reason_body": body} if again else {}
            close_row(connection, now, row, actor=actor, outcome=outcome.value, receipt=receipt, **words)
            return Answered(task_of(_row(connection, number)), 0)

    def _tell(self, connection: Connection, kind: str, row: Row[Any], actor: str, detail: str) -> None:
        audit.record(
            connection, at=self._clock.now(), actor=actor, kind=kind, reference=row.reference, item=str(row.id),
            detail=detail,
        )  # fmt: skip


def _row(connection: Connection, number: int, *, hold: bool = False) -> Row[Any]:
    query = select(TASK).where(TASK.c.id == number)
    row = connection.execute(query.with_for_update() if hold else query).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no task {number}.", next_step="See: reporter task list")
    return row


def _movable(row: Row[Any], outcome: Outcome) -> Meaning:
    """Give what a task means of which a person may say this."""
    meaning = MEANINGS[Kind(row.kind)]
    if row.closed_at is not None:
        raise PolicyError(f"Task {row.id} is closed ({row.outcome.replace('_', ' ')}).")
    if not meaning.by_hand and not (meaning.dispensable and outcome is Outcome.NOT_NEEDED):
        raise PolicyError(f"Task {row.id} is done by its own command.", next_step=task_of(row).next_step)
    return meaning


def _require_receipt(meaning: Meaning, outcome: Outcome, receipt: str) -> None:
    if receipt and not RECEIPT.fullmatch(receipt):
        raise UsageError("--receipt needs the authority's reference: up to 100 printable characters without spaces.")
    if meaning.receipt and outcome is Outcome.DONE and not receipt:
        raise UsageError(
            "This task takes the reference that the authority gave.",
            next_step="Give --receipt N; where it gives none: --receipt none, and say in --reason who took it.",
        )
    if receipt and (outcome is Outcome.NOT_NEEDED or not meaning.receipt):
        raise UsageError("--receipt has no place here.")
