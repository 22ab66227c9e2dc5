"""
Disposition: what nothing keeps any more is proposed, confirmed by two people, and destroyed; a certificate is left.

Everything is asked again in the transaction that decides each case: a hold placed a moment before wins, and the case
stays. What is decided is carried out by the evidence room, which goes on with what a crash interrupts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from sqlalchemy import Connection, Engine, insert, select, update

from reporter.actors.service import Require, Witness, names_suffice, unsigned
from reporter.clock import Clock as Time
from reporter.config import Retention
from reporter.db.engine import reading, transaction
from reporter.errors import NeedsPersonError, NotFoundError, PolicyError
from reporter.evidence.destruction import Word
from reporter.evidence.standing import Terms
from reporter.retention import reach
from reporter.retention.batches import BATCH, ENTRY, Batch, Entry, batch_of, certified, written
from reporter.retention.candidates import candidates
from reporter.retention.clocks import Clocks, Kept
from reporter.retention.policy import Policy, StandingPolicies, policy_of, present
from reporter.retention.refusals import Refusals
from reporter.retention.time import require_not_set_back
from reporter.retention.words import Words, require_another, tell
from reporter.rules.calendar import floor_ends
from reporter.rules.model import Length
from reporter.tasks.model import Kind
from reporter.tasks.service import close_task, open_task

_DAY = timedelta(days=1)


class CaseEnd(Protocol):
    """What the evidence room does for us (``WholeCaseDestruction``)."""

    def refuse_where_held(self, reference: str) -> None:
        """See that the object store holds nothing of a case."""
        ...

    def decide(
        self,
        connection: Connection,
        reference: str,
        basis: str,
        proposed: Word,
        decided: Word,
        policy: Terms | None = None,
    ) -> str:
        """Decide the destruction of a case in the caller's transaction."""
        ...

    def carry_out(self, number: str, actor: str) -> None:
        """Do what is left of it."""
        ...


@dataclass(frozen=True, slots=True)
class Due:
    """What may go now, and what more is due than one disposition takes."""

    cases: Sequence[Kept]
    more: bool


