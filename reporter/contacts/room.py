"""The contacts room: who is protected, and whether a submission names any of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from keycustody.blind_index import BlindIndex
from keycustody.providers import KeyProvider
from keycustody.store import KeyStore
from reporter.actors.service import ActorService
from reporter.clock import Clock
from reporter.contacts.naming import Naming
from reporter.contacts.register import Register
from reporter.contacts.words import Words
from reporter.evidence.bodies import BodyVault


@dataclass(frozen=True, slots=True)
class ContactRoom:
    """The use cases of the contacts room."""

    register: Register
    naming: Naming


def contact_room(
    engine: Engine,
    clock: Clock,
    provider: KeyProvider,
    store: KeyStore,
    bodies: BodyVault,
    actors: ActorService,
    *,
    named: Callable[[Connection, str], None],
) -> ContactRoom:
    """Build it; ``named`` hears of cases whose approved submissions name a new contact."""
    words = Words(actors, bodies, clock)
    register = Register(engine, clock, BlindIndex(provider, store, "contacts"), words, named=named)
    return ContactRoom(register, Naming(engine, clock, register, words))
