"""
Which of a case's submissions to one authority counts: the one with the highest version in its place.

A version takes the place of one that was not filed; a supplement takes nobody's.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, func
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
        func.coalesce(col(newer.supplements), "") == func.coalesce(col(Submission.supplements), ""),
    )
