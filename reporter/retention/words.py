"""What people say of demands and holds, sealed under a key that belongs to no case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from reporter.audit import service as audit
from reporter.errors import PolicyError, UsageError
from reporter.evidence.bodies import BodyVault
from reporter.retention.tables import LEGAL


@dataclass(frozen=True, slots=True)
class Words:
    """Seals and opens them."""

    bodies: BodyVault

    def seal(self, connection: Connection, text: str, now: datetime) -> str:
        """
        Seal somebody's words and give the id of the body.

        Raises:
            UsageError: There are none.
        """
        if not text.strip():
            raise UsageError("--reason needs words.")
        return self.bodies.seal(connection, LEGAL, "words", text.strip().encode(), now)

    def document(self, connection: Connection, data: bytes, now: datetime) -> str:
        """Seal a document that was handed in and give the id of the body."""
        return self.bodies.seal(connection, LEGAL, "demand", data, now)

    def open(self, connection: Connection, body: str) -> str:
        """
        Give what was sealed.

        Raises:
            CustodyError: It does not open.
        """
        return self.bodies.open(connection, body).decode()


def tell(
    connection: Connection, now: datetime, actor: str, kind: str, about: str, detail: str = "",
    reference: str | None = None,
) -> None:  # fmt: skip
    """Record what somebody did about a demand, a hold or a retention; ``about`` says which."""
    audit.record(connection, at=now, actor=actor, kind=kind, reference=reference, item=about, detail=detail)


def require_another(said_by: str, actor: str, what: str) -> None:
    """
    See that the second word is not the first person's.

    Raises:
        PolicyError: It is.
    """
    if said_by == actor:
        raise PolicyError(
            f"{actor} {what}, and a different person must confirm it.",
            next_step="Ask a colleague to run the same command with --as NAME.",
        )
