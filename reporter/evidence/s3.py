"""
Sealed objects in a bucket of an S3-compatible service (the extra ``s3``).

Create-only by ``If-None-Match: *``, on a single put and on the completion of a multipart upload alike, so an object
appears whole or not at all. Where the bucket has object lock, objects are locked in governance mode from their birth
and can be held.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any, BinaryIO, cast

from reporter.clock import Clock
from reporter.errors import CustodyError, EnvironmentTroubleError, PolicyError, ReporterError
from reporter.evidence.objects import sound
from reporter.evidence.s3_client import S3Settings, code_of, connect, status_of, trouble
from reporter.evidence.s3_reader import RemoteObject

#: Bytes of a part of an upload; an object that fits into one is put at once. Amazon S3 User Guide, "Amazon S3
#: multipart upload limits": 5 MiB to 5 GiB, and at most 10,000 parts. All the same size, as some services ask.
PART = 8 << 20
MOST_PARTS = 10_000
_READ_AHEAD = 256 << 10
#: HTTP: the object is there already; another request for the key is under way (S3: ConditionalRequestConflict).
_TAKEN, _CONFLICT = 412, 409
_PROBE = "probe"
#: The version of an object in a bucket that keeps none; such a bucket has no locks.
_UNVERSIONED = "null"
_WRITING = "The object store cannot be written"
_READING = "The object store cannot be read"
#: What marks an upload as ours, so that our own object is known when the answer to its upload was lost.
_TOKEN = "reporter-put"  # noqa: S105


@dataclass(slots=True)
class S3ObjectStore:
    """Objects in one bucket, below one prefix; ``settings`` are asked for at first use."""

    settings: Callable[[], S3Settings]
    clock: Clock
    _opened: tuple[S3Settings, Any] | None = field(default=None, repr=False)

    def put(self, key: str, pieces: Iterable[bytes]) -> None:
        """Keep an object, as ``ObjectStore.put``; memory holds a part or two."""
        place, token, until = self._place(key), token_hex(16), self._locked_until()
        lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until} if until else {}
        with trouble(_WRITING):
            try:
                doubtful = self._upload(place, {"Metadata": {_TOKEN: token}, **lock}, _parts(pieces))
            except self._client.exceptions.ClientError as error:
                if not _may_be_there(error) or not (token_there := self._token(place)):
                    raise
                if token_there != token:
                    raise CustodyError(f"The object store has an object {key} already.") from error
                doubtful = True
        if doubtful and until:  # some services forget the lock that an upload in parts was begun with
            self.retain(key, until)

    def open(self, key: str) -> BinaryIO:
        """Open an object, as ``ObjectStore.open``; a lost connection is taken up again where it was lost."""
        place = self._place(key)
        with trouble(_READING):
            try:
                raw = RemoteObject(self._client, place["Bucket"], place["Key"])
            except self._client.exceptions.ClientError as error:
                if status_of(error) != 404 or code_of(error) == "NoSuchBucket":
                    raise
                raise CustodyError(f"The object {key} is missing from the object store.") from error
        return cast(BinaryIO, io.BufferedReader(raw, _READ_AHEAD))

    def exists(self, key: str) -> bool:
        """
        Whether there is an object of that key.

        Raises:
            EnvironmentTroubleError: The store cannot be read.

        """
        place = self._place(key)
        with trouble(_READING):  # a HEAD would not tell a missing object from a missing bucket
            page = self._client.list_objects_v2(Bucket=place["Bucket"], Prefix=place["Key"], MaxKeys=1)
        return any(entry["Key"] == place["Key"] for entry in page.get("Contents", ()))

    def keys(self, prefix: str) -> Iterator[str]:
        """Give the keys that begin with ``prefix``, as ``ObjectStore.keys``."""
        bucket, before = self._settings.bucket, self._settings.prefix
        with trouble(_READING):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=before + prefix):
                yield from (entry["Key"].removeprefix(before) for entry in page.get("Contents", ()))

    def delete(self, key: str, *, despite_lock: bool = False) -> None:
        """Remove an object in every version, as ``ObjectStore.delete``."""
        place = self._place(key)
        bypass = {"BypassGovernanceRetention": True} if despite_lock else {}
        with trouble(_WRITING):
            for version, marker in list(self._versions(place)):
                about = self._locks_of(version, marker)
                if _is_held(about):
                    raise PolicyError(f"The object {key} is under legal hold and cannot be deleted.")
                until = about.get("ObjectLockRetainUntilDate")
                if until is not None and until > self.clock.now() and not despite_lock:
                    raise PolicyError(f"The object {key} is locked in its store until {until:%Y-%m-%d}.")
                self._client.delete_object(**version, **bypass)

    def locks(self) -> bool:
        """Whether objects are locked and held here, as ``Locking.locks``."""
        return self._settings.retain_days is not None

    def held(self, key: str) -> bool:
        """Whether any version is held, as ``Locking.held``."""
        place = self._place(key)
        with trouble(_READING):
            return any(_is_held(self._locks_of(version, marker)) for version, marker in self._versions(place))

    def hold(self, key: str, *, on: bool) -> None:
        """Set or clear the hold of every version, as ``Locking.hold``."""
        for version in self._there(key):
            with trouble("The object store cannot hold"):
                self._client.put_object_legal_hold(**version, LegalHold={"Status": "ON" if on else "OFF"})

    def retain(self, key: str, until: datetime) -> None:
        """Lock every version until then or longer, as ``Locking.retain``."""
        for version in self._there(key):
            with trouble("The object store cannot lock"):
                now = (self._about(version) or {}).get("ObjectLockRetainUntilDate")
                if now is None or now < until:
                    self._client.put_object_retention(
                        **version, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until}
                    )

    def protection(self) -> tuple[bool, bool]:
        """
        Whether the bucket keeps versions, and whether it has object lock.

        Raises:
            EnvironmentTroubleError: The bucket cannot be reached.

        """
        bucket = {"Bucket": self._settings.bucket}
        with trouble(_READING):
            versions = self._client.get_bucket_versioning(**bucket).get("Status") == "Enabled"
            try:
                answer = self._client.get_object_lock_configuration(**bucket)
            except self._client.exceptions.ClientError as error:
                if code_of(error) != "ObjectLockConfigurationNotFoundError":
                    raise
                return versions, False
        return versions, answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled"

    def is_create_only(self) -> bool:
        """
        Whether the bucket refuses to overwrite, tried on a probe object that stays there.

        Raises:
            EnvironmentTroubleError: The bucket cannot be written.

        """
        for _ in range(2):
            try:
                self.put(_PROBE, [b"A probe of Reporter's doctor: the second attempt to write this was refused."])
            except CustodyError:
                return True
        return False

    # --- writing ------------------------------------------------------------------------------------------------

    def _upload(self, place: Mapping[str, str], about: Mapping[str, Any], parts: Iterator[bytearray]) -> bool:
        """Upload an object, and say whether it took an upload in parts."""
        body = next(parts)
        if len(body) < PART:
            self._client.put_object(**place, **about, Body=body, IfNoneMatch="*", **_digest(body))
            return False
        upload = self._client.create_multipart_upload(**place, **about, ChecksumAlgorithm="SHA256")["UploadId"]
        done: list[dict[str, Any]] = []
        try:
            while body:
                if len(done) == MOST_PARTS:
                    raise EnvironmentTroubleError(f"{_WRITING}: an object has at most {PART * MOST_PARTS >> 30} GiB.")
                done.append(self._put_part(place, upload, len(done) + 1, body))
                body = bytearray()  # let go of it before the next one is gathered
                body = next(parts, body)
            self._client.complete_multipart_upload(
                **place, UploadId=upload, MultipartUpload={"Parts": done}, IfNoneMatch="*"
            )
        except BaseException:
            with suppress(ReporterError), trouble(_WRITING):  # what stopped us is what the caller must hear of
                self._client.abort_multipart_upload(**place, UploadId=upload)
            raise
        return True

    def _put_part(self, place: Mapping[str, str], upload: str, number: int, body: bytearray) -> dict[str, Any]:
        digest = _digest(body)
        answer = self._client.upload_part(**place, UploadId=upload, PartNumber=number, Body=body, **digest)
        return {"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": digest["ChecksumSHA256"]}

    def _locked_until(self) -> datetime | None:
        days = self._settings.retain_days
        return None if days is None else self.clock.now().replace(microsecond=0) + timedelta(days=days)

    # --- looking ------------------------------------------------------------------------------------------------

    def _about(self, place: Mapping[str, str]) -> dict[str, Any] | None:
        try:
            return dict(self._client.head_object(**place))
        except self._client.exceptions.ClientError as error:
            if status_of(error) != 404:
                raise
            return None

    def _locks_of(self, version: Mapping[str, str], marker: bool) -> Mapping[str, Any]:
        """Give what is known of a version, as far as such a one can be locked."""
        lockable = not marker and version["VersionId"] != _UNVERSIONED
        return (self._about(version) if lockable else None) or {}

    def _token(self, place: Mapping[str, str]) -> str:
        """Give the mark of the object that is there, empty when there is none."""
        about = self._about(place)
        return "" if about is None else about.get("Metadata", {}).get(_TOKEN, "unmarked")

    def _versions(self, place: Mapping[str, str]) -> Iterator[tuple[dict[str, str], bool]]:
        """Give every version, and whether it only marks that the object was deleted."""
        paginator = self._client.get_paginator("list_object_versions")
        for page in paginator.paginate(Bucket=place["Bucket"], Prefix=place["Key"]):
            for kind in ("Versions", "DeleteMarkers"):
                for entry in page.get(kind, ()):
                    if entry["Key"] == place["Key"]:
                        yield {**place, "VersionId": entry["VersionId"]}, kind == "DeleteMarkers"

    def _there(self, key: str) -> list[dict[str, str]]:
        place = self._place(key)
        with trouble(_READING):
            versions = [version for version, marker in self._versions(place) if not marker]
        if not versions:
            raise CustodyError(f"The object {key} is missing from the object store.")
        return versions

    def _place(self, key: str) -> dict[str, str]:
        name = sound(key)
        return {"Bucket": self._settings.bucket, "Key": self._settings.prefix + name}

    @property
    def _settings(self) -> S3Settings:
        return self._open()[0]

    @property
    def _client(self) -> Any:
        return self._open()[1]

    def _open(self) -> tuple[S3Settings, Any]:
        if self._opened is None:
            settings = self.settings()
            self._opened = (settings, connect(settings))
        return self._opened


def _parts(pieces: Iterable[bytes]) -> Iterator[bytearray]:
    """Give ``pieces`` as parts of one size, the last one shorter; an empty one when there is nothing."""
    part, some = bytearray(), False
    for piece in pieces:
        rest = memoryview(piece)
        while len(rest) >= PART - len(part):
            taken = PART - len(part)
            part += rest[:taken]
            rest = rest[taken:]
            yield part
            part, some = bytearray(), True
        part += rest
    if part or not some:
        yield part


def _is_held(about: Mapping[str, Any]) -> bool:
    return about.get("ObjectLockLegalHoldStatus") == "ON"


def _may_be_there(error: Any) -> bool:
    """Whether an error may mean that the key is taken, perhaps by this very upload whose answer was lost."""
    return status_of(error) in (_TAKEN, _CONFLICT) or code_of(error) == "NoSuchUpload"


def _digest(body: bytearray) -> dict[str, str]:
    """Give what has the service refuse a body that changed on the way; with object lock it insists on such a thing."""
    checksum = base64.b64encode(hashlib.sha256(body).digest()).decode()
    return {"ChecksumAlgorithm": "SHA256", "ChecksumSHA256": checksum}
