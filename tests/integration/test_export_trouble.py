"""What must not leave does not, what goes wrong leaves nothing behind, and that it was tried is in the log."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from reporter.db.engine import reading, transaction
from reporter.errors import (
    ConflictError,
    CustodyError,
    DocumentError,
    EnvironmentTroubleError,
    NotFoundError,
    PolicyError,
    ReporterError,
    UsageError,
)
from reporter.evidence.tombstones import Tombstone, Tombstones
from reporter.export.landing import land
from reporter.export.store import ITEM, REQUEST
from reporter.tasks.service import open_tasks
from reporter.testing.documents import write_case
from tests.integration.export_authority import StampAuthority, serving
from tests.integration.export_office import REF, SCOPE, Office

OTHER = "TEST-000002"


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Give an office whose refusals tests share: none of them changes what it has."""
    return Office(tmp_path_factory.mktemp("office"))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def refusals(office: Office) -> list[str]:
    return [event.detail for event in office.events() if event.kind == "export_refused"]


# --- what must not leave --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "requester", "scope", "words"),
    [
        ("preservation_letter", "federal", SCOPE, "hands over nothing"),
        ("subpoena", "state_local_tribal", SCOPE, "no content"),
        ("court_order", "federal", {"content": ["e1"]}, "no content"),
        ("litigation", "civil_party", {"fields": ["incident"]}, "civil case"),
        ("search_warrant", "civil_party", {"fields": ["incident"]}, "civil case"),
        ("defence", "defence", {"fields": ["incident"]}, r"3509\(m\)"),
        ("search_warrant", "other", SCOPE, "another platform"),
        ("eu_preservation_order", "foreign", {"fields": ["incident"]}, "hands over nothing"),
        ("other", "federal", SCOPE, "no rule"),
    ],
)
def test_what_a_demand_does_not_unlock_goes_to_counsel(
    asking: Office, kind: str, requester: str, scope: dict[str, Any], words: str
) -> None:
    number = asking.demand(kind, requester, {"cases": [REF]})
    before = len(refusals(asking))
    with pytest.raises(PolicyError, match=words) as refused:
        asking.create(asking.asked(number, **scope))
    assert "counsel" in refused.value.next_step
    assert len(refusals(asking)) == before + 1
    assert refusals(asking)[-1].startswith("create CounselError")
    with reading(asking.house.app.database) as connection:
        assert str(number) in [task.about for task in open_tasks(connection) if task.kind == "demand_counsel"]


def test_a_subpoena_gets_records(asking: Office) -> None:
    number = asking.demand("subpoena", "federal", {"cases": [REF]})
    assert asking.create(asking.asked(number, fields=["people[0].account.id"])).approved_by == "lena"


@pytest.mark.parametrize(
    "scope",
    [{"fields": ["incident"]}, {"fields": ["people[0].account.id", "people"]}, {"fields": ["people[0].account.ids"]},
     {"submissions": ["ncmec"]}],
)  # fmt: skip
def test_a_subpoena_gets_no_more_than_the_records_it_reaches(asking: Office, scope: dict[str, Any]) -> None:
    number = asking.demand("subpoena", "federal", {"cases": [REF]})
    with pytest.raises(PolicyError, match="It reaches: "):
        asking.create(asking.asked(number, **scope))


def test_who_told_us_is_named_on_purpose_or_not_at_all(asking: Office) -> None:
    people = [{"id": "p1", "roles": ["suspect"]}, {"id": "p2", "roles": ["notifier"]}]
    reference = "TEST-000003"
    asking.house.app.cases.add(write_case(asking.folder / "cases", reference, people=people), "preparer")
    number = asking.demand("search_warrant", "federal", {"cases": [reference]})
    with pytest.raises(DocumentError) as refused:
        asking.create(asking.asked(number, reference, fields=["people"]))
    assert [finding.rule for finding in refused.value.findings] == ["notifier"]
    assert asking.create(asking.asked(number, reference, fields=["people[0]"]))


def test_an_unverified_or_closed_demand_unlocks_nothing(asking: Office) -> None:
    number = asking.demand("search_warrant", "foreign", {"cases": [REF]}, verified=False)
    with pytest.raises(PolicyError, match="not verified"):
        asking.create(asking.asked(number))
    closed = asking.demand("search_warrant", "court", {"cases": [REF]})
    asking.house.app.retention.demands.close(closed, "withdrawn", "lea", "SYNTHETIC")
    with pytest.raises(PolicyError, match="closed"):
        asking.create(asking.asked(closed))
    with pytest.raises(NotFoundError):
        asking.create(asking.asked(999))


