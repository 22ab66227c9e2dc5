"""What this room knows of a case goes with the case, but for the references that a law wants kept."""

from __future__ import annotations

from sqlalchemy import Connection, delete
from sqlmodel import col

from reporter.retention.tables import CaseIndexed, CaseSubject, ClocksStarted, KeepLonger, RetentionClock


def forget(connection: Connection, reference: str) -> None:
    """Remove the indexes of a destroyed case's people, and its clocks; what was filed stays on record elsewhere."""
    for table in (CaseSubject, CaseIndexed, ClocksStarted, KeepLonger, RetentionClock):
        connection.execute(delete(table).where(col(table.reference) == reference))
