"""
Legal demands: recorded by one person, verified by another, renewed, and closed.

A demand that asks to keep something holds it from the moment it is recorded, verified or not. What it asks for beyond
that (an export, a destruction) waits until somebody else has made sure that it is genuine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Engine, insert, select, update

from keycustody.blind_index import Kind as IndexKind
from reporter.actors.service import Require, names_suffice
from reporter.cases import reader
from reporter.cases.scalars import instant
from reporter.clock import Clock
from reporter.db.engine import reading, transaction
from reporter.errors import DocumentError, Finding, NotFoundError, PolicyError, UsageError
from reporter.retention import reach
from reporter.retention.demand import HOLDING, Check, DemandDocument, DemandKind, Requester
from reporter.retention.holds import HoldService, Placed
from reporter.retention.refusals import Refusals
from reporter.retention.register import HOLD
from reporter.retention.subjects import Subjects
from reporter.retention.tables import LegalDemand
from reporter.retention.terms import term
from reporter.retention.words import Words, require_another, tell
from reporter.rules.model import Rule
from reporter.tasks.model import Basis, Kind
from reporter.tasks.service import close_task, open_task

DEMAND = LegalDemand.__table__  # type: ignore[attr-defined]
_RECORDS: Mapping[str, Mapping[str, str]] = {"demand add": {}}
_OF_HOLD = "It says what it holds, sealed with the demand."


@dataclass(frozen=True, slots=True)
class Demand:
    """One demand as it stands. ``scope`` is what it reaches, asked with ``reach.reaches``; ``hold`` is its hold."""

    number: int
    kind: DemandKind
    requester: Requester
    scope: int
    served_at: datetime
    due_at: datetime | None
    nondisclosure_until: datetime | None
    recorded_by: str
    recorded_at: datetime
    verified_how: Check | None
    verified_by: str | None
    verified_at: datetime | None
    closed_how: str | None
    closed_by: str | None
    closed_at: datetime | None
    hold: int | None

    @property
    def verified(self) -> bool:
        """Whether somebody other than who recorded it has made sure that it is genuine."""
        return self.verified_how is not None

    def require_usable(self) -> None:
        """
        See that something may be handed over or destroyed under it.

        Raises:
            PolicyError: Nobody has verified it, or it is closed.
        """
        if not self.verified:
            raise PolicyError(
                f"Demand {self.number} is not verified: nothing is done under it.",
                next_step=f"Another person than {self.recorded_by}: reporter demand verify {self.number}",
            )
        if self.closed_at is not None:
            raise PolicyError(f"Demand {self.number} is closed ({self.closed_how}).")

    def require_reaches(self, connection: Connection, reference: str, evidence_id: str | None = None) -> None:
        """
        See that a case, or one item of it, is within what it demands.

        Raises:
            PolicyError: It is not.
        """
        if not reach.reaches(connection, self.scope, reference, evidence_id):
            what = "that item" if evidence_id else f"all of case {reference}"
            raise PolicyError(f"Demand {self.number} does not reach {what}.", next_step="See: reporter demand show")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A demand that was recorded, with the hold that it placed; ``new`` is false where the same was on record."""

    number: int
    new: bool
    placed: Placed | None


