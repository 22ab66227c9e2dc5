"""Sealed credentials in the key store's own database, for many machines: one row for each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    insert,
    inspect,
    select,
    text,
    update,
)

CREDENTIALS = Table(
    "credential",
    MetaData(),
    Column("name", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)


class DatabaseShelf:
    """A table beside the wraps, made at the first write; ``trouble`` makes the driver's errors the store's."""

    def __init__(self, engine: Engine, trouble: Callable[[], AbstractContextManager[None]]) -> None:
        self._engine, self._trouble, self._seen = engine, trouble, False

    def names(self) -> list[str]:
        """Give every name, as ``Shelf.names``."""
        with self._trouble(), self._engine.begin() as connection:
            if not self._is_there(connection):
                return []
            return sorted(connection.execute(select(CREDENTIALS.c.name)).scalars())

    def read(self, name: str) -> bytes | None:
        """Give what is kept, as ``Shelf.read``."""
        with self._trouble(), self._engine.begin() as connection:
            if not self._is_there(connection):
                return None
            query = select(CREDENTIALS.c.content).where(CREDENTIALS.c.name == name)
            content: bytes | None = connection.execute(query).scalar_one_or_none()
            return content

    def write(self, name: str, content: bytes) -> None:
        """Keep something, as ``Shelf.write``."""
        with self._trouble(), self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":  # one writer at a time, as on SQLite: they are few
                connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _WRITING})
            CREDENTIALS.create(connection, checkfirst=True)
            changed = update(CREDENTIALS).where(CREDENTIALS.c.name == name).values(content=content)
            if connection.execute(changed).rowcount == 0:
                connection.execute(insert(CREDENTIALS).values(name=name, content=content))

    def swap(self, name: str, old: bytes, new: bytes) -> bool:
        """Replace something, as ``Shelf.swap``."""
        same = (CREDENTIALS.c.name == name) & (CREDENTIALS.c.content == old)
        with self._trouble(), self._engine.begin() as connection:
            if not self._is_there(connection):
                return False
            return connection.execute(update(CREDENTIALS).where(same).values(content=new)).rowcount == 1

    def delete(self, name: str) -> None:
        """Remove something, as ``Shelf.delete``."""
        with self._trouble(), self._engine.begin() as connection:
            if self._is_there(connection):
                connection.execute(delete(CREDENTIALS).where(CREDENTIALS.c.name == name))

    def _is_there(self, connection: Connection) -> bool:
        self._seen = self._seen or inspect(connection).has_table(CREDENTIALS.name)
        return self._seen


#: Any number will do, as long as nobody else uses it.
_WRITING = 0x63726564656E74
