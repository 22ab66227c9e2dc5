"""The mock's problems: RFC 9457, with the codes of our own contract; they repeat no value that was reported."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

from adapters.nca import schema
from adapters.nca.outcomes import meaning_of, status_of
from reporter.errors import ReporterError

#: Numbers by which a fault script asks for a problem: its status, with a digit after it where a status has several.
NUMBERS = {
    400: "malformed", 401: "unauthenticated", 403: "not_registered", 4031: "reporter_not_authorised", 404: "not_found",
    409: "in_progress", 4091: "key_reused", 4092: "duplicate_client_reference", 413: "too_large",
    422: "validation_failed", 4221: "digest_mismatch", 4222: "unknown_file", 4223: "not_uk_linked",
    429: "rate_limited", 500: "internal", 503: "temporarily_unavailable",
}  # fmt: skip
RETRYABLE = frozenset({"in_progress", "rate_limited", "internal", "temporarily_unavailable"})
#: What an answer that asks the client to wait gives it, in seconds.
RETRY_AFTER = 30


@dataclass(frozen=True)
class Problem:
    """A problem document; ``errors`` are pairs of a JSON pointer and a rule."""

    code: str
    errors: tuple[tuple[str, str], ...] = ()
    existing: str = ""
    status: int | None = None

    def body(self) -> bytes:
        """Render it."""
        content: dict[str, object] = {
            "type": f"urn:own-contract:problem:{self.code}",
            "title": meaning_of(self.code),
            "status": self.status or status_of(self.code),
            "code": self.code,
            "retryable": self.code in RETRYABLE,
        }
        if self.existing:
            content["existingReferralId"] = self.existing
        if self.errors:
            content["errors"] = [{"pointer": pointer, "rule": rule} for pointer, rule in self.errors]
        return json.dumps(content).encode()


class RefusedError(ReporterError):
    """The mock answers with a problem instead of carrying out the call."""

    def __init__(self, code: str, *errors: tuple[str, str], existing: str = "") -> None:
        super().__init__(meaning_of(code))
        self.problem = Problem(code, errors, existing)


@lru_cache(maxsize=256)
def violations(canonical: bytes) -> tuple[tuple[str, str], ...]:
    """Give what a body breaks of the contract's schema, by pointers that hold names of the contract alone."""
    return tuple((_harmless(fault.pointer), fault.rule) for fault in schema.faults(json.loads(canonical)))


def _harmless(pointer: str) -> str:
    """Cut a pointer before a name that the sender made up, such as that of a tag."""
    kept = []
    for part in pointer.split("/")[1:]:
        if not part.isdigit() and part not in schema.names():
            break
        kept.append(part)
    return "".join(f"/{part}" for part in kept)
