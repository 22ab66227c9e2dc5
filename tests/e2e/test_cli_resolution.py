"""What needs a person, from the command line: the list, what settles it, and the honest ways out."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from adapters.ncmec.sandbox import CyberTipline
from reporter.testing.documents import write_case
from tests.e2e.support import DATABASE, Home, Ran, Run

REFERENCE = "TEST-000001"
WHY = ("--reason", "SYNTHETIC: asked on the phone.")
FILED = "finish:1 drop_after\nfinish:2 code=5001"
#: Stands in a refusal as NCMEC might quote what was sent, with bytes that would steer a terminal.
AT = "2026-11-20T14:05:00Z"


def approved(reporter: Run, folder: Path, reference: str = REFERENCE) -> None:
    case = write_case(folder / "cases", reference, files={"e1": b"harmless one"})
    assert reporter("case", "add", case, "--as", "ann").code == 0
    assert reporter("submission", "approve", reference, "--as", "bob").code == 0


def in_doubt(reporter: Run, folder: Path, double: CyberTipline, faults: str = FILED) -> str:
    """Bring a submission in doubt; give the id of its report at the authority."""
    double.faults.add(faults)
    approved(reporter, folder)
    assert reporter("deliver", "--until-idle").code == 1
    assert [fault.fired for fault in double.faults.faults] == [1, 1]
    (report,) = double.reports
    return str(report)


def submission(reporter: Run) -> dict[str, object]:
    (*_, last) = reporter("case", "show", REFERENCE, "--json").json["submissions"]
    return dict(last)


def resolve(reporter: Run, *more: str) -> Ran:
    return reporter("delivery", "resolve", REFERENCE, "--to", "ncmec", *WHY, *more)


def leave(reporter: Run, name: str) -> Ran:
    return reporter("submission", "withdraw", REFERENCE, "--to", "ncmec", *WHY, "--as", name)


def record(reporter: Run, name: str, *more: str) -> Ran:
    given = ("--reference", "7654321", "--at", AT, *WHY, "--as", name, *more)
    return reporter("submission", "record-receipt", REFERENCE, "--to", "ncmec", *given)


def finished(double: CyberTipline) -> list[str]:
    return [str(report.id) for report in double.reports.values() if report.state == "finished"]


def test_the_list_says_what_is_known_what_to_ask_and_what_settles_it(
    reporter: Run, sandbox: CyberTipline, tmp_path: Path
) -> None:
    assert reporter("delivery", "list").text == "Everything is settled.\n"
    report = in_doubt(reporter, tmp_path, sandbox)
    (entry,) = reporter("delivery", "list", "--in-doubt", "--json").json["submissions"]
    assert (entry["reference"], entry["state"], entry["attempts"]) == (REFERENCE, "in_doubt", 1)
    assert entry["ids"]["report_id"] == report
    assert entry["sent"] == ["open", "upload:e1", "details:e1"]
    assert (entry["last_call"]["step"], entry["last_call"]["code"]) == ("finish", "5001")
    assert entry["next_try"] is None
    request = entry["last_call"]["request_id"]
    assert request and f"report id {report}" in entry["check"] and request in entry["check"]
    text = reporter("delivery", "list").text
    for part in ("in doubt", report, request, *entry["settle"]):
        assert part in text
    for command in entry["settle"]:
        words = command.replace("reporter ", "").replace(" N ", f" {report} ").replace("TEXT", "SYNTHETIC").split()
        ran = reporter(*words)
        assert ran.code in (0, 3), ran.err
        if submission(reporter)["state"] == "accepted":
            break
    assert finished(sandbox) == [report]
    assert reporter("delivery", "list", "--in-doubt").text == "Nothing is in doubt.\n"


def test_what_was_not_filed_is_delivered_anew(reporter: Run, sandbox: CyberTipline, tmp_path: Path) -> None:
    report = in_doubt(reporter, tmp_path, sandbox, "finish:1 drop_before\nfinish:2 code=5001")
    assert "Next: reporter deliver" in resolve(reporter, "--not-accepted").text
    assert reporter("deliver", "--until-idle").code == 0
    (filed,) = finished(sandbox)
    assert filed != report
    assert submission(reporter)["attempts"] == 2
    assert "decided:not_accepted" in reporter("delivery", "show", REFERENCE).text


@pytest.mark.parametrize(
    "wrong",
    [
        (),
        ("--accepted",),
        ("--accepted", "--not-accepted", "--reference", "1"),
        ("--not-accepted", "--reference", "1"),
        ("--accepted", "--reference", "two words"),
        ("--accepted", "--reference", ""),
        ("--not-accepted", "--reason", " "),
    ],
    ids=" ".join,
)
def test_a_decision_that_is_none_is_wrong_usage(
    reporter: Run, sandbox: CyberTipline, tmp_path: Path, wrong: tuple[str, ...]
) -> None:
    in_doubt(reporter, tmp_path, sandbox)
    ran = resolve(reporter, *wrong)
    assert (ran.code, ran.out) == (2, b"")
    assert submission(reporter)["state"] == "in_doubt"


def test_what_does_not_wait_for_a_person_is_refused(reporter: Run, sandbox: CyberTipline, tmp_path: Path) -> None:
    assert resolve(reporter, "--not-accepted").code == 2, "there is no such case"
    approved(reporter, tmp_path)
    ran = resolve(reporter, "--not-accepted")
    assert (ran.code, "state approved" in ran.err) == (3, True)


def test_a_withdrawal_is_final_and_comes_before_the_filing_only(
    reporter: Run, sandbox: CyberTipline, tmp_path: Path
) -> None:
    approved(reporter, tmp_path)
    ran = leave(reporter, "carl")
    assert (ran.code, "withdrawn now" in ran.text) == (0, True)
    assert reporter("deliver").text == "Nothing is due.\n"
    assert leave(reporter, "carl").code == 3
    assert reporter("submission", "approve", REFERENCE, "--as", "bob").code == 0
    assert reporter("deliver", "--until-idle").code == 0
    assert leave(reporter, "carl").code == 3
    assert len(finished(sandbox)) == 1
    assert "accepted, version 2 in place of 1" in reporter("case", "show", REFERENCE).text


def test_in_doubt_there_is_no_way_out_but_to_resolve(reporter: Run, sandbox: CyberTipline, tmp_path: Path) -> None:
    in_doubt(reporter, tmp_path, sandbox)
    for ran in (leave(reporter, "carl"), record(reporter, "carl")):
        assert (ran.code, "reporter delivery resolve" in ran.err) == (3, True)


def test_a_report_filed_by_web_form_takes_two_people(reporter: Run, home: Home, tmp_path: Path) -> None:
    """Nobody is at the authority's address: an outage."""
    approved(reporter, tmp_path)
    assert reporter("deliver").code == 4
    assert record(reporter, "carl", "--at", "yesterday").code == 2
    assert record(reporter, "carl", "--at", "2026-11-20T14:05:00").code == 2
    assert "one more person" in record(reporter, "carl").text
    assert submission(reporter)["state"] == "attention"
    assert record(reporter, "carl").code == 3
    (entry,) = reporter("delivery", "list", "--json").json["submissions"]
    confirm, _ = entry["settle"]
    assert confirm.startswith("reporter submission record-receipt")
    assert reporter(*confirm.replace("reporter ", "", 1).split(), "--as", "dana").code == 0
    receipt = {"kind": "manual", "reference": "7654321", "at": AT}
    assert (submission(reporter)["state"], submission(reporter)["receipt"]) == ("accepted", receipt)
    assert reporter("deliver").text == "Nothing is due.\n"


