"""Enrolled people in a house, for tests outside the sandbox: founded by two, with keys in memory."""

from __future__ import annotations

from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reporter.actors.model import Change, ChangeKind, Person, Proof, ProofKind, Role
from reporter.actors.proofs import public_key, signer
from reporter.actors.service import Presence
from reporter.bootstrap import App


class People:
    """Two founders and whoever is enrolled by them; ``acts`` lets one of them be present for a command."""

    def __init__(self, app: App, roles: Mapping[str, frozenset[Role]]) -> None:
        self.app, self.keys = app, {handle: Ed25519PrivateKey.generate() for handle in roles}
        everybody = [self._person(handle, held) for handle, held in roles.items()]
        first, second = everybody[:2]
        founded = Change(ChangeKind.FOUND, (first, second))
        number = app.changes.propose(founded, self._present(first.handle, "actor found", first))
        app.changes.approve(number, self._present(second.handle, "actor approve", second))
        self._founders = first.handle, second.handle
        for person in everybody[2:]:
            self.decide(Change(ChangeKind.ENROL, (person,)), *self._founders)

    def enrol(self, handle: str, roles: frozenset[Role]) -> None:
        """Have the founders enrol somebody."""
        self.keys[handle] = Ed25519PrivateKey.generate()
        self.decide(Change(ChangeKind.ENROL, (self._person(handle, roles),)), *self._founders)

    def acts(self, handle: str, verb: str) -> Presence:
        """Give somebody present for a command."""
        return self._present(handle, verb, None)

    def decide(self, change: Change, first: str, second: str) -> None:
        """Have two people make a change."""
        number = self.app.changes.propose(change, self.acts(first, f"actor {change.kind}"))
        self.app.changes.approve(number, self.acts(second, "actor approve"))

    def _person(self, handle: str, roles: frozenset[Role]) -> Person:
        return Person(handle, roles, proofs=(Proof(ProofKind.KEY, public_key(self.keys[handle])),))

    def _present(self, handle: str, verb: str, candidate: Person | None) -> Presence:
        return Presence(self.app.actors, verb, handle, signer(self.keys[handle]), candidate)
