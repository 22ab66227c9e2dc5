"""Under which key the words and attachments of a referral are sealed: one of its own, as a case has."""

from __future__ import annotations

import hashlib


def key_of(referral: str) -> str:
    """Give the name of a referral's key; it is longer than any case's reference, so that it is no case's."""
    return f"referral-{hashlib.sha256(referral.encode()).hexdigest()}"
