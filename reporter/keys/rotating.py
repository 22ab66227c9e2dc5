"""A new version of the root key, and everything of older versions wrapped again under it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Engine

from keycustody.rewrapping import Outcome, RootWraps, Step
from reporter.audit import service as audit
from reporter.clock import Clock
from reporter.db.engine import transaction
from reporter.evidence.custody import custody_errors
from reporter.keys.opening import Custody


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """The root key, and how many wraps are of which of its versions; ``others`` are of another key, or damaged."""

    provider: str
    kek_id: str
    version: int
    wraps: Mapping[int, int]
    others: int

    @property
    def behind(self) -> int:
        """How many wraps a rotation has still to deal with."""
        return sum(count for version, count in self.wraps.items() if version < self.version)


class Rotation:
    """Rotates the root key of a home while it is in use; begin and end are custody events."""

    def __init__(self, database: Engine, clock: Clock, custody: Custody) -> None:
        self._database, self._clock, self._provider = database, clock, custody.provider
        self._wraps = RootWraps(custody.provider, custody.store, custody.credentials)

    def begin(self, actor: str) -> int:
        """
        Make a new version of the root key, and give its number; older versions still open what they wrapped.

        Raises:
            EnvironmentTroubleError: The provider or the database does not work.
            CustodyError: The provider has no root key.
        """
        with custody_errors():
            self._tell("key_rotation_begun", actor, f"{self._provider.kek_id} from {self._provider.current_version}")
            return self._provider.rotate()

    def count(self) -> int:
        """
        Say how many wraps there are to look at.

        Raises:
            EnvironmentTroubleError: They cannot be read.
        """
        with custody_errors():
            return self._wraps.count()

    def rewrap(self, actor: str) -> Iterator[Step]:
        """
        Wrap again what is of an older version, and give each wrap as it was dealt with; another run goes on.

        Raises:
            EnvironmentTroubleError: The provider, the database or a store does not work.
        """
        done: Counter[Outcome] = Counter()
        with custody_errors():
            version = self._provider.current_version
            for step in self._wraps.rewrap():
                done[step.outcome] += 1
                yield step
            counts = f"{done[Outcome.REWRAPPED]} wrapped again, {done[Outcome.FAILED]} failed"
            self._tell("key_rotation_finished", actor, f"{self._provider.kek_id} to {version}, {counts}")

    def status(self) -> KeyStatus:
        """
        Say how many wraps are of which version.

        Raises:
            EnvironmentTroubleError: The provider or a store does not work.
            CustodyError: The provider has no root key.
        """
        with custody_errors():
            kek_id, version = self._provider.kek_id, self._provider.current_version
            found = self._wraps.versions()
        wraps = {of[1]: count for of, count in found.items() if of and of[0] == kek_id}
        return KeyStatus(
            self._provider.describe(), kek_id, version, dict(sorted(wraps.items())), found.total() - sum(wraps.values())
        )

    def _tell(self, kind: str, actor: str, detail: str) -> None:
        with transaction(self._database) as connection:
            audit.record(connection, at=self._clock.now(), actor=actor, kind=kind, detail=detail)
