"""What is done with a home once it is rebuilt: deliveries held, everything read back, the custody log verified."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from reporter.audit import service as audit
from reporter.audit.faults import Fault
from reporter.bootstrap import App
from reporter.db.engine import transaction
from reporter.evidence.verification import Verified
from reporter.keys.kit import Kit


@dataclass(slots=True)
class Review:
    """How a rebuilt home was found."""

    items: int = 0
    damaged: list[Verified] = field(default_factory=list)
    faults: Sequence[Fault] = ()
    same_log: bool = True


class Recovery:
    """Takes a rebuilt home over."""

    def __init__(self, house: App, kit: Kit, kit_sha256: str) -> None:
        self._house, self._kit, self._sha256 = house, kit, kit_sha256

    def hold(self, actor: str) -> None:
        """Put on record whence the home comes, and stop deliveries: its database may have forgotten something."""
        with transaction(self._house.database) as connection:
            detail = f"kit of {self._kit.made_at:%Y-%m-%d} sha256 {self._sha256}"
            audit.record(connection, at=self._house.clock.now(), actor=actor, kind="home_recovered", detail=detail)
        self._house.deliveries.quarantine.impose("The home was rebuilt from a recovery kit and copies.", actor)

    def review(self, actor: str, sample: int | None = None) -> Review:
        """
        Read back all items, or so many, and compute the custody log again.

        Raises:
            EnvironmentTroubleError: A store, the key provider or the database does not work.
        """
        review = Review()
        for found in self._found(actor, sample):
            review.items += 1
            if not found.sound:
                review.damaged.append(found)
        log = self._house.log
        log.sequencer.run()
        review.faults = log.verification.run().faults
        review.same_log = str(log.checkpoints.verifier) == self._kit.log
        return review

    def _found(self, actor: str, sample: int | None) -> Iterator[Verified]:
        integrity = self._house.evidence.integrity
        return integrity.everything(actor) if sample is None else integrity.sample(sample, actor)
