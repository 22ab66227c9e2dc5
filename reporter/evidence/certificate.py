"""The certificates of destructions: ids, key ids, digests, times and people, and what they do and do not say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import rfc8785

from reporter.evidence.model import SealedItem

#: What is true whatever the horizon is.
_ITEM = (
    "The wrapped key of the item was removed from the key store, and its ciphertext from the object store, at the "
    "times stated. Old copies of the database, the object store and the root key do not open it without a copy of "
    "the key store made before its key was removed. "
)
_CASE = (
    "The wrapped key of the case was removed from the key store at the time stated, and with it the document, the "
    "packages, the exchanges and all other bodies of the case became unreadable; what was sealed was removed from the "
    "database, and each item has a certificate of its own. Old copies of the database, the object store and the root "
    "key do not open any of it without a copy of the key store made before the key was removed. "
)
_KNOWN = "Such copies of the key store are kept for at most {days} days, so that from {until} on none is left."
_UNKNOWN = "How long such copies of the key store are kept was not configured: one may still exist."


def certify(row: Any, sealed: SealedItem, horizon: timedelta | None) -> str:
    """Give the certificate of the destruction in ``row``, as canonical JSON (RFC 8785)."""
    about = {
        "item": sealed.item,
        "evidence_id": sealed.id,
        "sha256": sealed.sha256,
        "size": sealed.size,
        "ciphertext_sha256": sealed.ciphertext_sha256,
        "sealed_at": _text(sealed.sealed_at),
        "object_removed_at": _text(row.object_removed_at),
    }
    return _written(row, about, _ITEM, horizon)


def certify_case(
    row: Any, items: Sequence[str], bodies: Mapping[str, int], positions: str, horizon: timedelta | None
) -> str:
    """
    Give the certificate of the destruction of a whole case, as canonical JSON.

    ``items`` are the certificates of its items, ``bodies`` says how many of which kind there were, ``positions`` which
    records of the custody log went with it.
    """
    about = {
        "case": True,
        "basis": row.basis or None,
        "items": list(items),
        "bodies": dict(bodies),
        "log_records_destroyed": positions,
    }
    return _written(row, about, _CASE, horizon)


def _written(row: Any, about: Mapping[str, Any], always: str, horizon: timedelta | None) -> str:
    until, days, words = None, None, _UNKNOWN
    if horizon is not None:
        until, days = _text(row.key_removed_at + horizon), horizon.days
        words = _KNOWN.format(days=days, until=until)
    fields = {
        "certificate": row.id,
        "version": 1,
        "reference": row.reference,
        **about,
        "keys": row.key_ids.split(),
        "proposed": {"by": row.proposed_by, "at": _text(row.proposed_at)},
        "decided": {"by": row.decided_by, "at": _text(row.decided_at)},
        "key_removed_at": _text(row.key_removed_at),
        "taken_over_from_tombstone_at": _text(row.recalled_at) if row.recalled_at else None,
        "key_store_backup_horizon_days": days,
        "unreadable_in_every_copy_from": until,
        "statement": always + words,
    }
    return rfc8785.dumps(fields).decode()


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
