"""A home whose objects are in a bucket: the whole way to the receipt, the credential, and what doctor says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from reporter import doctor
from reporter.errors import ConfigurationError, CustodyError, EnvironmentTroubleError
from reporter.evidence import s3_client
from reporter.evidence.s3_client import S3Settings
from reporter.testing.documents import write_case
from reporter.testing.house import House

Configure = Callable[..., House]


@pytest.fixture
def configured(tmp_path: Path, s3_url: str, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Give what moves a fresh house into a bucket, with or without object lock."""

    def configure(*, lock: bool = False, bucket_locks: bool = False, url: str = s3_url, secret: bool = True) -> House:
        house = House(tmp_path)
        bucket = f"bucket-{uuid4().hex}"
        settings = S3Settings(bucket, "anybody", "anything", endpoint_url=s3_url)
        s3_client.connect(settings).create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=bucket_locks)
        with (tmp_path / "home" / "reporter.toml").open("a") as file:
            file.write(f"""
[objects]
kind = "s3"
bucket = "{bucket}"
endpoint_url = "{url}"
prefix = "reporter/"
access_key_id = "anybody"
secret_access_key = "secret:objects-key"
object_lock = {str(lock).lower()}
""")
        monkeypatch.setenv("REPORTER_HOME", str(tmp_path / "home"))
        house.restart()
        if secret:
            house.app.secrets.set("objects-key", "anything", "ann")
        return house

    return configure


def symptoms(*states: str) -> str:
    return "\n".join(each.text for each in doctor.examine() if each.name == "objects" and each.state in states)


@pytest.mark.parametrize("lock", [False, True])
def test_a_case_goes_all_the_way(configured: Configure, tmp_path: Path, lock: bool) -> None:
    house = configured(lock=lock, bucket_locks=lock)
    reference = house.approved(files={"e1": b"harmless " * 1000, "e2": b"harmless too"})
    assert house.work() is not None
    (submission,) = house.app.submissions.overview(reference)
    assert submission["state"] == "accepted"
    assert not any((tmp_path / "home" / "objects").iterdir())
    store = house.app.vault.objects
    kinds = {key.split(".")[0] for key in store.keys("")}
    assert "filing" in kinds
    assert len(kinds) == 3, "two items beside the marker"


def test_a_refused_case_leaves_nothing_that_opens(configured: Configure, tmp_path: Path) -> None:
    house = configured(lock=True, bucket_locks=True)
    case = write_case(tmp_path / "cases", "TEST-000001", files={"e1": b"harmless", "e2": b"harmless too"})
    for file in case.rglob("*e2*"):
        file.write_bytes(b"changed")
    with pytest.raises(Exception, match="nothing of it was kept"):
        house.app.cases.add(case, "ann")
    assert not list((tmp_path / "home" / "keystore").glob("item-*"))


def test_without_its_credential_it_says_which_is_missing(configured: Configure) -> None:
    house = configured(secret=False)
    with pytest.raises(CustodyError) as caught:
        house.app.vault.objects.exists("probe")
    assert "reporter secret set objects-key" in caught.value.diagnostics()


def test_an_outage_stops_an_intake_and_keeps_nothing(configured: Configure, tmp_path: Path) -> None:
    house = configured(url="http://127.0.0.1:1")
    with pytest.raises(EnvironmentTroubleError, match="object store"):
        house.app.cases.add(write_case(tmp_path / "cases", "TEST-000001", files={"e1": b"harmless"}), "ann")
    assert house.app.cases.list() == []
    assert not list((tmp_path / "home" / "keystore").glob("item-*"))


def test_one_credential_serves_one_purpose(configured: Configure, tmp_path: Path) -> None:
    house = configured()
    file = tmp_path / "home" / "reporter.toml"
    file.write_text(file.read_text().replace("secret:ncmec-password", "secret:objects-key"))
    house.restart()
    with pytest.raises(ConfigurationError, match="give each its own"):
        house.app.secrets.set("objects-key", "anything", "ann")


def test_doctor_tries_the_bucket(configured: Configure) -> None:
    configured(lock=True, bucket_locks=True)
    assert "never overwrites" in symptoms("ok")
    assert symptoms("warn", "fail") == ""


@pytest.mark.parametrize(
    ("lock", "bucket_locks", "state", "says"),
    [(True, False, "fail", "has no object lock"), (False, True, "warn", "nothing uses it"),
     (False, False, "warn", "keeps no versions")],
)  # fmt: skip
def test_doctor_says_what_the_bucket_lacks(
    configured: Configure, lock: bool, bucket_locks: bool, state: str, says: str
) -> None:
    configured(lock=lock, bucket_locks=bucket_locks)
    assert says in symptoms(state)


def test_doctor_says_that_the_bucket_cannot_be_reached(configured: Configure) -> None:
    configured(url="http://127.0.0.1:1")
    assert "cannot be read" in symptoms("fail")
