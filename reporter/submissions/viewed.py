"""What a frozen package says of files viewed by us, kept beside it, so that later looks can be told from it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from reporter.authority import EvidenceFacts


def viewed(facts: Mapping[str, EvidenceFacts]) -> str:
    """Give, as JSON, which items the view log says were viewed, and how far."""
    return json.dumps({item: said for item, fact in facts.items() if (said := _said(fact))})


def changed(frozen: str | None, facts: Mapping[str, EvidenceFacts]) -> list[str]:
    """Give the items of which the view log says something else now than it did when a package was frozen."""
    if frozen is None:
        return []
    before = json.loads(frozen)
    return [item for item, fact in facts.items() if before.get(item, "") != _said(fact)]


def _said(fact: EvidenceFacts) -> str:
    if not fact.viewed_entire:
        return ""
    return "entire with metadata" if fact.metadata_viewed else "entire"
