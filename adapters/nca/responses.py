"""
The answers of the contract (our own, not the NCA's): read from their bytes, and judged.

A receipt is the evidence of reporting; it is kept byte for byte, and what it says arrived is held against what was
sent. No reason given here holds anything of a problem but its code, and names that the contract itself has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adapters._http import Reply
from adapters.nca import schema
from adapters.nca.outcomes import Kind, code_of, meaning_of, outcome_of
from adapters.nca.payload import body_digest
from reporter.authority import Answer, Environment, Outcome, Package

_RULE = re.compile(r"[A-Za-z_]{1,40}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
#: The readable number of the mock; that of the NCA's own receipts begins otherwise (SR-CSEAIRP-, as observed).
_FRIENDLY = re.compile(r"MOCK-UK-\d{6}")
#: What a receipt says of where it comes from; a contract of our own has but one environment.
_ENVIRONMENTS = {Environment.SANDBOX: "mock"}
_MAX_NAMED = 5


@dataclass(frozen=True, slots=True)
class Sent:
    """What a receipt is held against."""

    client_reference: str
    level: int
    digest: str
    files: frozenset[str]

    @classmethod
    def of(cls, package: Package) -> Sent:
        """Read it from the exact body."""
        body = package.documents[0].body
        report = json.loads(body)
        named = {each["fileSha256"] for each in report["content"] if "fileSha256" in each}
        named |= {digest for user in report["users"] for digest in user.get("identityDocuments", ())}
        return cls(report["clientReference"], report["priority"]["level"], body_digest(body), frozenset(named))


def judge(kind: Kind, reply: Reply, sent: Sent | None = None, sha256: str = "") -> Answer:
    """Say what a reply to a call of that kind comes to; ``sha256`` is that of the file just sent."""
    said = _read(reply.body)
    if reply.status in (200, 201):
        verdict = _accepted(kind, said, sent, sha256)
        code = ""
    else:
        code = code_of(reply.status, str(said.get("code", "")) if isinstance(said, dict) else "")
        verdict = _refused(kind, reply.status, code, said)
    request_id = reply.headers.get("Request-ID", "")[:128]
    return replace(
        verdict,
        code=code,
        http_status=reply.status,
        request_id=request_id,
        retry_after=reply.retry_after,
        exchange=reply.exchange,
    )


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _refused(kind: Kind, status: int, code: str, said: Any) -> Answer:
    outcome = outcome_of(code, kind)
    if not code:
        return Answer(outcome, reason=f"no answer that the contract has (HTTP {status})")
    reference, ids = "", {}
    if outcome is Outcome.ALREADY and _UUID.fullmatch(found := str(said.get("existingReferralId", ""))):
        reference, ids = found, {"referral_id": found}
    reason = f"the authority answers {code}: {meaning_of(code)}"
    if places := _places(said):
        reason = f"{reason} ({'; '.join(places)})"
    return Answer(outcome, reason=reason, reference=reference, ids=ids)


def _places(said: Any) -> list[str]:
    """Give the pointers and rules of a problem, as far as they hold names of the contract alone."""
    errors = said.get("errors") if isinstance(said, dict) else None
    if not isinstance(errors, list):
        return []
    named = []
    for error in errors[:_MAX_NAMED]:
        pointer, rule = (str(error.get(name, "")) if isinstance(error, dict) else "" for name in ("pointer", "rule"))
        parts = pointer.split("/")[1:]
        if parts and all((part.isdigit() and len(part) < 5) or part in schema.names() for part in parts):
            named.append(f"{pointer} {rule}".strip() if _RULE.fullmatch(rule) else pointer)
    return named


def _accepted(kind: Kind, said: Any, sent: Sent | None, sha256: str) -> Answer:
    match kind:
        case Kind.FILE:
            return _held(said, sha256)
        case Kind.REPORT if sent is not None:
            return _receipt(said, sent)
        case Kind.FIND if sent is not None:
            return _found(said, sent)
    if isinstance(said, dict) and isinstance(said.get("items"), list):
        return Answer(Outcome.ACCEPTED)
    return Answer(Outcome.RETRYABLE, reason="it is no service of this contract")


def _held(said: Any, sha256: str) -> Answer:
    if not isinstance(said, dict) or not isinstance(said.get("sha256"), str):
        return Answer(Outcome.UNKNOWN, reason="the authority took the file without giving its digest")
    if said["sha256"] != sha256:
        return Answer(Outcome.MISMATCH, reason="the authority received other bytes than we sent: the SHA-256 differs")
    return Answer(Outcome.ACCEPTED)


def _receipt(said: Any, sent: Sent) -> Answer:
    if not _is_receipt(said):
        return Answer(Outcome.UNKNOWN, reason="the authority accepted the report without a receipt that can be read")
    return Answer(
        Outcome.ACCEPTED,
        reference=said["referralFriendlyId"],
        ids={"referral_id": said["referralId"]},
        discrepancy="; ".join(_differences(said, sent)),
    )


def _found(said: Any, sent: Sent) -> Answer:
    """Judge a look-up by our reference; whatever stands there under it was filed, and is shown if it is not ours."""
    items = said.get("items") if isinstance(said, dict) else None
    if not isinstance(items, list) or not all(_is_receipt(each) for each in items):
        return Answer(Outcome.RETRYABLE, reason="the authority's list of reports cannot be read")
    if not items:
        return Answer(Outcome.MISSING, reason="the authority has no report under our reference")
    answer = _receipt(next((each for each in items if each.get("bodySha256") == sent.digest), items[0]), sent)
    if len(items) > 1:
        several = f"the authority holds {len(items)} reports under our reference"
        return replace(answer, discrepancy="; ".join(filter(None, (several, answer.discrepancy))))
    return answer


def _is_receipt(said: Any) -> bool:
    return (
        isinstance(said, dict)
        and isinstance(said.get("referralFriendlyId"), str)
        and _FRIENDLY.fullmatch(said["referralFriendlyId"]) is not None
        and isinstance(said.get("referralId"), str)
        and _UUID.fullmatch(said["referralId"]) is not None
    )


def _differences(receipt: Mapping[str, Any], sent: Sent) -> Sequence[str]:
    found = []
    if receipt.get("environment") not in _ENVIRONMENTS.values():
        found.append("the receipt comes from another environment")
    if receipt.get("clientReference") != sent.client_reference:
        found.append("the receipt does not name our reference")
    if receipt.get("priorityLevel") != sent.level:
        found.append("the receipt has another level of priority")
    if receipt.get("bodySha256") != sent.digest:
        found.append("the authority received another body than we sent: the SHA-256 differs")
    files = receipt.get("files")
    held = [str(each.get("sha256")) for each in files if isinstance(each, dict)] if isinstance(files, list) else []
    if frozenset(held) != sent.files:
        found.append("the receipt does not list the files that we sent")
    return found
