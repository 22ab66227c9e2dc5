"""
Generations: how a database that was restored from the past is recognised before it delivers anything.

Database and object store count together. A generation is committed in the database and then put into the store,
create-only, with the same random token. A store that is ahead of the database, or holds another token at its number,
has seen things that this database has not.
"""

from __future__ import annotations

from datetime import datetime
from secrets import token_hex

from sqlalchemy import Connection, Engine, insert, select
from sqlmodel import col

from reporter.db.engine import transaction
from reporter.delivery.tables import Generation
from reporter.errors import CustodyError
from reporter.evidence.objects import ObjectStore


class Generations:
    """The count of one database and one object store."""

    def __init__(self, database: Engine, store: ObjectStore) -> None:
        self._database, self._store = database, store

    def agree(self) -> bool:
        """
        Whether database and object store remember the same; changes nothing.

        Raises:
            EnvironmentTroubleError: One of them cannot be read.
        """
        while True:
            number, token = self._latest()
            ahead = self._store.exists(_key(number + 1))
            same = not self._store.exists(_key(number)) or self._token(number) == token
            if not ahead and same:
                return True
            if self._latest() == (number, token):  # otherwise another worker has just gone on
                return False

    def advance(self, at: datetime) -> None:
        """Begin a generation; of workers that do so at once, one does."""
        number, token = self._latest()
        if number:
            self._put(number, token)  # a crash may have kept it from the store
        self._begin(number + 1, number, at)

    def catch_up(self, at: datetime) -> None:
        """Begin a generation beyond all that the store has seen, once people have dealt with what was forgotten."""
        before, _ = self._latest()
        number = before + 1
        while self._store.exists(_key(number)):
            number += 1
        self._begin(number, before, at)

    def _begin(self, number: int, after: int, at: datetime) -> None:
        token = token_hex(16)
        with transaction(self._database) as connection:
            _lock(connection)
            if _latest(connection)[0] != after:
                return
            connection.execute(insert(Generation), {"number": number, "token": token, "at": at})
        self._put(number, token)

    def _put(self, number: int, token: str) -> None:
        try:
            self._store.put(_key(number), [token.encode()])
        except CustodyError:
            if not self._store.exists(_key(number)):
                raise

    def _token(self, number: int) -> str:
        with self._store.open(_key(number)) as file:
            return file.read().decode(errors="replace")

    def _latest(self) -> tuple[int, str]:
        with transaction(self._database) as connection:
            return _latest(connection)


def _latest(connection: Connection) -> tuple[int, str]:
    query = select(col(Generation.number), col(Generation.token)).order_by(col(Generation.number).desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return (row.number, row.token) if row else (0, "")


def _lock(connection: Connection) -> None:
    """Let one worker at a time begin a generation; SQLite's transactions are one at a time already."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE generation IN SHARE ROW EXCLUSIVE MODE")


def _key(number: int) -> str:
    return f"generation.{number}"
