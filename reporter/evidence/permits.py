"""Where the policy asks for two people to open evidence: one asks, another grants, and it is good for one opening."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, insert, select, update
from sqlmodel import col

from reporter.actors.service import Require, names_suffice
from reporter.audit import service as audit
from reporter.clock import Clock
from reporter.db.engine import transaction
from reporter.errors import NotFoundError, PolicyError
from reporter.evidence import service as evidence
from reporter.evidence.model import SealedItem
from reporter.evidence.tables import EvidenceItem, OpenPermit

_PERMIT = OpenPermit.__table__  # type: ignore[attr-defined]
#: How long a permit may wait for its grant, and a grant for its opening: one working day.
GOOD_FOR = timedelta(hours=12)


class Permits:
    """The permits to open; ``require`` sees that they were granted by signature."""

    def __init__(self, engine: Engine, clock: Clock, require: Require = names_suffice) -> None:
        self._engine, self._clock, self._require = engine, clock, require

    def ask(self, reference: str, item: str, actor: str, purpose: str) -> int:
        """
        Ask for an item to be opened to ``actor``; give the number that another person grants.

        Raises:
            NotFoundError: There is no such item.

        """
        now = self._clock.now()
        with transaction(self._engine) as connection:
            sealed = evidence.find_item(connection, reference, item)
            row = insert(OpenPermit).values(evidence_id=sealed.id, actor=actor, purpose=purpose, asked_at=now)
            number: int = connection.execute(row.returning(_PERMIT.c.id)).scalar_one()
            self._tell(connection, "evidence_open_asked", actor, reference, sealed.item, f"permit {number} {purpose}")
            return number

    def grant(self, number: int, actor: str) -> tuple[str, str, str]:
        """
        Grant a permit; give who may open now, and the case's reference and the item.

        Raises:
            NotFoundError: There is no such permit.
            PolicyError: It is one's own, or too old.

        """
        now = self._clock.now()
        with transaction(self._engine) as connection:
            row = connection.execute(
                select(
                    col(OpenPermit.actor), col(OpenPermit.asked_at), col(EvidenceItem.reference), col(EvidenceItem.item)
                )
                .join(EvidenceItem, col(EvidenceItem.id) == col(OpenPermit.evidence_id))
                .where(col(OpenPermit.id) == number)
            ).one_or_none()
            if row is None:
                raise NotFoundError(f"Nobody asked for permit {number}.")
            if row.actor == actor:
                raise PolicyError(f"{actor} asked for permit {number}, and a different person must grant it.")
            if row.asked_at <= now - GOOD_FOR:
                raise PolicyError(f"Permit {number} was asked for too long ago; it has to be asked for again.")
            granted = connection.execute(
                update(OpenPermit)
                .where(col(OpenPermit.id) == number, col(OpenPermit.granted_at).is_(None))
                .values(granted_by=actor, granted_at=now)
            )
            if granted.rowcount:
                detail = f"permit {number} to {row.actor}"
                self._tell(connection, "evidence_open_granted", actor, row.reference, row.item, detail)
            return row.actor, row.reference, row.item

    def use(self, connection: Connection, sealed: SealedItem, actor: str, purpose: str, now: datetime) -> str:
        """
        Use up a permit in the caller's transaction; give who granted it.

        Raises:
            PolicyError: There is none that is granted, unused and fresh, or who granted it did not sign that.

        """
        good = (
            select(col(OpenPermit.id))
            .where(
                col(OpenPermit.evidence_id) == sealed.id,
                col(OpenPermit.actor) == actor,
                col(OpenPermit.purpose) == purpose,
                col(OpenPermit.granted_at) > now - GOOD_FOR,
                col(OpenPermit.used_at).is_(None),
            )
            .order_by(col(OpenPermit.id))
            .limit(1)
            .with_for_update()
            .scalar_subquery()
        )
        taken = update(OpenPermit).where(col(OpenPermit.id) == good, col(OpenPermit.used_at).is_(None))
        given = (col(OpenPermit.id), col(OpenPermit.granted_by), col(OpenPermit.granted_at))
        row = connection.execute(taken.values(used_at=now).returning(*given)).one_or_none()
        if row is None or row.granted_by == actor:
            raise PolicyError(
                "evidence.open_people = 2: a different person must grant this opening, and its purpose, first.",
                next_step=f"Ask for it: reporter evidence request-open {sealed.reference}/{sealed.item} "
                f"--purpose {purpose}",
            )
        self._require(connection, row.granted_by, {"evidence grant-open": {"number": str(row.id)}}, row.granted_at)
        granted_by: str = row.granted_by
        return granted_by

    def _tell(self, connection: Connection, kind: str, actor: str, reference: str, item: str, detail: str) -> None:
        audit.record(
            connection, at=self._clock.now(), actor=actor, kind=kind, reference=reference, item=item, detail=detail
        )