def test_a_demand_for_another_case_or_another_item_unlocks_nothing_of_this_one(asking: Office) -> None:
    asking.house.app.cases.add(write_case(asking.folder / "cases", OTHER), "preparer")
    other = asking.demand("search_warrant", "federal", {"cases": [OTHER]})
    with pytest.raises(PolicyError, match="does not reach"):
        asking.create(asking.asked(other))
    item = asking.demand("search_warrant", "federal", {"items": [{"case": REF, "item": "e1"}]})
    assert asking.create(asking.asked(item, content=["e1"])).content
    for scope in ({"content": ["e1", "e2"]}, {"content": ["e1"], "fields": ["incident"]}, {"submissions": ["ncmec"]}):
        with pytest.raises(PolicyError, match="does not reach"):
            asking.create(asking.asked(item, **scope))


@pytest.mark.parametrize(
    ("scope", "error"),
    [
        ({"redact": []}, DocumentError),  # nothing at all
        ({"content": ["e9"]}, NotFoundError),
        ({"fields": ["people[7]"]}, DocumentError),
        ({"fields": ["no such thing"]}, DocumentError),
        ({"fields": ["*"]}, DocumentError),
        ({"submissions": ["nca"]}, DocumentError),
        ({"fields": ["incident"], "redact": [{"path": "people[0].secret", "reason": "why"}]}, DocumentError),
        ({"submissions": ["ncmec"], "withhold": [{"document": "report.xml", "reason": "why"}]}, DocumentError),
        ({"content": ["*"]}, NotFoundError),
    ],
)
def test_a_scope_that_meets_nothing_is_refused(
    asking: Office, scope: dict[str, Any], error: type[ReporterError]
) -> None:
    with pytest.raises(error):
        asking.create(asking.asked(**scope))
    assert refusals(asking)[-1] == f"create {error.__name__}"


def test_a_scope_that_takes_all_there_is_says_why(asking: Office) -> None:
    top = ["detected_at", "confirmation", "incident", "locations", "people", "evidence"]
    everything: dict[str, Any] = {"content": ["e1", "e2"], "fields": top, "submissions": ["ncmec"]}
    with pytest.raises(PolicyError, match="all there is"):
        asking.create(asking.asked(**everything))
    assert asking.create(asking.asked(**everything, whole_case="SYNTHETIC: the warrant names all of it.")).content


def test_a_key_that_must_not_be_used_is_refused_on_record(asking: Office) -> None:
    with pytest.raises(UsageError, match="age"):
        asking.create(asking.asked(key=b"age1notakeyatall"))
    assert refusals(asking)[-1] == "create UsageError"


# --- between asking and writing -------------------------------------------------------------------------------------


def test_what_changed_after_the_approval_stops_it(office: Office) -> None:
    export = office.approved()
    demands = office.house.app.retention.demands
    case = write_case(office.folder / "again", REF, incident={"type": "csam", "occurred_at": "2026-11-18T09:00:00Z"})
    office.house.app.cases.revise(REF, case, "preparer")
    with pytest.raises(ConflictError, match="revised since"):
        office.write(export)
    demands.close(office.warrant, "withdrawn", "lea", "SYNTHETIC")
    with pytest.raises(PolicyError, match="closed"):
        office.write(export)
    assert list(office.folder.glob("*bundle*")) == []
    assert refusals(office)[0] == "write ConflictError"


def test_what_was_slipped_into_the_database_is_not_written(asking: Office) -> None:
    office, export = asking, asking.approved()
    ours = update(REQUEST).where(REQUEST.c.id == export.id)
    with transaction(office.house.app.database) as connection:
        connection.execute(ours.values(digest="0" * 64))
    with pytest.raises(ConflictError, match="digest"):
        office.write(export)
    with transaction(office.house.app.database) as connection:
        connection.execute(ours.values(digest=export.digest, fingerprint="0" * 64))
    with pytest.raises(PolicyError, match="not the one that was approved"):
        office.write(export)
    with transaction(office.house.app.database) as connection:
        connection.execute(ours.values(fingerprint=export.recipient.fingerprint, approved_by="lena"))
    with pytest.raises(PolicyError, match="Nobody has approved"):
        office.write(export)
    item = office.house.app.evidence.overview.of(REF)[1].sealed.id
    with transaction(office.house.app.database) as connection:
        connection.execute(ours.values(approved_by="omar"))
        connection.execute(insert(ITEM).values(export=export.id, evidence_id=item))
    with pytest.raises(ConflictError, match="not what its request says"):
        office.write(export)


