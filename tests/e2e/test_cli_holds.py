"""``reporter demand`` and ``reporter hold`` as people use them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.e2e.support import MARKER, Home, Run, plaintext_in

REF = "EX-2026-000201"


def letter(folder: Path) -> str:
    file = folder / "letter.json"
    document = {
        "demand_version": 1,
        "kind": "preservation_letter",
        "requester": "federal",
        "authority": {"name": MARKER, "file_number": "EX-17"},
        "served_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "scope": {"cases": [REF], "subjects": [{"kind": "email", "value": f"{MARKER}@forum.example"}]},
    }
    file.write_text(json.dumps(document))
    return str(file)


def test_a_letter_holds_a_case_and_two_people_let_it_go(home: Home, reporter: Run, tmp_path: Path) -> None:
    reporter("case", "add", f"tests/data/{REF}", "--as", "robin")
    file = letter(tmp_path)
    added = reporter("demand", "add", file, "--as", "lea", "--json").json
    assert (added["demand"], added["new"], added["hold"]["cases"]) == (1, True, [REF])
    assert "on record as demand 1" in reporter("demand", "add", file, "--as", "sam").text
    verify = ("demand", "verify", "1", "--how", "call_back", "--reason", MARKER, "--as")
    assert reporter(*verify, "lea").code == 3
    assert "verified" in reporter(*verify, "sam").text
    assert reporter("demand", "verify", "1", "--how", "looked", "--reason", "x").code == 2
    assert "reaches 1 case now: EX-2026-000201" in reporter("demand", "show", "1").text
    assert reporter("hold", "list", "--json").json["holds"][0]["rule"] == "us-2703f/1"
    renewed = reporter("demand", "renew", "1", "--at", datetime.now(UTC).isoformat(), "--as", "lea")
    assert "hold show 1" in renewed.text
    release = ("hold", "release", "1", "--reason", MARKER, "--as")
    assert reporter(*release, "lea").code == 1
    assert "is released" in reporter(*release, "sam").text
    assert reporter("hold", "list").text == "No holds.\n"
    assert plaintext_in(home, MARKER) == []
    assert MARKER in reporter("hold", "show", "1", "--words").text
    assert MARKER in reporter("demand", "show", "1", "--words").text


def test_a_hold_of_our_own_reaches_what_it_is_told(home: Home, reporter: Run, tmp_path: Path) -> None:
    reporter("case", "add", f"tests/data/{REF}", "--as", "robin")
    people = tmp_path / "people.json"
    people.write_text('[{"kind": "email", "value": "nobody@forum.example"}]')
    place = ("hold", "place", "--reason", "Litigation.", "--as", "lea")
    assert reporter(*place).code == 2
    assert "--expect-none" in reporter(*place, "--people", str(people)).err
    assert reporter(*place, "--people", str(people), "--expect-none").code == 0
    assert reporter(*place, "--item", f"{REF}/e1", "--json").json["cases"] == [REF]
    assert "still" not in reporter("hold", "review", "2", "--reason", "Pending.", "--as", "lea").err


def test_a_request_is_answered_in_the_same_words(home: Home, reporter: Run, tmp_path: Path) -> None:
    reporter("case", "add", f"tests/data/{REF}", "--as", "robin")
    file = tmp_path / "request.json"
    subjects = [{"kind": "email", "value": f"{MARKER}@forum.example"}]
    told = {"request_version": 1, "right": "erasure", "received_at": "2026-11-20T09:00:00Z", "subjects": subjects}
    file.write_text(json.dumps(told))
    assert reporter("request", "add", str(file), "--as", "lea", "--json").json["found"] == "nothing"
    assert "to be answered by 2026-12-20" in reporter("request", "list").text
    assert reporter("request", "answer", "1", "--reason", MARKER, "--as", "lea").code == 0
    assert reporter("request", "list").text == "No requests.\n"
    assert plaintext_in(home, MARKER) == []


def test_a_case_says_how_long_it_is_kept_and_what_holds_it(home: Home, reporter: Run) -> None:
    reporter("case", "add", f"tests/data/{REF}", "--as", "robin")
    shown = reporter("retention", "show", REF)
    assert shown.code == 0 and "at least until" in shown.text and "ncmec must still be told" in shown.text
    assert "Retention: kept until" in reporter("case", "show", REF).text
    reporter("hold", "place", "--case", REF, "--reason", "Litigation.", "--as", "lea")
    assert "holds: 1" in reporter("case", "show", REF).text
    assert reporter("case", "show", REF, "--json").json["retention"]["standing"] == "held"
    refused = reporter("evidence", "destroy", f"{REF}/e1", "--reason", "x", "--as", "ann")
    assert refused.code == 3 and "hold 1" in refused.err
    assert reporter("retention", "due").text == "Nothing is due.\n"
    assert reporter("retention", "propose", "--as", "lea", "--json").json == {"disposition": None}
    assert reporter("retention", "rules").text == "0 differences.\n"
    until = ("--until", "2090-01-01T00:00:00Z", "--review", "2080-01-01T00:00:00Z", "--purpose", MARKER, "--as")
    assert reporter("retention", "extend", REF, *until, "lea").code == 1
    assert "is kept until 2090" in reporter("retention", "extend", REF, *until, "sam").text
    assert "extension 1" in reporter("retention", "show", REF).text
    assert reporter("retention", "extend", REF, "--until", "soon", *until[2:], "lea").code == 2
    assert plaintext_in(home, MARKER) == []


def test_a_standing_policy_takes_two_and_ends_with_one(home: Home, reporter: Run) -> None:
    now = datetime.now(UTC)
    terms = ("--cap", "2", "--until", (now + timedelta(days=30)).isoformat(), "--reason", MARKER, "--as")
    assert reporter("retention", "adopt-policy", *terms, "lea").code == 1
    assert reporter("retention", "adopt-policy", *terms, "lea").code == 3
    adopted = reporter("retention", "adopt-policy", *terms, "sam")
    assert adopted.code == 0 and "Policy 1: 2 cases a day" in adopted.text and "lea and sam" in adopted.text
    assert reporter("retention", "end-policy", "--reason", MARKER, "--as", "lea").code == 0
    assert reporter("retention", "policy").text == "No standing policy: two people confirm each disposition.\n"
    assert plaintext_in(home, MARKER) == []


def test_people_are_indexed_anew_where_their_key_is_lost(home: Home, reporter: Run, tmp_path: Path) -> None:
    people = tmp_path / "people.json"
    people.write_text(json.dumps([{"kind": "name", "value": MARKER}]))
    place = ("hold", "place", "--people", str(people), "--expect-none", "--reason", "Litigation.", "--as", "lea")
    assert reporter(*place).code == 0
    assert reporter("hold", "reindex", "--as", "lea").code == 3
    (home.folder / "keystore" / "index-people").unlink()
    assert "reporter hold reindex" in reporter(*place).err
    assert reporter("hold", "reindex", "--as", "lea").text.startswith("Indexed anew: 0 cases")
    assert reporter(*place).code == 0
    assert plaintext_in(home, MARKER) == []
