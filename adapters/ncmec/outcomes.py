"""
What every response code means for every kind of step, as data.

Codes and their meanings: CyberTipline Reporting API Technical Documentation, Appendix D.1 and D.2 (page of
2025-06-11); D.1 calls its list non-exhaustive, hence the families. NCMEC publishes nothing on repeating calls: the
outcomes are ours. A server error does not say whether the call took effect. That is harmless where a repeat is (open,
retract, status) and *unknown* where it is not: an upload sent again would double the evidence, a file's details may be
given once, and a finish may have filed.
"""

from __future__ import annotations

from enum import StrEnum

from reporter.authority import Outcome


class Kind(StrEnum):
    """The calls of the protocol."""

    OPEN = "open"
    UPLOAD = "upload"
    DETAILS = "details"
    FINISH = "finish"
    RETRACT = "retract"
    STATUS = "status"


_WORDS = {
    "ok": Outcome.ACCEPTED,
    "refused": Outcome.REJECTED,
    "again": Outcome.RETRYABLE,
    "unknown": Outcome.UNKNOWN,
    "denied": Outcome.UNAUTHORISED,
    "differs": Outcome.MISMATCH,
    "gone": Outcome.GONE,
    "missing": Outcome.MISSING,
    "already": Outcome.ALREADY,
}

# fmt: off
#: code -> (meaning, outcomes in the order of Kind)
#                                                  open    upload  details finish  retract status
_TABLE: dict[int, tuple[str, str]] = {
    0:    ("success",                          "ok      ok      ok      ok      ok      ok"),
    1000: ("server error",                     "again   unknown unknown unknown again   again"),
    1100: ("save failed",                      "again   unknown unknown unknown again   again"),
    1110: ("upload failed",                    "again   unknown unknown unknown again   again"),
    1111: ("file upload failed",               "again   unknown unknown unknown again   again"),
    # "Resource not found": a wrong path, or a report that is gone; on a report it counts as 5001.
    1210: ("resource not found",               "again   missing missing missing missing again"),
    1300: ("update failed",                    "again   unknown unknown unknown again   again"),
    2000: ("authentication required",          "denied  denied  denied  denied  denied  denied"),
    3000: ("not authorised for this action",   "denied  denied  denied  denied  denied  denied"),
    3100: ("no authorisation to submit",       "denied  denied  denied  denied  denied  denied"),
    3300: ("no authorisation to update",       "denied  denied  denied  denied  denied  denied"),
    4000: ("invalid request",                  "refused refused refused refused refused refused"),
    4100: ("validation failed",                "refused refused refused refused refused refused"),
    4110: ("malformed XML",                    "refused refused refused refused refused refused"),
    4200: ("malformed file submittal",         "refused refused refused refused refused refused"),
    # A report that expired may answer 5001 ("deleted", section 3) or 5101 ("retracted", Appendix E).
    5001: ("report does not exist",            "again   missing missing missing missing again"),
    5002: ("file does not exist",              "again   unknown differs unknown again   again"),
    5101: ("report already retracted",         "again   gone    gone    gone    gone    again"),
    5102: ("report already finished",          "again   already already already already again"),
}
#: Unlisted codes by their thousands; Appendix D numbers them by family. Any other is like a server error.
_FAMILIES = {2: 2000, 3: 3000, 4: 4000}
# fmt: on


def outcome_of(code: int, kind: Kind) -> Outcome:
    """Give the outcome of a code, listed or not."""
    _, outcomes = _TABLE.get(code) or _TABLE[_FAMILIES.get(code // 1000, 1000)]
    return _WORDS[outcomes.split()[list(Kind).index(kind)]]


def meaning_of(code: int) -> str:
    """Give NCMEC's meaning of a code, or say that it is not documented."""
    return _TABLE[code][0] if code in _TABLE else "a code that NCMEC does not document"


#: Every documented code.
DOCUMENTED = tuple(_TABLE)
