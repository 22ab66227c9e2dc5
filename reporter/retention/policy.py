"""
A standing policy: two people confirm beforehand what is due, so much a day and until a day; one person ends it.

Each case is asked again when its turn comes, and what keeps it, keeps it. Outside the sandbox both sign the terms. As
they name no case, how many went and that a policy ended is remembered outside the database (``evidence.standing``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update

from reporter.actors.service import Require, Witness, unsigned
from reporter.clock import Clock as Time
from reporter.config import Retention
from reporter.db.engine import reading, transaction
from reporter.errors import NotFoundError, PolicyError, UsageError
from reporter.evidence.destruction import Word
from reporter.evidence.standing import ADOPTS, Permits, Terms
from reporter.retention.refusals import Refusals
from reporter.retention.tables import StandingPolicy
from reporter.retention.words import Words, require_another, tell

_POLICY = StandingPolicy.__table__  # type: ignore[attr-defined]
#: A policy that nobody looks at again for longer would be none of two people's any more; a bound of ours.
_LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy: at most ``cap`` cases a day until ``until``; without ``second`` it is only asked for."""

    number: int
    cap: int
    until: datetime
    first: Word
    second: Word | None

    @property
    def adopted(self) -> bool:
        """Whether two people stand behind it."""
        return self.second is not None

    @property
    def terms(self) -> Terms:
        """Give what both sign."""
        return Terms(self.number, self.cap, self.until)


class StandingPolicies:
    """The use cases of standing policies."""

    def __init__(
        self,
        database: Engine,
        time: Time,
        words: Words,
        refusals: Refusals,
        settings: Retention,
        permits: Permits,
        require: Require,
    ) -> None:
        self._database, self._time, self._words = database, time, words
        self._refusals, self._settings, self._permits, self._require = refusals, settings, permits, require

    def adopt(self, cap: int, until: datetime, actor: str, reason: str, witness: Witness = unsigned) -> Policy:
        """
        Ask for a policy, or agree to what another person asked with the same cap and day; it takes the place of any.

        Raises:
            UsageError: There is no reason, or cap or day are out of bounds.
            PolicyError: One person says both words, or what the first is to have said is not signed.
        """
        now = self._time.now()
        if not 1 <= cap <= self._settings.batch_max:
            raise UsageError(f"--cap is between 1 and retention.batch_max ({self._settings.batch_max}).")
        if not now < until <= now + _LONGEST:
            raise UsageError("--until lies ahead, and at most a year.")
        with self._refusals.recorded(actor, "policy"), transaction(self._database) as connection:
            standing, body = present(connection, now, lock=True), self._words.seal(connection, reason, now)
            if standing is None or standing.adopted or (standing.cap, standing.until) != (cap, until):
                asked = {"cap": cap, "until": until, "first_by": actor, "first_at": now, "first_body": body}
                number = connection.execute(insert(_POLICY).values(**asked).returning(_POLICY.c.number)).scalar_one()
                terms = Terms(number, cap, until)
                self._permits.require_in_force(terms, now)  # a restored database may give the number of one that ended
                witness(connection, terms.subject)
                if standing is not None:
                    self._permits.end(standing.terms)
                tell(connection, now, actor, "policy_asked", "policy", f"{cap} a day until {until:%Y-%m-%d}")
            else:
                require_another(standing.first.by, actor, "asked for it")
                witness(connection, standing.terms.subject)
                self.require_signed(connection, replace(standing, second=Word(actor, now)), still=True)
                said = {"second_by": actor, "second_at": now, "second_body": body}
                connection.execute(update(_POLICY).where(_POLICY.c.number == standing.number).values(**said))
                tell(connection, now, actor, "policy_adopted", f"policy {standing.number}", f"{cap} a day")
            found = present(connection, now)
        if found is None:
            raise AssertionError
        return found

    def end(self, actor: str, reason: str) -> None:
        """
        End the policy, at once.

        Raises:
            NotFoundError: There is none.
        """
        now = self._time.now()
        with transaction(self._database) as connection:
            standing = present(connection, now, lock=True)
            if standing is None:
                raise NotFoundError("There is no standing policy.")
            said = {"ended_by": actor, "ended_at": now, "ended_body": self._words.seal(connection, reason, now)}
            connection.execute(update(_POLICY).where(_POLICY.c.ended_at.is_(None)).values(**said))
            self._permits.end(standing.terms)
            tell(connection, now, actor, "policy_ended", f"policy {standing.number}")

    def require_signed(self, connection: Connection, policy: Policy, *, still: bool) -> None:
        """
        See, where people sign, that two signed the policy, and (``still``) that both may do so now.

        Raises:
            PolicyError: They did not, or may not.
        """
        if policy.second is None or policy.second.by == policy.first.by:
            raise PolicyError(f"The standing policy {policy.number} is not adopted by two people.")
        for word in (policy.first, policy.second):
            self._require(connection, word.by, {ADOPTS: policy.terms.subject}, word.at, still=still)

    def require_in_force(self, policy: Policy, now: datetime) -> None:
        """See that a policy neither ended nor is over, as ``Permits.require_in_force``."""
        self._permits.require_in_force(policy.terms, now)

    def standing(self) -> Policy | None:
        """Give the policy that stands, or is asked for."""
        with reading(self._database) as connection:
            return present(connection, self._time.now())


def present(connection: Connection, now: datetime, *, lock: bool = False) -> Policy | None:
    """Give the newest policy that is neither ended nor over: what was asked for last takes the place of what was."""
    query = select(_POLICY).where(_POLICY.c.ended_at.is_(None)).order_by(_POLICY.c.number.desc()).limit(1)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return _read(row) if row is not None and row.until > now else None


def policy_of(connection: Connection, number: int) -> Policy:
    """
    Give a policy, ended or not.

    Raises:
        PolicyError: There is none of that number.
    """
    row = connection.execute(select(_POLICY).where(_POLICY.c.number == number)).one_or_none()
    if row is None:
        raise PolicyError(f"There is no standing policy {number}.")
    return _read(row)


def _read(row: Any) -> Policy:
    second = Word(row.second_by, row.second_at) if row.second_by else None
    return Policy(row.number, row.cap, row.until, Word(row.first_by, row.first_at), second)
