"""Referrals and contacts at the command line: what each person is shown, and what nobody is."""

import json
from pathlib import Path

import pytest

from reporter.testing.documents import write_case
from reporter.testing.referrals import referral
from tests.e2e.support import MARKER, Home, Run, plaintext_in

WHY = ("--reason", f"SYNTHETIC {MARKER}")
NOT = ("--not-confirmed", "--clause", "CS-4", *WHY)


@pytest.fixture
def everything_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORTER_REFERRALS__SECOND_LOOK_SHARE", "1")


def taken_in(reporter: Run, **changes: object) -> str:
    ran = reporter("referral", "add", "-", "--as", "robin", "--json", stdin=referral(4, **changes))
    assert ran.code == 0, ran.err
    return str(ran.json["referral"])


@pytest.mark.usefixtures("everything_twice")
def test_whoever_takes_the_second_look_is_shown_nothing_of_the_first(reporter: Run) -> None:
    of = taken_in(reporter)
    first = reporter("referral", "decide", of, "1", "3-4", *NOT, "--as", "ann", "--json")
    assert [item["state"] for item in first.json["items"]] == ["second_look"] * 3
    shown = {
        name: reporter("referral", "show", of, "--words", "--as", name, "--json").json for name in ("ann", "bob", "lee")
    }
    assert shown["ann"]["counts"]["second_look"] == 3
    assert shown["ann"]["items"][0]["decisions"][0]["reason"] == WHY[1]
    fresh = json.dumps(shown["bob"])
    assert shown["bob"] == shown["lee"]
    assert shown["bob"]["counts"]["undecided"] == 4
    for told in (MARKER, "ann", "CS-4", 'second_look": 3', 'not_confirmed": 3'):
        assert told not in fresh
    for command in (("referral", "show", of, "--as", "bob"), ("referral", "list"), ("task", "list"), ("audit", "list")):
        text = reporter(*command).text
        assert "CS-4" not in text
        assert "second look" not in text
        assert " not confirmed" not in text
    assert reporter("referral", "decide", of, "1", *NOT, "--as", "ann").code == 3
    both = reporter("referral", "decide", of, "1", "--out-of-scope", "--reason", "x", "--as", "bob", "--json")
    assert both.json["items"][0]["state"] == "lead"
    last = reporter("referral", "decide", of, "1", *NOT, "--as", "lee", "--json")
    assert last.json["items"][0]["state"] == "not_confirmed"
    assert [made["place"] for made in last.json["items"][0]["decisions"]] == ["first", "second", "lead"]


def test_what_became_of_what_they_sent_and_what_they_are_told(reporter: Run, home: Home, tmp_path: Path) -> None:
    home.configure("[delivery]", "[referrals]\nsecond_look_share = 0\n\n[delivery]")
    of = taken_in(reporter, note=f"SYNTHETIC {MARKER}")
    assert reporter("case", "add", write_case(tmp_path / "cases"), "--as", "robin").code == 0
    confirmed = ("--confirmed", "--case", "TEST-000001", "--reason", "x")
    assert reporter("referral", "decide", of, "1", *confirmed, "--as", "ann").code == 0
    known = ("--exemption", "news_photograph", "--ground", f"SYNTHETIC {MARKER}")
    assert reporter("referral", "decide", of, "2-3", *NOT, *known, "--as", "ann").code == 0
    shown = reporter("referral", "show", of, "--as", "dana")
    assert "Of 4 items: 1 undecided, 1 confirmed, 2 not confirmed, 2 exemptions" in shown.text
    assert "not confirmed, clause CS-4, known context: news photograph" in shown.text
    assert "case TEST-000001" in shown.text
    assert MARKER not in shown.text
    answer = reporter("referral", "answer", of, "--as", "dana").text
    assert "- 1: it broke our rules, and we acted on it" in answer
    assert "TEST-000001" not in answer
    assert reporter("referral", "reopen", of, "2", "--reason", "x", "--as", "bob").code == 0
    assert f"{of}  2026-11-20  newsroom         2 of 4 settled" in reporter("referral", "list").text
    assert "do NOT send us the content" in reporter("referral", "answer", "--automatic").text
    assert plaintext_in(home, MARKER) == []


def test_a_referral_has_no_place_for_content_and_repeats_nothing(reporter: Run, tmp_path: Path) -> None:
    items = [{"link": f"data:image/png;base64,{MARKER}"}, {"id": "1", "content": MARKER}]
    ran = reporter("referral", "add", "-", "--as", "robin", stdin=referral(1, items=items))
    assert ran.code == 1
    assert "items[0].link: must be an address that points somewhere" in ran.err
    assert "items[1].content: is no field of a referral: links, ids, times and notes; never content" in ran.err
    assert reporter("referral", "add", tmp_path / "nowhere.json").code == 2
    for wrong in (("x",), ("0",), ("5-3",), ("1", "--confirmed", "--out-of-scope")):
        assert reporter("referral", "decide", "rf:0", *wrong, "--reason", "x").code == 2
    assert reporter("referral", "answer").code == 2
    assert reporter("referral", "show", "rf:0", "--as", "ann").code == 2


