"""
Keeping something longer than a law asks, and deciding a conflict: people's words, on record.

18 USC 2258A(h)(5) lets a provider keep longer than the year "for the purpose of reducing the proliferation of online
child sexual exploitation or preventing" it. It needs that purpose in words, a second person, and a day on which
somebody looks again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update

from reporter.actors.service import Require, names_suffice
from reporter.clock import Clock as Time
from reporter.db.engine import transaction
from reporter.errors import PolicyError, UsageError
from reporter.evidence.bodies import BodyVault
from reporter.retention import reach
from reporter.retention.model import Clock, Origin, Part, Side
from reporter.retention.refusals import Refusals
from reporter.retention.tables import KeepLonger
from reporter.retention.words import require_another, tell
from reporter.tasks.model import Kind
from reporter.tasks.service import close_task, open_task

_LONGER = KeepLonger.__table__  # type: ignore[attr-defined]
_EXTENSION, _CONFLICT = "extension", "conflict"
_SOURCE = "18 U.S.C. 2258A, (h)(5)"


#: Says whether a case is in conflict now.
InConflict = Callable[[Connection, str], bool]


@dataclass(frozen=True, slots=True)
class Extended:
    """What a word about an extension came to; ``until`` holds once ``approved``."""

    reference: str
    until: datetime
    review_at: datetime
    approved: bool


class KeepingLonger:
    """The use cases of extensions and conflicts."""

    def __init__(
        self,
        database: Engine,
        time: Time,
        bodies: BodyVault,
        refusals: Refusals,
        conflicts: InConflict,
        require: Require = names_suffice,
    ) -> None:
        self._database, self._time, self._bodies = database, time, bodies
        self._refusals, self._conflicts, self._require = refusals, conflicts, require

    def extend(self, reference: str, until: datetime, review_at: datetime, actor: str, purpose: str) -> Extended:
        """
        Ask to keep a case until a later day, or agree to what another person asked in the same words of time.

        Raises:
            NotFoundError: There is no such case.
            UsageError: There is no purpose, or the times are not ahead and in order.
            PolicyError: One person says both words.
        """
        now = self._time.now()
        if not purpose.strip():
            raise UsageError("--purpose needs words.")
        if not now < review_at <= until:
            raise UsageError("--review lies ahead, and not after --until.")
        with self._refusals.recorded(actor, "extension"), transaction(self._database) as connection:
            reach.require_case(connection, reference)
            reach.lock(connection, [reference])
            asked = self._asked(connection, reference)
            body = self._bodies.seal(connection, reference, "reason", purpose.strip().encode(), now)
            if asked is None or (asked.until, asked.review_at) != (until, review_at):
                return self._ask(connection, reference, until, review_at, actor, body, now, instead=asked)
            require_another(asked.asked_by, actor, "asked for it")
            for who, at in ((asked.asked_by, asked.asked_at), (actor, now)):
                self._require(connection, who, {"retention extend": {"reference": reference}}, at)
            said = {"approved_by": actor, "approved_at": now, "approved_body": body}
            connection.execute(update(_LONGER).where(_LONGER.c.id == asked.id).values(**said))
            tell(connection, now, actor, "extension_approved", str(asked.id), f"until {until:%Y-%m-%d}", reference)
            close_task(
                connection, now, kind=Kind.EXTENSION_APPROVE, about=reference, actor=actor, outcome="approved"
            )  # fmt: skip
            open_task(
                connection, now, kind=Kind.EXTENSION_REVIEW, about=str(asked.id), reference=reference, due=review_at,
                actor=actor,
            )  # fmt: skip
            return Extended(reference, until, review_at, approved=True)

    def review(self, number: int, actor: str, reason: str, again_at: datetime) -> None:
        """
        Say that an extension is still needed, and when to look again; it ends by itself, and never sooner.

        Raises:
            UsageError: There is no such extension, no reason, or the time is not ahead of now and before its end.
            PolicyError: It is not approved, or is over.
        """
        now = self._time.now()
        if not reason.strip():
            raise UsageError("--reason needs words.")
        with transaction(self._database) as connection:
            query = select(_LONGER).where(_LONGER.c.id == number, _LONGER.c.kind == _EXTENSION)
            row = connection.execute(query.with_for_update()).one_or_none()
            if row is None:
                raise UsageError(f"There is no extension {number}.")
            if row.approved_at is None or row.until <= now:
                raise PolicyError(f"Extension {number} is not approved, or is over.")
            if not now < again_at <= row.until:
                raise UsageError("--again lies ahead, and not after the extension's end.")
            body = self._bodies.seal(connection, row.reference, "reason", reason.strip().encode(), now)
            said = {"review_at": again_at, "review_body": body}
            connection.execute(update(_LONGER).where(_LONGER.c.id == number).values(**said))
            detail = f"again by {again_at:%Y-%m-%d}"
            tell(connection, now, actor, "extension_reviewed", str(number), detail, row.reference)
            kind, about = Kind.EXTENSION_REVIEW, str(number)
            close_task(connection, now, kind=kind, about=about, actor=actor, outcome="still_needed")
            open_task(connection, now, kind=kind, about=about, reference=row.reference, due=again_at, actor=actor)

    def decide_conflict(self, reference: str, review_at: datetime, actor: str, reason: str) -> None:
        """
        Decide a conflict: the material is kept although a law says that it should be gone, until somebody looks again.

        A floor is never shortened, so nothing else can be decided; where a hold is what conflicts, release the hold.

        Raises:
            UsageError: There is no reason, or the time is not ahead.
            PolicyError: There is no conflict.
        """
        now = self._time.now()
        if not reason.strip():
            raise UsageError("--reason needs words.")
        if review_at <= now:
            raise UsageError("--review lies ahead.")
        with self._refusals.recorded(actor, "conflict"), transaction(self._database) as connection:
            reach.require_case(connection, reference)
            if not self._conflicts(connection, reference):
                raise PolicyError(
                    f"Case {reference} is in no conflict: there is nothing to decide.",
                    next_step=f"See: reporter retention show {reference}",
                )
            body = self._bodies.seal(connection, reference, "reason", reason.strip().encode(), now)
            connection.execute(
                insert(_LONGER).values(
                    reference=reference, kind=_CONFLICT, review_at=review_at, asked_by=actor, asked_at=now,
                    words_body=body, approved_by=actor, approved_at=now,
                )
            )  # fmt: skip
            detail = f"kept, again by {review_at:%Y-%m-%d}"
            tell(connection, now, actor, "conflict_decided", "retention", detail, reference)
            close_task(
                connection, now, kind=Kind.RETENTION_CONFLICT, about=reference, actor=actor, outcome="kept"
            )  # fmt: skip

    def _asked(self, connection: Connection, reference: str) -> Any:
        query = select(_LONGER).where(
            _LONGER.c.reference == reference, _LONGER.c.kind == _EXTENSION, _LONGER.c.approved_at.is_(None)
        )
        return connection.execute(query.order_by(_LONGER.c.id.desc()).limit(1)).one_or_none()

    def _ask(
        self,
        connection: Connection,
        reference: str,
        until: datetime,
        review_at: datetime,
        actor: str,
        body: str,
        now: datetime,
        instead: Any,
    ) -> Extended:
        values = {
            "until": until, "review_at": review_at, "asked_by": actor, "asked_at": now, "words_body": body,
        }  # fmt: skip
        if instead is None:
            connection.execute(insert(_LONGER).values(reference=reference, kind=_EXTENSION, **values))
        else:
            connection.execute(update(_LONGER).where(_LONGER.c.id == instead.id).values(**values))
        tell(connection, now, actor, "extension_asked", "retention", f"until {until:%Y-%m-%d}", reference)
        open_task(
            connection, now, kind=Kind.EXTENSION_APPROVE, about=reference, reference=reference, actor=actor
        )  # fmt: skip
        return Extended(reference, until, review_at, approved=False)


def clocks_of(connection: Connection, reference: str) -> list[Clock]:
    """Give the extensions of a case that were approved, as clocks."""
    query = select(_LONGER).where(
        _LONGER.c.reference == reference, _LONGER.c.kind == _EXTENSION, _LONGER.c.approved_at.is_not(None)
    )
    return [
        Clock(
            Part.MATERIAL, Side.FLOOR, Origin.EXTENSION, row.approved_at, row.until, "us-2258a", 0, "extension",
            _SOURCE, f"kept longer by {row.asked_by} and {row.approved_by}; to be reviewed by {row.review_at:%Y-%m-%d}",
            f"extension {row.id}",
        )
        for row in connection.execute(query.order_by(_LONGER.c.id))
    ]  # fmt: skip


def decided_until(connection: Connection, reference: str, now: datetime) -> datetime | None:
    """Give when a conflict that somebody decided comes up again, or None where none is decided now."""
    query = select(_LONGER.c.review_at).where(
        _LONGER.c.reference == reference, _LONGER.c.kind == _CONFLICT, _LONGER.c.review_at > now
    )
    return max(connection.execute(query).scalars(), default=None)