def test_what_was_frozen_for_another_export_is_not_written_as_this_one(asking: Office) -> None:
    first, second = asking.approved(), asking.approved()
    asking.write(first, "frozen-1")
    asking.write(second, "frozen-2")
    with transaction(asking.house.app.database) as connection:
        body = connection.execute(select(REQUEST.c.frozen_body).where(REQUEST.c.id == first.id)).scalar_one()
        connection.execute(update(REQUEST).where(REQUEST.c.id == second.id).values(frozen_body=body))
    with pytest.raises(CustodyError, match="another one"):
        asking.write(second, "frozen-3")


def test_a_clock_that_was_set_back_stops_it(office: Office) -> None:
    export = office.approved()
    office.house.clock._now -= timedelta(days=1)
    with pytest.raises(EnvironmentTroubleError, match="set back"):
        office.write(export)
    office.house.clock.sleep(86400)
    office.write(export)
    office.house.clock._now -= timedelta(days=1)
    with pytest.raises(EnvironmentTroubleError, match="set back"):
        office.write(export, "second")


# --- time-stamps ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StampAuthority]:
    with serving(StampAuthority(tmp_path_factory.mktemp("tsa"))) as serves:
        serves.make()
        yield serves


def test_no_time_stamp_is_taken_that_does_not_hold(office: Office, authority: StampAuthority) -> None:
    office.stamped_by(authority.url, authority.root)
    authority.extra = True  # certificates that the strict reader refuses are no trouble
    assert office.write(office.approved(), "first").export.stamped_at is not None
    authority.extra = False
    assert office.write(office.approved(), "second").export.stamped_at is not None
    export = office.approved()
    answers = [((authority.folder / "reply").read_bytes(), "does not hold"), (b"nothing of the kind", "does not hold")]
    for answer, words in answers:  # one to another question, and one that is none
        authority.replay = answer
        with pytest.raises(CustodyError, match=words):
            office.write(export)
    authority.replay, authority.down = None, True
    with pytest.raises(EnvironmentTroubleError, match="Nothing was sealed"):
        office.write(export)
    authority.down = False
    office.house.clock.sleep(3600)  # as seen from here, it lies by an hour
    with pytest.raises(CustodyError, match="another time"):
        office.write(export)
    assert refusals(office)[-1].startswith("write CustodyError: The time-stamp authority gives another time")
    assert [each.sealed_at for each in office.room.requests.all() if each.id == export.id] == [None]
    assert list(office.folder.glob("*bundle*")) == []


# --- disks, damage and kills ----------------------------------------------------------------------------------------


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    was = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, was)


def test_a_disk_that_fills_up_leaves_nothing_behind(asking: Office) -> None:
    files = {"e1": bytes(12 << 20)}
    asking.house.app.cases.add(write_case(asking.folder / "cases", "TEST-000009", files=files), "preparer")
    number = asking.demand("search_warrant", "federal", {"cases": ["TEST-000009"]})
    export = asking.approved(asking.asked(number, "TEST-000009", content=["e1"]))
    with files_of_at_most(8 << 20), pytest.raises(EnvironmentTroubleError, match="cannot be written"):
        asking.write(export)
    assert list(asking.folder.glob("*bundle*")) == []
    assert refusals(asking)[-1] == "write EnvironmentTroubleError"
    looks = asking.house.app.evidence.looks.views("TEST-000009")
    assert [look.extent for _, look in looks] == ["opened", "partial"]  # what passed is on record
    assert asking.write(export, "with-room").size > 12 << 20


