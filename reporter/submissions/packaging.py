"""One authority as configured here: its adapter, its environment, and what its packages are built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from reporter.abilities import Handoff
from reporter.authority import Adapter, Environment, Packaging, Supplement
from reporter.cases.model import Case
from reporter.evidence import service as evidence
from reporter.organisation import Organisation
from reporter.submissions.schemas import SchemaShelf


@dataclass(frozen=True, slots=True)
class Desk:
    """The place where packages for one authority in one environment are made."""

    adapter: Adapter | Handoff
    environment: Environment
    organisation: Organisation
    settings: Mapping[str, Any]
    shelf: SchemaShelf

    @property
    def by_hand(self) -> bool:
        """Whether people tell this authority, and no worker."""
        return isinstance(self.adapter, Handoff)

    def packaging(
        self, connection: Connection, reference: str, case: Case, now: datetime, supplement: Supplement | None = None
    ) -> Packaging:
        """Gather everything besides the case document that a package is built from, as it is now."""
        return Packaging(
            organisation=self.organisation,
            environment=self.environment,
            evidence=evidence.facts(connection, reference, case),
            now=now,
            settings=self.settings,
            schema=self.schema(connection),
            supplement=supplement,
        )

    def schema(self, connection: Connection) -> bytes | None:
        """Give the authority's own schema in force here, if one was fetched."""
        stored = self.shelf.in_force(connection, self.adapter.name, self.environment)
        return stored.content if stored else None


def gravest(desks: Mapping[str, Desk]) -> Environment:
    """Give the most serious environment that any authority is configured for."""
    return max((desk.environment for desk in desks.values()), key=list(Environment).index, default=Environment.SANDBOX)
