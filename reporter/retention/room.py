"""The retention room, built from its configuration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine

from keycustody.blind_index import BlindIndex
from keycustody.cases import CaseKeys
from keycustody.providers import KeyProvider
from keycustody.store import KeyStore
from reporter.actors.service import Require
from reporter.clock import Clock
from reporter.config import Retention
from reporter.evidence.bodies import BodyVault
from reporter.evidence.locks import ObjectLocks
from reporter.evidence.standing import Permits
from reporter.evidence.vault import EvidenceVault
from reporter.jobs.model import Job
from reporter.retention.clocks import Clocks
from reporter.retention.demands import DemandService
from reporter.retention.disposition import CaseEnd, Dispositions
from reporter.retention.effect import RuleEffect
from reporter.retention.flags import ObjectFlags
from reporter.retention.holds import HoldService
from reporter.retention.longer import KeepingLonger
from reporter.retention.persons import PersonRequests
from reporter.retention.policy import StandingPolicies
from reporter.retention.refusals import Refusals
from reporter.retention.reindexing import Reindexing
from reporter.retention.requests import Destroys, DestructionRequests
from reporter.retention.routine import Routine
from reporter.retention.started import StartedClocks
from reporter.retention.subjects import REGISTER, Subjects
from reporter.retention.words import Words
from reporter.submissions.routing import Router

#: How often clocks are started and what is due is proposed.
_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RetentionRoom:
    """The use cases of the retention room."""

    demands: DemandService
    holds: HoldService
    subjects: Subjects
    reindexing: Reindexing
    clocks: Clocks
    longer: KeepingLonger
    rules: RuleEffect
    dispositions: Dispositions
    requests: DestructionRequests
    persons: PersonRequests
    policies: StandingPolicies
    jobs: Sequence[Job]


def retention_room(
    database: Engine,
    clock: Clock,
    provider: KeyProvider,
    store: KeyStore,
    vault: EvidenceVault,
    keys: CaseKeys,
    routes: Router,
    authorities: Sequence[str],
    settings: Retention,
    ends: Callable[[], CaseEnd],
    destroys: Destroys,
    require: Require,
) -> RetentionRoom:
    """
    Build it; ``authorities`` are those that are configured.

    ``require`` sees what people signed.

    ``ends`` and ``destroys`` give what destroys cases and items, once it is there.
    """
    bodies = BodyVault(keys)  # what is asked here is asked of restored cases too, and no person reads it
    words, refusals = Words(bodies), Refusals(database, clock)
    subjects = Subjects(database, bodies, BlindIndex(provider, store, REGISTER))
    flags = ObjectFlags(database, clock, ObjectLocks(vault.objects))
    holds = HoldService(database, clock, words, subjects, flags, refusals, routes.rules, settings, require)
    started = StartedClocks(clock, bodies, routes)
    clocks = Clocks(database, clock, bodies, subjects, started, routes, authorities, settings)
    policies = StandingPolicies(database, clock, words, refusals, settings, Permits(vault.objects), require)
    dispositions = Dispositions(database, clock, words, clocks, refusals, settings, ends, policies, require)
    routine = Routine(database, clock, subjects, clocks, dispositions, flags)
    return RetentionRoom(
        DemandService(database, clock, words, subjects, holds, refusals, routes.rules, require),
        holds,
        subjects,
        Reindexing(database, clock, words, subjects),
        clocks,
        KeepingLonger(database, clock, bodies, refusals, clocks.in_conflict, require),
        RuleEffect(database, clock, started, routes),
        dispositions,
        DestructionRequests(database, clock, bodies, clocks, refusals, destroys, require),
        PersonRequests(database, clock, words, subjects, clocks, refusals),
        policies,
        (Job("retention", _EVERY, routine.run),),
    )
