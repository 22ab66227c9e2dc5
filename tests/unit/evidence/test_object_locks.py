"""Holds and retention in the object store itself: set, cleared, and never anybody else's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from reporter.clock import SystemClock
from reporter.errors import CustodyError, PolicyError
from reporter.evidence import s3_client
from reporter.evidence.locks import ObjectLocks
from reporter.evidence.model import SealedItem
from reporter.evidence.objects import LocalObjectStore
from reporter.evidence.s3 import S3ObjectStore
from reporter.evidence.s3_client import S3Settings

ITEM = SealedItem("0" * 32, "TEST-000001", "e1", "0" * 64, None, None, 3, "0" * 64, datetime(2026, 11, 22, tzinfo=UTC))


@pytest.fixture
def store(s3_url: str) -> S3ObjectStore:
    settings = S3Settings(f"bucket-{uuid4().hex}", "anybody", "anything", endpoint_url=s3_url, retain_days=30)
    s3_client.connect(settings).create_bucket(Bucket=settings.bucket, ObjectLockEnabledForBucket=True)
    store = S3ObjectStore(lambda: settings, SystemClock())
    store.put(ITEM.id, [b"one"])
    return store


def test_a_hold_of_ours_is_set_and_cleared_again(store: S3ObjectStore) -> None:
    locks = ObjectLocks(store)
    assert (locks.held(ITEM), locks.hold_object(ITEM), locks.held(ITEM)) == (False, True, True)
    with pytest.raises(PolicyError, match="legal hold"):
        store.delete(ITEM.id, despite_lock=True)
    assert locks.hold_object(ITEM), "it may be set again"
    for _ in range(2):
        locks.release_object(ITEM)
    assert not locks.held(ITEM)
    assert list(store.keys("held.")) == []
    assert locks.hold_object(ITEM)


def test_a_hold_of_somebody_else_outlives_ours(store: S3ObjectStore) -> None:
    locks = ObjectLocks(store)
    store.hold(ITEM.id, on=True)
    assert locks.hold_object(ITEM)
    locks.release_object(ITEM)
    assert locks.held(ITEM)


def test_a_lock_is_extended_as_retention_asks(store: S3ObjectStore) -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=900)
    assert ObjectLocks(store).retain_until(ITEM, until)
    with pytest.raises(PolicyError, match=f"locked in its store until {until:%Y-%m-%d}"):
        store.delete(ITEM.id)


def test_what_is_missing_is_held_by_nobody(store: S3ObjectStore) -> None:
    gone, locks = replace(ITEM, id="1" * 32), ObjectLocks(store)
    assert not locks.held(gone)
    for use in (lambda: locks.hold_object(gone), lambda: locks.retain_until(gone, datetime.now(UTC))):
        with pytest.raises(CustodyError, match="missing"):
            use()


def test_a_folder_and_a_bucket_without_locks_do_nothing(store: S3ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir(mode=0o700)
    plain = S3ObjectStore(lambda: replace(store._settings, retain_days=None), SystemClock())
    for locks in (ObjectLocks(LocalObjectStore(tmp_path / "objects")), ObjectLocks(plain)):
        assert not locks.hold_object(ITEM)
        assert not locks.retain_until(ITEM, datetime.now(UTC))
        locks.release_object(ITEM)
        assert not locks.held(ITEM)
    store.hold(ITEM.id, on=True)
    assert ObjectLocks(plain).held(ITEM), "what is held is seen though nothing is configured to hold"
