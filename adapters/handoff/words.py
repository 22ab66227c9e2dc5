"""Sentences that stand in every form."""

from __future__ import annotations

from typing import Final

from adapters.handoff.form import Source

NOT_A_REPORT: Final = "{environment}: this is an exercise and no report. Nothing of it may be sent to anybody."
ADDS_TO: Final = "This adds to what was reported before, as: {}."
NOTHING: Final = "Nothing is known."
DIRECTIONS: Final = {
    "portal": "Enter it field by field in the authority's portal.",
    "form": "Enter it field by field in the authority's form.",
    "writing": "Send it in writing.",
}
_MARKS: Final = {
    "law": "the law itself",
    "quoted": "a quotation of the law",
    "authority": "the authority's own page",
    "summary": "a summary; unverified",
    "background": "general knowledge; unverified",
}


def source_line(source: Source) -> str:
    """Say where the form was read."""
    return f"Source: {source.text}, {source.section} ({_MARKS[source.mark]}), checked {source.checked}."
