"""Which of a case's submissions to one authority counts: the one with the highest version."""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists
from sqlalchemy.orm import aliased
from sqlmodel import col

from reporter.submissions.tables import Submission


def is_latest() -> ColumnElement[bool]:
    """Give the condition that no newer version has taken a submission's place."""
    newer = aliased(Submission)
    return ~exists().where(
        col(newer.reference) == col(Submission.reference),
        col(newer.authority) == col(Submission.authority),
        col(newer.environment) == col(Submission.environment),
        col(newer.version) > col(Submission.version),
    )
