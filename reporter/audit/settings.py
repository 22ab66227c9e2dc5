"""Telling that the configuration changed: which keys, never their values."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, Engine, insert, select, update

from reporter.audit.model import SALT_BYTES
from reporter.audit.service import record
from reporter.audit.tables import SettingsSeen
from reporter.db.engine import reading, transaction

_SEEN = SettingsSeen.__table__  # type: ignore[attr-defined]


def note_settings(engine: Engine, at: datetime, machine: str, settings: Mapping[str, str], actor: str) -> None:
    """
    Record an event if ``settings`` (text by key) are not those that ``machine`` was last seen with.

    Raises:
        EnvironmentTroubleError: The database does not work.
    """
    with reading(engine) as connection:
        if _differences(connection, machine, settings) == {}:
            return
    with transaction(engine) as connection:
        differences = _differences(connection, machine, settings)
        if differences == {}:
            return
        salt = os.urandom(SALT_BYTES)
        digests = json.dumps({key: _digest(salt, key, value) for key, value in sorted(settings.items())})
        whole = f"sha256:{sha256(digests.encode()).hexdigest()}"
        row = {"machine": machine, "salt": salt, "digests": digests}
        if differences is None:
            connection.execute(insert(_SEEN), row)
            record(connection, at=at, actor=actor, kind="configuration_seen", item=machine, detail=whole)
            return
        connection.execute(update(_SEEN).where(_SEEN.c.machine == machine).values(row))
        told = " ".join([whole, *(f"{what}:{key}" for key, what in sorted(differences.items()))])
        record(connection, at=at, actor=actor, kind="configuration_changed", item=machine, detail=told)


def _differences(connection: Connection, machine: str, settings: Mapping[str, str]) -> dict[str, str] | None:
    """Give what became of each key that is not as it was; None where the machine was never seen."""
    row = connection.execute(select(_SEEN).where(_SEEN.c.machine == machine)).first()
    if row is None:
        return None
    was, salt = json.loads(row.digests), bytes(row.salt)
    changed = {
        key: "changed" if key in was else "added"
        for key, value in settings.items()
        if was.get(key) != _digest(salt, key, value)
    }
    return changed | dict.fromkeys(was.keys() - settings.keys(), "removed")


def _digest(salt: bytes, key: str, value: str) -> str:
    return sha256(salt + key.encode() + b"\0" + value.encode()).hexdigest()
