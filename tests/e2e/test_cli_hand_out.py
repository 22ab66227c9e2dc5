"""Authorities that people tell, from the command line: from `case add` to the receipt, and what stands in the way."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyrage
import pytest

from reporter.testing.documents import write_case
from tests.e2e.support import MARKER, PASSPHRASE, Home, Run, plaintext_in

REFERENCE, TO = "TEST-000001", ("TEST-000001", "--to", "au-afp")
RECEIPT = ("--reference", "AFP-77", "--at", "2026-11-23T09:00:00Z", "--reason", "SYNTHETIC: by the form.")
SUMMARY = {"type": "csam", "occurred_at": "2026-11-18T09:55:00Z", "summary": f"SYNTHETIC {MARKER}"}


@pytest.fixture(autouse=True)
def australia(home: Home) -> None:
    home.configure('serves = ["US"]', 'serves = ["US", "AU"]')
    text = home.toml.read_text()
    home.toml.write_text(text + '\n[authority.au-afp]\nenvironment = "sandbox"\n')


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def approved(reporter: Run, folder: Path) -> None:
    case = write_case(folder / "cases", REFERENCE, files={"e1": b"harmless one"}, incident=SUMMARY)
    assert reporter("case", "add", case, "--as", "ann").code == 0
    ran = reporter("submission", "approve", *TO, "--as", "bob")
    assert f"reporter submission hand-out {REFERENCE} --to au-afp" in ran.text


def state(reporter: Run) -> dict[str, object]:
    shown = reporter("case", "show", REFERENCE, "--json").json["submissions"]
    return dict(next(entry for entry in shown if entry["authority"] == "au-afp"))


def tasks(reporter: Run) -> list[str]:
    listed = reporter("task", "list", "--json").json["tasks"]
    return [task["kind"] for task in listed if task["kind"] in ("hand_over", "receipt")]


def on_the_board(reporter: Run) -> list[str]:
    lines = reporter("board", "--json").json["lines"]
    return [line["next"] for line in lines if line["authority"] == "au-afp"]


def test_from_a_case_to_the_receipt_that_two_people_bring_back(
    reporter: Run, home: Home, tmp_path: Path, stick: Path
) -> None:
    approved(reporter, tmp_path)
    assert (state(reporter)["state"], tasks(reporter)) == ("approved", ["hand_over"])
    assert "Nothing is due" in reporter("deliver", "--until-idle").text
    assert state(reporter)["state"] == "approved", "no worker takes it"
    listed = reporter("delivery", "list", "--json").json["submissions"]
    assert [(entry["by_hand"], entry["settle"][0].split()[2]) for entry in listed] == [(True, "hand-out")]

    assert on_the_board(reporter) == [f"reporter submission hand-out {REFERENCE} --to au-afp"]

    ran = reporter("submission", "hand-out", *TO, "--out", stick, "--as", "cy", "--json")
    assert ran.code == 0
    assert ran.json["sealed_to"] is None
    assert on_the_board(reporter) == [f"reporter submission record-receipt {REFERENCE} --to au-afp"]
    names = sorted(path.name for path in stick.iterdir())
    assert names == ran.json["files"] == [f"{REFERENCE}-au-afp.{end}" for end in ("csv", "html", "json", "pdf")]
    assert all(path.stat().st_mode & 0o077 == 0 for path in stick.iterdir())
    assert MARKER in (stick / f"{REFERENCE}-au-afp.html").read_text()
    assert (state(reporter)["state"], tasks(reporter)) == ("delivering", ["receipt"])
    assert plaintext_in(home, MARKER) == [], "nothing of it lies in the clear in the home"
    (event,) = (line for line in reporter("audit", "list", REFERENCE).text.splitlines() if "handed_out" in line)
    assert "  cy  " in event
    assert ran.json["archive_sha256"] in event

    record = ("submission", "record-receipt", *TO, *RECEIPT)
    assert reporter(*record, "--as", "cy").code == 0
    assert reporter(*record, "--as", "cy").code == 3, "one person is not two"
    assert tasks(reporter) == ["receipt"]
    assert reporter(*record, "--as", "bob").code == 0
    assert (state(reporter)["state"], tasks(reporter)) == ("accepted", [])
    receipt = state(reporter)["receipt"]
    assert isinstance(receipt, dict)
    assert (receipt["kind"], receipt["reference"]) == ("manual", "AFP-77")


def test_what_is_out_is_neither_handed_out_nor_taken_back_by_accident(
    reporter: Run, tmp_path: Path, stick: Path
) -> None:
    approved(reporter, tmp_path)
    first = reporter("submission", "hand-out", *TO, "--as", "cy")
    assert first.code == 0
    assert reporter("submission", "hand-out", *TO, "--out", stick, "--as", "dan").code == 3
    assert list(stick.iterdir()) == []
    assert reporter("submission", "withdraw", *TO, "--reason", "x", "--as", "cy").code == 3
    again = reporter("submission", "hand-out", *TO, "--again", "--as", "dan")
    assert again.out == first.out, "the same once more"
    accepted = ("--accepted", "--reference", "AFP-77", "--reason", "x")
    assert reporter("delivery", "resolve", *TO, *accepted, "--as", "cy").code == 3, "a receipt takes two people"
    revised = write_case(tmp_path / "revised", REFERENCE, files={"e1": b"harmless one"}, incident=SUMMARY, actions=[])
    assert reporter("case", "revise", REFERENCE, revised, "--as", "ann").code == 0
    assert state(reporter)["state"] == "delivering", "a revision does not touch what people hold"

    ran = reporter("delivery", "resolve", *TO, "--not-accepted", "--reason", "Nobody told it.", "--as", "cy")
    assert ran.code == 0
    assert (state(reporter)["state"], tasks(reporter)) == ("ready", []), "the revision is approved anew"


def test_it_leaves_as_one_archive_on_standard_output(reporter: Run, tmp_path: Path) -> None:
    approved(reporter, tmp_path)
    ran = reporter("submission", "hand-out", *TO, "--as", "cy")
    with tarfile.open(fileobj=io.BytesIO(ran.out)) as archive:
        names = archive.getnames()
        data = archive.extractfile(f"{REFERENCE}-au-afp.json")
        assert data is not None
        assert json.load(data)["environment"] == "sandbox"
    assert len(names) == 4
    assert "in the clear" in ran.err


def test_where_the_authority_has_a_key_it_leaves_sealed_to_it(
    reporter: Run, home: Home, tmp_path: Path, stick: Path
) -> None:
    identity = pyrage.x25519.Identity.generate()
    (home.folder / "afp.age").write_text(f"{identity.to_public()}\n")
    home.configure("[authority.au-afp]", '[authority.au-afp]\nrecipient_key = "afp.age"')
    approved(reporter, tmp_path)
    ran = reporter("submission", "hand-out", *TO, "--out", stick, "--as", "cy", "--json")
    assert ran.code == 0
    (sealed,) = stick.iterdir()
    assert sealed.name == f"{REFERENCE}-au-afp.tar.age"
    assert MARKER.encode() not in sealed.read_bytes()
    with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt(sealed.read_bytes(), [identity]))) as archive:
        assert len(archive.getnames()) == 4
    assert ran.json["sealed_to"]
    assert f"sealed to {ran.json['sealed_to']}" in reporter("doctor").text


def test_what_cannot_be_used_is_said_before_anything_is_recorded(
    reporter: Run, home: Home, tmp_path: Path, stick: Path
) -> None:
    approved(reporter, tmp_path)
    (stick / f"{REFERENCE}-au-afp.html").write_text("in the way")
    inside = home.folder / "inside"
    inside.mkdir()
    for out in (stick, inside, tmp_path / "nowhere"):
        assert reporter("submission", "hand-out", *TO, "--out", out, "--as", "cy").code == 2
    (home.folder / "key").write_text("no key")
    home.configure("[authority.au-afp]", '[authority.au-afp]\nrecipient_key = "key"')
    assert reporter("submission", "hand-out", *TO, "--as", "cy").code == 2
    assert (state(reporter)["state"], tasks(reporter)) == ("approved", ["hand_over"])


def test_what_only_machines_do_is_refused(reporter: Run, home: Home, tmp_path: Path) -> None:
    approved(reporter, tmp_path)
    for command in (
        ("authority", "status", "au-afp"),
        ("authority", "schema", "au-afp"),
        ("sandbox", "au-afp"),
    ):
        assert reporter(*command).code == 2
    assert reporter("submission", "hand-out", REFERENCE, "--to", "ncmec").code == 3
    home.configure("[authority.au-afp]", '[authority.au-afp]\nusername = "x"')
    assert "people tell this authority" in reporter("case", "list").err


def test_a_revision_before_it_leaves_takes_it_back(reporter: Run, tmp_path: Path) -> None:
    approved(reporter, tmp_path)
    revised = write_case(tmp_path / "revised", REFERENCE, files={"e1": b"harmless one"}, incident=SUMMARY, actions=[])
    assert reporter("case", "revise", REFERENCE, revised, "--as", "ann").code == 0
    assert (state(reporter)["state"], tasks(reporter)) == ("ready", [])
    assert reporter("submission", "hand-out", *TO, "--as", "cy").code == 3


def test_a_database_from_before_finds_what_was_handed_out(reporter: Run, home: Home, tmp_path: Path) -> None:
    approved(reporter, tmp_path)
    database = home.folder / "reporter.sqlite3"
    before = database.read_bytes()
    assert reporter("submission", "hand-out", *TO, "--as", "cy").code == 0
    for path in home.folder.glob("reporter.sqlite3*"):
        path.unlink()
    database.write_bytes(before)
    ran = reporter("submission", "hand-out", *TO, "--as", "dan")
    assert (ran.code, ran.out) == (1, b""), "it may have been filed, and the object store remembers"
    assert (state(reporter)["state"], tasks(reporter)) == ("in_doubt", [])
    settled = reporter("delivery", "resolve", *TO, "--not-accepted", "--reason", "They have none.", "--as", "dan")
    assert f"reporter submission hand-out {REFERENCE}" in settled.text
    assert (state(reporter)["state"], tasks(reporter)) == ("approved", ["hand_over"])
    assert reporter("submission", "hand-out", *TO, "--as", "dan").code == 0


def test_in_production_only_those_who_may_are_handed_it(
    reporter: Run, home: Home, staff: Callable[..., object], tmp_path: Path, stick: Path
) -> None:
    home.configure('[authority.au-afp]\nenvironment = "sandbox"', '[authority.au-afp]\nenvironment = "production"')
    staff(robin="administrator", dana="compliance", ann="analyst")
    case = write_case(tmp_path / "cases", REFERENCE, files={"e1": b"harmless one"}, incident=SUMMARY)
    prove = ("--passphrase-file", tmp_path / "passphrase")
    (tmp_path / "passphrase").write_text(PASSPHRASE)
    (tmp_path / "passphrase").chmod(0o600)
    assert reporter(*prove, "case", "add", case, "--as", "ann").code == 0
    assert reporter(*prove, "submission", "approve", *TO, "--as", "dana").code == 0
    assert reporter(*prove, "submission", "hand-out", *TO, "--out", stick, "--as", "ann").code == 3
    assert list(stick.iterdir()) == []
    assert reporter(*prove, "submission", "hand-out", *TO, "--out", stick, "--as", "dana").code == 0
    for path in stick.iterdir():
        assert b"sandbox" not in path.read_bytes(), path.name
