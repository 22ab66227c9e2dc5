"""
Opening the database: SQLite in the home, or PostgreSQL by URL.

Durability is not a setting. A receipt that a power cut can take back would let a report be filed twice, so SQLite runs
WAL with ``synchronous=FULL``, and every transaction begins IMMEDIATE: a deferred one that reads and then writes fails
under concurrency with "database is locked", whatever the busy timeout.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DisconnectionError,
    InternalError,
    NoSuchModuleError,
    OperationalError,
)

from reporter.db.commits import GroupCommit
from reporter.errors import ConfigurationError, EnvironmentTroubleError

SQLITE_BUSY_TIMEOUT_MS = 30_000
_READING = "reading"
#: SQLite has one writer. Threads wait for their turn here, where they are woken, not in its busy handler, which sleeps.
_WRITERS: WeakKeyDictionary[Engine, GroupCommit] = WeakKeyDictionary()
_Given = TypeVar("_Given")

#: Words of the drivers, and what a person can do about it.
_NEXT_STEPS = {
    "not a database": "Restore it from its backup.",
    "malformed": "Restore it from its backup.",
    "unable to open": "Is its folder there, on a disk that can be written, and does it belong to you?",
    "readonly": "Is it on a disk that can be written, and does it belong to you?",
    "full": "Make room on its disk.",
    "locked": "Another program holds it; try again.",
    "connection": "Is the server up, and REPORTER_DATABASE_URL right?",
}


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
            _WRITERS[engine] = GroupCommit()
            return engine
        if parsed.get_backend_name() != "postgresql":
            raise ConfigurationError(
                f"database_url: {parsed.get_backend_name()} is not supported; use SQLite or PostgreSQL."
            )
        engine = create_engine(parsed, pool_size=pool_size, max_overflow=0)
        event.listen(engine, "connect", _prepare_postgresql)
        event.listen(engine, "checkout", _refuse_ended)
        return engine
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


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    """
    Have what is repeated planned once.

    Left to itself the server plans a claim anew each time once 100,000 deliveries wait, because it takes the plan made
    once for dearer than it is; the driver prepares only statements that a connection repeats.
    """
    connection.execute("SET plan_cache_mode = force_generic_plan")
    connection.commit()


def _refuse_ended(connection: Any, _record: Any, _proxy: Any) -> None:
    """
    Have the pool replace a connection that the server has ended, without asking the server.

    One at rest has nothing to say; what waits to be read is its end, or at worst a notice, which costs a connection.
    """
    if connection.closed:
        raise DisconnectionError
    watched = select.poll()
    watched.register(connection.fileno(), select.POLLIN)
    if watched.poll(0):
        raise DisconnectionError


def _begin_immediate(connection: Connection) -> None:
    if not connection.get_execution_options().get(_READING):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """
    Run a block that only reads, each statement by itself; it keeps no writer waiting, and waits for none.

    Raises:
        EnvironmentTroubleError: As ``database_errors`` says.
    """
    options = {"isolation_level": "AUTOCOMMIT"} if engine.dialect.name == "postgresql" else {_READING: True}
    with database_errors(), engine.connect() as connection:
        yield connection.execution_options(**options)


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """
    Run a block that only reads, all of it as the database was at the first statement; it keeps no writer waiting.

    Raises:
        EnvironmentTroubleError: As ``database_errors`` says.
    """
    options = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {_READING: True}
    with database_errors(), engine.connect().execution_options(**options) as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN DEFERRED")
        yield connection


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """
    Run a block in one transaction: committed at its end, rolled back when it raises.

    Raises:
        EnvironmentTroubleError: As ``database_errors`` says.
    """
    writer = _WRITERS.get(engine)
    with writer.turn if writer else nullcontext(), database_errors(), engine.begin() as connection:
        yield connection


def committed(engine: Engine, work: Callable[[Connection], _Given]) -> _Given:
    """
    Run ``work`` in one transaction and give what it gives, once that is durable; on SQLite threads share commits.

    Not to be called inside a transaction.

    Raises:
        EnvironmentTroubleError: As ``database_errors`` says.
    """
    writer = _WRITERS.get(engine)
    if writer is None:
        with transaction(engine) as connection:
            return work(connection)
    with database_errors():
        return writer.run(lambda: transaction(engine), work)


@contextmanager
def database_errors() -> Iterator[None]:
    """
    Run a block that uses the database.

    Raises:
        EnvironmentTroubleError: The database cannot be reached, is damaged, read-only, locked or full.
    """
    try:
        yield
    except DatabaseError as error:
        # Its other kinds are about what we asked for: a fault of ours, and their text repeats values.
        if type(error) not in (DatabaseError, OperationalError, InternalError):
            raise
        raise _trouble(error) from error


def _trouble(error: DatabaseError) -> EnvironmentTroubleError:
    """Give the driver's first line without the statement and its parameters, which may hold personal data."""
    line = (str(error.orig).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
    next_step = next((step for words, step in _NEXT_STEPS.items() if words in line), "")
    return EnvironmentTroubleError(f"The database does not work: {line}.", next_step=next_step)
