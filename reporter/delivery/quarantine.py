"""
The quarantine's use cases: notice that the database forgot, put in doubt what may have been filed, release.

A database that was restored from a backup has forgotten filings and withdrawals, but also revisions and other words of
people, of which no marker tells. So everything waits for somebody to look.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import Connection, Engine, select, update
from sqlmodel import col

from reporter.actors.service import Require, names_suffice
from reporter.audit import service as audit
from reporter.clock import Clock
from reporter.db.engine import transaction
from reporter.delivery.forgotten import impose, remember, standing, unremembered
from reporter.delivery.generations import Generations
from reporter.delivery.markers import Markers, series_of
from reporter.delivery.model import Marker, forgetting
from reporter.delivery.queue import ACTOR
from reporter.delivery.tables import Delivery, ForgottenFiling, Quarantine
from reporter.errors import NotFoundError, PolicyError
from reporter.submissions.model import State
from reporter.submissions.tables import Submission

#: How often a worker that has something to do begins a generation: what a backup is at most too new to be noticed.
_EVERY = timedelta(hours=1)
#: How often a worker compares database and object store.
_LOOK = timedelta(seconds=1)
_BATCH = 500
#: What people sign who release a quarantine; which one, its time tells.
_RELEASES: Mapping[str, Mapping[str, str]] = {"db release-quarantine": {}}
_RESTORED = "The object store remembers a later time than this database, which was restored or has failed over."


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What the database forgot; ``reference`` is empty where it knows nothing of the case either."""

    marker: Marker
    reference: str


