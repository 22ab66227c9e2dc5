"""
Deciding items, and opening them again.

What somebody decides is sealed, and its digest is what they sign and what the custody log has: neither says how they
decided, so that whoever takes a second look does not learn it there.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from sqlalchemy import Connection, Engine, insert, select
from sqlmodel import col

from reporter.actors.service import Witness
from reporter.audit import service as audit
from reporter.cases.store import unknown
from reporter.cases.tables import CaseRecord
from reporter.clock import Clock
from reporter.db.engine import transaction
from reporter.errors import ConflictError, PolicyError, UsageError
from reporter.evidence.bodies import BodyVault
from reporter.referrals.clocks import Clocks
from reporter.referrals.drawing import Draw
from reporter.referrals.keys import key_of
from reporter.referrals.model import Decision, Item, Outcome, Place, State, Verdict, next_place, state_after
from reporter.referrals.proven import Proven, said_of
from reporter.referrals.store import DECISION, REOPENING, hold, move

_CLAUSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")


@dataclass(frozen=True, slots=True)
class Words:
    """Why, in somebody's own words, and the ground of an exemption."""

    reason: str
    ground: str = ""


@dataclass(frozen=True, slots=True)
class Deciding:
    """
    The use cases.

    ``leads`` says of a handle whether they may settle what two people saw differently, ``proven`` sees what was signed.
    """

    engine: Engine
    clock: Clock
    bodies: BodyVault
    draw: Draw
    clocks: Clocks
    leads: Callable[[str], bool]
    proven: Proven

    def decide(
        self, referral: str, numbers: Sequence[int], verdict: Verdict, words: Words, actor: str, witness: Witness
    ) -> list[Item]:
        """
        Decide items, all or none, and give them as whoever decided may see them.

        Raises:
            UsageError: The verdict or the words are incomplete.
            NotFoundError: There is no such referral, item or case.
            PolicyError: This person decided one of them already, is not the lead it takes, an earlier decision is not
                what was signed, or the case is none.
            ConflictError: One of them is settled.
        """
        _complete(verdict, words)
        now = self.clock.now()
        with transaction(self.engine) as connection:
            items = hold(connection, referral, numbers)
            for item in items:
                self._may(item, actor)
                self.proven.require(connection, referral, item)
            _linkable(connection, verdict)
            body, digest = self._seal(connection, referral, items, verdict, words)
            statement = self._signed(witness(connection, {"reference": referral, "digest": digest}))
            # Which items it is about only the sealed words say: one that is judged and not settled was not confirmed.
            audit.record(
                connection, at=now, actor=actor, kind="referral_judged", reference=referral, detail=f"sha256:{digest}"
            )
            for item in items:
                place = next_place(item.present)
                drawn = (
                    place is Place.FIRST
                    and verdict.outcome is Outcome.NOT_CONFIRMED
                    and self.draw.takes(referral, item.number)
                )
                row: dict[str, Any] = {
                    "referral_id": referral, "number": item.number, "round": item.round, "place": place.value,
                    "outcome": verdict.outcome.value, "clause": verdict.clause, "drawn": drawn, "actor": actor,
                    "exemption": verdict.exemption.value if verdict.exemption else None, "at": now, "body": body,
                    "case_reference": verdict.case or None, "digest": digest, "statement": statement,
                }  # fmt: skip
                connection.execute(insert(DECISION).values(row))
                made = Decision(item.round, place, verdict, actor, now, body, drawn)
                self._settle(connection, referral, item, made)
            self.clocks.set(connection, now, referral)
            return [item.seen_by(actor) for item in hold(connection, referral, numbers)]

    def reopen(self, referral: str, numbers: Sequence[int], reason: str, actor: str, witness: Witness) -> list[Item]:
        """
        Open settled items again, all or none; what was decided stays on record.

        Raises:
            UsageError: There is no reason.
            NotFoundError: There is no such referral or item.
            ConflictError: One of them is not settled.
        """
        if not reason.strip():
            raise UsageError("--reason needs words.")
        now = self.clock.now()
        with transaction(self.engine) as connection:
            items = hold(connection, referral, numbers)
            for item in items:
                if item.state is not State.DECIDED:
                    raise ConflictError(f"Item {item.number} of {referral} is not settled; it cannot be opened again.")
            body = self.bodies.seal(connection, key_of(referral), "reason", reason.strip().encode(), now)
            self._signed(
                witness(connection, {"reference": referral, "items": " ".join(map(str, sorted(set(numbers))))})
            )
            for item in items:
                values = {"number": item.number, "round": item.round + 1, "actor": actor, "at": now, "body": body}
                connection.execute(insert(REOPENING).values(referral_id=referral, **values))
                state = State.UNDECIDED.value
                move(connection, referral, item.number, round=item.round + 1, state=state, opened_at=now)
                self._tell(connection, "referral_reopened", referral, item.number, actor, f"round {item.round + 1}")
            self.clocks.set(connection, now, referral)
            return [item.seen_by(actor) for item in hold(connection, referral, numbers)]

    def _may(self, item: Item, actor: str) -> None:
        """See that this person may decide the item now; nothing here tells others of a first decision."""
        if item.state is State.DECIDED:
            raise ConflictError(
                f"Item {item.number} is settled.", next_step="Open it again, with a reason: reporter referral reopen"
            )
        if actor in {made.actor for made in item.present}:
            raise PolicyError(f"{actor} has decided item {item.number} already, and a different person must.")
        if item.state is State.LEAD and not self.leads(actor):
            raise PolicyError(f"Two people saw item {item.number} differently: the escalation lead decides it.")

    def _signed(self, statement: str | None) -> str | None:
        """See that a decision was signed, where it must be."""
        if statement is None and self.proven.required:
            raise PolicyError("Outside the sandbox this is signed by somebody enrolled.")
        return statement

    def _settle(self, connection: Connection, referral: str, item: Item, made: Decision) -> None:
        """Move the item on, and tell of the case that it is in."""
        state = state_after((*item.present, made))
        restarted = {} if state is State.DECIDED else {"opened_at": made.at}
        move(connection, referral, item.number, state=state.value, **restarted)
        after = Item(item.number, item.round, state, made.at, (*item.decisions, made))
        if after.verdict and after.verdict.case:
            detail = f"{referral}/{item.number}"
            audit.record(
                connection, at=made.at, actor=made.actor, kind="referral_linked", reference=after.verdict.case,
                detail=detail,
            )  # fmt: skip

    def _seal(
        self, connection: Connection, referral: str, items: Sequence[Item], verdict: Verdict, words: Words
    ) -> tuple[str, str]:
        """Seal what is decided, with a number that nobody guesses; give the body and its digest."""
        record = {
            "items": [[item.number, item.round] for item in items],
            **said_of(verdict),
            "reason": words.reason.strip(),
            "ground": words.ground.strip(),
            "nonce": token_hex(16),
        }
        content = json.dumps(record, sort_keys=True).encode()
        body = self.bodies.seal(connection, key_of(referral), "decision", content, self.clock.now())
        return body, hashlib.sha256(content).hexdigest()

    def _tell(self, connection: Connection, kind: str, referral: str, number: int, actor: str, detail: str) -> None:
        audit.record(
            connection, at=self.clock.now(), actor=actor, kind=kind, reference=referral, item=str(number), detail=detail
        )


