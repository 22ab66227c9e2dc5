"""The register of alarms: raised once, cleared by themselves, acknowledged by people."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, insert, select, text, update

from reporter.alarms.model import Kind, Matter, Sending, Standing
from reporter.alarms.tables import Alarm, AlarmNotice
from reporter.audit import service as audit
from reporter.clock import Clock
from reporter.db.engine import transaction
from reporter.errors import NotFoundError

_ALARM = Alarm.__table__  # type: ignore[attr-defined]
_NOTICE = AlarmNotice.__table__  # type: ignore[attr-defined]


def lock(connection: Connection) -> None:
    """Let nobody else look and settle until this transaction ends; SQLite's has done so from its beginning."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE alarm IN SHARE ROW EXCLUSIVE MODE"))


def settle(connection: Connection, matters: Collection[Matter], now: datetime) -> None:
    """Clear the alarms whose matter is over and raise those that are new; call ``lock`` before looking at matters."""
    open_ones = {
        (row.kind, row.about, row.since): row.id
        for row in connection.execute(select(_ALARM).where(_ALARM.c.cleared_at.is_(None)))
    }
    so_now = {matter.key: matter for matter in matters}
    if over := [{"over": number} for key, number in open_ones.items() if key not in so_now]:
        connection.execute(update(_ALARM).where(_ALARM.c.id == bindparam("over")).values(cleared_at=now), over)
    if new := [_values(matter, now) for key, matter in so_now.items() if key not in open_ones]:
        connection.execute(insert(_ALARM), new)


class AlarmService:
    """What people ask of the register."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    def standing(self, *, cleared_too: bool = False) -> list[Standing]:
        """Give the open alarms, or every alarm, oldest first."""
        with transaction(self._engine) as connection:
            return standing(connection, cleared_too=cleared_too)

    def acknowledge(self, number: int, actor: str) -> Standing:
        """
        Say that somebody heard: it is silent from now until it is over. Once said, saying it again changes nothing.

        Raises:
            NotFoundError: There is no such alarm.
        """
        now = self._clock.now()
        heard = (
            update(_ALARM)
            .where(_ALARM.c.id == number, _ALARM.c.acknowledged_at.is_(None), _ALARM.c.cleared_at.is_(None))
            .values(acknowledged_by=actor, acknowledged_at=now)
        )
        with transaction(self._engine) as connection:
            if connection.execute(heard.returning(_ALARM.c.reference)).one_or_none() is not None:
                audit.record(connection, at=now, actor=actor, kind="alarm_acknowledged", detail=str(number))
            found = standing(connection, cleared_too=True, number=number)
        if not found:
            raise NotFoundError(f"There is no alarm {number}.", next_step="See: reporter alarm list --all")
        return found[0]


def standing(connection: Connection, *, cleared_too: bool = False, number: int | None = None) -> list[Standing]:
    """Give alarms on record, oldest first."""
    query = (
        select(_ALARM, *(_NOTICE.c[name] for name in ("channel", "sent_at", "notices", "trouble")))
        .outerjoin(_NOTICE, _NOTICE.c.alarm_id == _ALARM.c.id)
        .order_by(_ALARM.c.id, _NOTICE.c.channel)
    )
    if not cleared_too:
        query = query.where(_ALARM.c.cleared_at.is_(None))
    if number is not None:
        query = query.where(_ALARM.c.id == number)
    rows: dict[int, list[Any]] = {}
    for row in connection.execute(query):
        rows.setdefault(row.id, []).append(row)
    return [_standing(of_one) for of_one in rows.values()]


def since(connection: Connection, kind: Kind, about: str) -> datetime | None:
    """Give since when an open alarm says so, for matters of which nothing else tells when they began."""
    query = select(_ALARM.c.since).where(
        _ALARM.c.kind == kind.value, _ALARM.c.about == about, _ALARM.c.cleared_at.is_(None)
    )
    began: datetime | None = connection.execute(query).scalar_one_or_none()
    return began


def matter_of(row: Any) -> Matter:
    """Give the matter that a row of the register is about."""
    return Matter(Kind(row.kind), row.about, row.since, row.reference, row.lane)


def _standing(rows: list[Any]) -> Standing:
    row = rows[0]
    return Standing(
        row.id, matter_of(row), row.raised_at, row.acknowledged_by, row.acknowledged_at, row.cleared_at,
        tuple(Sending(sent.channel, sent.sent_at, sent.notices, sent.trouble) for sent in rows if sent.channel),
    )  # fmt: skip


def _values(matter: Matter, now: datetime) -> dict[str, Any]:
    return {
        "kind": matter.kind.value,
        "about": matter.about,
        "since": matter.since,
        "reference": matter.reference,
        "lane": matter.lane,
        "raised_at": now,
    }