def test_the_refusal_in_the_authoritys_own_words(reporter: Run, sandbox: CyberTipline, tmp_path: Path) -> None:
    sandbox.faults.add("submit:1 code=4100")
    approved(reporter, tmp_path)
    assert reporter("deliver", "--until-idle").code == 1
    assert "<responseCode>" not in reporter("delivery", "show", REFERENCE).text
    assert "<responseCode>4100</responseCode>" in reporter("delivery", "show", REFERENCE, "--words").text
    (words,) = reporter("delivery", "show", REFERENCE, "--words", "--json").json["words"]
    assert words["step"] == "open" and "<responseCode>4100</responseCode>" in words["answer"]
    (entry,) = reporter("delivery", "list", "--json").json["submissions"]
    assert entry["settle"][0] == f"reporter delivery show {REFERENCE} --words"


def test_the_list_says_what_keeps_whole_queues_waiting(reporter: Run, home: Home) -> None:
    assert reporter("db", "quarantine", "--reason", "SYNTHETIC: restored.").code == 0
    since = "2026-11-22 10:00:00.000000"
    with closing(sqlite3.connect(home.folder / DATABASE)) as connection, connection:
        connection.execute("INSERT INTO circuit VALUES ('ncmec:sandbox', ?, 1, ?)", (since, since))
        connection.execute("INSERT INTO lane_pause VALUES ('ncmec:test', ?, 'SYNTHETIC: refused.')", (since,))
    shown = reporter("delivery", "list", "--json").json
    assert shown["quarantine"]["reason"] == "SYNTHETIC: restored."
    assert list(shown["circuits"]) == ["ncmec:sandbox"]
    assert shown["circuits"]["ncmec:sandbox"]["since"].startswith("2026-11-22T10:00:00")
    assert list(shown["paused"]) == ["ncmec:test"]
    text = reporter("delivery", "list").text
    assert "Deliveries are quarantined since" in text
    assert "ncmec:test stands still: SYNTHETIC: refused." in text
    assert "ncmec:sandbox has not answered since 2026-11-22" in text