class DemandService:
    """The use cases of demands."""

    def __init__(
        self,
        database: Engine,
        clock: Clock,
        words: Words,
        subjects: Subjects,
        holds: HoldService,
        refusals: Refusals,
        rules: Sequence[Rule],
        require: Require = names_suffice,
    ) -> None:
        self._require = require
        self._database, self._clock, self._words, self._subjects = database, clock, words, subjects
        self._holds, self._refusals, self._rules = holds, refusals, rules

    def record(self, data: bytes, actor: str, *, expect_none: bool = False, everything: bool = False) -> Recorded:
        """
        Record a demand, and hold at once what it reaches; the same document again changes nothing.

        Raises:
            DocumentError: The document breaks its contract.
            UsageError: It was served in the future, or reaches nothing.
            PolicyError: It reaches everything.
            NotFoundError: It names a case or an item that is not here.
        """
        document = read(data)
        with self._refusals.recorded(actor, "demand"):
            self._subjects.complete()
            with transaction(self._database) as connection:
                recorded = self._record(connection, document, data, actor, expect_none, everything)
        if recorded.placed is None:
            return recorded
        return Recorded(recorded.number, recorded.new, self._holds.flag(recorded.placed))

    def _record(
        self, connection: Connection, document: DemandDocument, data: bytes, actor: str, expect_none: bool, all_: bool
    ) -> Recorded:
        now, served = self._clock.now(), instant(document.served_at)
        if served > now:
            raise UsageError("The demand was served in the future: look at served_at, and at this machine's clock.")
        digest = digest_of(connection, self._subjects, data)
        known = connection.execute(select(DEMAND.c.number).where(DEMAND.c.digest == digest)).scalar_one_or_none()
        if known is not None:
            return Recorded(known, new=False, placed=None)
        scope = reach.keep(connection, document.scope, self._subjects, now)
        values = {
            "kind": document.kind.value, "requester": document.requester.value, "scope": scope, "served_at": served,
            "due_at": _moment(document.due_at), "nondisclosure_until": _moment(document.nondisclosure_until),
            "document_body": self._words.document(connection, data, now), "digest": digest,
            "recorded_by": actor, "recorded_at": now,
        }  # fmt: skip
        number: int = connection.execute(insert(DEMAND).values(**values).returning(DEMAND.c.number)).scalar_one()
        tell(connection, now, actor, "demand_recorded", f"demand {number}", f"{document.kind} {document.requester}")
        placed = None
        if document.kind in HOLDING:
            length = term(self._rules, document.kind, served)
            placed = self._holds.add(connection, scope, length, actor, served, _OF_HOLD, demand=number)
        cases = placed.cases if placed else reach.cases_in(connection, scope)
        if not (expect_none and not cases):
            reach.require_some(connection, cases, everything=all_)
        open_task(connection, now, kind=Kind.DEMAND_VERIFY, about=str(number), due=now, actor=actor)
        if due := _moment(document.due_at):
            open_task(
                connection, now, kind=Kind.DEMAND_ANSWER, about=str(number), due=due, basis=Basis.LAW, actor=actor
            )
        return Recorded(number, new=True, placed=placed)

    def verify(self, number: int, how: Check, actor: str, words: str) -> Demand:
        """
        Record how somebody made sure that a demand is genuine; another person than who recorded it.

        Raises:
            NotFoundError: There is no such demand.
            PolicyError: It was verified or closed already, or the same person recorded it.
        """
        now = self._clock.now()
        with self._refusals.recorded(actor, f"demand {number}"), transaction(self._database) as connection:
            demand = find_demand(connection, number, lock=True)
            if demand.verified or demand.closed_at is not None:
                raise PolicyError(f"Demand {number} was verified or closed already.")
            require_another(demand.recorded_by, actor, "recorded it")
            self._require(connection, actor, _verifies(number, how), now)
            self._require(connection, demand.recorded_by, _RECORDS, demand.recorded_at, still=False)
            body = self._words.seal(connection, words, now)
            said = {"verified_how": how.value, "verified_by": actor, "verified_at": now, "verified_body": body}
            connection.execute(update(DEMAND).where(DEMAND.c.number == number).values(**said))
            tell(connection, now, actor, "demand_verified", f"demand {number}", how.value)
            close_task(connection, now, kind=Kind.DEMAND_VERIFY, about=str(number), actor=actor, outcome="verified")
            return find_demand(connection, number)

    def renew(self, number: int, requested_at: datetime, actor: str) -> Demand:
        """
        Record that the authority renewed its request: the hold stands longer, never shorter.

        Raises:
            NotFoundError: There is no such demand.
            UsageError: The request lies in the future.
            PolicyError: It holds nothing that is renewed.
        """
        with self._refusals.recorded(actor, f"demand {number}"):
            demand = self.demand(number)
            if demand.hold is None:
                raise PolicyError(f"Demand {number} holds nothing.")
            self._holds.renew(demand.hold, requested_at, actor)
            return self.demand(number)

    def close(self, number: int, how: str, actor: str, words: str) -> Demand:
        """
        Close a demand: answered, refused or withdrawn. Its hold stands on until it ends or two people release it.

        Raises:
            NotFoundError: There is no such demand.
            PolicyError: It is closed already.
        """
        now = self._clock.now()
        with transaction(self._database) as connection:
            demand = find_demand(connection, number, lock=True)
            if demand.closed_at is not None:
                raise PolicyError(f"Demand {number} is closed already ({demand.closed_how}).")
            body = self._words.seal(connection, words, now)
            said = {"closed_how": how, "closed_by": actor, "closed_at": now, "closed_body": body}
            connection.execute(update(DEMAND).where(DEMAND.c.number == number).values(**said))
            tell(connection, now, actor, "demand_closed", f"demand {number}", how)
            for kind in (Kind.DEMAND_VERIFY, Kind.DEMAND_ANSWER, Kind.DEMAND_COUNSEL):
                close_task(connection, now, kind=kind, about=str(number), actor=actor, outcome=how)
            return find_demand(connection, number)

    # --- looking --------------------------------------------------------------------------------------------

    def demands(self, *, closed_too: bool = False) -> list[Demand]:
        """Give the demands that are open, or all, oldest first."""
        query = _ALL.order_by(DEMAND.c.number)
        if not closed_too:
            query = query.where(DEMAND.c.closed_at.is_(None))
        with reading(self._database) as connection:
            return [_demand_of(row) for row in connection.execute(query)]

    def demand(self, number: int) -> Demand:
        """
        Give one demand.

        Raises:
            NotFoundError: There is none of that number.
        """
        with reading(self._database) as connection:
            return find_demand(connection, number)

    def cases(self, demand: Demand) -> list[str]:
        """Give the cases that a demand reaches now."""
        self._subjects.complete()
        with reading(self._database) as connection:
            return reach.cases_in(connection, demand.scope)

    def document(self, number: int, actor: str) -> bytes:
        """Give a demand as it was handed in; that somebody read it is recorded."""
        with transaction(self._database) as connection:
            find_demand(connection, number)
            query = select(DEMAND.c.document_body).where(DEMAND.c.number == number)
            text = self._words.open(connection, connection.execute(query).scalar_one())
            tell(connection, self._clock.now(), actor, "words_read", f"demand {number}")
        return text.encode()


