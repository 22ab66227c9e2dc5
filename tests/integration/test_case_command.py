"""``reporter case`` as a person or a script meets it: what it prints, where, and its exit codes."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reporter import home
from reporter.cli import main
from reporter.testing.documents import write_case

DATA = Path(__file__).parents[1] / "data"
REFERENCE = "TEST-000001"


@dataclass(frozen=True)
class Ran:
    """What one run of the program came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def reporter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run the program in a home of its own."""
    monkeypatch.setenv("REPORTER_HOME", str(tmp_path / "home"))
    home.create(tmp_path / "home")

    def run(*arguments: str | Path) -> Ran:
        monkeypatch.setattr(sys, "argv", ["reporter", "case", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main.run()
        captured = capfd.readouterr()
        return Ran(int(left.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    """A copy of the synthetic cases, which a test may spoil."""
    folder = tmp_path / "cases"
    folder.mkdir()
    for case in DATA.glob("EX-*"):
        shutil.copytree(case, folder / case.name)
    return folder


def change(case: Path, **fields: Any) -> Path:
    document = json.loads((case / "case.json").read_text(encoding="utf-8"))
    (case / "case.json").write_text(json.dumps({**document, **fields}), encoding="utf-8")
    return case


def test_the_synthetic_cases_go_in(reporter: Run, cases: Path) -> None:
    ran = reporter("add", *sorted(cases.iterdir()), "--as", "robin")
    assert (ran.code, ran.err) == (0, "")
    assert "EX-2026-000201: added; confirmed; 3 files sealed.\n" in ran.out
    assert "The source of 3 files is still where it was." in ran.out
    assert "EX-2026-000204: added; not confirmed: kept with its reason, never sent.\n" in ran.out
    assert ran.out.endswith("Next: reporter case check EX-2026-000201\n")


def test_a_batch_reports_each_path_and_stops_at_none(reporter: Run, cases: Path) -> None:
    reporter("add", cases / "EX-2026-000202")
    (cases / "EX-2026-000201" / "case.json").write_text("{")
    change(cases / "EX-2026-000202", uk={})
    shutil.rmtree(cases / "EX-2026-000203" / "files")
    ran = reporter("add", "--json", *sorted(cases.iterdir()), cases / "nowhere")
    assert ran.code == 2
    results = ran.json["results"]
    assert [result["outcome"] for result in results] == ["refused", "conflict", "refused", "added", "refused"]
    assert results[1]["findings"] == [
        {"path": "uk", "rule": "added", "message": "is in this document, and not on record"}
    ]
    assert results[2]["findings"][0]["path"] == "evidence[0].path"
    assert results[3] == {
        "path": str(cases / "EX-2026-000204"),
        "reference": "EX-2026-000204",
        "outcome": "added",
        "state": "not_confirmed",
        "revision": 1,
        "files_sealed": 0,
        "views_added": 0,
        "sources_left": 0,
        "sources_removed": 0,
        "files_awaited": [],
        "notes": [],
    }


def test_refusals_go_to_standard_error_with_their_paths_and_no_value(reporter: Run, cases: Path) -> None:
    case = change(cases / "EX-2026-000202", shoe_size="Hidden")
    ran = reporter("add", case)
    assert (ran.code, ran.out) == (1, "")
    assert "  shoe_size: is not a field of the case document\n" in ran.err
    assert "Hidden" not in ran.err


def test_again_is_no_error_and_other_content_says_what_to_do(reporter: Run, cases: Path) -> None:
    case = cases / "EX-2026-000203"
    reporter("add", case)
    ran = reporter("add", case, "--remove-source")
    assert (ran.code, "unchanged" in ran.out) == (0, True)
    assert "The source of 1 file is removed; the seal was read back first." in ran.out
    assert not (case / "files" / "group.png").exists()
    ran = reporter("add", change(case, uk={}))
    assert ran.code == 1
    assert "reporter case revise EX-2026-000203 PATH" in ran.err
    ran = reporter("revise", "EX-2026-000203", case)
    assert ran.code == 0
    assert ran.out.startswith("EX-2026-000203: revision 2, so earlier approvals are void; confirmed.\n")


def test_a_source_that_cannot_be_removed_needs_a_person(reporter: Run, cases: Path) -> None:
    case = cases / "EX-2026-000203"
    reporter("add", case)
    (case / "files" / "group.png").write_bytes(b"something else")
    ran = reporter("add", case, "--remove-source")
    assert ran.code == 1
    assert "note: evidence[0].sha256: is not the SHA-256 of the file" in ran.out


def test_a_folder_named_like_an_option_goes_after_a_double_dash(
    reporter: Run, cases: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cases / "EX-2026-000202").rename(cases / "-rf")
    monkeypatch.chdir(cases)
    assert reporter("add", "--", "-rf").code == 0


def test_show_answers_what_scripts_rely_on(reporter: Run, cases: Path) -> None:
    reporter("add", cases / "EX-2026-000201", "--as", "robin")
    shown = reporter("show", "EX-2026-000201", "--json").json
    assert (shown["reference"], shown["state"], shown["revision"]) == ("EX-2026-000201", "confirmed", 1)
    assert shown["prepared_by"] == shown["revisions"][0]["actor"] == "robin"
    first = shown["evidence"][0]
    assert {name: first[name] for name in ("id", "md5", "size", "viewed_entire", "claims")} == {
        "id": "e1",
        "md5": "edfae611062a93e8900ec70513782fa3",
        "size": 76,
        "viewed_entire": True,
        "claims": {},
    }
    assert len(first["sha256"]) == 64
    assert [view["extent"] for view in shown["evidence"][1]["views"]] == ["blurred"]
    (submission,) = shown["submissions"]
    assert submission.keys() >= {"authority", "environment", "state", "attempts", "receipt", "needs"}
    assert (submission["authority"], submission["environment"], submission["state"]) == ("ncmec", "sandbox", "ready")


def test_show_tells_a_person_where_the_case_stands_and_none_of_its_content(reporter: Run, cases: Path) -> None:
    reporter("add", cases / "EX-2026-000201")
    ran = reporter("show", "EX-2026-000201")
    assert "e2  sealed, 98 bytes  not viewed entirely" in ran.out
    assert "looked at by reviewer-3, 2026-11-16T19:08:11Z, entire, metadata too" in ran.out
    for told in ("Sample", "Forty Four", "192.0.2.44", "SYNTHETIC"):
        assert told not in ran.out


def test_the_document_comes_back_byte_for_byte(reporter: Run, cases: Path) -> None:
    case = cases / "EX-2026-000201"
    reporter("add", case)
    assert reporter("show", "EX-2026-000201", "--document").out == (case / "case.json").read_text(encoding="utf-8")


def test_list_is_empty_and_then_not(reporter: Run, cases: Path) -> None:
    assert "reporter case add PATH" in reporter("list").out
    reporter("add", cases / "EX-2026-000204")
    assert "EX-2026-000204" in reporter("list").out
    (entry,) = reporter("list", "--json").json["cases"]
    assert (entry["reference"], entry["state"], entry["revision"]) == ("EX-2026-000204", "not_confirmed", 1)


def test_check_is_0_when_ready_and_1_when_something_is_needed(reporter: Run, cases: Path) -> None:
    reporter("add", *cases.iterdir())
    ran = reporter("check", "EX-2026-000201")
    assert ran.code == 0
    assert "ncmec: must be told\n" in ran.out
    assert "ncmec: ready\n" in ran.out
    assert ran.out.endswith("Next: reporter submission preview EX-2026-000201 --to ncmec\n")
    ran = reporter("check", "EX-2026-000204", "--json")
    assert ran.code == 1
    found = ran.json["authorities"]["ncmec"]
    assert found["ready"] is False
    assert found["needs"][0]["path"] == "confirmation.decision"


def test_a_pending_case_is_confirmed_here(reporter: Run, tmp_path: Path) -> None:
    pending = {"decision": "pending", "by": "queue", "at": "2026-11-18T10:04:30Z", "basis": "none yet"}
    ran = reporter("add", write_case(tmp_path, REFERENCE, confirmation=pending))
    assert f"Next: judge it, and then: reporter case confirm {REFERENCE} --basis TEXT" in ran.out
    ran = reporter("confirm", REFERENCE, "--basis", "SYNTHETIC: judged.", "--as", "kim")
    assert ran.code == 0
    assert ran.out.startswith(f"{REFERENCE}: confirmed, as revision 2.\n")
    ran = reporter("confirm", REFERENCE, "--basis", "SYNTHETIC: judged.", "--as", "kim")
    assert ran.code == 3
    assert ran.err.startswith(f"Error: Case {REFERENCE} is confirmed")


def test_an_imported_report_waits_for_files_and_confirmation(reporter: Run, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        "<report><incidentSummary><incidentType>Child Pornography (possession, manufacture, and distribution)"
        "</incidentType><incidentDateTime>2026-11-16T18:20:00Z</incidentDateTime></incidentSummary>"
        "<reporter><reportingPerson><email>someone@forum.example</email></reportingPerson></reporter></report>"
    )
    details = tmp_path / "details.xml"
    details.write_text(
        "<fileDetails><reportId>4564654</reportId><fileId>b0754af766b426f2928a02c651ed4b99</fileId>"
        "<originalFileName>one.txt</originalFileName><fileViewedByEsp>true</fileViewedByEsp></fileDetails>"
    )
    ran = reporter("import", report, details, "--json")
    assert ran.code == 0
    reference = ran.json["reference"]
    assert reference.startswith("IMPORT-")
    assert (ran.json["state"], ran.json["files_awaited"]) == ("pending", ["evidence[0]"])
    shown = reporter("show", reference, "--json").json
    assert shown["evidence"][0]["claims"] == {"file_viewed": True}
    assert (shown["evidence"][0]["sealed"], shown["evidence"][0]["viewed_entire"]) == (False, False)
    assert "--document > case.json" in reporter("confirm", reference, "--basis", "SYNTHETIC: judged.").out
    assert reporter("import", report, details, "--json").json["outcome"] == "unchanged"
    assert reporter("import", report, "--from", "nobody").code == 2


def test_the_schema_is_the_contract_and_needs_no_home(reporter: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORTER_HOME", "/nonexistent")
    schema = reporter("schema").json
    Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False


def test_an_unknown_case_is_wrong_usage(reporter: Run) -> None:
    for arguments in (("show", "NO-SUCH-CASE"), ("check", "NO-SUCH-CASE"), ("confirm", "NO-SUCH-CASE", "--basis", "x")):
        ran = reporter(*arguments)
        assert ran.code == 2
        assert ran.err == "Error: There is no case NO-SUCH-CASE here. See them all: reporter case list\n"
