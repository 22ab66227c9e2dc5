"""Sealed evidence through the command line: looked at only on record, named where damaged, destroyed by two people."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from reporter.testing.documents import aware_at, write_case
from tests.e2e.support import MARKER, Home, Run, plaintext_in, spare

REF = "TEST-000001"
ITEM = f"{REF}/e1"
CONTENT = f"{MARKER} harmless bytes ".encode() * 20_000


@pytest.fixture(autouse=True)
def case(reporter: Run, tmp_path: Path) -> None:
    files = {"e1": CONTENT, "e2": b"other harmless bytes"}
    case = write_case(tmp_path / "cases", REF, files=files, **aware_at(datetime.now(UTC)))  # no clock is over yet
    assert reporter("case", "add", case, "--as", "ann").code == 0


def extents(reporter: Run) -> list[str]:
    return [view["extent"] for view in reporter("evidence", "views", ITEM, "--json").json["views"]]


def viewed(reporter: Run) -> bool:
    return bool(reporter("case", "show", REF, "--json").json["evidence"][0]["viewed_entire"])


def object_of(reporter: Run, home: Home, item: int = 0) -> Path:
    return home.folder / "objects" / reporter("evidence", "list", REF, "--json").json["items"][item]["id"]


def test_an_opening_is_on_record_and_says_nothing_of_viewing(reporter: Run) -> None:
    ran = reporter("evidence", "open", ITEM, "--purpose", "review", "--as", "robin")
    assert (ran.code, ran.out) == (0, CONTENT)
    assert (extents(reporter), viewed(reporter)) == (["opened"], False)


def test_what_a_person_says_they_viewed_counts_once_the_item_came_out_whole(reporter: Run) -> None:
    ran = reporter("evidence", "open", ITEM, "--purpose", "review", "--extent", "entire", "--as", "robin")
    assert ran.code == 0
    assert (extents(reporter), viewed(reporter)) == (["opened", "entire"], True)


def test_a_damaged_item_never_counts_as_viewed_and_its_reader_is_told(reporter: Run, home: Home) -> None:
    file = object_of(reporter, home)
    file.write_bytes(file.read_bytes()[:-1])
    ran = reporter("evidence", "open", ITEM, "--purpose", "review", "--extent", "entire", "--as", "robin")
    assert ran.code == 1
    assert "not to be relied upon" in ran.err
    assert ran.out != CONTENT
    assert viewed(reporter) is False


@pytest.mark.parametrize(
    "command", ["cat", "cat -- - ; touch {}", "cat $(touch {})", "cat | tee {}", "cat > {}", "`touch {}`"]
)
def test_a_viewer_gets_words_and_no_shell(reporter: Run, home: Home, tmp_path: Path, command: str) -> None:
    made = tmp_path / "made"
    reporter("evidence", "open", ITEM, "--purpose", "review", "--viewer", command.format(made), "--as", "robin")
    assert not made.exists()
    assert plaintext_in(home, MARKER) == []


def test_a_viewer_gets_all_of_it_and_nothing_of_our_surroundings(
    reporter: Run, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPORTER_ALARM__REPEAT_MINUTES", "30")
    viewer = "sh -c 'wc -c; env'"
    ran = reporter("evidence", "open", ITEM, "--purpose", "review", "--extent", "entire", "--viewer", viewer)
    assert ran.code == 0
    assert str(len(CONTENT)) in ran.text
    assert "REPORTER" not in ran.text
    assert viewed(reporter) is True


@pytest.mark.parametrize("viewer", ["head -c 10", "sh -c 'cat >/dev/null; exit 3'"])
def test_a_viewer_that_stops_or_fails_leaves_a_partial_look(reporter: Run, viewer: str) -> None:
    ran = reporter("evidence", "open", ITEM, "--purpose", "review", "--extent", "entire", "--viewer", viewer)
    assert ran.code in (1, 4)
    assert viewed(reporter) is False
    assert "entire" not in extents(reporter)


def test_a_second_person_grants_one_opening(reporter: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORTER_EVIDENCE__OPEN_PEOPLE", "2")
    look = ("evidence", "open", ITEM, "--purpose", "review", "--as", "robin")
    assert reporter(*look).code == 3
    number = reporter("evidence", "request-open", ITEM, "--purpose", "review", "--as", "robin", "--json").json["permit"]
    assert reporter(*look).code == 3
    assert reporter("evidence", "grant-open", str(number), "--as", "robin").code == 3
    assert reporter("evidence", "grant-open", str(number), "--as", "dana").code == 0
    assert reporter("evidence", "open", ITEM, "--purpose", "appeal", "--as", "robin").code == 3
    assert reporter(*look).out == CONTENT
    assert reporter(*look).code == 3


def test_a_tool_reports_a_look_once(reporter: Run) -> None:
    told = ("evidence", "viewed", ITEM, "--purpose", "review", "--extent", "entire", "--at", "2026-11-20T14:05Z")
    assert [reporter(*told, "--as", "ann", "--json").json["new"] for _ in range(2)] == [True, False]
    assert viewed(reporter) is True
    assert reporter(*told[:-1], "2999-01-01T00:00Z", "--as", "ann").code == 2


def test_a_submission_frozen_with_other_facts_says_so(reporter: Run) -> None:
    assert reporter("submission", "approve", REF, "--as", "bob").code == 0
    assert reporter("case", "show", REF, "--json").json["submissions"][0]["viewed_since"] == []
    assert reporter("evidence", "viewed", ITEM, "--purpose", "review", "--extent", "entire", "--as", "ann").code == 0
    assert reporter("case", "show", REF, "--json").json["submissions"][0]["viewed_since"] == ["e1"]
    assert "frozen with other facts" in reporter("case", "show", REF).text
    assert "frozen with other facts" in reporter("submission", "preview", REF, "--to", "ncmec").err


def damages(home: Home, file: Path, other: Path) -> dict[str, tuple[Path, bytes | None]]:
    content, keys = file.read_bytes(), home.folder / "keystore"
    wrap, swapped = keys / f"item-{file.name}", (keys / f"item-{other.name}").read_bytes()
    flipped = content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]
    text, of_case = wrap.read_bytes(), (keys / f"case-{REF}").read_bytes()
    at = text.index(b'"ciphertext":"') + 20
    return {
        "object_altered": (file, flipped),
        "object_truncated": (file, content[:-1]),
        "object_longer": (file, content + b"x"),
        "object_swapped": (file, other.read_bytes()),
        "object_missing": (file, None),
        "wrap_missing": (wrap, None),
        "wrap_swapped": (wrap, swapped),
        "wrap_altered": (wrap, text[:at] + (b"A" if text[at : at + 1] != b"A" else b"B") + text[at + 1 :]),
        "case_key_missing": (keys / f"case-{REF}", None),
        "kek_missing": (keys / f"case-{REF}", of_case.replace(b'"kek_version":1', b'"kek_version":7')),
    }  # fmt: skip


@pytest.mark.parametrize(
    "finding",
    [
        "object_altered", "object_truncated", "object_longer", "object_swapped", "object_missing",
        "wrap_missing", "wrap_swapped", "wrap_altered", "case_key_missing", "kek_missing",
    ],
)  # fmt: skip
def test_damage_is_named_as_what_it_is_and_alarms(reporter: Run, home: Home, finding: str) -> None:
    assert reporter("evidence", "verify", "--all").code == 0
    path, content = damages(home, object_of(reporter, home), object_of(reporter, home, 1))[finding]
    kept = path.read_bytes()
    path.unlink()
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o600)
    ran = reporter("evidence", "verify", ITEM, "--json")
    assert ran.code == 1
    assert ran.json["finding"] == finding
    assert [alarm["kind"] for alarm in reporter("alarm", "list", "--json").json["alarms"]] == ["evidence_damaged"]
    path.write_bytes(kept)
    path.chmod(0o600)
    assert reporter("evidence", "verify", ITEM).code == 0
    reporter("alarm", "check")
    assert reporter("alarm", "list", "--json").json["alarms"] == []


def test_a_destruction_takes_two_people_once_and_leaves_a_certificate(reporter: Run, home: Home) -> None:
    file = object_of(reporter, home)
    spare(reporter, REF)
    word = ("evidence", "destroy", ITEM, "--reason", "Synthetic.", "--json", "--as")
    assert reporter(*word, "ann").code == 1
    assert reporter(*word, "ann").code == 3
    assert file.exists()
    done = reporter(*word, "bob")
    assert done.code == 0
    assert reporter(*word, "eve").json == done.json
    assert not file.exists()
    assert not (home.folder / "keystore" / f"item-{file.name}").exists()
    certificate = reporter("evidence", "certificate", done.json["certificate"], "--json").json
    assert (certificate["proposed"]["by"], certificate["decided"]["by"]) == ("ann", "bob")
    assert certificate["key_store_backup_horizon_days"] is None
    assert MARKER not in str(certificate)
    gone = reporter("evidence", "open", ITEM, "--purpose", "review")
    assert (gone.code, gone.out) == (2, b"")
    assert "was destroyed" in gone.err
    assert reporter("evidence", "verify", ITEM, "--json").json["finding"] == "destroyed"


def test_a_case_is_destroyed_by_two_people_and_its_certificate_is_proved(reporter: Run, home: Home) -> None:
    words = ("--reason", f"{MARKER} over.", "--basis", "rule/one")
    refused = reporter("case", "destroy", REF, *words, "--as", "ann")
    assert (refused.code, "ncmec must still be told" in refused.err) == (3, True)
    spare(reporter, REF)
    asked = reporter("case", "destroy", REF, *words, "--as", "ann")
    assert (asked.code, "one more person" in asked.text) == (1, True)
    assert reporter("case", "destroy", REF, *words, "--as", "ann").code == 3
    done = reporter("case", "destroy", REF, *words, "--as", "bob", "--json")
    assert (done.code, done.json["destroyed"], done.json["reference"]) == (0, True, REF)
    number = done.json["certificate"]
    text = reporter("evidence", "certificate", number, "--json").text.strip()
    proof = reporter("evidence", "certificate", number, "--proof").json
    assert (proof["certificate"], proof["log"]) == (text, reporter("audit", "key").text.strip())
    assert proof["sha256"] in proof["entries"][-1]["record"]["content"]
    assert all(entry["checkpoint"] and entry["path"] for entry in proof["entries"])
    shown = reporter("case", "show", REF)
    assert (shown.code, number in shown.err, shown.err.count("\n")) == (2, True, 1)
    assert reporter("case", "list", "--json").json["cases"][0]["state"] == "destroyed"
    assert reporter("doctor").code == 0
    assert reporter("evidence", "destroy", "--resume").text.strip() == "Nothing was left to finish."
    assert plaintext_in(home, MARKER) == []


def test_nothing_is_destroyed_while_a_delivery_may_need_it(reporter: Run, home: Home) -> None:
    word = ("evidence", "destroy", ITEM, "--reason", "Synthetic.", "--as")
    spare(reporter, REF)
    assert reporter(*word, "ann").code == 1
    assert reporter("submission", "approve", REF, "--as", "bob").code == 0
    refused = reporter(*word, "bob")
    assert refused.code == 3
    assert "approved" in refused.err
    assert object_of(reporter, home).exists()