def _complete(verdict: Verdict, words: Words) -> None:
    """See that a decision says all that its outcome asks for, and nothing else."""
    confirmed, refused = verdict.outcome is Outcome.CONFIRMED, verdict.outcome is Outcome.NOT_CONFIRMED
    if not words.reason.strip():
        raise UsageError("--reason needs words.")
    if confirmed != bool(verdict.case):
        raise UsageError("A confirmed item names the case that it is in (--case REF), and no other item does.")
    if refused and not verdict.clause:
        raise UsageError("What is not confirmed names the clause of the policy that it was judged by (--clause).")
    if verdict.clause and not _CLAUSE.fullmatch(verdict.clause):
        raise UsageError("--clause is a code of the policy, such as CS-4.2: up to 32 letters, digits, '.', '_' or '-'.")
    if verdict.exemption and not refused:
        raise UsageError("A known context makes an item one that is not confirmed.")
    if bool(verdict.exemption) != bool(words.ground.strip()):
        raise UsageError("A known context comes with its ground, in words (--ground), and a ground with its context.")


def _linkable(connection: Connection, verdict: Verdict) -> None:
    if not verdict.case:
        return
    query = select(col(CaseRecord.state)).where(col(CaseRecord.reference) == verdict.case)
    state = connection.execute(query).scalar_one_or_none()
    if state is None:
        raise unknown(verdict.case)
    if state == "not_confirmed":
        raise PolicyError(f"People decided that {verdict.case} is no case; no confirmed item can be in it.")
