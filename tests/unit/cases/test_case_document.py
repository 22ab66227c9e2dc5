"""Reading case documents: what is taken, and how everything else is refused."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reporter.cases import document, reader
from reporter.cases.document import parse, parse_kept
from reporter.errors import DocumentError

DATA = Path(__file__).parents[2] / "data"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def text(raw: Any) -> bytes:
    return json.dumps(raw).encode()


def read(raw: Any) -> Any:
    return parse(raw if isinstance(raw, bytes) else text(raw), NOW)


def refusal(raw: Any) -> dict[str, str]:
    """Parse what must be refused; give the message at each path."""
    with pytest.raises(DocumentError) as caught:
        read(raw)
    return {finding.path: finding.message for finding in caught.value.findings}


def complaint(raw: Any) -> str:
    with pytest.raises(DocumentError) as caught:
        read(raw)
    return caught.value.diagnostics()


@pytest.mark.parametrize("folder", sorted(folder.name for folder in DATA.glob("EX-*")))
def test_the_synthetic_cases_keep_the_contract(folder: str) -> None:
    parsed = read((DATA / folder / "case.json").read_bytes())
    assert parsed.case.reference == folder == parsed.raw["reference"]


def test_writing_does_not_change_the_content() -> None:
    data = (DATA / "EX-2026-000201" / "case.json").read_bytes()
    assert read(reader.write(read(data).raw)).canonical == read(data).canonical


def test_same_content_in_another_order_and_spelling_is_the_same(routine: dict[str, Any]) -> None:
    other = json.dumps(dict(reversed(routine.items())), indent=7, ensure_ascii=True).encode()
    assert read(other).digest == read(routine).digest


def test_decimals_and_timestamps_stay_as_written(routine: dict[str, Any]) -> None:
    routine["locations"] = [{"kind": "cell_phone", "latitude": 1, "longitude": "+5."}]
    routine["incident"]["occurred_at"] = "2026-11-16T18:20:00.500+02:00"
    data = text(routine).replace(b'"latitude": 1', b'"latitude": 53.80100')
    parsed = read(data)
    place = parsed.case.locations[0]
    assert (place.latitude, place.longitude) == ("53.80100", "+5.")
    assert parsed.case.incident.occurred_at == "2026-11-16T18:20:00.500+02:00"
    assert b"53.80100" in reader.write(parsed.raw)


# --- bytes that are no document ---------------------------------------------------------------------------------


def test_truncated_json_is_refused_where_it_breaks_off(routine: dict[str, Any]) -> None:
    data = json.dumps(routine, indent=2).encode()
    assert "line 3, column 3" in complaint(data[: data.index(b'"reference"')])


def test_a_cut_off_string_is_refused_without_being_repeated() -> None:
    message = complaint(b'{"reference": "PERSONAL')
    assert "line 1, column 15: unterminated string starting" in message
    assert "PERSONAL" not in message


def test_a_huge_document_is_refused_by_its_size() -> None:
    assert "at most 16,777,216" in complaint(b" " * (reader.MAX_BYTES + 1))


def test_invalid_utf8_is_refused_with_its_offset() -> None:
    assert "byte 6" in complaint(b'{"a": \xff}')


def test_utf16_is_refused(routine: dict[str, Any]) -> None:
    assert "UTF-8" in complaint(json.dumps(routine).encode("utf-16"))


def test_one_byte_order_mark_is_skipped_and_a_second_refused(routine: dict[str, Any]) -> None:
    mark = b"\xef\xbb\xbf"
    assert read(mark + text(routine)).digest == read(routine).digest
    assert "line 1, column 1" in complaint(mark + mark + text(routine))


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b'"x"', b"\x00", b"{}{}"])
def test_what_is_no_json_object_is_refused(data: bytes) -> None:
    assert complaint(data).startswith("The case document")


@pytest.mark.parametrize("data", [b"[" * 200_000, b"[" * 40 + b"]" * 40, b'{"a":' * 900 + b"1" + b"}" * 900])
def test_endless_nesting_is_refused(data: bytes) -> None:
    assert "nested deeper than 32 levels" in complaint(data)


def test_endless_lists_are_refused() -> None:
    assert "beyond 250,000 values" in complaint(b'{"people":[' + b"1," * 300_000 + b"1]}")


def test_ten_thousand_addresses_are_taken(routine: dict[str, Any]) -> None:
    routine["locations"] = [{"kind": "web_page", "urls": [f"https://board.example/{n}" for n in range(10_000)]}]
    assert len(read(routine).case.locations[0].urls) == 10_000


# --- JSON that evidence cannot stand ----------------------------------------------------------------------------


def test_doubled_names_are_refused_by_path(routine: dict[str, Any]) -> None:
    data = text(routine).replace(b'"first_name"', b'"last_name": "Other", "first_name"')
    assert refusal(data) == {"people[0].person.last_name": "stands twice in the same object"}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9007199254740992", "-" + "9" * 5000])
def test_numbers_that_json_cannot_carry_are_refused(routine: dict[str, Any], number: str) -> None:
    routine["people"][1]["person"] = {"age": 41}
    data = text(routine).replace(b'"age": 41', f'"age": {number}'.encode())
    assert refusal(data) == {"people[1].person.age": "is a number that JSON cannot carry exactly; write it as text"}


def test_the_largest_exact_numbers_are_taken(routine: dict[str, Any]) -> None:
    routine["people"][1]["person"] = {"age": -(2**53 - 1)}
    assert read(routine).case.people[1].person.age == "-9007199254740991"


def test_nulls_are_refused_each_by_its_path(routine: dict[str, Any]) -> None:
    routine["incident"]["platform"]["url"] = None
    routine["uk"] = None
    message = "is null; leave out what is not known"
    assert refusal(routine) == {"incident.platform.url": message, "uk": message}


def test_half_a_surrogate_pair_becomes_no_character(routine: dict[str, Any]) -> None:
    data = text(routine).replace(b'"Example Board"', b'"Example\\ud83d Board\\u0000"', 1)
    parsed = read(data)
    assert parsed.case.incident.platform.name == "Example\uffff Board\0"
    assert parsed.canonical.decode()


def test_a_whole_pair_stays(routine: dict[str, Any]) -> None:
    routine["incident"]["summary"] = "\U0001f512"
    assert read(routine).case.incident.summary == "\U0001f512"


# --- the contract -----------------------------------------------------------------------------------------------


def test_every_problem_is_listed_by_its_path(routine: dict[str, Any]) -> None:
    del routine["incident"]["type"]
    routine["shoe_size"] = 44
    routine["people"][0]["person"]["emails"][0]["type"] = "pigeon"
    routine["people"][0]["person"]["emails"].append({})
    routine["people"][1]["roles"] = "notifier"
    routine["locations"][1]["room"] = 12
    routine["locations"].append({"kind": "telepathy"})
    routine["locations"].append({"client": "?"})
    routine["evidence"][0]["sha256"] = "AB"
    routine["evidence"][1]["publicly_available"] = "yes"
    routine["evidence"][2]["id"] = "e1"
    assert refusal(routine) == {
        "incident.type": "is required",
        "shoe_size": "is not a field of the case document",
        "people[0].person.emails[0].type": "must be 'home', 'work', 'business' or 'recovery'",
        "people[0].person.emails[1].address": "is required",
        "people[1].roles": "must be a list",
        "locations[1].room": "must be text",
        "locations[2].kind": "must be one of 'web_page', 'email', 'newsgroup', 'chat', 'gaming', 'cell_phone', "
        "'non_internet', 'peer_to_peer'",
        "locations[3].kind": "is required",
        "evidence[0].sha256": "must have the form ^[0-9a-f]{64}$",
        "evidence[1].publicly_available": "must be true or false",
        "evidence[2].id": "is the id of evidence[0] already",
    }


def test_one_place_is_listed_once(routine: dict[str, Any]) -> None:
    routine["confirmation"]["basis"] = None
    with pytest.raises(DocumentError) as caught:
        read(routine)
    assert [finding.path for finding in caught.value.findings] == ["confirmation.basis"]


def test_a_field_named_like_its_place_keeps_its_path(routine: dict[str, Any]) -> None:
    routine["locations"][1]["chat"] = "x"
    assert refusal(routine) == {"locations[1].chat": "is not a field of the case document"}


def test_no_value_is_repeated(routine: dict[str, Any]) -> None:
    secret = "Sensitive-Content"
    routine["reference"] = secret + "!"
    routine["detected_at"] = secret
    routine["incident"]["type"] = secret
    routine["locations"] = [{"kind": secret}, secret]
    routine["people"][0]["person"]["date_of_birth"] = secret
    routine["people"][0]["person"][f"mail of {secret}"] = "x"
    routine["evidence"][0]["uploaded_by"] = [secret]
    routine["evidence"][0]["sha256"] = secret
    message = complaint(routine)
    assert 'people[0].person["…"]: is not a field of the case document' in message
    assert "Sensitive" not in message


def test_timestamps_need_a_zone(routine: dict[str, Any]) -> None:
    routine["people"][0]["ip_events"][0]["at"] = "2026-11-16T18:20:00"
    assert refusal(routine) == {
        "people[0].ip_events[0].at": "must be an RFC 3339 timestamp with a zone, such as 2026-11-18T10:00:00Z"
    }


def test_no_problem_is_swallowed_when_there_are_too_many_to_list(routine: dict[str, Any]) -> None:
    routine["people"] = [{}] * 1000
    message = complaint(routine)
    assert message.startswith("The case document has 2,")
    assert message.count("\n") == document.MAX_FINDINGS + 1
    assert "more" in message.splitlines()[-1]


# --- the document against itself --------------------------------------------------------------------------------


def _future_detection(raw: dict[str, Any]) -> None:
    raw["detected_at"] = "2026-11-22T12:05:01Z"


def _future_confirmation(raw: dict[str, Any]) -> None:
    raw["confirmation"]["at"] = "2027-01-01T00:00:00+01:00"


def _future_notice(raw: dict[str, Any]) -> None:
    raw["detected_by"][1]["at"] = "9999-12-31T23:59:59Z"


def _future_view(raw: dict[str, Any]) -> None:
    raw["evidence"][0]["views"][0]["at"] = "2026-11-22T13:00:00+00:00"


def _stranger_uploaded(raw: dict[str, Any]) -> None:
    raw["evidence"][0]["uploaded_by"] = ["p1", "p9"]


def _stranger_told_us(raw: dict[str, Any]) -> None:
    raw["detected_by"][0]["person"] = "p9"


def _stranger_sent(raw: dict[str, Any]) -> None:
    raw["evidence"][2]["received_from"] = "p9"


def _two_people_one_id(raw: dict[str, Any]) -> None:
    raw["people"][2]["id"] = "p1"


def _two_items_one_id(raw: dict[str, Any]) -> None:
    raw["evidence"][1]["id"] = "e1"


def _id_with_newline(raw: dict[str, Any]) -> None:
    raw["evidence"][1]["id"] = "e2\n"


def _viewer_with_nul(raw: dict[str, Any]) -> None:
    raw["evidence"][0]["views"][0]["by"] = "x\0"


def _no_file(raw: dict[str, Any]) -> None:
    del raw["evidence"][2]["sha256"]


@pytest.mark.parametrize(
    ("spoil", "path"),
    [
        (_future_detection, "detected_at"),
        (_future_confirmation, "confirmation.at"),
        (_future_notice, "detected_by[1].at"),
        (_future_view, "evidence[0].views[0].at"),
        (_stranger_uploaded, "evidence[0].uploaded_by[1]"),
        (_stranger_told_us, "detected_by[0].person"),
        (_stranger_sent, "evidence[2].received_from"),
        (_two_people_one_id, "people[2].id"),
        (_two_items_one_id, "evidence[1].id"),
        (_id_with_newline, "evidence[1].id"),
        (_viewer_with_nul, "evidence[0].views[0].by"),
        (_no_file, "evidence[2].sha256"),
    ],
)
def test_contradictions_are_refused_by_path(
    routine: dict[str, Any], spoil: Callable[[dict[str, Any]], None], path: str
) -> None:
    spoil(routine)
    assert list(refusal(routine)) == [path]


def test_another_machines_clock_may_be_a_little_ahead(routine: dict[str, Any]) -> None:
    routine["detected_at"] = (NOW + timedelta(minutes=5)).isoformat()
    assert read(routine).case.detected_at == routine["detected_at"]


def test_a_pending_case_may_lack_its_files(routine: dict[str, Any]) -> None:
    routine["confirmation"]["decision"] = "pending"
    del routine["evidence"][0]["path"], routine["evidence"][0]["sha256"]
    assert read(routine).case.evidence[0].path is None


def test_what_was_taken_once_is_read_whatever_the_clock_says(routine: dict[str, Any]) -> None:
    routine["detected_at"] = "2030-01-01T00:00:00Z"
    assert parse_kept(text(routine)).case.detected_at == "2030-01-01T00:00:00Z"


@pytest.mark.parametrize("group", ["people", "evidence", "detected_by", "locations"])
@pytest.mark.parametrize("value", [7, "x", {}, [7], [[]], [{"views": 3, "uploaded_by": 5, "id": 3, "at": []}]])
def test_the_wrong_shape_anywhere_is_a_finding_and_never_a_crash(
    routine: dict[str, Any], group: str, value: Any
) -> None:
    routine[group] = value
    assert any(path.startswith(group) for path in refusal(routine))


def test_the_text_of_a_document_is_in_no_repr(routine: dict[str, Any]) -> None:
    assert "Sample" not in repr(read(routine))
