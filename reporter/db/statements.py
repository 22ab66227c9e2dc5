"""Statements that each database writes in its own way."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite


def inserting(connection: Connection, table: Any) -> Any:
    """Give an INSERT that knows ON CONFLICT, which each dialect has of its own."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
