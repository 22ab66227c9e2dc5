"""Real dumps of a live database, taken and restored as an administrator would."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import psycopg
from sqlalchemy import Engine

from tests.conftest import postgres_program


class Dumps:
    """Dumps of one database."""

    def __init__(self, database: Engine, folder: Path) -> None:
        self.database, self._folder = database, folder
        self._url = database.url.set(drivername=database.url.get_backend_name()).render_as_string(hide_password=False)

    def take(self) -> Path:
        """Dump the database while it is in use."""
        dump = self._folder / f"{uuid4().hex}.dump"
        if self.database.dialect.name == "sqlite":
            with closing(sqlite3.connect(self._file)) as live, closing(sqlite3.connect(dump)) as copy:
                live.backup(copy)
        else:
            postgres_program("pg_dump", "--format=custom", f"--file={dump}", self._url)
        return dump

    def restore(self, dump: Path) -> None:
        """Put the database back to a dump, under whoever is connected."""
        self.database.dispose()
        if self.database.dialect.name == "sqlite":
            for end in ("-wal", "-shm"):
                Path(f"{self._file}{end}").unlink(missing_ok=True)
            shutil.copy(dump, self._file)
            return
        name = self.database.url.database
        with psycopg.connect(self._url.replace(f"/{name}?", "/postgres?"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name}")
        postgres_program("pg_restore", f"--dbname={self._url}", str(dump))

    @property
    def _file(self) -> str:
        assert self.database.url.database is not None
        return self.database.url.database
