"""
Which items a second person decides too, where the first did not confirm: drawn by a key that nobody reads.

The draw depends on the item alone. Nobody can know it before the decision, or draw again by deciding again.
"""

from __future__ import annotations

from dataclasses import dataclass

from keycustody.blind_index import BlindIndex, Kind
from reporter.evidence.custody import custody_errors

_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Draw:
    """Draws a ``share`` (0 to 1) of all items."""

    index: BlindIndex
    share: float

    def takes(self, referral: str, number: int) -> bool:
        """
        Whether an item is among them.

        Raises:
            CustodyError: The key of the draw is damaged.
            EnvironmentTroubleError: The key store does not work.
        """
        with custody_errors():
            drawn = int(self.index.of(Kind.WORD, f"{referral}/{number}")[:_DIGITS], 16)
        return bool(drawn < self.share * 16**_DIGITS)
