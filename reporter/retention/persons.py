"""
What people ask of their own data (Regulation (EU) 2016/679, arts 15 and 17), answered by rule and without tipping off.

Whoever asks gets the same words whether a case names them or not: a different answer would say that there is a report.
What was found stays inside, as codes. Nothing here erases anything; what a law, a hold or an extension keeps is never
reached, and what nothing keeps any more goes by disposition.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import Field, ValidationError
from sqlalchemy import Connection, Engine, insert, select, update

from reporter.cases.scalars import Part, Timestamp, instant
from reporter.clock import Clock as Time
from reporter.db.engine import reading, transaction
from reporter.errors import DocumentError, Finding, NotFoundError, PolicyError, UsageError
from reporter.retention import reach
from reporter.retention.clocks import Clocks
from reporter.retention.demand import Scope, Subject
from reporter.retention.refusals import Refusals
from reporter.retention.subjects import Subjects
from reporter.retention.tables import LegalDemand, PersonRequest
from reporter.retention.words import Words, tell
from reporter.rules.calendar import cap_ends
from reporter.rules.model import Length
from reporter.tasks.model import Basis, Kind
from reporter.tasks.service import close_task, open_task

_REQUEST = PersonRequest.__table__  # type: ignore[attr-defined]
_DEMAND = LegalDemand.__table__  # type: ignore[attr-defined]
#: "within one month of receipt of the request" (Regulation (EU) 2016/679, art. 12(3)).
_ONE_MONTH = Length(months=1)


class Right(StrEnum):
    """What is asked for."""

    ACCESS = "access"  # art. 15
    ERASURE = "erasure"  # art. 17


#: What may be said, word for word the same to everybody; a draft for the organisation's counsel.
ANSWERS: Final = {
    Right.ERASURE: (
        "We erase the data named in your request as far as we may. Data that a law obliges us to keep, or that is "
        "needed for legal claims, is kept for as long as that law says and used for nothing else (Regulation (EU) "
        "2016/679, art. 17(3)(b) and (e)). We give this answer to everybody who asks, whether or not we hold such data."
    ),
    Right.ACCESS: (
        "With this you get a copy of the data that we may give you. A copy never includes data whose disclosure the "
        "law restricts or that would harm the rights of others (Regulation (EU) 2016/679, arts 15(4) and 23). We give "
        "this answer to everybody who asks, whether or not we hold such data."
    ),
}


class Found(StrEnum):
    """What was found, for those inside; never said to who asked."""

    NOTHING = "nothing"  # no case names them
    KEPT = "kept"  # a law, a hold or an extension keeps what there is
    UNDISCLOSED = "undisclosed"  # a demand forbids to tell of it: counsel looks before anything is sent
    DUE = "due"  # nothing keeps it any more: it goes by disposition


class RequestDocument(Part):
    """A request as it came, version 1; by whom, only as far as they are known by it."""

    request_version: Literal[1]
    right: Right = Field(strict=False)
    received_at: Timestamp
    subjects: list[Subject] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Request:
    """One request: by when it must be answered, what was found, and what may be said."""

    number: int
    right: Right
    received_at: datetime
    due_at: datetime
    found: Found
    recorded_by: str
    answered_by: str | None
    answered_at: datetime | None

    @property
    def answer(self) -> str:
        """Give the words that may be said."""
        return ANSWERS[self.right]


class PersonRequests:
    """The use cases of people's requests."""

    def __init__(
        self, database: Engine, time: Time, words: Words, subjects: Subjects, clocks: Clocks, refusals: Refusals
    ) -> None:
        self._database, self._time, self._words = database, time, words
        self._subjects, self._clocks, self._refusals = subjects, clocks, refusals

    def record(self, data: bytes, actor: str) -> tuple[Request, Sequence[str]]:
        """
        Record a request, and give it with the cases that name the person.

        Raises:
            DocumentError: The document breaks its contract.
            UsageError: It was received in the future.
        """
        document, now = _read(data), self._time.now()
        received = instant(document.received_at)
        with self._refusals.recorded(actor, "request"):
            if received > now:
                raise UsageError("The request was received in the future: look at received_at and at this clock.")
            self._subjects.complete()
            with transaction(self._database) as connection:
                scope = reach.keep(connection, Scope(subjects=document.subjects), self._subjects, now)
                cases = reach.cases_in(connection, scope)
                found, due = self._found(connection, cases), cap_ends(received, _ONE_MONTH)
                values = {
                    "kind": document.right.value, "scope": scope, "received_at": received, "due_at": due,
                    "found": found.value, "document_body": self._words.document(connection, data, now),
                    "recorded_by": actor, "recorded_at": now,
                }  # fmt: skip
                number = int(
                    connection.execute(insert(_REQUEST).values(**values).returning(_REQUEST.c.number)).scalar_one()
                )
                tell(connection, now, actor, "request_recorded", f"request {number}", f"{document.right} {found}")
                open_task(
                    connection, now, kind=Kind.PERSON_REQUEST, about=str(number), due=due, basis=Basis.LAW, actor=actor
                )
                return _one(connection, number), cases

    def answered(self, number: int, actor: str, words: str) -> Request:
        """
        Record that the answer was sent, and what else was said.

        Raises:
            NotFoundError: There is no such request.
            PolicyError: It was answered already.
        """
        now = self._time.now()
        with transaction(self._database) as connection:
            if _one(connection, number, lock=True).answered_at is not None:
                raise PolicyError(f"Request {number} was answered already.")
            body = self._words.seal(connection, words, now)
            said = {"answered_by": actor, "answered_at": now, "answered_body": body}
            connection.execute(update(_REQUEST).where(_REQUEST.c.number == number).values(**said))
            tell(connection, now, actor, "request_answered", f"request {number}")
            close_task(
                connection, now, kind=Kind.PERSON_REQUEST, about=str(number), actor=actor, outcome="answered"
            )  # fmt: skip
            return _one(connection, number)

    def requests(self, *, answered_too: bool = False) -> list[Request]:
        """Give the requests that wait for their answer, or all, oldest first."""
        query = select(_REQUEST).order_by(_REQUEST.c.number)
        if not answered_too:
            query = query.where(_REQUEST.c.answered_at.is_(None))
        with reading(self._database) as connection:
            return [_request_of(row) for row in connection.execute(query)]

    def show(self, number: int) -> Request:
        """
        Give one request.

        Raises:
            NotFoundError: There is none of that number.
        """
        with reading(self._database) as connection:
            return _one(connection, number)

    def _found(self, connection: Connection, cases: Sequence[str]) -> Found:
        if not cases:
            return Found.NOTHING
        silent = select(_DEMAND.c.scope).where(
            _DEMAND.c.nondisclosure_until > self._time.now(), _DEMAND.c.closed_how.is_distinct_from("refused")
        )
        scopes = connection.execute(silent).scalars().all()
        if any(set(cases) & set(reach.cases_in(connection, scope)) for scope in scopes):
            return Found.UNDISCLOSED
        every = all(self._clocks.of(connection, reference).due for reference in cases)
        return Found.DUE if every else Found.KEPT


def _one(connection: Connection, number: int, *, lock: bool = False) -> Request:
    query = select(_REQUEST).where(_REQUEST.c.number == number)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no request {number}.", next_step="See: reporter request list")
    return _request_of(row)


def _request_of(row: Any) -> Request:
    return Request(
        row.number, Right(row.kind), row.received_at, row.due_at, Found(row.found), row.recorded_by,
        row.answered_by, row.answered_at,
    )  # fmt: skip


def _read(data: bytes) -> RequestDocument:
    try:
        return RequestDocument.model_validate(json.loads(data))
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        listed = [Finding(".".join(map(str, each["loc"])), each["type"], each["msg"]) for each in found]
        raise DocumentError("The request is refused:", listed) from None
    except ValueError:
        raise DocumentError("The request is no JSON.") from None
