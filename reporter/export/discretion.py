"""What a bundle's part of the custody log keeps to itself: who else asks, what they got, and who told us."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from reporter.export.model import Export
from reporter.retention.demands import Demand

#: Who is protected, and where a case came from: a notifier is named on purpose or not at all.
_NEVER: Final = ("naming_proposed", "naming_allowed", "referral_linked")


@dataclass(frozen=True, slots=True)
class Discretion:
    """
    Says which entries of a case's log leave with an export; ``besides`` are the names of the items that stay.

    A court may forbid to tell of a demand (18 USC 2705(b)), so no recipient hears of anybody else's.
    """

    export: Export
    demand: Demand
    besides: Collection[str]

    def leaves(self, event: Mapping[str, Any]) -> bool:
        """Whether an entry does."""
        kind, item, detail = event["kind"], event["item"], event["detail"] or ""
        if item in self.besides or kind in _NEVER:
            return False
        if kind in ("case_held", "case_released"):
            return self.demand.hold is not None and item == f"hold {self.demand.hold}"
        if kind == "destroyed_on_request":
            return bool(item == f"demand {self.demand.number}")
        if kind.startswith("export_"):
            return bool(item == self.export.id)
        if kind.startswith("task_") and detail.startswith("export_"):
            return self.export.id in detail.split()
        return not (kind == "act_proven" and detail.startswith(("export ", "demand ")))
