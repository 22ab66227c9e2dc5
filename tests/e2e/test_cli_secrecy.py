"""What a case says stays sealed: not on disk, not in a message, not in a temporary file."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from adapters.ncmec.sandbox import CyberTipline
from keycustody import age
from reporter.cli import main
from reporter.clock import SystemClock
from reporter.testing.documents import case_document, write_case
from tests.e2e.support import MARKER, URL_VARIABLE, Home, Run, plaintext_in

REFERENCE = "TEST-000001"
WORDS = [
    "Evidence",
    "Summary",
    "Basis",
    "Account",
    "Screen",
    "First",
    "Mail",
    "Street",
    "Name",
    "Url",
    "Note",
    "Device",
]
MARKERS = {word: f"{MARKER}-{word}" for word in WORDS}
SECRET = f"{MARKER}-Password"
CONTENT = f"{MARKERS['Evidence']} harmless bytes".encode() * 5_000


def telling(**changes: Any) -> dict[str, Any]:
    """Give the fields of a case that says a marker wherever it can say something."""
    mark = MARKERS
    return {
        "confirmation": {
            "decision": "confirmed", "by": "reviewer-7", "at": "2026-11-18T10:04:30Z", "basis": mark["Basis"],
        },
        "incident": {"type": "csam", "occurred_at": "2026-11-18T09:55:00Z", "summary": mark["Summary"]},
        "locations": [{"kind": "web_page", "urls": [f"https://forum.example/{mark['Url']}"]}],
        "people": [
            {
                "id": "p1",
                "roles": ["suspect"],
                "account": {"id": mark["Account"], "screen_name": mark["Screen"], "service": "Example Forum"},
                "person": {
                    "first_name": mark["First"],
                    "emails": [{"address": f"{mark['Mail']}@mail.example"}],
                    "addresses": [{"street": mark["Street"]}],
                },
                "devices": [{"type": "IMEI", "value": mark["Device"]}],
                "additional_info": mark["Note"],
            }
        ],
        **changes,
    }  # fmt: skip


@pytest.fixture
def double() -> CyberTipline:
    """Give a double that knows us by a secret of ours."""
    return CyberTipline(SystemClock(), password=SECRET)


@pytest.fixture(autouse=True)
def secret(reporter: Run) -> None:
    """Set the secret."""
    assert reporter("secret", "set", "ncmec-password", stdin=SECRET.encode()).code == 0


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """Write a case that says much, its file under a name that says something too."""
    folder = write_case(tmp_path / "cases", REFERENCE, files={"e1": CONTENT}, **telling())
    (folder / "e1.txt").rename(folder / f"{MARKERS['Name']}.txt")
    text = (folder / "case.json").read_text(encoding="utf-8").replace("e1.txt", f"{MARKERS['Name']}.txt")
    (folder / "case.json").write_text(text, encoding="utf-8")
    return folder


def test_nothing_that_a_case_says_is_readable_on_disk_after_the_main_job(
    reporter: Run,
    home: Home,
    sandbox: CyberTipline,
    case: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    sandbox.faults.add("upload:1 drop_after\nfileinfo:2 truncate\nfinish:1 drop_after")
    assert reporter("authority", "schema", "ncmec").code == 0
    assert reporter("case", "add", case, "--as", "ann", "--remove-source").code == 0
    assert not (case / f"{MARKERS['Name']}.txt").exists()
    preview = reporter("submission", "preview", REFERENCE, "--to", "ncmec")
    assert MARKERS["Account"] in preview.text
    assert reporter("submission", "approve", REFERENCE, "--as", "bob").code == 0
    assert reporter("deliver", "--until-idle").code == 0
    (report,) = [report for report in sandbox.reports.values() if report.state == "finished"]
    assert [file.content for file in report.files.values()] == [CONTENT]
    assert MARKERS["Account"] in reporter("case", "show", REFERENCE, "--document").text
    report_xml = tmp_path / "report.xml"
    report_xml.write_bytes(reporter("submission", "preview", REFERENCE, "--to", "ncmec", "--document", "report").out)
    assert reporter("case", "import", report_xml, "--reference", "TEST-IMPORTED").code == 0
    assert reporter("case", "confirm", "TEST-IMPORTED", "--basis", MARKERS["Basis"]).code == 0
    assert plaintext_in(home, MARKER) == []
    assert list(temporary.iterdir()) == []


def test_nothing_is_readable_in_the_middle_either(
    reporter: Run, home: Home, case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a file is sealed, and opened again: on disk, in temporary files, in what the process has open."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    encrypt, decrypt, looks = age.encrypt, age.decrypt, list[list[str]]()

    def look() -> None:
        told = plaintext_in(home, MARKER) + [path.name for path in temporary.iterdir()]
        for entry in list(Path("/proc/self/fd").iterdir()):
            with suppress(OSError):  # the one that listed them is closed by now
                file = entry.readlink()
                if file.is_file() and not file.is_relative_to(case) and MARKER.encode() in file.read_bytes():
                    told.append(str(file))
        looks.append(told)

    def watched(pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            look()
            yield piece

    monkeypatch.setattr(age, "encrypt", lambda *arguments: watched(encrypt(*arguments)))
    monkeypatch.setattr(age, "decrypt", lambda *arguments: watched(decrypt(*arguments)))
    assert reporter("case", "add", case, "--as", "ann").code == 0
    sealed = len(looks)
    opened = reporter("evidence", "open", f"{REFERENCE}/e1", "--purpose", "review", "--as", "ann")
    assert (opened.code, opened.out) == (0, CONTENT)
    assert 0 < sealed < len(looks)
    assert not any(looks)


def test_a_fault_of_ours_tells_nothing_of_what_it_was_about(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    try:
        raise ValueError(f"{MARKER} in a value that some library repeats")
    except ValueError as error:
        assert main._fail(error) == 4
    told = capfdbinary.readouterr().err.decode()
    assert "an internal fault (ValueError at test_cli_secrecy.py" in told
    assert MARKER not in told


def test_what_is_shown_of_a_case_says_nothing_of_its_content(reporter: Run, sandbox: CyberTipline, case: Path) -> None:
    shown = [reporter("case", "add", case, "--as", "ann")]
    shown += [reporter("submission", "approve", REFERENCE, "--as", "bob"), reporter("deliver", "--until-idle")]
    for command in (("case", "list"), ("case", "show", REFERENCE), ("case", "check", REFERENCE), ("doctor",)):
        shown += [reporter(*command), reporter(*command, "--json")]
    shown += [reporter("delivery", "show", REFERENCE), reporter("delivery", "show", REFERENCE, "--json")]
    for ran in shown:
        assert ran.code == 0
        assert MARKER not in ran.text


@pytest.mark.parametrize(
    "fault",
    [
        "submit code=4100", "upload html=500", "submit status=418", "upload wrong_digest", "fileinfo code=9999",
        "finish oversize", "upload drop_before",
    ],
)  # fmt: skip
def test_a_delivery_that_fails_says_nothing_of_the_content(
    reporter: Run, home: Home, sandbox: CyberTipline, case: Path, fault: str
) -> None:
    sandbox.faults.add(fault)
    assert reporter("case", "add", case, "--as", "ann").code == 0
    assert reporter("submission", "approve", REFERENCE, "--as", "bob").code == 0
    ran = reporter("deliver")
    assert ran.code in (1, 4)
    for told in (ran, reporter("case", "show", REFERENCE), reporter("delivery", "show", REFERENCE)):
        assert REFERENCE in told.text or told.code == 0
        assert MARKER not in told.text
    assert plaintext_in(home, MARKER) == []


#: A case with one thing wrong in every place that can be wrong, each saying something.
WRONG: dict[str, dict[str, Any]] = {
    "types": telling(incident={"type": MARKER, "occurred_at": MARKER, "summary": 7}),
    "people": telling(people=[{"id": MARKER, "roles": [MARKER], f"{MARKER} says": MARKER, "person": {"age": MARKER}}]),
    "locations": telling(locations=[{"kind": MARKER}, {"kind": "email", "addresses": MARKER}]),
    "evidence": telling(evidence=[{"id": MARKER, "path": MARKER, "sha256": MARKER, "views": [{"by": MARKER}]}]),
    "confirmation": telling(confirmation={"decision": MARKER, "by": MARKER, "at": MARKER, "basis": MARKER}),
    "uk": telling(uk={"links": [{"ground": MARKER}]}, law_enforcement={"officer": MARKER}),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_refusal_repeats_no_value(reporter: Run, home: Home, tmp_path: Path, name: str) -> None:
    ran = reporter("case", "add", write_case(tmp_path / "cases", REFERENCE, **WRONG[name]))
    assert (ran.code, ran.out) == (1, b"")
    assert plaintext_in(home, MARKER) == []


def test_a_conflict_names_places_and_no_values(reporter: Run, tmp_path: Path) -> None:
    assert reporter("case", "add", write_case(tmp_path / "one", REFERENCE)).code == 0
    changed = write_case(tmp_path / "two", REFERENCE, **telling())
    ran = reporter("case", "add", changed)
    assert (ran.code, ran.out) == (1, b"")
    assert "people[0].account.id: " in ran.err
    assert MARKER not in reporter("case", "add", changed, "--json").text


def test_what_an_authority_lacks_is_said_without_values(reporter: Run, tmp_path: Path) -> None:
    long = f"{MARKER} {'x' * 4_000}"
    document = telling()
    document["people"][0]["account"]["screen_name"] = long
    document["people"][0]["person"]["emails"][0]["address"] = long
    assert document.keys() <= case_document().keys() | {"locations"}
    assert reporter("case", "add", write_case(tmp_path, REFERENCE, **document)).code == 0
    ran = reporter("case", "check", REFERENCE)
    assert (ran.code, MARKER in ran.text) == (1, False)
    assert "people[0].account.screen_name" in ran.text
    assert reporter("submission", "approve", REFERENCE, "--as", "bob").code == 1


def test_an_authority_that_is_given_a_password_by_mistake_keeps_it_to_itself(
    reporter: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URL_VARIABLE, f"https://me:{SECRET}@forum.example/ispws")
    for command in (("doctor",), ("authority", "status", "ncmec"), ("deliver",)):
        assert MARKER not in reporter(*command).text
