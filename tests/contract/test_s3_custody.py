"""The store in a bucket under the contract of all stores, with and without object lock; the service is a double."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from reporter.clock import SystemClock
from reporter.evidence import s3_client
from reporter.evidence.s3 import S3ObjectStore
from reporter.evidence.s3_client import S3Settings
from reporter.testing.contract.objects import ObjectStoreContract


class TestS3ObjectStore(ObjectStoreContract):
    @pytest.fixture
    def open_store(self, s3_url: str) -> Callable[[], S3ObjectStore]:
        settings = S3Settings(f"bucket-{uuid4().hex}", "anybody", "anything", endpoint_url=s3_url, prefix="a/b/")
        s3_client.connect(settings).create_bucket(Bucket=settings.bucket)
        return lambda: S3ObjectStore(lambda: settings, SystemClock())
