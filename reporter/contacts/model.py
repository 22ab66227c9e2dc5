"""Plain types of contacts: who is protected, by what they are known again, and who a submission names and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ContactKind(StrEnum):
    """What somebody is to us."""

    MEMBER = "member"
    NEWSROOM = "newsroom"
    HOTLINE = "hotline"
    TRUSTED_FLAGGER = "trusted_flagger"
    POLICE = "police"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Identifiers:
    """What somebody is known by; never kept as it is, never shown."""

    emails: tuple[str, ...] = field(default=(), repr=False)
    phones: tuple[str, ...] = field(default=(), repr=False)
    user_names: tuple[str, ...] = field(default=(), repr=False)
    domains: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def joined(cls, several: Iterable[Identifiers]) -> Identifiers:
        """Give all of several as one."""
        each = list(several)
        return cls(
            tuple(value for one in each for value in one.emails),
            tuple(value for one in each for value in one.phones),
            tuple(value for one in each for value in one.user_names),
            tuple(value for one in each for value in one.domains),
        )


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact on record: its kind, and how many identifiers of each sort it is known by."""

    id: str
    kind: ContactKind
    known_by: dict[str, int]
    added_by: str
    added_at: datetime
    removal_proposed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """A contact that was added, or was there; ``named_in`` are the cases whose approved submissions name it."""

    id: str
    kind: ContactKind
    new: bool
    named_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Named:
    """
    Somebody a case tells of: in which roles, and by which places of the document.

    ``told_us`` are the places that say that they told us. ``contacts`` are the kinds of contact they match;
    ``missing`` people have yet to write why they are named all the same, and ``digest`` is what they write about.
    """

    path: str
    id: str
    roles: tuple[str, ...]
    because: tuple[str, ...]
    context: str = field(default="", repr=False)
    told_us: tuple[str, ...] = ()
    contacts: tuple[ContactKind, ...] = ()
    digest: str = ""
    missing: int = 0

    @property
    def both(self) -> bool:
        """Whether they told us, and stand in another role too (law 8)."""
        return bool(self.told_us) and any(role != "notifier" for role in self.roles)
