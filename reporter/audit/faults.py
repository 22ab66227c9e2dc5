"""What can be wrong with a custody log, and what a verification comes to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Wrong(StrEnum):
    """The kinds of fault."""

    RECORD_ALTERED = "record_altered"
    RECORD_MISSING = "record_missing"
    LEAF_ALTERED = "leaf_altered"
    LEAF_MISSING = "leaf_missing"
    ORDER_CHANGED = "order_changed"
    NODE_ALTERED = "node_altered"
    HISTORY_REWRITTEN = "history_rewritten"
    LOG_CUT = "log_cut"
    SIGNATURE_WRONG = "signature_wrong"
    TIMESTAMP_WRONG = "timestamp_wrong"
    OUTBOX_STUCK = "outbox_stuck"
    NOT_CONTINUED = "not_continued"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong; ``position`` is the first entry it is about, None where it is about none."""

    wrong: Wrong
    position: int | None
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What a verification found; the log holds where there is no fault.

    ``size`` and ``root`` are of the leaves that were recomputed, ``checkpoints`` counts those that agree with them,
    ``destroyed`` the leaves whose record was destroyed as a later leaf says, ``timestamps`` those that hold.
    """

    size: int
    root: bytes
    checkpoints: int
    destroyed: int
    timestamps: int
    faults: tuple[Fault, ...]
