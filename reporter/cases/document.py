"""
Reading a case document: from bytes to a checked ``Case``.

Every problem is listed, in the document's own paths and in words of ours. Values are never repeated, neither ours nor
pydantic's text about them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import rfc8785
from pydantic import ValidationError

from reporter.cases import reader
from reporter.cases.consistency import inconsistencies
from reporter.cases.model import Case
from reporter.errors import DocumentError, Finding

#: More findings than this help nobody; the rest is counted.
MAX_FINDINGS = 500

#: What pydantic calls a problem: our rule and our words.
_MESSAGES = {
    "missing": ("required", "is required"),
    "extra_forbidden": ("unknown_field", "is not a field of the case document"),
    "string_type": ("type", "must be text"),
    "bool_type": ("type", "must be true or false"),
    "list_type": ("type", "must be a list"),
    "model_type": ("type", "must be an object"),
    "model_attributes_type": ("type", "must be an object"),
    "literal_error": ("choice", "must be {expected}"),
    "string_pattern_mismatch": ("pattern", "must have the form {pattern}"),
    "union_tag_invalid": ("choice", "must be one of {expected_tags}"),
    "union_tag_not_found": ("required", "is required"),
}
#: The scalars' own errors (see scalars.py); their text is ours.
_OWN = frozenset({"timestamp", "date", "decimal", "integer"})


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """
    A case document that keeps its contract.

    ``raw`` is its plain content, ``canonical`` the RFC 8785 form by which two documents are the same, ``digest`` the
    SHA-256 of that form.
    """

    raw: dict[str, Any] = field(repr=False)
    case: Case = field(repr=False)
    canonical: bytes = field(repr=False)
    digest: str


def parse(data: bytes, now: datetime) -> ParsedDocument:
    """
    Read a document that is handed in, holding it against the contract and against itself.

    Raises:
        DocumentError: Its findings are all that is wrong.

    """
    raw, findings = _read(data)
    return _document(raw, [*findings, *inconsistencies(raw, now)])


def parse_kept(data: bytes) -> ParsedDocument:
    """
    Read a document from our own keeping, which passed its checks when it came in.

    Raises:
        DocumentError: It does not keep the contract of this release.

    """
    return _document(*_read(data))


def _read(data: bytes) -> tuple[dict[str, Any], list[Finding]]:
    raw, findings = reader.read(data)
    if not isinstance(raw, dict):
        raise DocumentError("The case document must be one JSON object.")
    return raw, findings


def _document(raw: dict[str, Any], findings: Sequence[Finding]) -> ParsedDocument:
    try:
        case = Case.model_validate(raw)
    except ValidationError as error:
        known = {finding.path for finding in findings}
        findings = [*(finding for finding in findings_of(error) if finding.path not in known), *findings]
    if findings:
        raise _refusal(findings)
    canonical = rfc8785.dumps(raw)
    return ParsedDocument(raw, case, canonical, hashlib.sha256(canonical).hexdigest())


def findings_of(error: ValidationError) -> list[Finding]:
    """Give what pydantic finds wrong, by path and in words of ours."""
    return [_finding(problem) for problem in error.errors(include_url=False, include_input=False)]


def _finding(problem: Any) -> Finding:
    kind = problem["type"]
    path = _path(problem["loc"])
    if kind.startswith("union_tag"):
        path += ".kind"
    if kind in _OWN:
        return Finding(path, kind, problem["msg"])
    rule, message = _MESSAGES.get(kind, (kind, "does not keep the contract"))
    return Finding(path, rule, message.format(**problem.get("ctx", {})))


def _path(location: Sequence[int | str]) -> str:
    """Write a location as a path; pydantic names the kind of a place after its index, which is no part of it."""
    parts = [*location[:2], *location[3:]] if location[0] == "locations" and len(location) > 2 else location
    path = ""
    for part in parts:
        path = f"{path}[{part}]" if isinstance(part, int) else reader.name_in(path, part)
    return path


def listed(findings: Sequence[Finding]) -> list[Finding]:
    """Give as many findings as help anybody, and how many more there are."""
    if (more := len(findings) - MAX_FINDINGS) <= 0:
        return list(findings)
    return [*findings[:MAX_FINDINGS], Finding("", "more", f"and {more:,} more")]


def _refusal(findings: Sequence[Finding]) -> DocumentError:
    noun = "problem" if len(findings) == 1 else "problems"
    return DocumentError(f"The case document has {len(findings):,} {noun}:", listed(findings))