class Dispositions:
    """The use cases of disposition."""

    def __init__(
        self,
        database: Engine,
        time: Time,
        words: Words,
        clocks: Clocks,
        refusals: Refusals,
        settings: Retention,
        ends: Callable[[], CaseEnd],
        policies: StandingPolicies,
        require: Require = names_suffice,
    ) -> None:
        self._require, self._policies = require, policies
        self._database, self._time, self._words, self._clocks = database, time, words, clocks
        self._refusals, self._settings, self._ends = refusals, settings, ends

    # --- proposing ------------------------------------------------------------------------------------------

    def due(self, limit: int) -> Due:
        """Give cases that nothing keeps any more and that wait in no disposition, as many as asked for."""
        found: list[Kept] = []
        for reference in candidates(self._database, self._time.now(), self._settings):
            kept = self._clocks.show(reference)
            if kept.due:
                if len(found) == limit:
                    return Due(found, more=True)
                found.append(kept)
        return Due(found, more=False)

    def propose(self, actor: str, limit: int | None = None) -> Batch | None:
        """
        Propose what is due for destruction, at most ``retention.batch_max`` cases; None where nothing is.

        Raises:
            EnvironmentTroubleError: This machine's clock is behind what is on record.
        """
        now = self._time.now()
        due = self.due(min(limit or self._settings.batch_max, self._settings.batch_max)).cases
        if not due:
            return None
        with transaction(self._database) as connection:
            require_not_set_back(connection, now)
            new = insert(BATCH).values(proposed_by=actor, proposed_at=now).returning(BATCH.c.number)
            number = int(connection.execute(new).scalar_one())
            rows = [
                {"batch": number, "reference": kept.reference, "clocks": written(kept), "outcome": "", "why": ""}
                for kept in due
            ]
            connection.execute(insert(ENTRY), rows)
            tell(connection, now, actor, "disposition_proposed", f"disposition {number}", f"{len(due)} cases")
            open_task(connection, now, kind=Kind.DISPOSITION, about=str(number), due=now, actor=actor)
            return batch_of(connection, number)

    def withdraw(self, number: int, actor: str, reason: str) -> None:
        """
        Take a disposition back before it is carried out; its cases may be proposed again.

        Raises:
            NotFoundError: There is no such disposition.
            PolicyError: It is confirmed by two people already, or was withdrawn.
        """
        now = self._time.now()
        with transaction(self._database) as connection:
            batch = self._open(connection, number)
            if batch.second is not None:
                raise PolicyError(f"Disposition {number} is confirmed already.")
            body = self._words.seal(connection, reason, now)
            values = {"withdrawn_by": actor, "withdrawn_at": now, "withdrawn_body": body}
            connection.execute(update(BATCH).where(BATCH.c.number == number).values(**values))
            tell(connection, now, actor, "disposition_withdrawn", f"disposition {number}")
            close_task(connection, now, kind=Kind.DISPOSITION, about=str(number), actor=actor, outcome="withdrawn")

    # --- confirming -----------------------------------------------------------------------------------------

    def confirm(self, number: int, actor: str, reason: str, witness: Witness = unsigned) -> Batch:
        """
        Confirm a disposition; with the second person's word it is carried out, as far as nothing stands against it.

        ``witness`` signs which cases are in it, so that none is slipped in afterwards.

        Raises:
            NotFoundError: There is no such disposition.
            UsageError: There is no reason.
            PolicyError: One person says both words, or it was withdrawn.
            EnvironmentTroubleError: This machine's clock is behind what is on record, or a store does not work; what
                was decided is gone on with.
        """
        now = self._time.now()
        with self._refusals.recorded(actor, f"disposition {number}"), transaction(self._database) as connection:
            require_not_set_back(connection, now)
            batch = self._open(connection, number)
            if batch.second is None:
                which = "first" if batch.first is None else "second"
                if batch.first is not None:
                    require_another(batch.first.by, actor, "confirmed it already")
                references = " ".join(entry.reference for entry in batch.entries)
                witness(connection, {"number": str(number), "references": references})
                for word in filter(None, (batch.first, Word(actor, now))):
                    self._signed(connection, batch, word, still=True)
                values = {f"{which}_by": actor, f"{which}_at": now}
                values[f"{which}_body"] = self._words.seal(connection, reason, now)
                connection.execute(update(BATCH).where(BATCH.c.number == number).values(**values))
                tell(connection, now, actor, "disposition_confirmed", f"disposition {number}")
            batch = batch_of(connection, number)
        return self.carry_out(number, actor) if batch.second is not None else batch

    def dispose_by(self, actor: str) -> Batch | None:
        """
        Dispose of what is due by the standing policy, where one is adopted and has its day's share left.

        Raises:
            EnvironmentTroubleError: As ``confirm``.
        """
        now = self._time.now()
        with reading(self._database) as connection:
            policy = present(connection, now)
            recent = select(BATCH.c.number).where(BATCH.c.policy.is_not(None), BATCH.c.proposed_at > now - _DAY)
            if policy is None or policy.second is None or connection.execute(recent).first() is not None:
                return None
        batch = self.propose(actor, policy.cap)
        if batch is None:
            return None
        with transaction(self._database) as connection:
            still = present(connection, now, lock=True)
            now_is = batch_of(connection, batch.number, lock=True)
            if still is None or still.number != policy.number or now_is.withdrawn_at or now_is.first:
                return now_is  # somebody ended it, or took the disposition over, meanwhile: people confirm
            first, second = policy.first, policy.second
            try:
                self._policies.require_in_force(policy, now)
                self._policies.require_signed(connection, policy, still=True)
            except PolicyError:  # nobody signed it, somebody who did may no more, or it was ended: people confirm
                return batch
            values = {
                "policy": policy.number, "first_by": first.by, "first_at": first.at, "second_by": second.by,
                "second_at": second.at,
            }  # fmt: skip
            connection.execute(update(BATCH).where(BATCH.c.number == batch.number).values(**values))
            about = f"disposition {batch.number}"
            tell(connection, now, actor, "disposition_confirmed", about, f"policy {policy.number}")
        return self.carry_out(batch.number, actor)

    def carry_out(self, number: int, actor: str) -> Batch:
        """
        Do what is left of a disposition that two people confirmed; what was done is not done again.

        Raises:
            NotFoundError: There is no such disposition.
            NeedsPersonError: It is not confirmed by two people.
            PolicyError: It is, and they signed nothing, other cases, or not the policy that it names.
            EnvironmentTroubleError: A store does not work; another run goes on.
        """
        with reading(self._database) as connection:
            batch = batch_of(connection, number)
        if batch.first is None or batch.second is None:
            raise NeedsPersonError(f"Disposition {number} is not confirmed by two people.")
        if batch.withdrawn_at is not None:
            raise PolicyError(f"Disposition {number} was withdrawn.")
        with reading(self._database) as connection:
            policy = None if batch.policy is None else policy_of(connection, batch.policy)
            if policy is None:
                for word in (batch.first, batch.second):
                    self._signed(connection, batch, word, still=False)
            elif (policy.first, policy.second) != (batch.first, batch.second):
                raise PolicyError(f"Disposition {number} is not confirmed by those who adopted policy {policy.number}.")
            else:
                self._policies.require_signed(connection, policy, still=False)
        for entry in batch.entries:
            if not entry.outcome:
                self._end(batch, entry, policy, actor)
        return self._certify(number, policy, actor)

    def _end(self, batch: Batch, entry: Entry, policy: Policy | None, actor: str) -> None:
        """Destroy one case, or note why it stays."""
        ends, reference, basis = self._ends(), entry.reference, f"disposition-{batch.number}"
        first, second = batch.first, batch.second
        if first is None or second is None:
            raise AssertionError
        try:
            ends.refuse_where_held(reference)
            with transaction(self._database) as connection:
                reach.lock(connection, [reference])
                kept = self._clocks.of(connection, reference)
                if not kept.due:
                    raise PolicyError(f"It is not due any more ({kept.material.standing}).")
                terms = policy.terms if policy else None
                certificate = ends.decide(connection, reference, basis, first, second, terms)
                self._note(connection, batch.number, replace(entry, outcome="destroyed", certificate=certificate))
        except (PolicyError, NotFoundError) as error:  # something stands against it, or it is gone already
            with transaction(self._database) as connection:
                self._note(connection, batch.number, replace(entry, outcome="kept", why=error.message))
                about = f"disposition {batch.number}"
                tell(connection, self._time.now(), actor, "disposition_kept", about, reference=reference)
            return
        ends.carry_out(certificate, actor)

    def _signed(self, connection: Connection, batch: Batch, word: Word, *, still: bool) -> None:
        for entry in batch.entries:
            subject = {"number": str(batch.number), "references": entry.reference}
            self._require(connection, word.by, {"retention confirm": subject}, word.at, still=still)

    def _note(self, connection: Connection, number: int, entry: Entry) -> None:
        values = {"outcome": entry.outcome, "why": entry.why, "certificate": entry.certificate}
        which = (ENTRY.c.batch == number, ENTRY.c.reference == entry.reference)
        connection.execute(update(ENTRY).where(*which).values(**values))

    def _certify(self, number: int, policy: Policy | None, actor: str) -> Batch:
        now = self._time.now()
        with transaction(self._database) as connection:
            batch = batch_of(connection, number, lock=True)
            if batch.certificate is None:
                text, digest = certified(batch, policy, now)
                until = floor_ends(now, Length(years=self._settings.certificate_years))
                values = {"certificate": text, "carried_out_at": now, "keep_until": until}
                connection.execute(update(BATCH).where(BATCH.c.number == number).values(**values))
                gone = sum(entry.outcome == "destroyed" for entry in batch.entries)
                detail = f"{gone} destroyed, {len(batch.entries) - gone} kept, certificate sha256:{digest}"
                tell(connection, now, actor, "disposition_carried_out", f"disposition {number}", detail)
                close_task(
                    connection, now, kind=Kind.DISPOSITION, about=str(number), actor=actor, outcome="carried_out"
                )  # fmt: skip
            return batch_of(connection, number)

    # --- looking, and the job -------------------------------------------------------------------------------

    def batches(self) -> list[Batch]:
        """Give every disposition, newest first."""
        with reading(self._database) as connection:
            numbers = connection.execute(select(BATCH.c.number).order_by(BATCH.c.number.desc())).scalars().all()
            return [batch_of(connection, number) for number in numbers]

    def batch(self, number: int) -> Batch:
        """
        Give one disposition.

        Raises:
            NotFoundError: There is none of that number.
        """
        with reading(self._database) as connection:
            return batch_of(connection, number)

    def resume(self, actor: str) -> list[int]:
        """
        Go on with what two people confirmed and something interrupted; give the numbers.

        Raises:
            PolicyError: One of them was not signed by two people; the others are gone on with first.
            EnvironmentTroubleError: A store does not work; another run goes on.
        """
        with reading(self._database) as connection:
            query = select(BATCH.c.number).where(
                BATCH.c.second_by.is_not(None), BATCH.c.certificate.is_(None), BATCH.c.carried_out_at.is_(None),
                BATCH.c.withdrawn_at.is_(None),
            )  # fmt: skip
            waiting = list(connection.execute(query).scalars())
        refused: PolicyError | None = None
        for number in waiting:
            try:
                self.carry_out(number, actor)
            except PolicyError as error:
                refused = refused or error
        if refused is not None:
            raise refused
        return waiting

    def _open(self, connection: Connection, number: int) -> Batch:
        batch = batch_of(connection, number, lock=True)
        if batch.withdrawn_at is not None:
            raise PolicyError(f"Disposition {number} was withdrawn.")
        return batch
