"""
Police requests to destroy: the only thing that comes before a law's floor.

18 USC 2258B(c)(2) has a provider ensure that a visual depiction "is permanently destroyed, upon a request from a law
enforcement agency". It reaches what the case document calls an image or a video and nothing else, takes a demand that
somebody verified and two people, and any other hold stands against it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, Engine

from reporter.actors.service import Require, names_suffice
from reporter.cases.store import CaseStore
from reporter.clock import Clock as Time
from reporter.db.engine import transaction
from reporter.errors import PolicyError
from reporter.evidence.bodies import BodyVault
from reporter.evidence.destruction import Destroyed, EvidenceDestruction, Objection
from reporter.evidence.model import SealedItem
from reporter.retention.clocks import Clocks
from reporter.retention.demand import DemandKind, Requester
from reporter.retention.demands import find_demand, require_proven
from reporter.retention.refusals import Refusals
from reporter.retention.words import tell

#: Gives what destroys items, asking these objections beside those that have nothing to do with retention.
Destroys = Callable[[Sequence[Objection]], EvidenceDestruction]
_VISUAL = ("image", "video")
#: "a law enforcement agency" (2258B(c)(2)); no party, court or centre is one.
_AGENCIES = (Requester.FEDERAL, Requester.STATE_LOCAL_TRIBAL, Requester.FOREIGN)


class DestructionRequests:
    """The use case of destroying what an authenticated police request names."""

    def __init__(
        self,
        database: Engine,
        time: Time,
        bodies: BodyVault,
        clocks: Clocks,
        refusals: Refusals,
        destroys: Destroys,
        require: Require = names_suffice,
    ) -> None:
        self._require = require
        self._database, self._time, self._store = database, time, CaseStore(bodies)
        self._clocks, self._refusals, self._destroys = clocks, refusals, destroys

    def destroy(self, demand: int, reference: str, item: str, actor: str, reason: str) -> Destroyed:
        """
        Propose to destroy an item that a request names, or decide what another person proposed.

        Raises:
            NotFoundError: There is no such demand, case or item.
            UsageError: No reason is given.
            PolicyError: The demand is no verified request to destroy this, it is no visual depiction, a hold stands, a
                delivery may need it, or one person says both words.
            EnvironmentTroubleError: A store does not work; what was decided is gone on with.
        """

        def asked(connection: Connection, sealed: SealedItem) -> str | None:
            return self._not_asked(connection, demand, sealed)

        with self._refusals.recorded(actor, f"demand {demand}"):
            with transaction(self._database) as connection:
                find_demand(connection, demand)
            objections: list[Objection] = [asked, self._clocks.objection_to_request]
            done = self._destroys(objections).destroy(reference, item, actor, reason)
        with transaction(self._database) as connection:
            now, detail = self._time.now(), f"{item} {'decided' if done.decided else 'proposed'}"
            tell(connection, now, actor, "destroyed_on_request", f"demand {demand}", detail, reference)
        return done

    def _not_asked(self, connection: Connection, number: int, sealed: SealedItem) -> str | None:
        """Say why no request asks for this item, in the transaction that would decide."""
        demand = find_demand(connection, number)
        if demand.kind is not DemandKind.DESTRUCTION_REQUEST or demand.requester not in _AGENCIES:
            return f"demand {number} is no request of a law enforcement agency to destroy."
        try:
            require_proven(connection, demand, self._require)
            demand.require_reaches(connection, sealed.reference, sealed.id)
        except PolicyError as error:
            return error.message
        stored = self._store.load(connection, sealed.reference)
        named = [each for each in stored.case.evidence or [] if (each.id, each.sha256) == (sealed.item, sealed.sha256)]
        if any(each.kind in _VISUAL or (each.media_type or "").startswith(_VISUAL) for each in named):
            return None
        return "the case document calls it neither an image nor a video, and the request reaches nothing else."
