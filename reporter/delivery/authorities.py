"""Authorities as seen from the delivery room: are they there, do they know us, what schema is in force."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Engine

from reporter.abilities import Observation, Probing, machine
from reporter.audit import service as audit
from reporter.authority import Connection, Environment, Outcome
from reporter.clock import Clock
from reporter.config import Authority
from reporter.db.engine import transaction
from reporter.delivery.model import lane_name
from reporter.delivery.queue import Queue, paused_lanes
from reporter.errors import AuthorityTroubleError, NotFoundError, PolicyError, UsageError
from reporter.submissions.packaging import Desk
from reporter.submissions.schemas import SchemaShelf, StoredSchema


class AuthorityService:
    """Probes authorities, resumes their lanes, and fetches their schemas."""

    def __init__(
        self,
        database: Engine,
        clock: Clock,
        queue: Queue,
        desks: Mapping[str, Desk],
        shelf: SchemaShelf,
        connect: Callable[[str], Connection],
    ) -> None:
        self._database, self._clock, self._queue = database, clock, queue
        self._desks, self._shelf, self._connect = desks, shelf, connect

    def probe(self, authority: str, actor: str) -> tuple[Environment, bool]:
        """
        Ask whether the authority is there and knows our credentials; let its lane go on if it stood still.

        Returns:
            The environment asked, and whether the lane had been paused.

        Raises:
            AuthorityTroubleError: It cannot be reached or does not know us; the lane is left as it was.
        """
        desk = self._desk(authority)
        answer = self._connect(authority).probe()
        if answer.outcome is not Outcome.ACCEPTED:
            reason = answer.reason or f"it answered with code {answer.code or answer.http_status}"
            raise AuthorityTroubleError(
                f"{authority} ({desk.environment}): {reason.rstrip('.')}.",
                next_step=_next_step(authority, desk.environment, answer.outcome),
            )
        return desk.environment, self._queue.resume(lane_name(authority, desk.environment), actor)

    def fetch_schema(self, authority: str, actor: str) -> tuple[StoredSchema, bool]:
        """
        Fetch the authority's own schema and put it in force.

        Returns:
            The schema now in force, and whether it differs from the one before.

        Raises:
            AuthorityTroubleError: It could not be had.
        """
        desk = self._desk(authority)
        content = self._connect(authority).fetch_schema()
        now = self._clock.now()
        with transaction(self._database) as connection:
            before = self._shelf.in_force(connection, authority, desk.environment)
            stored = self._shelf.keep(connection, authority, desk.environment, content, now)
            audit.record(
                connection, at=now, actor=actor, kind="schema_fetched",
                detail=f"{lane_name(authority, desk.environment)} sha256:{stored.sha256}",
            )  # fmt: skip
        return stored, before is None or before.sha256 != stored.sha256

    def probe_assumptions(self, authority: str, actor: str) -> list[Observation]:
        """
        Ask the authority's test system, or the sandbox, what its adapter assumes without a public record.

        Raises:
            PolicyError: It is the production system.
            UsageError: The adapter has nothing to ask.
            AuthorityTroubleError: It cannot be asked.
        """
        desk = self._desk(authority)
        if desk.environment is Environment.PRODUCTION:
            raise PolicyError("Production is never probed.", next_step='Use a home with environment = "test".')
        if not isinstance(desk.adapter, Probing):
            raise UsageError(f"The adapter for {authority} has nothing to ask.")
        now = self._clock.now()
        with transaction(self._database) as connection:
            lane = lane_name(authority, desk.environment)
            audit.record(connection, at=now, actor=actor, kind="assumptions_probed", detail=lane)
        return list(desk.adapter.probe_assumptions(self._connect(authority), desk.organisation, now))

    def _desk(self, authority: str) -> Desk:
        if authority not in self._desks:
            raise NotFoundError(
                f"Authority {authority} is not configured.", next_step="Add its section to reporter.toml."
            )
        desk = self._desks[authority]
        machine(desk.adapter)
        return desk


def standing_still(database: Engine, sections: Mapping[str, Authority]) -> dict[str, str]:
    """Give the paused lanes, each with its reason and what lets it go on."""
    shown = {}
    for lane, reason in paused_lanes(database).items():
        authority = lane.partition(":")[0]
        secret = sections[authority].secret_name if authority in sections else "NAME"
        shown[lane] = (
            f"{reason} Set the password with: reporter secret set {secret} "
            f"(or mend the username in reporter.toml). Then: reporter authority status {authority}"
        )
    return shown


def _next_step(authority: str, environment: Environment, outcome: Outcome) -> str:
    if outcome is Outcome.UNAUTHORISED:
        return "Check the username, and set the password with `reporter secret set`."
    if outcome is Outcome.NOT_SENT and environment is Environment.SANDBOX:
        return f"Is it running? Start it in another terminal: reporter sandbox {authority}"
    return ""
