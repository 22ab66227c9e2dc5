"""What the submissions room answers with."""

from __future__ import annotations

from dataclasses import dataclass, field

from reporter.authority import Check, Package
from reporter.contacts.model import Named
from reporter.errors import Finding
from reporter.submissions.model import State


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be sent now, and what stands in the way."""

    package: Package
    check: Check
    digest: str
    named: tuple[Named, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class FrozenPackage:
    """
    A package as it was approved.

    ``missing`` people approved it by no signature that holds; ``protected`` says that it names a contact of ours whom
    nobody knew as one when it was approved.
    """

    reference: str
    package: Package
    missing: int
    protected: bool


@dataclass(frozen=True, slots=True)
class Approved:
    """What an approval came to at one authority; ``missing`` people have yet to approve."""

    authority: str
    environment: str
    state: State
    digest: str
    missing: int
    notes: tuple[Finding, ...] = ()
    named: tuple[Named, ...] = field(default=(), repr=False)
