"""
A key store in a database of its own, for many machines: SQLite or PostgreSQL, one table; credentials may lie beside it.

Never the main database: its dumps live longer than keys may, and a destroyed wrap would come back with each of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    event,
    insert,
    inspect,
    make_url,
    select,
    text,
    update,
)
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, SQLAlchemyError

from keycustody import files
from keycustody.database_shelf import CREDENTIALS, DatabaseShelf
from keycustody.errors import KeyExistsError, MissingKeyError, StorageError
from keycustody.store import safe
from keycustody.wraps import Wrap

_WRAPS = Table(
    "key_wrap",
    MetaData(),
    Column("id", String(128), primary_key=True),
    Column("wrap", LargeBinary, nullable=False),
)
_BUSY_SECONDS, _CONNECT_SECONDS = 30, 10
#: Any number will do, as long as nobody else uses it: who makes the table waits for whoever else does.
_MAKING_THE_TABLE = 0x6B6579777261


class DatabaseKeyStore:
    """One row for each wrap, in a database that holds nothing else."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def create(cls, url: str) -> DatabaseKeyStore:
        """
        Open the store at ``url``, and make its table where there is none.

        Raises:
            StorageError: The database cannot be used, or holds something else too.

        """
        engine = _engine(url)
        with _trouble(engine), files.trouble("The key store cannot be made"):
            if (file := _file(engine)) is not None and not file.exists():
                with suppress(FileExistsError):  # another process was first
                    files.create(file, [])  # ours alone, where SQLite would leave it to the umask
            with engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MAKING_THE_TABLE})
                _refuse_company(connection)
                _WRAPS.metadata.create_all(connection)
        return cls(engine)

    @classmethod
    def open(cls, url: str) -> DatabaseKeyStore:
        """
        Open the store at ``url``.

        Raises:
            StorageError: The database cannot be used, has no such table, or holds something else too.

        """
        engine = _engine(url)
        with _trouble(engine), files.trouble("The key store cannot be used"):
            if (file := _file(engine)) is not None and not file.exists():
                raise StorageError(f"There is no key store in {file}.")
            with engine.begin() as connection:
                if _WRAPS.name not in _refuse_company(connection):
                    raise StorageError("The key store's database has no table of wraps: `reporter init` makes it.")
            if file is not None:
                files.require_private(file)
        return cls(engine)

    def put(self, key_id: str, wrap: Wrap) -> None:
        """
        Keep a new wrap.

        Raises:
            KeyExistsError: The id is taken; what is there is untouched.
            StorageError: The database does not work.

        """
        new = insert(_WRAPS).values(id=safe(key_id), wrap=wrap.to_json())
        with _trouble():
            try:
                with self._engine.begin() as connection:
                    connection.execute(new)
            except IntegrityError:
                raise KeyExistsError(f"The key store has a wrap {key_id} already.") from None

    def get(self, key_id: str) -> Wrap:
        """
        Give a wrap.

        Raises:
            MissingKeyError: There is none of that id.
            SealError: What is kept there is not a wrap any more.
            StorageError: The database does not work.

        """
        query = select(_WRAPS.c.wrap).where(_WRAPS.c.id == safe(key_id))
        with _trouble(), self._engine.begin() as connection:
            found = connection.execute(query).scalar_one_or_none()
        if found is None:
            raise MissingKeyError(f"The key store has no wrap {key_id}.")
        return Wrap.from_json(found)

    def replace(self, key_id: str, old: Wrap, new: Wrap) -> bool:
        """
        Put ``new`` in the place of ``old``; False, and nothing done, where ``old`` was changed or destroyed.

        Raises:
            StorageError: The database does not work.

        """
        same = (_WRAPS.c.id == safe(key_id)) & (_WRAPS.c.wrap == old.to_json())
        with _trouble(), self._engine.begin() as connection:
            return connection.execute(update(_WRAPS).where(same).values(wrap=new.to_json())).rowcount == 1

    def delete(self, key_id: str) -> None:
        """
        Remove a wrap for good; one that is gone already is no error.

        Raises:
            StorageError: The database does not work.

        """
        with _trouble(), self._engine.begin() as connection:
            connection.execute(delete(_WRAPS).where(_WRAPS.c.id == safe(key_id)))

    def ids(self, prefix: str = "") -> Iterator[str]:
        """
        Give the ids that begin with ``prefix``, in order, as they were at the time of asking.

        Raises:
            StorageError: The database does not work.

        """
        query = select(_WRAPS.c.id).where(_WRAPS.c.id.startswith(prefix, autoescape=True))
        with _trouble(), self._engine.begin() as connection:
            names = sorted(connection.execute(query).scalars())
        return (name for name in names if name.startswith(prefix))  # LIKE takes no heed of case on SQLite

    def describe(self) -> str:
        """Say which database it is, without who logs in and how."""
        url = self._engine.url
        return f"{url.get_backend_name()} database {url.database} of its own"

    def shelf(self) -> DatabaseShelf:
        """Give where credentials lie in the same database."""
        return DatabaseShelf(self._engine, _trouble)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
            timeout = {"connect_timeout": _CONNECT_SECONDS}
            return create_engine(parsed, pool_pre_ping=True, hide_parameters=True, connect_args=timeout)
        if parsed.get_backend_name() != "sqlite":
            raise StorageError("keys.store_url: use a sqlite:/// or postgresql:// URL.")
        engine = create_engine(
            parsed, hide_parameters=True, connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False}
        )
    except (ArgumentError, NoSuchModuleError):
        raise StorageError("keys.store_url is not a database URL.") from None
    except ModuleNotFoundError:
        raise StorageError("PostgreSQL needs its driver: pip install 'reporter[postgres]'.") from None
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _file(engine: Engine) -> Path | None:
    return Path(engine.url.database or "") if engine.dialect.name == "sqlite" else None


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Durable, and thorough: what is deleted is overwritten, and stays in no write-ahead log."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=DELETE", "synchronous=EXTRA", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _refuse_company(connection: Connection) -> set[str]:
    """Give the tables that are there, ours at most."""
    tables = set(inspect(connection).get_table_names())
    if tables - {_WRAPS.name, CREDENTIALS.name}:
        raise StorageError(
            "keys.store_url: that database holds other tables; the key store needs one of its own, "
            "never the main one, whose backups would keep what is to be destroyed."
        )
    return tables


@contextmanager
def _trouble(opening: Engine | None = None) -> Iterator[None]:
    """Run a block in which the driver's errors mean trouble with the store; ``opening`` is closed by any error."""
    try:
        yield
    except SQLAlchemyError as error:
        _close(opening)
        line = (str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines() or [""])[0].rstrip(".")
        raise StorageError(f"The key store's database does not work: {line}.") from None
    except (StorageError, OSError):
        _close(opening)
        raise


def _close(engine: Engine | None) -> None:
    if engine is not None:
        engine.dispose()
