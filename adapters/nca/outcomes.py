"""
What every answer of the contract (our own, not the NCA's) means for every kind of call, as data.

A 5xx says nothing about whether the call took effect. That is harmless where a repeat is (files, look-ups) and
*unknown* for a report, whatever ``retryable`` says. What the NCA's own interface is known to answer agrees: 400 for a
payload that is rejected, 401 for a key it does not take, 5xx while it is down.
"""

from __future__ import annotations

from enum import StrEnum

from reporter.authority import Outcome


class Kind(StrEnum):
    """The calls of the protocol."""

    FILE = "file"
    REPORT = "report"
    FIND = "find"
    QUESTIONS = "questions"


_WORDS = {
    "refused": Outcome.REJECTED,
    "again": Outcome.RETRYABLE,
    "unknown": Outcome.UNKNOWN,
    "denied": Outcome.UNAUTHORISED,
    "differs": Outcome.MISMATCH,
    "already": Outcome.ALREADY,
}

# fmt: off
#: problem code -> (HTTP status, meaning, outcomes in the order of Kind)
_TABLE: dict[str, tuple[int, str, str]] = {
    #                                                                   file    report  find    questions
    "malformed":                  (400, "it cannot be read",           "refused refused again   again"),
    "unauthenticated":            (401, "the API key is not known",    "denied  denied  denied  denied"),
    "not_registered":             (403, "we are not registered",       "denied  denied  denied  denied"),
    "reporter_not_authorised":    (403, "the reporter may not report", "denied  denied  denied  denied"),
    "not_found":                  (404, "there is no such thing",      "unknown unknown again   again"),
    # The same key is under way: whether it files is not known yet.
    "in_progress":                (409, "it is still under way",       "unknown unknown again   again"),
    "key_reused":                 (409, "the key stands for another report", "refused refused again again"),
    "duplicate_client_reference": (409, "this case was reported",      "refused already again   again"),
    "too_large":                  (413, "it is too large",             "refused refused again   again"),
    "validation_failed":          (422, "it breaks the contract",      "refused refused again   again"),
    "digest_mismatch":            (422, "other bytes arrived",         "differs refused again   again"),
    "unknown_file":               (422, "a file is not held there",    "refused refused again   again"),
    "not_uk_linked":              (422, "no link to the UK is shown",  "refused refused again   again"),
    "rate_limited":               (429, "we are to wait",              "again   again   again   again"),
    "internal":                   (500, "server error",                "unknown unknown again   again"),
    "temporarily_unavailable":    (503, "it is not available now",     "unknown unknown again   again"),
}
#: Without a readable problem the status has to do. Any other leaves open what happened.
_BY_STATUS = {401: "unauthenticated", 403: "not_registered", 413: "too_large", 429: "rate_limited"}
# fmt: on


def code_of(status: int, said: str) -> str:
    """Give the problem code of an answer: what it says, if that comes on its status, or what the status alone says."""
    return said if said in _TABLE and _TABLE[said][0] == status else _BY_STATUS.get(status, "")


def outcome_of(code: str, kind: Kind) -> Outcome:
    """Give the outcome of a code, listed or not."""
    if code not in _TABLE:
        return Outcome.RETRYABLE if kind in (Kind.FIND, Kind.QUESTIONS) else Outcome.UNKNOWN
    return _WORDS[_TABLE[code][2].split()[list(Kind).index(kind)]]


def meaning_of(code: str) -> str:
    """Give the contract's meaning of a code."""
    return _TABLE[code][1] if code in _TABLE else "an answer that the contract does not have"


def status_of(code: str) -> int:
    """Give the HTTP status that a code comes on."""
    return _TABLE[code][0]


#: Every code of the contract.
CODES = tuple(_TABLE)
