"""
Migrations at run time.

The wheel carries them as ``reporter/migrations``; in a checkout they are the folder ``alembic``. A database that is
ahead of this program is never touched: it belongs to a newer release.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from reporter.db.engine import database_errors
from reporter.errors import EnvironmentTroubleError

#: Any constant will do, as long as every release uses the same one.
_ADVISORY_LOCK = 7_245_119_031


def script_location() -> Path:
    """Give the folder of the migration scripts."""
    packaged = Path(str(files("reporter"))) / "migrations"
    return packaged if packaged.is_dir() else Path(str(files("reporter"))).parent / "alembic"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(script_location()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@cache
def _scripts() -> tuple[str, frozenset[str]]:
    """Give the newest revision, and all of them."""
    scripts = ScriptDirectory.from_config(_config())
    return scripts.get_current_head() or "", frozenset(script.revision for script in scripts.walk_revisions())


def revisions(engine: Engine) -> tuple[str | None, str]:
    """
    Give the revision the database is at (None when empty or not there) and the one this program needs.

    Raises:
        EnvironmentTroubleError: The database cannot be read.
    """
    head, _ = _scripts()
    if _missing(engine):  # to connect would create it
        return None, head
    with database_errors(), engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision(), head


def upgrade(engine: Engine) -> None:
    """
    Bring the database to this program's revision; safe to run from several machines at once.

    Raises:
        EnvironmentTroubleError: The database is ahead of this program, or cannot be reached.
    """
    _refuse_newer(engine)
    with database_errors(), engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        command.upgrade(_config(connection), "head")


def require_used(engine: Engine) -> None:
    """
    Refuse a database that is not there or is empty: one that was lost is restored, never silently replaced.

    Raises:
        EnvironmentTroubleError: With what to do instead.
    """
    if revisions(engine)[0] is None:
        what = f"There is no database at {engine.url.database}." if _missing(engine) else "The database is empty."
        raise EnvironmentTroubleError(
            what,
            next_step="If it was ever used, restore its backup; to begin anew: reporter init, in a new home",
        )


def require_current(engine: Engine) -> None:
    """
    Refuse to work on a database that is behind or ahead.

    Raises:
        EnvironmentTroubleError: With the command that mends it.
    """
    current, head = revisions(engine)
    if current == head:
        return
    require_used(engine)
    _refuse_newer(engine)
    raise EnvironmentTroubleError(
        f"The database is at revision {current}, this program needs {head}.", next_step="Run: reporter db upgrade"
    )


def _missing(engine: Engine) -> bool:
    return engine.dialect.name == "sqlite" and not Path(engine.url.database or "").exists()


def _refuse_newer(engine: Engine) -> None:
    current, _ = revisions(engine)
    _, known = _scripts()
    if current is not None and current not in known:
        raise EnvironmentTroubleError(
            f"The database is at revision {current}, which this program does not know: it is newer.",
            next_step="Install the release of Reporter that last upgraded it.",
        )
