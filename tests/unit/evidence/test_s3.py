"""What a store in a bucket does beyond the contract of all stores; the service is a double."""

from __future__ import annotations

import hashlib
import io
import os
import socket
import threading
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from reporter.clock import SystemClock
from reporter.errors import ConfigurationError, CustodyError, EnvironmentTroubleError, PolicyError
from reporter.evidence import s3, s3_client, s3_reader
from reporter.evidence.objects import Locking
from reporter.evidence.parallel import each
from reporter.evidence.s3 import PART, S3ObjectStore
from reporter.evidence.s3_client import S3Settings

KEY = "0123456789abcdef"


@pytest.fixture
def settings(s3_url: str) -> S3Settings:
    settings = S3Settings(f"bucket-{uuid4().hex}", "anybody", "anything", endpoint_url=s3_url, prefix="p/", tries=1)
    s3_client.connect(settings).create_bucket(Bucket=settings.bucket)
    return settings


@pytest.fixture
def store(settings: S3Settings) -> S3ObjectStore:
    return S3ObjectStore(lambda: settings, SystemClock())


@pytest.fixture
def locking(s3_url: str) -> S3ObjectStore:
    settings = S3Settings(f"bucket-{uuid4().hex}", "anybody", "anything", endpoint_url=s3_url, retain_days=30)
    s3_client.connect(settings).create_bucket(Bucket=settings.bucket, ObjectLockEnabledForBucket=True)
    return S3ObjectStore(lambda: settings, SystemClock())


def content(store: S3ObjectStore, key: str = KEY) -> bytes:
    with store.open(key) as file:
        return file.read()


def uploads(store: S3ObjectStore) -> list[Any]:
    return store._client.list_multipart_uploads(Bucket=store._settings.bucket).get("Uploads", [])


# --- writing ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 1])
def test_every_size_around_a_part_comes_back_whole(store: S3ObjectStore, size: int) -> None:
    whole = os.urandom(size)
    store.put(KEY, (whole[start : start + 1_000_003] for start in range(0, size, 1_000_003)))
    assert content(store) == whole
    assert uploads(store) == []


def test_an_object_of_several_parts_is_never_overwritten_and_its_upload_is_given_up(store: S3ObjectStore) -> None:
    store.put(KEY, [b"first"])
    with pytest.raises(CustodyError, match="already"):
        store.put(KEY, [bytes(2 * PART)])
    assert content(store) == b"first"
    assert uploads(store) == []


def test_a_writer_that_fails_between_parts_leaves_no_upload_behind(store: S3ObjectStore) -> None:
    def pieces() -> Iterator[bytes]:
        yield bytes(2 * PART)
        assert len(uploads(store)) == 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.put(KEY, pieces())
    assert not store.exists(KEY)
    assert uploads(store) == []


def test_of_long_objects_that_race_one_wins_whole(store: S3ObjectStore) -> None:
    won: list[int] = []
    start = threading.Barrier(3)

    def put(number: int) -> None:
        start.wait()
        try:
            store.put(KEY, [bytes([number]) * PART, b"end"])
        except CustodyError:
            return
        won.append(number)

    each(put, range(3))
    assert len(won) == 1
    assert content(store) == bytes([won[0]]) * PART + b"end"
    assert uploads(store) == []


