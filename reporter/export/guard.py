"""The guard: who may receive how much, and what each kind of demand unlocks, from dated rules with their sources."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from sqlalchemy import Connection

from reporter.errors import PolicyError
from reporter.export.model import Gives, Scope
from reporter.retention.demands import Demand

_PLACE: Final = re.compile(r"\[\d+\]")
_COUNSEL: Final = "Take it to counsel; nothing was prepared."


@dataclass(frozen=True, slots=True)
class Rule:
    """
    How much one class of recipient, or one instrument, lets leave; why, and by which law.

    ``reaches`` are the only parts of the case document that may leave, None where any may.
    """

    gives: Gives
    words: str
    source: str
    reaches: frozenset[str] | None = None

    def covers(self, scope: Scope) -> bool:
        """Whether all of a scope may leave by this rule."""
        if not self.gives.covers(scope.needs):
            return False
        return self.reaches is None or (not scope.submissions and all(map(self._reaches, scope.fields)))

    def _reaches(self, path: str) -> bool:
        general = _PLACE.sub("[]", path)
        return any(general == part or general.startswith((f"{part}.", f"{part}[")) for part in self.reaches or ())


@cache
def rules(table: str) -> Mapping[str, Rule]:
    """Give the rules of ``recipient`` or of ``instrument``, by name."""
    text = files("reporter.export").joinpath("rules.toml").read_text(encoding="utf-8")
    return {
        name: Rule(
            Gives(row["gives"]), row["words"], row["source"], frozenset(row["reaches"]) if "reaches" in row else None
        )
        for name, row in tomllib.loads(text)[table].items()
    }


class CounselError(PolicyError):
    """Nothing leaves by itself: counsel decides what is answered."""


def require(demand: Demand, scope: Scope) -> None:
    """
    See that whoever made a demand may have what a scope takes, and that the demand unlocks it now.

    Raises:
        PolicyError: It is not verified, or closed.
        CounselError: The recipient, or the kind of demand, gets not so much; the text says by which law.
    """
    demand.require_usable()
    who, what = rules("recipient")[demand.requester], rules("instrument")[demand.kind]
    if not who.covers(scope):
        raise CounselError(f"Nothing of a case goes to {who.words} by itself ({who.source}).", next_step=_COUNSEL)
    if not what.covers(scope):
        only = f" It reaches: {', '.join(sorted(what.reaches))}." if what.reaches else ""
        raise CounselError(f"Demand {demand.number}: {what.words} ({what.source}).{only}", next_step=_COUNSEL)


def require_reached(connection: Connection, demand: Demand, reference: str, scope: Scope, items: Sequence[str]) -> None:
    """
    See that a demand reaches all that leaves: each item, and for records of the case all of it.

    Raises:
        PolicyError: It does not.
    """
    if scope.fields or scope.submissions:
        demand.require_reaches(connection, reference)
    for item in items:
        demand.require_reaches(connection, reference, item)
