"""
How Alembic reaches the database and the tables.

The program hands its own connection over (``reporter.db.migrate``). The ``alembic`` command opens the database of the
home that the environment names, or the one of ``REPORTER_DATABASE_URL``.
"""

from __future__ import annotations

from typing import Any

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.types import TypeDecorator

from reporter.db.schema import metadata


def render_item(kind: str, item: Any, _: Any) -> str | bool:
    """Write the database's own types into migrations, which must not change when our decorators do."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    return False


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        render_item=render_item,
    )
    with context.begin_transaction():
        context.run_migrations()


connection = context.config.attributes.get("connection")
if connection is not None:
    run(connection)
else:
    from reporter import config
    from reporter.db.engine import open_engine

    engine = open_engine(config.load().database)
    with engine.begin() as connection:
        run(connection)
    engine.dispose()