class QuarantineService:
    """
    Notices that the database forgot, and lets people deal with it.

    ``people`` must agree to a release; ``require`` sees what they signed.
    """

    def __init__(
        self,
        database: Engine,
        clock: Clock,
        markers: Markers,
        generations: Generations,
        people: int,
        require: Require = names_suffice,
    ) -> None:
        self._database, self._clock, self._people, self._require = database, clock, people, require
        self._markers, self._generations = markers, generations
        self._lock = threading.Lock()
        self._look_at: datetime | None = None
        self._begin_at: datetime | None = None

    def watch(self) -> None:
        """
        Compare database and object store before anything is claimed; impose a quarantine if the database forgot.

        Raises:
            EnvironmentTroubleError: They cannot be compared; nothing may be delivered.
        """
        with self._lock:
            now = self._clock.now()
            if self._look_at is not None and now < self._look_at:
                return
            if not self._generations.agree():
                self.impose(_RESTORED, ACTOR)
            elif (self._begin_at is None or now >= self._begin_at) and self._something_due(now):
                self._generations.advance(now)
                self._begin_at = now + _EVERY
            self._look_at = now + _LOOK

    def impose(self, reason: str, actor: str) -> bool:
        """Stop all deliveries and put in doubt what may have been filed; give whether they had not stood still."""
        with transaction(self._database) as connection:
            if standing(connection) is not None:
                return False
            impose(connection, reason, self._clock.now(), actor)
        self._put_in_doubt()
        return True

    def last(self) -> datetime | None:
        """
        Look whether the database forgot, and give when it was last found to have, if ever.

        Raises:
            EnvironmentTroubleError: Database and object store cannot be compared.
        """
        self.watch()
        with transaction(self._database) as connection:
            latest = select(col(Quarantine.since)).order_by(col(Quarantine.since).desc()).limit(1)
            since: datetime | None = connection.execute(latest).scalar_one_or_none()
        return since

    def remembers(self) -> bool:
        """Whether the database remembers as late a time as the object store."""
        return self._generations.agree()

    def standing(self) -> Quarantine | None:
        """Give the quarantine that nobody has released yet."""
        with transaction(self._database) as connection:
            return standing(connection)

    def forgotten(self) -> list[Forgotten]:
        """Give what the object store remembers and the ledger does not; it reads every marker."""
        found = dict(self._forgotten())
        with transaction(self._database) as connection:
            query = select(col(Submission.reference), col(Submission.authority), col(Submission.environment)).distinct()
            names = {
                series_of(f"{row.authority}:{row.environment}", row.reference): row.reference
                for row in connection.execute(query)
            }
            told = (
                select(ForgottenFiling.__table__, col(Submission.reference), col(Delivery.lane))  # type: ignore[attr-defined]
                .join(Submission, col(Submission.id) == col(ForgottenFiling.submission_id))
                .join(Delivery, col(Delivery.submission_id) == col(Submission.id))
                .where(col(Submission.state) == State.IN_DOUBT)
            )
            rows = connection.execute(told).all()
        known = [
            Forgotten(
                Marker(r.entry_id, r.lane, r.submission_id, r.attempt, r.draft, r.marked_at, r.decision), r.reference
            )
            for r in rows
        ]
        return known + [
            Forgotten(marker, names.get(series, "")) for series, markers in found.items() for marker in markers
        ]

    def release(self, actor: str, reason: str) -> bool:
        """
        Let deliveries go on; give False when another person has to agree first.

        What the object store remembers and the database does not is in doubt by then, and stays so.

        Raises:
            NotFoundError: Nothing stands still.
            PolicyError: This person has proposed the release already, or one of two signed nothing.
        """
        self._put_in_doubt()
        now = self._clock.now()
        with transaction(self._database) as connection:
            present = standing(connection)
            if present is None:
                raise NotFoundError("No quarantine stands: deliveries are not held.")
            if self._people > 1 and present.proposed_by is None:
                values: dict[str, object] = {"proposed_by": actor, "release_reason": reason}
                self._write(connection, present, values, now, actor, "quarantine_release_proposed")
                return False
            if self._people > 1 and present.proposed_by == actor:
                raise PolicyError(
                    f"{actor} has proposed this release, and a different person must agree.",
                    next_step="Ask a colleague to run: reporter db release-quarantine --reason TEXT",
                )
            for who in filter(None, (present.proposed_by, actor)):
                self._require(connection, who, _RELEASES, present.since, now)
        self._generations.catch_up(now)
        with transaction(self._database) as connection:
            reasons = "; ".join(filter(None, (present.release_reason, reason)))
            released = {"released_by": actor, "released_at": now, "release_reason": reasons}
            self._write(connection, present, released, now, actor, "quarantine_released")
        return True

    def _write(
        self, connection: Connection, of: Quarantine, values: Mapping[str, object], at: datetime, actor: str, kind: str
    ) -> None:
        connection.execute(update(Quarantine).where(col(Quarantine.id) == of.id).values(**values))
        audit.record(connection, at=at, actor=actor, kind=kind)

    def _something_due(self, now: datetime) -> bool:
        query = select(col(Delivery.submission_id)).where(col(Delivery.available_at) <= now).limit(1)
        with transaction(self._database) as connection:
            return connection.execute(query).first() is not None

    def _forgotten(self) -> dict[str, list[Marker]]:
        """Give what is not on record, by sequence; intents are committed before their markers, so nothing else is."""
        found: dict[str, list[Marker]] = {}
        everything = self._markers.all()
        while batch := list(islice(everything, _BATCH)):
            with transaction(self._database) as connection:
                strange = {marker.entry for marker in unremembered(connection, [marker for _, marker in batch])}
            for series, marker in batch:
                if marker.entry in strange:
                    found.setdefault(series, []).append(marker)
        return found

    def _put_in_doubt(self) -> None:
        found = self._forgotten()
        if not found:
            return
        waiting = (
            select(col(Submission.id), col(Submission.reference), col(Delivery.lane))
            .join(Delivery, col(Delivery.submission_id) == col(Submission.id))
            .where(col(Delivery.available_at).is_not(None))
            .with_for_update(of=Delivery)
        )
        now = self._clock.now()
        with transaction(self._database) as connection:
            for row in connection.execute(waiting).all():
                markers = unremembered(connection, found.get(series_of(row.lane, row.reference), []))
                if markers:
                    self._doubt(connection, row.id, row.reference, markers, now)

    def _doubt(
        self, connection: Connection, submission_id: str, reference: str, markers: Sequence[Marker], now: datetime
    ) -> None:
        connection.execute(
            update(Delivery)
            .where(col(Delivery.submission_id) == submission_id)
            .values(available_at=None, owner=None, fence=col(Delivery.fence) + 1)
        )
        reason = forgetting(markers)
        connection.execute(
            update(Submission).where(col(Submission.id) == submission_id).values(state=State.IN_DOUBT, reason=reason)
        )
        remember(connection, submission_id, markers, now)
        audit.record(
            connection, at=now, actor=ACTOR, kind=f"submission_{State.IN_DOUBT}", reference=reference,
            item=submission_id,
        )  # fmt: skip
