"""
What a sender is told of their referral: never more than they may know.

No answer names a case, a person, an authority or whether anything was reported: that could warn somebody. Members,
hotlines and trusted flaggers are told of each item, and by which clause it was judged (Regulation (EU) 2022/2065,
Article 16(5), unverified here); newsrooms, police and staff are told how many. Police get the rest by legal process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from sqlalchemy import Engine, insert

from reporter.audit import service as audit
from reporter.clock import Clock
from reporter.contacts.model import ContactKind
from reporter.db.engine import transaction
from reporter.evidence.bodies import BodyVault
from reporter.referrals.keys import key_of
from reporter.referrals.model import Item, Outcome, Referral
from reporter.referrals.store import ANSWER, load

#: Who is told of each item, and not of numbers alone.
EACH_ITEM = frozenset({ContactKind.MEMBER, ContactKind.HOTLINE, ContactKind.TRUSTED_FLAGGER})
_OUTCOMES: Mapping[Outcome, str] = {
    Outcome.CONFIRMED: "it broke our rules, and we acted on it",
    Outcome.NOT_CONFIRMED: "we did not find that it breaks our rules",
    Outcome.OUT_OF_SCOPE: "we could not judge it: it is not on our service, or not for us to judge",
}
_WAITING = "we are still looking at it"


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that was made: for whom, and its text."""

    referral: str
    sender_kind: ContactKind
    digest: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answers:
    """Makes answers and keeps them."""

    engine: Engine
    clock: Clock
    bodies: BodyVault
    organisation: str

    def make(self, referral: str, actor: str) -> Answered:
        """
        Make the answer to a referral as it stands, and keep it sealed; sending it is for people.

        Raises:
            NotFoundError: There is none of that id.
        """
        now = self.clock.now()
        with transaction(self.engine) as connection:
            shown = load(connection, referral)
            text = answer(shown, self.organisation)
            digest = hashlib.sha256(text.encode()).hexdigest()
            body = self.bodies.seal(connection, key_of(referral), "answer", text.encode(), now)
            row = {"at": now, "actor": actor, "digest": digest, "body": body}
            connection.execute(insert(ANSWER).values(referral_id=referral, **row))
            kind = "referral_answered"
            audit.record(connection, at=now, actor=actor, kind=kind, reference=referral, detail=f"sha256:{digest}")
        return Answered(referral, ContactKind(shown.sender_kind), digest, text)


def answer(referral: Referral, organisation: str) -> str:
    """Give the text of the answer to a referral, as somebody outside may know it."""
    items = referral.seen_by(None)
    lines = _items(items) if ContactKind(referral.sender_kind) in EACH_ITEM else _numbers(items)
    more = _text("more-police") if referral.sender_kind == ContactKind.POLICE else ""
    return _text("answer").format(
        organisation=organisation, received=f"{referral.received_at:%Y-%m-%d}", count=len(items),
        items="item" if len(items) == 1 else "items", lines="\n".join(lines), more=more,
    )  # fmt: skip


def automatic() -> str:
    """Give the automatic answer to whoever writes to us: it asks for links, ids and times, and for nothing else."""
    return _text("automatic-answer")


def _numbers(items: Sequence[Item]) -> list[str]:
    ends = [item.verdict.outcome if item.verdict else None for item in items]
    said = [*((words, ends.count(outcome)) for outcome, words in _OUTCOMES.items()), (_WAITING, ends.count(None))]
    return [f"- {count}: {words}" for words, count in said if count]


def _items(items: Sequence[Item]) -> list[str]:
    lines = []
    for item in items:
        verdict = item.verdict
        clause = f" ({verdict.clause})" if verdict and verdict.clause else ""
        lines.append(f"- item {item.number}: {_OUTCOMES[verdict.outcome] if verdict else _WAITING}{clause}")
    return lines


def _text(name: str) -> str:
    return (files("reporter.referrals") / "texts" / f"{name}.txt").read_text(encoding="utf-8")
