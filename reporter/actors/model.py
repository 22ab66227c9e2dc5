"""Plain types of actors: roles, proofs, people, and the statement that somebody signs when they act."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import rfc8785

HANDLE_PATTERN = re.compile(r"[a-z][a-z0-9._-]{1,31}")
#: Opens everything that is signed, so that no signature can be taken for one over something else.
_STATEMENT = b"reporter-statement/v1\n"


class Role(StrEnum):
    """What somebody is there for; what each may do stands in ``reporter.actors.policy``."""

    ANALYST = "analyst"
    ESCALATION_LEAD = "escalation_lead"
    COMPLIANCE = "compliance"
    LEGAL = "legal"
    AUDITOR = "auditor"
    CUSTODIAN = "custodian"
    ADMINISTRATOR = "administrator"


class ProofKind(StrEnum):
    """How somebody proves who they are: a key that a passphrase protects, or a token that a program holds."""

    KEY = "key"
    TOKEN = "token"  # noqa: S105


class ChangeKind(StrEnum):
    """What two people decide about who may act; to suspend takes one."""

    FOUND = "found"
    ENROL = "enrol"
    ROLES = "roles"
    ENABLE = "enable"
    SUSPEND = "suspend"


@dataclass(frozen=True, slots=True)
class Proof:
    """The public half of a key or a token, in base64url; the secret half is never here."""

    kind: ProofKind
    public_key: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody enrolled; ``proofs`` are those that hold."""

    handle: str
    roles: frozenset[Role]
    suspended: bool = False
    proofs: tuple[Proof, ...] = ()

    def kind_of(self, public_key: str) -> ProofKind | None:
        """Give what kind of proof of theirs this is, if it is one."""
        return next((proof.kind for proof in self.proofs if proof.public_key == public_key), None)


@dataclass(frozen=True, slots=True)
class Statement:
    """
    What somebody says that they do: a verb and what it is done to, in one home and environment, at one time, once.

    ``subject`` holds references, ids, codes and digests; never words of people.
    """

    verb: str
    subject: Mapping[str, str]
    environment: str
    home: str
    actor: str
    at: datetime
    nonce: str

    def content(self) -> bytes:
        """Give the bytes that are signed (RFC 8785)."""
        fields: dict[str, Any] = {
            "verb": self.verb,
            "subject": dict(self.subject),
            "environment": self.environment,
            "home": self.home,
            "actor": self.actor,
            "at": self.at.isoformat(timespec="microseconds"),
            "nonce": self.nonce,
        }
        return _STATEMENT + rfc8785.dumps(fields)


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature, and the key that it is to be checked against; both in base64url."""

    public_key: str
    value: str


#: Signs content with what a person holds.
Sign = Callable[[bytes], Signature]


@dataclass(frozen=True, slots=True)
class Change:
    """Something about who may act that two people decide."""

    kind: ChangeKind
    people: tuple[Person, ...]

    def content(self) -> dict[str, Any]:
        """Give it in full, as it is signed and kept."""
        return {
            "kind": self.kind.value,
            "people": [
                {
                    "handle": person.handle,
                    "roles": sorted(person.roles),
                    "proofs": [{"kind": proof.kind.value, "public_key": proof.public_key} for proof in person.proofs],
                }
                for person in self.people
            ],
        }

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> Change:
        """Read back what ``content`` gave."""
        return cls(
            ChangeKind(content["kind"]),
            tuple(
                Person(
                    entry["handle"],
                    frozenset(Role(role) for role in entry["roles"]),
                    proofs=tuple(Proof(ProofKind(proof["kind"]), proof["public_key"]) for proof in entry["proofs"]),
                )
                for entry in content["people"]
            ),
        )


@dataclass(frozen=True, slots=True)
class Waiting:
    """A change that waits for a second person."""

    number: int
    change: Change
    proposed_by: str
    proposed_at: datetime


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody hands over to be enrolled: the public half of a proof, signed with the other half."""

    handle: str
    proof: Proof
    signature: str = field(repr=False)

    def content(self) -> bytes:
        """Give the bytes that are signed, which shows that whoever asks holds the secret half."""
        return b"reporter-enrolment/v1\n" + "\n".join((self.handle, self.proof.kind, self.proof.public_key)).encode()

    def __str__(self) -> str:
        return ":".join((self.handle, self.proof.kind, self.proof.public_key, self.signature))
