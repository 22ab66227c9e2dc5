"""
Opening the database: SQLite in the home, or PostgreSQL by URL.

Durability is not a setting. A receipt that a power cut can take back would let a report be filed twice, so SQLite runs
WAL with ``synchronous=FULL``, and every transaction begins IMMEDIATE: a deferred one that reads and then writes fails
under concurrency with "database is locked", whatever the busy timeout.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError

from reporter.errors import ConfigurationError, EnvironmentTroubleError

SQLITE_BUSY_TIMEOUT_MS = 30_000


def sqlite_url(file: Path) -> str:
    """Give the URL of a SQLite file."""
    return f"sqlite:///{file}"


def open_engine(url: str, *, pool_size: int = 5) -> Engine:
    """
    Open the database at ``url`` (``sqlite:///…`` or ``postgresql://…``); nothing is created yet.

    Raises:
        ConfigurationError: The URL is malformed, or no driver for it is installed.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() == "sqlite":
            engine = create_engine(
                parsed,
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_MS / 1000, "check_same_thread": False},
                pool_size=pool_size,
                max_overflow=0,
            )
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_immediate)
            return engine
        if parsed.get_backend_name() != "postgresql":
            raise ConfigurationError(
                f"database_url: {parsed.get_backend_name()} is not supported; use SQLite or PostgreSQL."
            )
        return create_engine(parsed, pool_size=pool_size, max_overflow=0, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError) as error:
        raise ConfigurationError("database_url is not a database URL.") from error
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "PostgreSQL needs its driver.", next_step="Install it with: pip install 'reporter[postgres]'"
        ) from error


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """
    Run a block in one transaction: committed at its end, rolled back when it raises.

    Raises:
        EnvironmentTroubleError: The database cannot be reached, is read-only, locked or full.
    """
    try:
        with engine.begin() as connection:
            yield connection
    except OperationalError as error:
        raise EnvironmentTroubleError(f"The database does not work: {_plain(error)}.") from error


def _plain(error: DBAPIError) -> str:
    """Give the driver's first line without the statement and its parameters, which may hold personal data."""
    return str(error.orig).strip().splitlines()[0] if error.orig else type(error).__name__
