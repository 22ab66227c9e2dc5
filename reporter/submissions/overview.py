"""How a submission is shown: the entry of ``case show --json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reporter.errors import Finding
from reporter.submissions.model import State
from reporter.submissions.tables import Submission


def receipt(row: Submission) -> dict[str, Any] | None:
    """Give the receipt of a submission, if it has one."""
    if not row.receipt_kind or not row.receipt_at:
        return None
    return {
        "kind": row.receipt_kind,
        "reference": row.receipt_reference,
        "at": row.receipt_at.isoformat().replace("+00:00", "Z"),
    }


def entry(
    authority: str,
    environment: str,
    state: State,
    *,
    version: int = 1,
    attempts: int = 0,
    receipt: dict[str, Any] | None = None,
    needs: Sequence[Finding] = (),
    reason: str = "",
    digest: str = "",
    viewed_since: Sequence[str] = (),
) -> dict[str, Any]:
    """Give the entry of one submission; one that nobody approved yet has neither digest nor version before it."""
    return {
        "authority": authority,
        "environment": environment,
        "version": version,
        "supersedes": None,
        "supplements": None,
        "state": state.value,
        "attempts": attempts,
        "receipt": receipt,
        "needs": [{"path": need.path, "rule": need.rule, "message": need.message} for need in needs],
        "reason": reason,
        "digest": digest,
        "viewed_since": list(viewed_since),
    }


def linked(row: Submission, versions: Mapping[str, int]) -> dict[str, int | None]:
    """Tell a version that takes the place of one never filed from one that adds to what the authority has."""
    adds_to = versions.get(row.supplements or "")
    return {"supersedes": (row.version - 1 or None) if adds_to != row.version - 1 else None, "supplements": adds_to}
