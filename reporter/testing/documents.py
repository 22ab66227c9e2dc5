"""Synthetic case documents with harmless files, for tests and benchmarks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def case_document(
    reference: str = "TEST-000001", *, files: Mapping[str, bytes] | None = None, **changes: Any
) -> dict[str, Any]:
    """
    Give the document of a confirmed case with one suspect, one page and the given files (id → harmless bytes).

    ``changes`` replace its top-level fields.
    """
    return {
        "case_version": 1,
        "reference": reference,
        "detected_at": "2026-11-18T10:00:00Z",
        "confirmation": {
            "decision": "confirmed",
            "by": "reviewer-7",
            "at": "2026-11-18T10:04:30Z",
            "basis": "SYNTHETIC: judged against policy CS-1.",
        },
        "incident": {"type": "csam", "occurred_at": "2026-11-18T09:55:00Z", "summary": "SYNTHETIC TEST CASE."},
        "locations": [{"kind": "web_page", "urls": ["https://forum.example/p/1"]}],
        "people": [{"id": "p1", "roles": ["suspect"], "account": {"id": "9001", "service": "Example Forum"}}],
        "evidence": [_evidence(item, content) for item, content in (files or {}).items()],
        **changes,
    }


def aware_at(at: datetime) -> dict[str, Any]:
    """Give the fields of a case that somebody became aware of, and confirmed, at that moment."""
    written = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"detected_at": written, "confirmation": {**case_document()["confirmation"], "at": written}}


def write_case(
    folder: Path, reference: str = "TEST-000001", *, files: Mapping[str, bytes] | None = None, **changes: Any
) -> Path:
    """Write the case of ``case_document`` with its files into a new folder and give it."""
    case = folder / reference
    case.mkdir(parents=True)
    for item, content in (files or {}).items():
        (case / f"{item}.txt").write_bytes(content)
    document = case_document(reference, files=files, **changes)
    (case / "case.json").write_text(json.dumps(document), encoding="utf-8")
    return case


def _evidence(item: str, content: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    return {"id": item, "path": f"{item}.txt", "sha256": digest, "kind": "text", "relevance": "reported"}