_ALL = select(DEMAND, HOLD.c.number.label("hold")).outerjoin(HOLD, HOLD.c.demand == DEMAND.c.number)


def find_demand(connection: Connection, number: int, *, lock: bool = False) -> Demand:
    """
    Give a demand.

    Raises:
        NotFoundError: There is none of that number.
    """
    query = _ALL.where(DEMAND.c.number == number)
    row = connection.execute(query.with_for_update(of=DEMAND) if lock else query).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no demand {number}.", next_step="See: reporter demand list")
    return _demand_of(row)


def require_proven(connection: Connection, demand: Demand, require: Require) -> None:
    """
    See that something may be handed over or destroyed under a demand, by what two people signed and no row alone.

    Raises:
        PolicyError: It is not usable, or somebody wrote into the database that it is verified.
    """
    demand.require_usable()
    by, at, how = demand.verified_by or "", demand.verified_at or demand.recorded_at, demand.verified_how
    require_another(demand.recorded_by, by, "recorded it")
    if how is not None:
        require(connection, by, _verifies(demand.number, how), at, still=False)
    require(connection, demand.recorded_by, _RECORDS, demand.recorded_at, still=False)


def _verifies(number: int, how: Check) -> dict[str, dict[str, str]]:
    """Give what somebody signs who verifies a demand."""
    return {"demand verify": {"number": str(number), "how": how.value}}


def read(data: bytes) -> DemandDocument:
    """
    Read the document of a demand.

    Raises:
        DocumentError: It breaks its contract; the findings name the places and repeat nothing of it.
    """
    raw, findings = reader.read(data, "demand")
    if findings:
        raise DocumentError("The demand is refused:", findings)
    try:
        return DemandDocument.model_validate(raw)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        listed = [Finding(".".join(map(str, each["loc"])), each["type"], _plain(each["msg"])) for each in found]
        raise DocumentError("The demand is refused:", listed) from None


def digest_of(connection: Connection, subjects: Subjects, data: bytes) -> str:
    """Name the document of a demand, so that the same is known again and nobody can guess what it says."""
    return subjects.index_of(connection, IndexKind.WORD, read(data).model_dump_json())


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ")


def _moment(text: str | None) -> datetime | None:
    return instant(text) if text else None


def _demand_of(row: Any) -> Demand:
    values = {name: getattr(row, name) for name in Demand.__dataclass_fields__}
    how = Check(row.verified_how) if row.verified_how else None
    return Demand(
        **{**values, "kind": DemandKind(row.kind), "requester": Requester(row.requester), "verified_how": how}
    )