def test_what_comes_along_is_sealed_and_removed_only_when_asked(reporter: Run, home: Home, tmp_path: Path) -> None:
    (tmp_path / "received").mkdir()
    (tmp_path / "received" / "one.png").write_bytes(MARKER.encode())
    (tmp_path / "referral.json").write_bytes(referral(1, requested_by="nobody"))
    add = ("referral", "add", tmp_path / "referral.json", "--attachments", tmp_path / "received", "--as", "robin")
    ran = reporter(*add, "--json")
    assert (ran.json["outcome"], ran.json["attachments_sealed"], ran.json["sources_removed"]) == ("added", 1, 0)
    of = ran.json["referral"]
    (file,) = reporter("referral", "show", of, "--as", "dana", "--json").json["attachments"]
    assert (file["unasked"], file["opened"], file["size"]) == (True, False, len(MARKER))
    assert (tmp_path / "received" / "one.png").exists()
    assert f"unasked: {of}" in reporter("task", "list").text
    assert plaintext_in(home, MARKER) == []
    again = reporter(*add)
    assert f"{of}: unchanged, it is on record already." in again.text


# --- contacts ----------------------------------------------------------------------------------------------------


def test_a_contact_is_named_by_two_people_or_by_nobody(reporter: Run, home: Home, tmp_path: Path) -> None:
    add = ("contact", "add", "--kind", "newsroom", "--user", f"{MARKER}-Jo", "--as", "dana", "--json")
    (contact,) = reporter(*add).json["contacts"]
    account = {"screen_name": f"@{MARKER}-jo"}
    people = [{"id": "p1", "roles": ["suspect"], "account": account, "context": "SYNTHETIC why"}]
    reporter("case", "add", write_case(tmp_path / "cases", people=people), "--as", "robin")
    check = reporter("case", "check", "TEST-000001")
    assert check.code == 1
    assert "p1: suspect" in check.text
    assert "WARNING: a newsroom contact of ours; nobody has agreed yet: reporter contact allow" in check.text
    assert "two people must write why" in check.text
    assert "SYNTHETIC why" not in check.text
    preview = reporter("submission", "preview", "TEST-000001", "--to", "ncmec", "--as", "dana")
    assert "WARNING: a newsroom contact of ours" in preview.err
    assert "SYNTHETIC why" in preview.err
    assert reporter("submission", "approve", "TEST-000001", "--as", "dana").code == 1
    allow = ("contact", "allow", "TEST-000001", "p1", *WHY)
    assert [reporter(*allow, "--as", name).code for name in ("robin", "robin", "lee")] == [1, 3, 0]
    approved = reporter("submission", "approve", "TEST-000001", "--as", "dana")
    assert approved.code == 0
    assert "two people wrote why they are named" in approved.text
    remove = ("contact", "remove", contact["id"], *WHY)
    assert [reporter(*remove, "--as", name).code for name in ("robin", "robin", "lee")] == [1, 3, 0]
    assert plaintext_in(home, MARKER) == []


def test_a_list_of_contacts_is_taken_whole_and_answers_who_is_known(reporter: Run, tmp_path: Path) -> None:
    lines = ["kind,emails,domains", f"staff,{MARKER}@forum.example;b@forum.example,", "police,,police.example"]
    ran = reporter("contact", "import", "-", "--as", "dana", "--json", stdin="\n".join(lines).encode())
    assert [(each["kind"], each["new"]) for each in ran.json["contacts"]] == [("staff", True), ("police", True)]
    found = reporter("contact", "list", "--email", "Officer@unit.police.example", "--as", "dana", "--json")
    assert [each["kind"] for each in found.json["contacts"]] == ["police"]
    nobody = reporter("contact", "list", "--user", "nobody", "--as", "dana")
    assert (nobody.code, nobody.text) == (1, "Nobody.\n")
    assert MARKER not in reporter("contact", "list", "--as", "dana").text
    for wrong, says in [
        (b"kind,emails\nsuspect,a@b.example\n", "Line 2 of the list: the kind is one of"),
        (b"kind,name\nstaff,x\n", "1 unknown columns"),
        (b"emails\na@b.example\n", "The first line names the columns"),
        (b"kind,emails\nstaff,a@b.example,c,d\n", "more values than there are columns"),
        (b"kind,emails\nstaff,\n", "a contact is known by"),
        (b"\xff\xfe", "no CSV in UTF-8"),
    ]:
        ran = reporter("contact", "import", "-", "--as", "dana", stdin=wrong)
        assert ran.code == 2, wrong
        assert says in ran.err
    (tmp_path / "list.csv").write_text("kind,user_names\nstaff,x\n")
    assert reporter("contact", "import", tmp_path / "list.csv", "--as", "dana").code == 0
    assert reporter("contact", "add", "--kind", "x", "--user", "y", "--as", "dana").code == 2
