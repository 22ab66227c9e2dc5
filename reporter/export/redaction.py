"""
A case document cut down to what a scope names, with the reason in place of each value that is left out.

Paths are those of the findings elsewhere: ``incident``, ``people[0].person.email``. What is left out of a list stays
as a note in its place, so that positions mean the same as in the original.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from xml.sax.saxutils import escape

from reporter.errors import Finding
from reporter.export.model import Redaction

_STEP: Final = re.compile(r"(?:^|\.)([A-Za-z_][A-Za-z0-9_]*)|\[(\d{1,6})\]")
#: What says which document it is, and leaves with every part of it.
ALWAYS: Final = ("case_version", "reference")
#: Characters of what is looked for elsewhere; anything shorter stands everywhere.
_SHORTEST: Final = 4
_IDENTIFIES: Final = re.compile(r"[@0-9]")
_OUT_OF_SCOPE: Final = {"left_out": "not within the scope of this export"}
Step = str | int


def steps(path: str) -> tuple[Step, ...] | None:
    """Give the steps of a path, or None where it is none."""
    found, at = [], 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            return None
        found.append(match[1] or int(match[2]))
        at = match.end()
    return tuple(found) or None


def value_at(document: Any, path: Sequence[Step]) -> tuple[bool, Any]:
    """Say whether there is a value at a path, and give it."""
    for step in path:
        named = isinstance(document, dict) and step in document
        placed = isinstance(document, list) and isinstance(step, int) and step < len(document)
        if not (named or placed):
            return False, None
        document = document[step]
    return True, document


def unmatched(document: Any, paths: Sequence[str], rule: str) -> list[Finding]:
    """Give a finding for each path that leads nowhere in the document; the path itself may be words of a person."""
    findings = []
    for number, path in enumerate(paths):
        taken = steps(path)
        if taken is None or not value_at(document, taken)[0]:
            findings.append(Finding(f"{rule}[{number}]", "unmatched", "leads to nothing in the case document"))
    return findings


def repeated(
    document: Any, fields: Sequence[str], redactions: Sequence[Redaction], documents: Mapping[str, bytes]
) -> list[Finding]:
    """
    Give a finding for each redaction of something that leaves all the same, written alike, elsewhere in the bundle.

    ``documents`` are those as sent that leave, by path. In the copy of the case only what identifies somebody by a
    number or an address is looked for: codes and words are the same in many places.
    """
    left, findings = set(_texts(cut(document, fields, redactions))), []
    for number, redaction in enumerate(redactions):
        value = value_at(document, steps(redaction.path) or ())[1]
        secrets = [text for text in _texts(value) if len(text) >= _SHORTEST]
        if any(text in left and _IDENTIFIES.search(text) for text in secrets):
            words = "stands elsewhere in the copy of the case: redact it there, too"
            findings.append(Finding(f"redact[{number}]", "repeated", words))
        written = [form.encode() for text in secrets for form in (text, escape(text), json.dumps(text)[1:-1])]
        for path, content in documents.items():
            if any(form in content for form in written):
                words = f"stands in {path} as well: withhold that, or leave its submission out"
                findings.append(Finding(f"redact[{number}]", "repeated", words))
    return findings


def _texts(value: Any) -> Iterator[str]:
    """Give every text and number of a value."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)


def cut(document: Any, fields: Sequence[str], redactions: Sequence[Redaction]) -> Any:
    """Give what is left of a document: the parts at ``fields``, less what ``redactions`` replace by their reasons."""
    wanted = [taken for path in (*ALWAYS, *fields) if (taken := steps(path)) is not None]
    kept = _chosen(document, wanted)
    for redaction in redactions:
        taken = steps(redaction.path) or ()
        holder = value_at(kept, taken[:-1])[1]
        if taken and value_at(kept, taken)[0]:
            holder[taken[-1]] = {"redacted": redaction.reason}
    return kept


def _chosen(document: Any, wanted: Sequence[Sequence[Step]]) -> Any:
    if any(not path for path in wanted):
        return copy.deepcopy(document)
    by_step: dict[Step, list[Sequence[Step]]] = {}
    for path in wanted:
        by_step.setdefault(path[0], []).append(path[1:])
    if isinstance(document, dict):
        return {key: _chosen(value, by_step[key]) for key, value in document.items() if key in by_step}
    if isinstance(document, list):
        return [
            _chosen(value, by_step[index]) if index in by_step else dict(_OUT_OF_SCOPE)
            for index, value in enumerate(document)
        ]
    return document
