"""Plain types of submissions."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """
    Where a submission stands.

    ``REJECTED``, ``IN_DOUBT`` and ``ATTENTION`` wait for a person; ``ACCEPTED`` and ``WITHDRAWN`` are final.
    """

    DRAFT = "draft"
    READY = "ready"
    APPROVED = "approved"
    DELIVERING = "delivering"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    IN_DOUBT = "in_doubt"
    ATTENTION = "attention"
    WITHDRAWN = "withdrawn"


#: States in which a person has to look before anything goes on.
NEEDS_PERSON = frozenset({State.REJECTED, State.IN_DOUBT, State.ATTENTION})
#: States after which a new version of the submission may be made.
CLOSED_UNFILED = frozenset({State.REJECTED, State.WITHDRAWN})


class ReceiptKind(StrEnum):
    """What a receipt is worth: the authority's own words, inferred from a later answer, or typed by people."""

    ACKNOWLEDGED = "acknowledged"
    INFERRED = "inferred"
    MANUAL = "manual"
