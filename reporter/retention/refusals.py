"""What was refused is on record too: who tried what, and the kind of refusal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine

from reporter.clock import Clock
from reporter.db.engine import transaction
from reporter.errors import PolicyError, UsageError
from reporter.retention.words import tell


@dataclass(frozen=True, slots=True)
class Refusals:
    """Records refusals, in a transaction of their own: the one that was refused is gone."""

    database: Engine
    clock: Clock

    @contextmanager
    def recorded(self, actor: str, what: str) -> Iterator[None]:
        """Run a block; where it refuses something, that it did is in the custody log, and the error is passed on."""
        try:
            yield
        except (PolicyError, UsageError) as error:
            with transaction(self.database) as connection:
                tell(connection, self.clock.now(), actor, "legal_refused", what, type(error).__name__)
            raise
