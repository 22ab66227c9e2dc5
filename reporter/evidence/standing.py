"""
Destroying under a standing policy: what the object store remembers of it, which no row of the database can say.

Two people sign how many cases a day and until when; they name no case. So each case needs a permit: a create-only
object, put by what asked everything that could stand against the case, in the transaction that decides it. A day has as
many places for permits as the policy has cases, and the place is the id of the destruction: rows planted in the
database, with whatever times, have no permit, and no day gets more of them. A policy that ended is marked here too, for
good. Whoever can write objects can write a permit, as they can delete the objects themselves.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import rfc8785

from reporter.errors import CustodyError, PolicyError
from reporter.evidence.objects import ObjectStore

#: The command by which two people adopt a policy; both sign ``Terms.subject``.
ADOPTS: Final = "retention adopt-policy"
_PERMIT, _ENDED = "destroy-permit.", "policy-ended."


@dataclass(frozen=True, slots=True)
class Terms:
    """What two people sign: at most ``cap`` cases a day (UTC) until ``until``, under a number."""

    number: int
    cap: int
    until: datetime

    @property
    def subject(self) -> dict[str, str]:
        """Give it as it is signed."""
        until = self.until.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return {"number": str(self.number), "cap": str(self.cap), "until": until}

    @property
    def digest(self) -> str:
        """Name it, by all that is signed and nothing else."""
        return hashlib.sha256(rfc8785.dumps(self.subject)).hexdigest()


class Permits:
    """The permits in one object store, and the policies that ended."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def end(self, terms: Terms) -> None:
        """
        Mark a policy as ended, for good.

        Raises:
            EnvironmentTroubleError: The store cannot be written.

        """
        self._put(f"{_ENDED}{terms.digest}", terms.subject)

    def require_in_force(self, terms: Terms, now: datetime) -> None:
        """
        See that a policy neither ended nor is over.

        Raises:
            PolicyError: It is not in force any more.
            EnvironmentTroubleError: The store cannot be read.

        """
        if now >= terms.until or self._store.exists(f"{_ENDED}{terms.digest}"):
            raise PolicyError(
                f"The standing policy {terms.number} is over, or was ended.",
                next_step="Let two people confirm the disposition, or adopt a policy anew.",
            )

    def claim(self, terms: Terms, reference: str, people: dict[str, Any], now: datetime) -> str:
        """
        Take one of the day's places for a case against which nothing stands; give the id of its destruction.

        Raises:
            PolicyError: The policy is not in force, or the day's places are taken.
            EnvironmentTroubleError: The store cannot be read or written.

        """
        self.require_in_force(terms, now)
        fields = {"reference": reference, "policy": terms.subject, "permitted_at": now.isoformat(), **_written(people)}
        for place in range(terms.cap):
            number = hashlib.sha256(f"{terms.digest}.{now:%Y-%m-%d}.{place}".encode()).hexdigest()[:32]
            if not self._store.exists(f"{_PERMIT}{number}") and self._put(f"{_PERMIT}{number}", fields):
                return number
        raise PolicyError(f"The standing policy {terms.number} allows {terms.cap} a day, and so many went today.")

    def signed_for(self, number: str, reference: str, people: dict[str, Any]) -> dict[str, str] | None:
        """
        Give what people signed of the policy under which a destruction has its permit; None where it has none.

        Raises:
            CustodyError: The permit is damaged.
            EnvironmentTroubleError: The store cannot be read.

        """
        key = f"{_PERMIT}{number}"
        if not self._store.exists(key):
            return None
        with self._store.open(key) as file:
            content = file.read()
        try:
            fields = json.loads(content)
            subject = {name: str(fields["policy"][name]) for name in ("number", "cap", "until")}
            same = {"reference": reference, **_written(people)}
            return subject if same.items() <= fields.items() else None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CustodyError(f"The permit {key} in the object store is damaged.") from error

    def _put(self, key: str, fields: dict[str, Any]) -> bool:
        try:
            self._store.put(key, [rfc8785.dumps(fields)])
        except CustodyError:
            if not self._store.exists(key):
                raise
            return False
        return True


def _written(people: dict[str, Any]) -> dict[str, str]:
    return {name: value if isinstance(value, str) else value.isoformat() for name, value in people.items()}
