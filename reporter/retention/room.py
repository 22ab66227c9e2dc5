"""The retention room, built from its configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from keycustody.blind_index import BlindIndex
from keycustody.providers import KeyProvider
from keycustody.store import KeyStore
from reporter.clock import Clock
from reporter.config import Retention
from reporter.evidence.bodies import BodyVault
from reporter.evidence.locks import ObjectLocks
from reporter.evidence.vault import EvidenceVault
from reporter.retention.clocks import Clocks
from reporter.retention.demands import DemandService
from reporter.retention.effect import RuleEffect
from reporter.retention.flags import ObjectFlags
from reporter.retention.holds import HoldService
from reporter.retention.longer import KeepingLonger
from reporter.retention.refusals import Refusals
from reporter.retention.started import StartedClocks
from reporter.retention.subjects import REGISTER, Subjects
from reporter.retention.words import Words
from reporter.submissions.routing import Router


@dataclass(frozen=True, slots=True)
class RetentionRoom:
    """The use cases of the retention room."""

    demands: DemandService
    holds: HoldService
    subjects: Subjects
    clocks: Clocks
    longer: KeepingLonger
    rules: RuleEffect


def retention_room(
    database: Engine,
    clock: Clock,
    provider: KeyProvider,
    store: KeyStore,
    vault: EvidenceVault,
    bodies: BodyVault,
    routes: Router,
    authorities: Sequence[str],
    settings: Retention,
) -> RetentionRoom:
    """Build it; ``authorities`` are those that are configured."""
    words, refusals = Words(bodies), Refusals(database, clock)
    subjects = Subjects(database, bodies, BlindIndex(provider, store, REGISTER))
    flags = ObjectFlags(database, clock, ObjectLocks(vault.objects))
    holds = HoldService(database, clock, words, subjects, flags, refusals, routes.rules, settings)
    started = StartedClocks(clock, bodies, routes)
    return RetentionRoom(
        DemandService(database, clock, words, subjects, holds, refusals, routes.rules),
        holds,
        subjects,
        Clocks(database, clock, bodies, subjects, started, routes, authorities, settings),
        KeepingLonger(database, clock, bodies, refusals),
        RuleEffect(database, clock, started, routes),
    )
