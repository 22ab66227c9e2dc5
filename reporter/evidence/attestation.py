"""
That a destruction was decided here: sealed under the case's key by the process that found nothing against it.

What people signed shows that they wanted it, and is kept even where a hold or a floor stood against it. A row in the
database says that it was decided, and whoever writes there can write one. So neither is enough by itself: what is
carried out was attested in the transaction that decided it, and no database can make such a body.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import rfc8785
from sqlalchemy import Connection, select

from reporter.errors import CustodyError, NotFoundError
from reporter.evidence.bodies import BodyVault
from reporter.evidence.tables import SealedBody
from reporter.evidence.tombstones import people_of

#: The kind of such a body. It outlives the others of a destroyed case, for a restored store may bring the key back.
DECIDED: Final = "decided"
_BODY = SealedBody.__table__  # type: ignore[attr-defined]


def attest(
    connection: Connection, bodies: BodyVault, reference: str, evidence_id: str, people: Mapping[str, Any]
) -> None:
    """
    Attest, in the caller's transaction, that an item, or without one a whole case, is decided to be destroyed.

    ``people`` says who proposed and who decided it, and when, as ``people_of``.
    """
    content = _content(reference, evidence_id, people)
    bodies.seal(connection, reference, DECIDED, content, people["decided_at"])


def attested(connection: Connection, bodies: BodyVault, row: Any, evidence_id: str) -> bool:
    """Whether a decision was attested, of the item or of its whole case."""
    query = select(_BODY.c.id).where(
        _BODY.c.reference == row.reference, _BODY.c.kind == DECIDED, _BODY.c.at == row.decided_at
    )
    wanted = {_content(row.reference, of, people_of(row)) for of in {evidence_id, ""}}
    return any(_opened(connection, bodies, body) in wanted for body in connection.execute(query).scalars().all())


def _opened(connection: Connection, bodies: BodyVault, body: str) -> bytes:
    try:
        return bodies.open(connection, body)
    except (CustodyError, NotFoundError):
        return b""


def _content(reference: str, evidence_id: str, people: Mapping[str, Any]) -> bytes:
    said = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in people.items()}
    return rfc8785.dumps({"case": reference, "item": evidence_id, **said})
