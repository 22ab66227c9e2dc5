"""Reading and writing the rows of referrals, inside a transaction of the caller's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, case, func, select, update

from reporter.errors import NotFoundError
from reporter.evidence.tables import EvidenceItem
from reporter.referrals.model import (
    Answer,
    Attachment,
    Decision,
    Exemption,
    Item,
    Outcome,
    Place,
    Referral,
    Reopening,
    State,
    Summary,
    Verdict,
)
from reporter.referrals.tables import (
    ReferralAnswer,
    ReferralAttachment,
    ReferralDecision,
    ReferralItem,
    ReferralRecord,
    ReferralReopening,
)

REFERRAL = ReferralRecord.__table__  # type: ignore[attr-defined]
ITEM = ReferralItem.__table__  # type: ignore[attr-defined]
DECISION = ReferralDecision.__table__  # type: ignore[attr-defined]
REOPENING = ReferralReopening.__table__  # type: ignore[attr-defined]
ATTACHMENT = ReferralAttachment.__table__  # type: ignore[attr-defined]
ANSWER = ReferralAnswer.__table__  # type: ignore[attr-defined]
_EVIDENCE = EvidenceItem.__table__  # type: ignore[attr-defined]


def load(connection: Connection, referral: str) -> Referral:
    """
    Give a referral with everything on record of it.

    Raises:
        NotFoundError: There is none of that id.
    """
    row = connection.execute(select(REFERRAL).where(REFERRAL.c.id == referral)).one_or_none()
    if row is None:
        raise NotFoundError("There is no such referral here.", next_step="See them all: reporter referral list")
    files = (
        select(_EVIDENCE.c.item, _EVIDENCE.c.sha256, _EVIDENCE.c.size, ATTACHMENT.c.parts)
        .join(ATTACHMENT, ATTACHMENT.c.evidence_id == _EVIDENCE.c.id)
        .where(ATTACHMENT.c.referral_id == referral)
    )
    answers = select(ANSWER.c.at, ANSWER.c.actor, ANSWER.c.digest).where(ANSWER.c.referral_id == referral)
    again = [getattr(REOPENING.c, name) for name in Reopening.__dataclass_fields__]
    reopened = select(*again).where(REOPENING.c.referral_id == referral)
    return Referral(
        id=row.id,
        sender_kind=row.sender_kind,
        requested_by=row.requested_by,
        received_at=row.received_at,
        added_at=row.added_at,
        added_by=row.added_by,
        body=row.body,
        items=tuple(_items(connection, referral)),
        reopenings=tuple(Reopening(*each) for each in connection.execute(reopened.order_by(REOPENING.c.id))),
        attachments=tuple(Attachment(*each) for each in connection.execute(files.order_by(_EVIDENCE.c.item))),
        answers=tuple(Answer(*each) for each in connection.execute(answers.order_by(ANSWER.c.id))),
    )


def hold(connection: Connection, referral: str, numbers: Iterable[int]) -> list[Item]:
    """
    Give items of a referral as they are, and keep the referral so until the transaction ends.

    Raises:
        NotFoundError: There is no such referral, or no item of such a number.
    """
    connection.execute(select(REFERRAL.c.id).where(REFERRAL.c.id == referral).with_for_update())
    items = {item.number: item for item in load(connection, referral).items}
    if missing := sorted(set(numbers) - items.keys()):
        raise NotFoundError(f"The referral has no item {missing[0]}: they are numbered 1 to {len(items)}.")
    return [items[number] for number in sorted(set(numbers))]


def move(connection: Connection, referral: str, number: int, **values: Any) -> None:
    """Change where an item stands."""
    of = (ITEM.c.referral_id == referral) & (ITEM.c.number == number)
    connection.execute(update(ITEM).where(of).values(**values))


def summaries(connection: Connection) -> Sequence[Summary]:
    """Give a line for every referral, oldest first."""
    settled = func.sum(case((ITEM.c.state == State.DECIDED.value, 1), else_=0))
    query = (
        select(
            REFERRAL.c.id, REFERRAL.c.sender_kind, REFERRAL.c.requested_by, REFERRAL.c.received_at,
            func.count(), settled,
        )
        .join(ITEM, ITEM.c.referral_id == REFERRAL.c.id)
        .group_by(REFERRAL.c.id, REFERRAL.c.sender_kind, REFERRAL.c.requested_by, REFERRAL.c.received_at)
        .order_by(REFERRAL.c.received_at, REFERRAL.c.id)
    )  # fmt: skip
    return [Summary(*row) for row in connection.execute(query)]


def _items(connection: Connection, referral: str) -> Iterable[Item]:
    decisions: defaultdict[int, list[Decision]] = defaultdict(list)
    query = select(DECISION).where(DECISION.c.referral_id == referral).order_by(DECISION.c.id)
    for row in connection.execute(query):
        exemption = Exemption(row.exemption) if row.exemption else None
        verdict = Verdict(Outcome(row.outcome), row.clause, exemption, row.case_reference or "")
        decisions[row.number].append(
            Decision(row.round, Place(row.place), verdict, row.actor, row.at, row.body, row.drawn)
        )
    items = select(ITEM).where(ITEM.c.referral_id == referral).order_by(ITEM.c.number)
    for row in connection.execute(items):
        made = tuple(decisions[row.number])
        yield Item(row.number, row.round, State(row.state), row.opened_at, made)
