"""A machine's clock that is behind what is on record was set back: by such a clock nothing is destroyed."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from reporter.audit.model import parsed
from reporter.audit.tables import Outbox, Record
from reporter.errors import EnvironmentTroubleError

_OUTBOX = Outbox.__table__  # type: ignore[attr-defined]
_RECORD = Record.__table__  # type: ignore[attr-defined]
#: So far may the clocks of machines that share a database differ.
_SKEW = timedelta(minutes=5)


def require_not_set_back(connection: Connection, now: datetime) -> None:
    """
    See that time has not gone back since the last event of the custody log.

    Raises:
        EnvironmentTroubleError: It has.
    """
    waiting = select(_OUTBOX.c.content).order_by(_OUTBOX.c.id.desc()).limit(1)
    logged = select(_RECORD.c.content).order_by(_RECORD.c.position.desc()).limit(1)
    last = connection.execute(waiting).scalar_one_or_none() or connection.execute(logged).scalar_one_or_none()
    if last is not None and parsed(last).at > now + _SKEW:
        raise EnvironmentTroubleError(
            "This machine's clock is behind the custody log: it was set back, or another machine's is ahead.",
            next_step="Set the clocks right; nothing is destroyed until then.",
        )
