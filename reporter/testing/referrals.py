"""Synthetic referrals, for tests: links to nowhere."""

from __future__ import annotations

import json
from typing import Any

NEWSROOM = {"kind": "newsroom", "name": "SYNTHETIC Newsroom", "emails": ["jo@newsroom.example"]}


def referral(count: int = 3, **changes: Any) -> bytes:
    """Give a referral of so many links by a newsroom, at our own request; ``changes`` replace its top-level fields."""
    links = [{"link": f"https://forum.example/p/{number}", "id": f"{number}"} for number in range(1, count + 1)]
    document = {
        "sender": NEWSROOM | {"user_names": ["jo_reports"]},
        "received_at": "2026-11-20T09:00:00Z",
        "requested_by": "platform",
        "items": links,
    }
    return json.dumps(document | changes).encode()
