"""What people do with sealed evidence, built from its configuration: look, verify, destroy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Engine

from reporter.actors.service import Require, names_suffice
from reporter.audit.log import CustodyLog
from reporter.clock import Clock
from reporter.config import Configuration
from reporter.evidence.bodies import BodyVault
from reporter.evidence.case_destruction import CaseObjection, WholeCaseDestruction
from reporter.evidence.case_removal import CaseRemoval, Forget
from reporter.evidence.certificates import Certificates
from reporter.evidence.destruction import EvidenceDestruction, Objection
from reporter.evidence.examination import Examiner
from reporter.evidence.leftovers import Leftovers
from reporter.evidence.locks import ObjectLocks
from reporter.evidence.looks import LookService
from reporter.evidence.overview import Overview
from reporter.evidence.removal import Removal
from reporter.evidence.tombstones import Tombstones
from reporter.evidence.unfinished import go_on
from reporter.evidence.vault import EvidenceVault
from reporter.evidence.verification import IntegrityService
from reporter.jobs.model import Job

#: Who acts where a job does.
_ACTOR = "reporter"


@dataclass(frozen=True, slots=True)
class EvidenceRoom:
    """The use cases of the evidence room."""

    overview: Overview
    looks: LookService
    integrity: IntegrityService
    destruction: EvidenceDestruction
    cases: WholeCaseDestruction
    certificates: Certificates
    locks: ObjectLocks
    leftovers: Leftovers
    jobs: Sequence[Job]


def evidence_room(
    engine: Engine,
    clock: Clock,
    vault: EvidenceVault,
    bodies: BodyVault,
    configuration: Configuration,
    log: CustodyLog,
    *,
    objections: Sequence[Objection],
    case_objections: Sequence[CaseObjection],
    forgets: Sequence[Forget] = (),
    damaged: Callable[[], object],
    restored_at: Callable[[], datetime | None],
    require: Require = names_suffice,
) -> EvidenceRoom:
    """
    Build it; ``objections`` stand against destroying an item, ``case_objections`` a case with every item of it.

    ``forgets`` remove what other rooms know of a destroyed case beside its bodies; ``damaged`` lets somebody hear of
    damage at once, ``restored_at`` gives when the database was last found to have been restored, and ``require`` sees
    what people signed who decide together.
    """
    settings, days = configuration.evidence, configuration.keys.backup_horizon_days
    tombstones, horizon = Tombstones(vault.objects), None if days is None else timedelta(days=days)
    removal = Removal(engine, clock, vault, bodies, tombstones, horizon, require)
    items = EvidenceDestruction(engine, clock, vault, bodies, removal, objections, require)
    case_removal = CaseRemoval(engine, clock, bodies, items, removal, forgets)
    cases = WholeCaseDestruction(engine, clock, bodies, items, case_removal, case_objections, require)
    leftovers = Leftovers(engine, clock, vault.keys, vault.objects, restored_at)
    due_after = timedelta(days=settings.verify_days)
    integrity = IntegrityService(engine, clock, Examiner(engine, vault, tombstones), due_after, damaged)
    verify = partial(integrity.go_on_with_due, _ACTOR, int(settings.verify_mib * (1 << 20)))
    return EvidenceRoom(
        Overview(engine),
        LookService(engine, clock, vault, tombstones, settings.open_people, require),
        integrity,
        items,
        cases,
        Certificates(engine, log.sequencer, log.prover),
        ObjectLocks(vault.objects),
        leftovers,
        (
            Job("evidence-verify", timedelta(minutes=settings.verify_minutes), verify),
            Job("evidence-destroy", timedelta(minutes=5), partial(go_on, items, cases, _ACTOR)),
            Job("evidence-sweep", timedelta(hours=6), leftovers.sweep),
        ),
    )
