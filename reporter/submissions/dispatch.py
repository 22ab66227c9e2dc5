"""What the submissions room asks of the delivery room, which comes after it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection


class Dispatch(Protocol):
    """The queue of deliveries, seen from before it; every call joins the caller's transaction."""

    def enqueue(self, connection: Connection, submission_id: str, *, lane: str, urgent: bool, at: datetime) -> None:
        """Make an approved submission due at once."""
        ...

    def hold(self, connection: Connection, reference: str) -> None:
        """Lock the case's deliveries, so that no worker begins one before this transaction ends."""
        ...

    def recall(self, connection: Connection, submission_ids: Collection[str]) -> None:
        """Take submissions that no worker has begun out of the queue."""
        ...

    def learnt(self, connection: Connection, submission_id: str) -> Mapping[str, str]:
        """Give the remote ids that the authority's own word of a filing brought."""
        ...

    def attempts(self, connection: Connection, submission_ids: Collection[str]) -> Mapping[str, int]:
        """Count the attempts begun for each submission."""
        ...
