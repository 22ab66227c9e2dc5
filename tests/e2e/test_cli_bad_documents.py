"""Bad input, handed in as a person would: a clear answer with a path, the right exit code, and nothing left behind."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reporter.testing.documents import case_document, write_case
from tests.e2e.support import MARKER, Home, Run

REFERENCE = "TEST-000001"
Spoil = Callable[[Path], object]


def document(case: Path, **changes: Any) -> None:
    (case / "case.json").write_text(json.dumps(case_document(REFERENCE, **changes)), encoding="utf-8")


def text(change: Callable[[bytes], bytes]) -> Spoil:
    """Change the bytes of the document."""
    return lambda case: (case / "case.json").write_bytes(change((case / "case.json").read_bytes()))


def fields(**changes: Any) -> Spoil:
    return lambda case: document(case, **changes)


def incident(**changes: Any) -> Spoil:
    given = {"type": "csam", "occurred_at": "2026-11-18T09:55:00Z", "summary": MARKER}
    return fields(incident={**given, **changes})


def evidence(*items: dict[str, Any], **contents: bytes) -> Spoil:
    """Write files by name, and evidence that names them."""

    def spoil(case: Path) -> None:
        for name, content in contents.items():
            (case / name).write_bytes(content)
        document(case, evidence=[{"kind": "text", "sha256": "0" * 64, **item} for item in items])

    return spoil


def sparse(size: int) -> Spoil:
    """Make the document that large, without writing it."""
    return lambda case: os.truncate(case / "case.json", size)


def linked(case: Path) -> None:
    (case.parent / "outside").write_text(MARKER)
    (case / "inside").symlink_to(case.parent / "outside")
    evidence({"id": "e1", "path": "inside"})(case)


def piped(case: Path) -> None:
    os.mkfifo(case / "x")
    evidence({"id": "e1", "path": "x"})(case)


REFUSED: dict[str, tuple[Spoil, str]] = {
    "truncated": (text(lambda data: data[: len(data) // 2]), "not complete JSON: line 1, column"),
    "empty": (text(lambda _: b""), "not complete JSON: line 1, column 1"),
    "200 MB": (sparse(200 << 20), "has 209,715,200 bytes; at most 16,777,216 are taken"),
    "many values": (text(lambda _: b"[" + b"1," * 300_000 + b"1]"), "beyond 250,000 values"),
    "deep": (text(lambda _: b"[" * 100_000), "nested deeper than 32 levels"),
    "no object": (text(lambda _: b'"Quixotic-Marker"'), "must be one JSON object"),
    "not UTF-8": (text(lambda data: data.replace(b"SYNTHETIC", b"Quixotic-Marker \xff\xfe")), "not UTF-8: byte"),
    "UTF-16": (text(lambda data: data.decode().encode("utf-16")), "not UTF-8: byte 0"),
    "doubled key": (
        text(lambda data: data.replace(b'"people"', b'"detected_at": "Quixotic-Marker", "people"')),
        "detected_at: stands twice in the same object",
    ),
    "infinity": (text(lambda data: data.replace(b'_version": 1', b'_version": 1e999')), "case_version: is a number"),
    "unknown key": (fields(shoe_size=MARKER), "shoe_size: is not a field of the case document"),
    "key that says something": (fields(**{f"{MARKER} lives at": 1}), '["…"]: is not a field'),
    "naive time": (incident(occurred_at="2026-11-18T09:55:00"), "incident.occurred_at: must be an RFC 3339 timestamp"),
    "no time": (incident(occurred_at=MARKER), "incident.occurred_at: must be an RFC 3339 timestamp"),
    "future": (fields(detected_at="2999-11-18T10:00:00Z"), "detected_at: lies in the future"),
    "wrong type": (incident(summary=[MARKER]), "incident.summary: must be text"),
    "no kind of incident": (incident(type=MARKER), "incident.type: must be"),
    "0 bytes": (evidence({"id": "e1", "path": "x"}, x=b""), "evidence[0].path: is empty (0 bytes)"),
    "no file": (evidence({"id": "e1", "path": MARKER}), "evidence[0].path: "),
    "other bytes": (evidence({"id": "e1", "path": "x"}, x=MARKER.encode()), "evidence[0].sha256: is not the SHA-256"),
    "one id twice": (
        evidence({"id": "e1", "path": "x"}, {"id": "e1", "path": "y"}, x=b"1", y=b"2"),
        "evidence[1].id: is the id of evidence[0] already",
    ),
    "upwards": (evidence({"id": "e1", "path": f"../{MARKER}"}), "evidence[0].path: must be relative"),
    "absolute": (evidence({"id": "e1", "path": "/etc/passwd"}), "evidence[0].path: must be relative"),
    "link": (linked, "evidence[0].path: "),
    "folder": (evidence({"id": "e1", "path": "."}), "evidence[0].path: "),
    "pipe": (piped, "evidence[0].path: is not a regular file"),
    "NUL in a path": (evidence({"id": "e1", "path": f"{MARKER}\0"}), "evidence[0].path: is not the name of a file"),
    "half a character in a path": (evidence({"id": "e1", "path": f"{MARKER}\ud800"}), "evidence[0].path: "),
}


def contents(folder: Path) -> Iterator[tuple[str, int]]:
    for path in sorted(folder.rglob("*")):
        yield str(path.relative_to(folder)), path.lstat().st_mtime_ns


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_taken_is_refused_with_its_place_and_leaves_nothing(
    reporter: Run, home: Home, tmp_path: Path, name: str
) -> None:
    spoil, says = REFUSED[name]
    case = write_case(tmp_path / "cases")
    spoil(case)
    kept, given = home.listing(), list(contents(case))
    ran = reporter("case", "add", case, "--remove-source")
    assert (ran.code, ran.out) == (1, b"")
    assert ran.err.startswith(f"{case}: refused. ")
    assert says in ran.err
    assert home.listing() == kept
    assert list(contents(case)) == given
    answer = reporter("case", "add", case, "--json")
    assert (answer.code, answer.err) == (1, "")
    assert MARKER not in answer.text
    assert answer.json["results"][0]["outcome"] == "refused"


@pytest.mark.parametrize(
    ("path", "code", "says"),
    [
        ("nowhere", 2, "There is no"),
        ("no\nwhere", 2, "no\\nwhere"),
        ("no\udcff\udcfewhere", 2, "There is no"),
        ("n" * 300, 4, "cannot be read: File name too long"),
        (".", 2, "There is no case.json"),
        ("/dev/zero", 2, "is not an ordinary file"),
    ],
)
def test_a_path_that_leads_nowhere_is_wrong_usage(
    reporter: Run, home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: str, code: int, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    kept = home.listing()
    ran = reporter("case", "add", path)
    assert (ran.code, ran.out) == (code, b"")
    assert says in ran.err
    assert "refused" in ran.err
    assert home.listing() == kept


@pytest.mark.parametrize("file_name", ["-rf", "a\nb", "--remove-source", "$(reboot)", "ä ö.txt", "a\tb\x1b[31m"])
def test_odd_names_of_evidence_are_names_and_nothing_else(
    reporter: Run, sandbox: Any, tmp_path: Path, file_name: str
) -> None:
    case = write_case(tmp_path / "cases")
    (case / file_name).write_bytes(b"harmless")
    digest = hashlib.sha256(b"harmless").hexdigest()
    document(case, evidence=[{"id": "e1", "path": file_name, "sha256": digest, "kind": "text"}])
    assert reporter("case", "add", case, "--as", "ann", "--remove-source").code == 0
    assert not (case / file_name).exists()
    shown = reporter("case", "show", REFERENCE)
    assert "\x1b" not in shown.text
    assert reporter("submission", "approve", REFERENCE, "--as", "bob").code == 0
    assert reporter("deliver", "--until-idle").code == 0
    (report,) = sandbox.reports.values()
    assert [file.content for file in report.files.values()] == [b"harmless"]


def test_a_mark_of_byte_order_is_skipped(reporter: Run, tmp_path: Path) -> None:
    case = write_case(tmp_path / "cases")
    text(lambda data: b"\xef\xbb\xbf" + data)(case)
    assert reporter("case", "add", case).code == 0
    assert reporter("case", "show", REFERENCE, "--document").out.startswith(b"\xef\xbb\xbf{")


def test_ten_thousand_urls_are_taken_and_sent(reporter: Run, sandbox: Any, tmp_path: Path) -> None:
    urls = [f"https://forum.example/{number}" for number in range(10_000)]
    case = write_case(tmp_path / "cases", locations=[{"kind": "web_page", "urls": urls}])
    assert reporter("case", "add", case, "--as", "ann").code == 0
    assert reporter("case", "check", REFERENCE).code == 0
    assert reporter("submission", "approve", REFERENCE, "--as", "bob").code == 0
    assert reporter("deliver", "--until-idle").code == 0
    assert len(sandbox.reports) == 1


def test_text_that_xml_cannot_carry_is_taken_and_each_place_is_told(reporter: Run, tmp_path: Path) -> None:
    case = write_case(tmp_path / "cases")
    incident(summary=f"{MARKER} \0 and \ud800.")(case)
    assert reporter("case", "add", case, "--as", "ann").code == 0
    told = "incident.summary: holds characters that XML cannot carry; each is sent as U+FFFD"
    assert told in reporter("case", "check", REFERENCE).text
    preview = reporter("submission", "preview", REFERENCE, "--to", "ncmec")
    assert f"{MARKER} \N{REPLACEMENT CHARACTER} and \N{REPLACEMENT CHARACTER}." in preview.text
    assert f"note: {told}" in preview.err
    assert told in reporter("submission", "approve", REFERENCE, "--as", "bob").text


def test_one_bad_case_of_many_keeps_no_other_out(reporter: Run, tmp_path: Path) -> None:
    for number in range(3):
        write_case(tmp_path / "cases", f"TEST-00000{number}")
    (tmp_path / "cases" / "TEST-000001" / "case.json").write_text("{")
    ran = reporter("case", "add", *sorted((tmp_path / "cases").iterdir()))
    assert ran.code == 1
    listed = reporter("case", "list", "--json").json["cases"]
    assert [case["reference"] for case in listed] == ["TEST-000000", "TEST-000002"]


@pytest.mark.parametrize("data", [b"", b"<report", b"\xff\xfe", b"<a>Quixotic-Marker</a>", b"<!DOCTYPE x><report/>"])
def test_a_report_that_cannot_be_read_is_refused(reporter: Run, home: Home, tmp_path: Path, data: bytes) -> None:
    report = tmp_path / "report.xml"
    report.write_bytes(data)
    kept = home.listing()
    ran = reporter("case", "import", report)
    assert (ran.code, ran.out) == (1, b"")
    assert ran.err.startswith("Error: ")
    assert home.listing() == kept


def test_only_an_authority_whose_documents_can_be_read_is_imported_from(reporter: Run, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_bytes(b"<report/>")
    ran = reporter("case", "import", report, "--from", "nca")
    assert (ran.code, "(those that do: ncmec)" in ran.err) == (2, True)
