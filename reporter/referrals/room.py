"""The referrals room, built from its configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine

from keycustody.blind_index import BlindIndex
from keycustody.providers import KeyProvider
from keycustody.store import KeyStore
from reporter.actors.model import Role
from reporter.actors.service import ActorService
from reporter.clock import Clock
from reporter.config import Configuration
from reporter.contacts.register import Register
from reporter.evidence.bodies import BodyVault
from reporter.evidence.vault import EvidenceVault
from reporter.referrals.answers import Answers
from reporter.referrals.clocks import Clocks
from reporter.referrals.deciding import Deciding
from reporter.referrals.drawing import Draw
from reporter.referrals.intake import Intake
from reporter.referrals.model import State
from reporter.referrals.overview import Overview
from reporter.referrals.proven import Proven


@dataclass(frozen=True, slots=True)
class ReferralRoom:
    """The use cases of the referrals room."""

    intake: Intake
    deciding: Deciding
    overview: Overview
    answers: Answers


def referral_room(
    engine: Engine,
    clock: Clock,
    bodies: BodyVault,
    vault: EvidenceVault,
    register: Register,
    actors: ActorService,
    provider: KeyProvider,
    store: KeyStore,
    configuration: Configuration,
) -> ReferralRoom:
    """Build it; second looks are drawn by a key of their own."""
    settings = configuration.referrals
    targets = {
        State.UNDECIDED: timedelta(hours=settings.decide_hours),
        State.SECOND_LOOK: timedelta(hours=settings.second_look_hours),
        State.LEAD: timedelta(hours=settings.lead_hours),
    }
    clocks = Clocks(targets, timedelta(hours=settings.unasked_hours))
    draw = Draw(BlindIndex(provider, store, "second-looks"), settings.second_look_share)
    return ReferralRoom(
        Intake(engine, clock, bodies, vault, register, clocks),
        Deciding(engine, clock, bodies, draw, clocks, _leads(actors), Proven(actors, bodies)),
        Overview(engine, clock, bodies),
        Answers(engine, clock, bodies, configuration.organisation.name),
    )


def _leads(actors: ActorService) -> Callable[[str], bool]:
    """Say who is an escalation lead; a bare name, which counts in the sandbox alone, may be anybody."""

    def leads(handle: str) -> bool:
        person = actors.person(handle)
        return not actors.required if person is None else Role.ESCALATION_LEAD in person.roles

    return leads
