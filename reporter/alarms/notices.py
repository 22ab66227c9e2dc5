"""
Telling people: every open alarm through every channel, again and again until somebody says that they heard.

Each message is claimed in the database before it is handed over, so that of many workers one sends it. One that was
claimed by a worker that then died is sent again: a person may hear twice, never not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import Engine, and_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from reporter.alarms.model import Channel, Kind, Matter, Notice
from reporter.alarms.service import matter_of
from reporter.alarms.tables import Alarm, AlarmNotice
from reporter.clock import Clock
from reporter.db.engine import transaction
from reporter.errors import EnvironmentTroubleError

_ALARM = Alarm.__table__  # type: ignore[attr-defined]
_NOTICE = AlarmNotice.__table__  # type: ignore[attr-defined]
#: A message that was not reported handed over by then is taken for lost; no channel takes so long.
_HANDING_OVER = timedelta(minutes=2)
#: Messages through one channel in one go; the rest follow in the next, and no flood delays a worker's sign of life.
_AT_ONCE = 20


class Notifier:
    """Sends the messages that are due; safe with several workers."""

    def __init__(self, engine: Engine, clock: Clock, channels: Sequence[Channel], repeat: timedelta) -> None:
        self._engine, self._clock, self._channels, self._repeat = engine, clock, tuple(channels), repeat

    def notify(self) -> dict[str, str]:
        """
        Send what is due; a channel that fails is left until the next time, and the others go on.

        Returns:
            The channels that failed, each with its trouble.
        """
        troubles = {channel.name: self._through(channel) for channel in self._channels}
        return {name: trouble for name, trouble in troubles.items() if trouble}

    def test(self) -> Mapping[str, str]:
        """Send a test message through every channel; give each with its trouble, empty where there is none."""
        now = self._clock.now()
        notice = Notice(0, Matter(Kind.TEST, "test", now), now, 1)
        return {channel.name: _handed_over(channel, notice) for channel in self._channels}

    def _through(self, channel: Channel) -> str:
        for _ in range(_AT_ONCE):
            notice = self._claim(channel.name)
            if notice is None:
                return ""
            if trouble := _handed_over(channel, notice):
                self._failed(channel.name, notice, trouble)
                return trouble
            self._sent(channel.name, notice)
        return ""

    def _claim(self, channel: str) -> Notice | None:
        """Claim the message that waits longest, new alarms first; None when none is due."""
        now = self._clock.now()
        of_channel = and_(_NOTICE.c.alarm_id == _ALARM.c.id, _NOTICE.c.channel == channel)
        due = (
            select(_ALARM, _NOTICE.c.notices)
            .outerjoin(_NOTICE, of_channel)
            .where(
                _ALARM.c.cleared_at.is_(None),
                _ALARM.c.acknowledged_at.is_(None),
                or_(_NOTICE.c.next_at.is_(None), _NOTICE.c.next_at <= now),
            )
            .order_by(_NOTICE.c.next_at.is_not(None), _NOTICE.c.next_at, _ALARM.c.id)
            .limit(1)
        )
        while True:
            with transaction(self._engine) as connection:
                row = connection.execute(due).one_or_none()
                if row is None:
                    return None
                dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
                claimed = connection.execute(
                    dialect.insert(_NOTICE)
                    .values(alarm_id=row.id, channel=channel, next_at=now + _HANDING_OVER, notices=0, trouble="")
                    .on_conflict_do_update(
                        index_elements=["alarm_id", "channel"],
                        set_={"next_at": now + _HANDING_OVER},
                        where=_NOTICE.c.next_at <= now,
                    )
                    .returning(_NOTICE.c.alarm_id)
                ).one_or_none()
            if claimed is not None:
                return Notice(row.id, matter_of(row), row.raised_at, (row.notices or 0) + 1)

    def _sent(self, channel: str, notice: Notice) -> None:
        now = self._clock.now()
        self._write(
            channel, notice, next_at=now + self._repeat, sent_at=now, notices=_NOTICE.c.notices + 1, trouble=""
        )  # fmt: skip

    def _failed(self, channel: str, notice: Notice, trouble: str) -> None:
        self._write(channel, notice, next_at=self._clock.now(), trouble=trouble)

    def _write(self, channel: str, notice: Notice, **values: object) -> None:
        of_this = and_(_NOTICE.c.alarm_id == notice.alarm, _NOTICE.c.channel == channel)
        with transaction(self._engine) as connection:
            connection.execute(update(_NOTICE).where(of_this).values(**values))


def _handed_over(channel: Channel, notice: Notice) -> str:
    """Hand a message over; give what stood in the way, empty when nothing did."""
    try:
        channel.send(notice)
    except EnvironmentTroubleError as error:
        return error.message
    return ""