def test_damaged_evidence_is_found_before_anything_is_sealed_and_never_leaves(office: Office) -> None:
    export, sealed = office.approved(), office.approved()
    office.write(sealed, "whole")
    item = office.house.app.evidence.overview.of(REF)[0].sealed
    file = office.house.app.configuration.home / "objects" / item.id
    content = bytearray(file.read_bytes())
    content[-100] ^= 1
    file.write_bytes(content)
    with pytest.raises(CustodyError):
        office.write(export)
    assert [each.sealed_at for each in office.room.requests.all() if each.id == export.id] == [None]
    with pytest.raises(CustodyError):  # sealed while it was whole: found while it passes
        office.write(sealed)
    assert list(office.folder.glob("*bundle*")) == []
    assert "evidence_open_failed" in office.kinds()


def test_what_was_destroyed_after_it_was_asked_for_never_leaves(office: Office) -> None:
    export = office.approved()
    item = office.house.app.evidence.overview.of(REF)[0].sealed
    now = office.house.clock.now()
    tombstone = Tombstone("0" * 32, item.id, REF, "", "dana", now, "omar", now)
    Tombstones(office.house.app.vault.objects).put(tombstone)  # as a database that was restored finds it
    with pytest.raises(NotFoundError, match="was destroyed"):
        office.write(export)
    assert "evidence_opened" not in office.kinds()


def test_what_is_there_is_never_replaced(asking: Office) -> None:
    office, export = asking, asking.approved()
    (office.folder / "bundle").write_text("mine")
    with pytest.raises(UsageError, match="never replaced"):
        office.write(export)
    assert (office.folder / "bundle").read_text() == "mine"
    (office.folder / "bundle").unlink()


_KILLED = """
import os, signal, sys, time
from pathlib import Path
from reporter.export.landing import land
def pieces():
    yield bytes(1 << 20)
    if sys.argv[2] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    print("writing", flush=True)
    sys.stdin.read()
    yield b"end"
land(Path(sys.argv[1]), pieces())
"""


def test_a_run_that_was_killed_is_taken_for_nothing_and_the_next_one_begins_again(tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    ended = subprocess.run([sys.executable, "-c", _KILLED, str(path), "die"], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert [file.name for file in tmp_path.iterdir()] == [".bundle.unfinished"]
    land(path, (piece for piece in [b"whole"]))
    assert [file.name for file in tmp_path.iterdir()] == ["bundle"]
    assert path.read_bytes() == b"whole"
    assert path.stat().st_mode & 0o077 == 0


def test_two_never_write_one_bundle_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    with subprocess.Popen(
        [sys.executable, "-c", _KILLED, str(path), "wait"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == b"writing\n"
        with pytest.raises(UsageError, match="Another process"):
            land(path, (piece for piece in [b"mine"]))
        other.communicate(b"")
    assert path.read_bytes() == bytes(1 << 20) + b"end"


def test_a_finished_bundle_that_was_moved_is_not_written_into(tmp_path: Path) -> None:
    """A process that was killed between the two names left both on one file."""
    (tmp_path / "moved").write_bytes(b"finished")
    os.link(tmp_path / "moved", tmp_path / ".bundle.unfinished")
    land(tmp_path / "bundle", (piece for piece in [b"new"]))
    assert (tmp_path / "moved").read_bytes() == b"finished"
    assert (tmp_path / "bundle").read_bytes() == b"new"


def test_an_interrupted_run_goes_on_behind_what_it_read_through(asking: Office) -> None:
    office, export = asking, asking.approved(asking.asked(content=["e1", "e2"]))
    heard: list[tuple[str, int]] = []

    def stop(stage: str, done: int, total: int) -> None:
        heard.append((stage, done))
        if stage == "writing":
            raise KeyboardInterrupt

    writer = office.room.writer
    with pytest.raises(KeyboardInterrupt):
        writer.write(export.id, office.folder / "bundle", "lena", stop, lambda _: None)
    assert list(office.folder.glob("*bundle*")) == []
    assert heard[0][0] == "checking"
    heard.clear()
    with pytest.raises(KeyboardInterrupt):
        writer.write(export.id, office.folder / "bundle", "lena", stop, lambda _: None)
    assert heard[0][0] == "writing"  # nothing is read through twice
    assert office.write(export, "in-the-end").export.state == "written"


def test_an_item_named_twice_leaves_once(asking: Office) -> None:
    bag = asking.unpacked(asking.write(asking.approved(asking.asked(content=["e1", "e1"])), "once"))
    assert len(list((bag / "data/objects").iterdir())) == 1
