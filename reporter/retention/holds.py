"""
Legal holds: placed at once by one person, released by two.

Placing waits for whoever decides about the cases it reaches, and they for it: a hold that was placed before a
destruction was decided stops it, and one that came too late says so at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, insert, select, update
from sqlmodel import col

from reporter.actors.service import Require, names_suffice
from reporter.clock import Clock
from reporter.config import Retention
from reporter.db.engine import reading, transaction
from reporter.errors import PolicyError, ReporterError, UsageError
from reporter.evidence import service as evidence
from reporter.retention import reach
from reporter.retention.demand import DemandKind, Scope
from reporter.retention.flags import ObjectFlags
from reporter.retention.refusals import Refusals
from reporter.retention.register import HOLD, Hold, find_hold, hold_of, stand
from reporter.retention.subjects import Subjects
from reporter.retention.tables import HoldRenewal, LegalDemand, LegalHold
from reporter.retention.terms import Term, renewed
from reporter.retention.words import Words, require_another, tell
from reporter.rules.model import Rule
from reporter.tasks.model import Kind
from reporter.tasks.service import close_task, open_task


@dataclass(frozen=True, slots=True)
class Placed:
    """
    A new hold: its number, the cases it reaches now, and items of theirs whose destruction was decided before.

    ``flagged`` says whether the object store holds them too; ``trouble`` what kept it from that, where it should.
    """

    number: int
    cases: Sequence[str]
    too_late: Sequence[str]
    flagged: bool = False
    trouble: str = ""


class HoldService:
    """The use cases of holds."""

    def __init__(
        self,
        database: Engine,
        clock: Clock,
        words: Words,
        subjects: Subjects,
        flags: ObjectFlags,
        refusals: Refusals,
        rules: Sequence[Rule],
        settings: Retention,
        require: Require = names_suffice,
    ) -> None:
        self._require = require
        self._database, self._clock, self._words, self._subjects = database, clock, words, subjects
        self._flags, self._refusals, self._rules, self._settings = flags, refusals, rules, settings

    # --- placing --------------------------------------------------------------------------------------------

    def place(
        self, scope: Scope, actor: str, reason: str, *, expect_none: bool = False, everything: bool = False
    ) -> Placed:
        """
        Hold what a scope reaches, now and whatever arrives later, until two people release it.

        Args:
            scope: What it reaches.
            actor: Who places it.
            reason: Why, in words.
            expect_none: Whether it is meant to reach nothing yet.
            everything: Whether it is meant to reach all there is.

        Raises:
            UsageError: It reaches nothing, or there is no reason.
            PolicyError: It reaches everything.
            NotFoundError: It names what is not here.
        """
        term = Term(None, None, "", 0, "", "a hold that this organisation placed")
        self._subjects.complete()
        with self._refusals.recorded(actor, "hold"), transaction(self._database) as connection:
            number = reach.keep(connection, scope, self._subjects, self._clock.now())
            placed = self.add(connection, number, term, actor, self._clock.now(), reason)
            if not (expect_none and not placed.cases):
                reach.require_some(connection, placed.cases, everything=everything)
        return self.flag(placed)

    def add(
        self,
        connection: Connection,
        scope: int,
        term: Term,
        actor: str,
        begins: datetime,
        reason: str,
        demand: int | None = None,
    ) -> Placed:
        """Write a hold in the caller's transaction, which then holds every case it reaches."""
        now = self._clock.now()
        review = self._review(now, term.ends or term.advised)
        values = {
            "scope": scope, "demand": demand, "begins": begins, "ends": term.ends, "advised": term.advised,
            "review_at": review,
            "rule": term.rule, "version": term.version, "retention": term.retention, "source": term.source,
            "placed_by": actor, "placed_at": now, "reason_body": self._words.seal(connection, reason, now),
        }  # fmt: skip
        number: int = connection.execute(insert(LegalHold).values(**values).returning(HOLD.c.number)).scalar_one()
        cases = reach.cases_in(connection, scope)
        reach.lock(connection, cases)
        until = f" until {term.ends:%Y-%m-%dT%H:%M:%SZ}" if term.ends else ""
        origin = f" demand {demand}" if demand else ""
        tell(connection, now, actor, "hold_placed", f"hold {number}", f"{len(cases)} cases{origin}{until}")
        for reference in cases:
            tell(connection, now, actor, "case_held", f"hold {number}", reference=reference)
        kind = Kind.HOLD_REVIEW if term.ends is None else Kind.HOLD_ENDS
        open_task(connection, now, kind=kind, about=str(number), due=review, actor=actor)
        return Placed(number, cases, _decided(connection, scope))

    def flag(self, placed: Placed) -> Placed:
        """Set the object store's own flags too, once the hold is committed; where it has none, nothing is done."""
        try:
            return replace(placed, flagged=self._flags.apply(placed.cases))
        except ReporterError as error:  # the hold stands all the same, and the next run sets the flags
            return replace(placed, trouble=error.message)

    def renew(self, number: int, requested_at: datetime, actor: str) -> Hold:
        """
        Record that the request behind a hold was renewed: it holds longer, never shorter.

        The same request again changes nothing.

        Raises:
            NotFoundError: There is no such hold.
            UsageError: The request lies in the future.
            PolicyError: No rule knows of its renewal, or it was released.
        """
        now = self._clock.now()
        if requested_at > now:
            raise UsageError("--at lies in the future.")
        with transaction(self._database) as connection:
            hold = find_hold(connection, number, lock=True)
            if hold.released_at is not None or not hold.rule or hold.demand is None:
                raise PolicyError(
                    f"Hold {number} is not renewed: it was released, or it stands until it is released anyway.",
                    next_step="Record the new request as a demand of its own: reporter demand add",
                )
            same = select(col(HoldRenewal.id)).where(
                col(HoldRenewal.hold) == number, col(HoldRenewal.requested_at) == requested_at
            )
            if connection.execute(same).first() is not None:
                return hold
            standing = Term(hold.ends, hold.advised, hold.rule, hold.version, hold.retention, hold.source)
            kind = select(col(LegalDemand.kind)).where(col(LegalDemand.number) == hold.demand)
            kind_of = DemandKind(connection.execute(kind).scalar_one())
            term = renewed(self._rules, kind_of, standing, requested_at)
            review = self._review(now, term.ends or term.advised)
            reach.lock(connection, reach.cases_in(connection, hold.scope))
            values = {"ends": term.ends, "advised": term.advised, "review_at": review}
            connection.execute(update(HOLD).where(HOLD.c.number == number).values(**values))
            row = {"requested_at": requested_at, "ends": term.ends, "recorded_by": actor, "recorded_at": now}
            connection.execute(insert(HoldRenewal).values(hold=number, **row))
            until = f"until {term.ends:%Y-%m-%dT%H:%M:%SZ}" if term.ends else "until it is released"
            tell(connection, now, actor, "hold_renewed", f"hold {number}", until)
            task = Kind.HOLD_REVIEW if term.ends is None else Kind.HOLD_ENDS
            close_task(connection, now, kind=task, about=str(number), actor=actor, outcome="renewed")
            open_task(connection, now, kind=task, about=str(number), due=review, actor=actor)
            return find_hold(connection, number)

    def review(self, number: int, actor: str, reason: str) -> Hold:
        """
        Record that somebody looked at a hold without an end and says that it is still needed.

        Raises:
            NotFoundError: There is no such hold.
            PolicyError: It ends by itself, or was released.
        """
        now = self._clock.now()
        with transaction(self._database) as connection:
            hold = find_hold(connection, number, lock=True)
            if hold.ends is not None or hold.released_at is not None:
                raise PolicyError(f"Hold {number} ends by itself, or was released: there is nothing to review.")
            review = self._review(now, None)
            values = {"review_at": review, "review_body": self._words.seal(connection, reason, now)}
            connection.execute(update(HOLD).where(HOLD.c.number == number).values(**values))
            tell(connection, now, actor, "hold_reviewed", f"hold {number}", f"again by {review:%Y-%m-%d}")
            close_task(connection, now, kind=Kind.HOLD_REVIEW, about=str(number), actor=actor, outcome="still_needed")
            open_task(connection, now, kind=Kind.HOLD_REVIEW, about=str(number), due=review, actor=actor)
            return find_hold(connection, number)

    # --- releasing ------------------------------------------------------------------------------------------

    def release(self, number: int, actor: str, reason: str) -> bool:
        """
        Ask for the release of a hold, or agree to what another person asked; give whether it is released now.

        Raises:
            NotFoundError: There is no such hold.
            PolicyError: It was released already, or one person says both words.
        """
        now = self._clock.now()
        with self._refusals.recorded(actor, f"hold {number}"), transaction(self._database) as connection:
            hold = find_hold(connection, number, lock=True)
            if hold.released_at is not None:
                raise PolicyError(f"Hold {number} was released already.")
            body = self._words.seal(connection, reason, now)
            if hold.release_asked_by is None:
                asked = {"release_asked_by": actor, "release_asked_at": now, "release_asked_body": body}
                connection.execute(update(HOLD).where(HOLD.c.number == number).values(**asked))
                tell(connection, now, actor, "hold_release_asked", f"hold {number}")
                open_task(connection, now, kind=Kind.HOLD_RELEASE, about=str(number), actor=actor)
                return False
            require_another(hold.release_asked_by, actor, "asked for the release already")
            for who, at in ((hold.release_asked_by, hold.release_asked_at or now), (actor, now)):
                self._require(connection, who, {"hold release": {"number": str(number)}}, at)
            cases = reach.cases_in(connection, hold.scope)
            reach.lock(connection, cases)
            said = {"released_by": actor, "released_at": now, "released_body": body}
            connection.execute(update(HOLD).where(HOLD.c.number == number).values(**said))
            tell(connection, now, actor, "hold_released", f"hold {number}", f"{len(cases)} cases")
            for reference in cases:
                tell(connection, now, actor, "case_released", f"hold {number}", reference=reference)
            for kind in (Kind.HOLD_RELEASE, Kind.HOLD_REVIEW, Kind.HOLD_ENDS):
                close_task(connection, now, kind=kind, about=str(number), actor=actor, outcome="released")
        with suppress(ReporterError):  # a flag that stays costs nothing but a destruction, and the next run clears it
            self._flags.apply(cases)
        return True

    # --- looking --------------------------------------------------------------------------------------------

    def holds(self, *, all_of_them: bool = False) -> list[Hold]:
        """Give the holds that stand, or all that ever did, oldest first."""
        query = select(HOLD).order_by(HOLD.c.number)
        if not all_of_them:
            query = query.where(stand(self._clock.now()))
        with reading(self._database) as connection:
            return [hold_of(row) for row in connection.execute(query)]

    def show(self, number: int) -> tuple[Hold, list[str]]:
        """
        Give a hold and the cases that it reaches now.

        Raises:
            NotFoundError: There is no such hold.
        """
        self._subjects.complete()
        with reading(self._database) as connection:
            hold = find_hold(connection, number)
            return hold, reach.cases_in(connection, hold.scope)

    def reasons(self, number: int, actor: str) -> list[tuple[str, str]]:
        """Give who said what about a hold, in their own words; that somebody read it is recorded."""
        with transaction(self._database) as connection:
            find_hold(connection, number)
            row = connection.execute(select(HOLD).where(HOLD.c.number == number)).one()
            pairs = (
                (row.placed_by, row.reason_body), (row.release_asked_by, row.release_asked_body),
                (row.released_by, row.released_body),
            )  # fmt: skip
            told = [(who or "", self._words.open(connection, body)) for who, body in pairs if body]
            tell(connection, self._clock.now(), actor, "words_read", f"hold {number}")
        return told

    def _review(self, now: datetime, end: datetime | None) -> datetime:
        if end is None:
            return now + timedelta(days=self._settings.hold_review_days)
        return max(now, end - timedelta(days=self._settings.notice_days))


def _decided(connection: Connection, scope: int) -> list[str]:
    """Give the items that a scope reaches and whose destruction was decided already, by case and name."""
    late = []
    for reference in reach.cases_in(connection, scope, gone_too=True):
        gone = evidence.destroyed(connection, reference)
        items = [item for item in evidence.sealed_items(connection, reference) if item.id in gone]
        late += [f"{reference}/{i.item}" for i in items if reach.reaches(connection, scope, reference, i.id)]
    return late
