"""
The authorities' own schemas, as fetched with the operator's credentials.

They live in the operator's database and never in the repository: an authority may give its schema to registered
providers alone. Every version is kept; the newest is in force.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select
from sqlmodel import col

from reporter.authority import Environment
from reporter.submissions.tables import AuthoritySchema

_NEWEST = (
    select(col(AuthoritySchema.id), col(AuthoritySchema.sha256), col(AuthoritySchema.fetched_at))
    .where(col(AuthoritySchema.authority) == bindparam("by"), col(AuthoritySchema.environment) == bindparam("at"))
    .order_by(col(AuthoritySchema.id).desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class StoredSchema:
    """One version of an authority's schema."""

    sha256: str
    fetched_at: datetime
    content: bytes


class SchemaShelf:
    """Keeps schemas and gives the one in force, read once per version."""

    def __init__(self) -> None:
        self._read: dict[str, bytes] = {}

    def keep(
        self, connection: Connection, authority: str, environment: Environment, content: bytes, at: datetime
    ) -> StoredSchema:
        """Put a fetched schema in force; the same content again only confirms its date."""
        sha256 = hashlib.sha256(content).hexdigest()
        connection.execute(
            insert(AuthoritySchema).values(
                authority=authority, environment=environment, sha256=sha256, fetched_at=at, content=content
            )
        )
        return StoredSchema(sha256, at, content)

    def in_force(self, connection: Connection, authority: str, environment: Environment) -> StoredSchema | None:
        """Give the newest schema of one authority in one environment."""
        newest = connection.execute(_NEWEST, {"by": authority, "at": environment}).one_or_none()
        if newest is None:
            return None
        if newest.sha256 not in self._read:
            query = select(col(AuthoritySchema.content)).where(col(AuthoritySchema.id) == newest.id)
            self._read[newest.sha256] = connection.execute(query).scalar_one()
        return StoredSchema(newest.sha256, newest.fetched_at, self._read[newest.sha256])