@pytest.mark.parametrize("size", [10, 2 * PART], ids=["at once", "in parts"])
def test_an_upload_whose_answer_was_lost_is_known_as_our_own(
    store: S3ObjectStore, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    call = "put_object" if size < PART else "complete_multipart_upload"
    real = getattr(store._client, call)

    def twice(**arguments: Any) -> Any:
        real(**arguments)
        return real(**arguments)

    monkeypatch.setattr(store._client, call, twice)
    store.put(KEY, [bytes(size)])
    assert content(store) == bytes(size)


def test_the_service_is_told_the_digest_of_every_body(store: S3ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    store._client.meta.events.register(
        "before-send.s3", lambda request, **_: told.append(request.headers.get("x-amz-checksum-sha256", b"").decode())
    )
    store.put(KEY, [b"one"])
    assert told == [b64encode(hashlib.sha256(b"one").digest()).decode()]


def test_an_object_that_is_too_long_is_refused(store: S3ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "MOST_PARTS", 2)
    with pytest.raises(EnvironmentTroubleError, match="at most"):
        store.put(KEY, [bytes(PART)] * 3)
    assert uploads(store) == []


# --- reading ----------------------------------------------------------------------------------------------------


class Cut(io.RawIOBase):
    """A body whose connection is lost after ``left`` bytes."""

    def __init__(self, body: Any, left: int) -> None:
        self._body, self._left = body, left

    def read(self, size: int = -1) -> bytes:
        if not self._left:
            raise ConnectionResetError
        piece = self._body.read(min(size, self._left))
        self._left -= len(piece)
        return bytes(piece)


def cut_connections(store: S3ObjectStore, monkeypatch: pytest.MonkeyPatch, after: int) -> list[str]:
    real, ranges = store._client.get_object, []

    def get(**arguments: Any) -> Any:
        ranges.append(arguments.get("Range", ""))
        answer = real(**arguments)
        return {**answer, "Body": Cut(answer["Body"], after)}

    monkeypatch.setattr(store._client, "get_object", get)
    return ranges


def test_a_lost_connection_is_taken_up_where_it_was_lost(store: S3ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.urandom(1_000_000)
    store.put(KEY, [whole])
    ranges = cut_connections(store, monkeypatch, 300_000)
    assert content(store) == whole
    assert ranges == ["", "bytes=300000-", "bytes=600000-", "bytes=900000-"]


def test_a_connection_that_is_lost_again_and_again_is_trouble(
    store: S3ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(KEY, [b"one"])
    ranges = cut_connections(store, monkeypatch, 0)
    with pytest.raises(EnvironmentTroubleError, match="again and again"):
        content(store)
    assert len(ranges) == 1 + s3_reader._LOSSES


def test_an_object_that_was_swapped_meanwhile_is_never_spliced(
    store: S3ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(KEY, [bytes(600_000)])
    cut_connections(store, monkeypatch, 300_000)
    with store.open(KEY) as file:
        file.read(10)
        store._client.put_object(**store._place(KEY), Body=b"x" * 600_000)
        with pytest.raises(EnvironmentTroubleError, match="cannot be read"):
            file.read()


def test_listings_go_on_over_their_pages(store: S3ObjectStore) -> None:
    def short_pages(params: dict[str, Any], **_: Any) -> None:
        params["MaxKeys"] = 10

    for call in ("ListObjectsV2", "ListObjectVersions"):
        store._client.meta.events.register(f"before-parameter-build.s3.{call}", short_pages)
    for number in range(35):
        store.put(f"one.{number}", [b""])
    store.put("one", [b""])
    assert sorted(store.keys("one.")) == sorted(f"one.{number}" for number in range(35))
    store.delete("one")
    assert not store.exists("one")
    assert len(list(store.keys("one"))) == 35


# --- trouble ----------------------------------------------------------------------------------------------------


def uses(store: S3ObjectStore) -> list[Any]:
    return [
        lambda: store.put(KEY, [b"one"]),
        lambda: store.put(KEY, [bytes(2 * PART)]),
        lambda: store.open(KEY),
        lambda: store.exists(KEY),
        lambda: list(store.keys("")),
        lambda: store.delete(KEY),
        store.protection,
    ]


def test_an_outage_is_trouble_that_names_no_secret(settings: S3Settings) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        for use in uses(S3ObjectStore(lambda: replace(settings, endpoint_url=url), SystemClock())):
            with pytest.raises(EnvironmentTroubleError, match="The object store cannot be") as caught:
                use()
            assert "anything" not in caught.value.diagnostics()


def test_a_bucket_that_is_not_there_is_trouble(settings: S3Settings) -> None:
    for use in uses(S3ObjectStore(lambda: replace(settings, bucket="nothing-here"), SystemClock())):
        with pytest.raises(EnvironmentTroubleError, match="NoSuchBucket"):
            use()


def test_the_secret_is_in_no_repr(settings: S3Settings, store: S3ObjectStore) -> None:
    store.exists(KEY)
    assert "anything" not in repr(settings) + repr(store)


def test_nothing_comes_from_the_surroundings(
    settings: S3Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "config").write_text("[default]\nendpoint_url = http://127.0.0.1:1\nregion = nowhere-1\n")
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = stranger\naws_secret_access_key = x\n")
    for name, value in {
        "AWS_PROFILE": "nobody",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_ACCESS_KEY_ID": "stranger",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_SESSION_TOKEN": "x",
        "AWS_REGION": "nowhere-1",
        "AWS_CA_BUNDLE": str(tmp_path / "nothing"),
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_MAX_ATTEMPTS": "x",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "http_proxy": "http://127.0.0.1:1",
        "HTTPS_PROXY": "http://127.0.0.1:1",
        "REQUESTS_CA_BUNDLE": str(tmp_path / "nothing"),
    }.items():
        monkeypatch.setenv(name, value)
    client = s3_client.connect(settings)
    sent: list[str] = []
    client.meta.events.register("before-send.s3", lambda request, **_: sent.append(str(request.headers)))
    store = S3ObjectStore(lambda: settings, SystemClock(), (settings, client))
    store.put(KEY, [b"one"])
    assert content(store) == b"one"
    assert all("anybody" in headers and "us-east-1" in headers for headers in sent)
    assert not any("stranger" in headers or "oken" in headers for headers in sent)
    assert s3_client.connect(replace(settings, endpoint_url=None)).meta.endpoint_url == "https://s3.amazonaws.com"


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_client, "find_spec", lambda _name: None)
    with pytest.raises(ConfigurationError, match="more than is installed") as caught:
        s3_client.require_extra()
    assert "reporter[s3]" in caught.value.next_step


# --- locks ------------------------------------------------------------------------------------------------------


def until_of(store: S3ObjectStore) -> datetime:
    until = store._client.head_object(**store._place(KEY))["ObjectLockRetainUntilDate"]
    assert isinstance(until, datetime)
    return until


@pytest.mark.parametrize("size", [10, 2 * PART], ids=["at once", "in parts"])
def test_an_object_is_locked_from_its_birth(locking: S3ObjectStore, size: int) -> None:
    locking.put(KEY, [bytes(size)])
    assert abs(until_of(locking) - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=5)
    with pytest.raises(PolicyError, match="locked in its store until"):
        locking.delete(KEY)
    assert content(locking) == bytes(size)


def test_a_lock_holds_though_the_answer_to_the_upload_was_lost(
    locking: S3ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = locking._client.complete_multipart_upload

    def twice(**arguments: Any) -> Any:
        real(**arguments)
        return real(**arguments)

    monkeypatch.setattr(locking._client, "complete_multipart_upload", twice)
    locking.put(KEY, [bytes(PART)])
    with pytest.raises(PolicyError, match="locked"):
        locking.delete(KEY)


def test_destruction_that_people_decided_on_gets_past_a_lock(locking: S3ObjectStore) -> None:
    locking.put(KEY, [b"one"])
    locking._client.put_object(**locking._place(KEY), Body=b"another version")
    locking.delete(KEY, despite_lock=True)
    assert not locking.exists(KEY)
    assert list(locking._versions(locking._place(KEY))) == []


def test_nothing_gets_past_a_hold(locking: S3ObjectStore) -> None:
    assert isinstance(locking, Locking)
    locking.put(KEY, [b"one"])
    locking.hold(KEY, on=True)
    for despite_lock in (False, True):
        with pytest.raises(PolicyError, match="under legal hold"):
            locking.delete(KEY, despite_lock=despite_lock)
    locking.hold(KEY, on=False)
    locking.delete(KEY, despite_lock=True)
    assert not locking.exists(KEY)


def test_the_service_itself_refuses_to_delete_what_is_held(
    locking: S3ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    locking.put(KEY, [b"one"])
    locking.hold(KEY, on=True)
    monkeypatch.setattr(S3ObjectStore, "_about", lambda *_: None)
    with pytest.raises(EnvironmentTroubleError, match="AccessDenied"):
        locking.delete(KEY, despite_lock=True)
    assert content(locking) == b"one"


def test_a_lock_is_only_ever_extended(locking: S3ObjectStore) -> None:
    locking.put(KEY, [b"one"])
    born = until_of(locking)
    locking.retain(KEY, born - timedelta(days=20))
    assert until_of(locking) == born
    locking.retain(KEY, born + timedelta(days=20))
    assert until_of(locking) == born + timedelta(days=20)


def test_what_is_not_there_can_be_neither_held_nor_locked(locking: S3ObjectStore) -> None:
    for use in (lambda: locking.hold(KEY, on=True), lambda: locking.retain(KEY, datetime.now(UTC))):
        with pytest.raises(CustodyError, match="missing"):
            use()


def test_a_bucket_without_lock_says_that_it_cannot(store: S3ObjectStore) -> None:
    store.put(KEY, [b"one"])
    with pytest.raises(EnvironmentTroubleError, match="cannot hold"):
        store.hold(KEY, on=True)
    with pytest.raises(EnvironmentTroubleError, match="cannot lock"):
        store.retain(KEY, datetime.now(UTC) + timedelta(days=1))


def test_a_deleted_object_leaves_no_version_and_no_mark(locking: S3ObjectStore) -> None:
    locking._client.put_object(**locking._place(KEY), Body=b"one")
    locking._client.delete_object(**locking._place(KEY))  # only marks it as deleted
    assert not locking.exists(KEY)
    locking._client.put_object(**locking._place(KEY + "0"), Body=b"another")
    locking.delete(KEY, despite_lock=True)
    assert list(locking._versions(locking._place(KEY))) == []
    assert content(locking, KEY + "0") == b"another"


# --- what doctor asks -------------------------------------------------------------------------------------------


def test_what_the_bucket_can_do(store: S3ObjectStore, locking: S3ObjectStore) -> None:
    assert store.protection() == (False, False)
    assert locking.protection() == (True, True)
    assert [store.is_create_only(), store.is_create_only()] == [True, True]


def test_a_service_that_overwrites_is_found_out(store: S3ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    real = store._client.put_object

    def careless(IfNoneMatch: str, **arguments: Any) -> Any:  # noqa: N803
        return real(**arguments)

    monkeypatch.setattr(store._client, "put_object", careless)
    assert not store.is_create_only()
