"""Which object store a home has: made from its configuration, and tried by ``reporter doctor``."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from keycustody.credentials import CredentialStore
from reporter.clock import Clock
from reporter.config import Configuration
from reporter.evidence.custody import custody_errors
from reporter.evidence.objects import LocalObjectStore, ObjectStore
from reporter.evidence.s3 import S3ObjectStore
from reporter.evidence.s3_client import S3Settings, require_extra
from reporter.layout import Layout

#: What the credential of an object store is kept for, in place of an environment.
FOR_OBJECTS = "objects"


def object_store(configuration: Configuration, credentials: Callable[[], CredentialStore], clock: Clock) -> ObjectStore:
    """
    Give the configured object store; a bucket is not reached for before something is asked of it.

    Raises:
        ConfigurationError: The extra that it needs is not installed.

    """
    objects = configuration.objects
    if objects.kind == "folder":
        return LocalObjectStore(Layout(configuration.home).objects)
    require_extra()

    def settings() -> S3Settings:
        (name,) = objects.secrets.values()
        with custody_errors("objects: ", next_step=f"Set it with: reporter secret set {name}"):
            secret = credentials().get(name, FOR_OBJECTS).reveal()
        return S3Settings(
            bucket=objects.bucket,
            access_key_id=objects.access_key_id,
            secret_access_key=secret,
            region=objects.region,
            endpoint_url=objects.endpoint_url,
            prefix=objects.prefix,
            retain_days=objects.retain_days if objects.object_lock else None,
            proxy=configuration.http.proxy,
            ca_file=configuration.http.ca_file,
        )

    return S3ObjectStore(settings, clock)


def examine_objects(configuration: Configuration, store: ObjectStore) -> Iterator[tuple[str, str]]:
    """
    Give state and words of each finding about the store.

    A bucket that overwrites would lose evidence and the memory of filings; only trying shows it.

    Raises:
        EnvironmentTroubleError: The bucket cannot be reached.
        CustodyError: Its credential is missing.

    """
    if not isinstance(store, S3ObjectStore):
        return
    objects = configuration.objects
    versions, locks = store.protection()
    if not versions:
        yield "warn", f"bucket {objects.bucket} keeps no versions; turn versioning on"
    if objects.object_lock and not locks:
        yield "fail", f"bucket {objects.bucket} has no object lock, and objects.object_lock is true"
    elif locks and not objects.object_lock:
        yield "warn", "the bucket has object lock, but objects.object_lock is false: nothing uses it"
    if store.is_create_only():
        yield "ok", f"bucket {objects.bucket} can be reached and never overwrites"
    else:
        yield "fail", f"bucket {objects.bucket} overwrites objects (it ignores If-None-Match); use another service"
