"""The guard at the filing call: nothing is filed while the store remembers a filing that the database does not."""

from __future__ import annotations

from collections.abc import Sequence

from reporter.authority import Outcome
from reporter.delivery.ledger import Ledger
from reporter.delivery.markers import Markers, series_of
from reporter.delivery.model import Claim, Entry, Marker, Settle, forgetting
from reporter.errors import CustodyError, ReporterError
from reporter.submissions.model import State


class ForgottenError(ReporterError):
    """The database has forgotten filings of this case."""

    def __init__(self, forgotten: tuple[Marker, ...]) -> None:
        super().__init__(forgetting(forgotten))
        self.forgotten = forgotten

    @property
    def settle(self) -> Settle:
        """Give where the submission stands now."""
        return Settle(State.IN_DOUBT, self.message, forgotten=self.forgotten)


class Guard:
    """Holds one ledger against the markers of one object store."""

    def __init__(self, markers: Markers, ledger: Ledger) -> None:
        self._markers, self._ledger = markers, ledger

    def check(self, claim: Claim, history: Sequence[Entry]) -> list[Marker]:
        """
        Give the case's markers, every one of which is on record.

        Raises:
            ForgottenError: One is not.
            CustodyError: One is damaged.
            EnvironmentTroubleError: The store or the database does not work.
        """
        found = self._markers.of(series_of(claim.lane, claim.reference))
        known = {entry.id for entry in history}
        strange = [marker for marker in found if marker.entry not in known]
        if strange and (forgotten := self._ledger.unremembered(claim, strange)):
            raise ForgottenError(forgotten)
        return found

    def may_have_filed(self, claim: Claim, history: Sequence[Entry]) -> bool:
        """
        Whether the last attempt may have come to its filing call, told without its plan.

        Raises:
            EnvironmentTroubleError: The store does not work.
        """
        if not history or history[-1].outcome is Outcome.GONE:
            return False
        number = history[-1].attempt
        if not all(entry.concluded for entry in history if entry.attempt == number):
            return True
        try:
            found = self._markers.of(series_of(claim.lane, claim.reference))
        except CustodyError:
            return True
        return (claim.submission_id, number) in {(marker.submission, marker.attempt) for marker in found}

    def mark(self, claim: Claim, history: Sequence[Entry], entry: Entry, draft: str) -> None:
        """
        Put the marker of this attempt at the end of the case's; its intent ``entry`` is committed, the call comes next.

        Raises:
            ForgottenError: An earlier one is not on record; nothing may be filed.
            CustodyError: One is damaged.
            EnvironmentTroubleError: The store or the database does not work.
        """
        mine = Marker(entry.id, claim.lane, claim.submission_id, entry.attempt, draft, entry.at)
        while True:
            found = self.check(claim, [*history, entry])
            if any((marker.submission, marker.attempt) == (mine.submission, mine.attempt) for marker in found):
                return
            if self._markers.put(series_of(claim.lane, claim.reference), len(found) + 1, mine):
                return
