"""Why an item, or a case, must not be destroyed yet, as far as deliveries are concerned."""

from __future__ import annotations

from sqlalchemy import Connection, select
from sqlmodel import col

from reporter.delivery.forgotten import standing
from reporter.evidence.model import SealedItem
from reporter.submissions.model import State
from reporter.submissions.tables import Submission

#: States in which the files of a case are still needed, or may be.
_NEEDED = (State.APPROVED, State.DELIVERING, State.IN_DOUBT, State.ATTENTION)


def needed_for_delivery(connection: Connection, sealed: SealedItem) -> str | None:
    """Give what stands against destroying an item of a case, or None; the caller holds the case."""
    return case_needed_for_delivery(connection, sealed.reference)


def case_needed_for_delivery(connection: Connection, reference: str) -> str | None:
    """
    Give what stands against destroying anything of a case, or None; the caller holds the case.

    A database that may have forgotten something may have forgotten a delivery, or a hold.
    """
    if standing(connection) is not None:
        return "the database may have forgotten something, and deliveries are quarantined; see: reporter db status"
    query = select(col(Submission.authority), col(Submission.state)).where(
        col(Submission.reference) == reference, col(Submission.state).in_(_NEEDED)
    )
    row = connection.execute(query.limit(1)).one_or_none()
    if row is None:
        return None
    state = row.state.replace("_", " ")
    return f"a submission of the case to {row.authority} is {state}, and it may still be needed for that."
