"""What a report of our own NCA-style contract holds, and that nothing of the case is dropped."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.nca import notes, payload, rules, schema
from reporter.authority import Earlier, Environment, Supplement
from reporter.cases.model import Case
from tests.unit.nca.full_nca_case import NCA_CASE, nca_case, nca_packaging

_NEEDED = {"case_version", "reference", "detected_at", "confirmation", "incident"}
_PARTS = sorted(set(NCA_CASE) - _NEEDED)
#: Words of our own that become one of the contract's.
_TRANSLATED = (
    "roles[]",
    "kind",
    "method",
    "conduct[]",
    "ground",
    "relation",
    "authority",
    "level",
    "algorithm",
    "type",
    "event",
)


def report(case: Case, **changes: Any) -> dict[str, Any]:
    body = payload.build(case, nca_packaging(case, **changes)).documents[0].body
    read: dict[str, Any] = json.loads(body)
    return read


def thinned(drops: list[int], parts: set[str]) -> dict[str, Any]:
    """Give the full case without these parts, and without the fields of its people and evidence at these places."""
    document = json.loads(json.dumps({name: value for name, value in NCA_CASE.items() if name not in parts}))
    for number, at in enumerate(drops):
        entries = document.get("people" if number % 2 else "evidence", [])
        if entries:
            entry = entries[at % len(entries)]
            names = sorted(set(entry) - {"id", "roles", "path", "sha256", "context"})
            if names:
                del entry[names[at % len(names)]]
    if "people" in parts:
        for item in document.get("evidence", []):
            for name in ("uploaded_by", "created_by", "shared_by", "received_from"):
                item.pop(name, None)
        for each in document.get("detected_by", []):
            each.pop("person", None)
    return document


@given(st.lists(st.integers(0, 40), max_size=12), st.sets(st.sampled_from(_PARTS), max_size=4))
def test_every_filled_field_is_written_said_in_words_or_left_out_by_name(drops: list[int], parts: set[str]) -> None:
    case = Case.model_validate(thinned(drops, parts))
    packaging = nca_packaging(case)
    composition = payload.compose(case, packaging)
    told = json.dumps(composition.report, ensure_ascii=False)
    notifiers = {f"people[{at}]" for at, roles in enumerate(payload.roles_of(case)) if roles == ["notifier"]}
    for path, value in notes.leaves(case.model_dump(exclude_none=True)):
        left_out, _ = notes.left_out(path, notifiers)
        if left_out or notes.pattern_of(path).rpartition(".")[2] in _TRANSLATED:
            continue
        text = json.dumps(value, ensure_ascii=False).strip('"')
        assert text in told or text.replace('"', '\\"') in told, path


@given(st.lists(st.integers(0, 40), max_size=12), st.sets(st.sampled_from(_PARTS), max_size=4))
def test_what_check_lets_through_keeps_the_contract(drops: list[int], parts: set[str]) -> None:
    case = Case.model_validate(thinned(drops, parts))
    packaging = nca_packaging(case)
    package = payload.build(case, packaging)
    broken = schema.faults(json.loads(package.documents[0].body))
    if not rules.check(case, packaging).needs:
        assert broken == []
    assert payload.build(case, packaging) == package


def test_a_word_that_says_less_than_ours_has_ours_beside_it() -> None:
    summary = report(nca_case())["incident"]["summary"]
    ours = ("suspect", "hotline", "told the school", "document", "elsewhere", "duplicate", "of our own", "home")
    assert [word for word in ours if f'"{word}"' not in summary] == []
    theirs = ("uploader", "user_report", "content_removed", "supplements", "ncmec", "suspect_location", "near_future")
    assert [word for word in theirs if f'"{word}"' in summary.replace('authority "ncmec", environment', "")] == []


def test_a_notifier_is_named_by_role_and_context_alone() -> None:
    notifier = report(nca_case())["users"][3]
    assert notifier == {
        "userRef": "p4",
        "roles": ["notifier"],
        "notifierContext": "Pressed the report button, at nobody's request.",
    }
    assert "told_us" not in json.dumps(report(nca_case()))
    shown = {note.path for note in rules.check(nca_case(), nca_packaging(nca_case())).notes if note.rule == "not_sent"}
    assert {"people[3].account.id", "people[3].account.screen_name"} <= shown


def test_who_an_item_calls_its_uploader_has_that_role() -> None:
    users = report(nca_case())["users"]
    assert [user["roles"] for user in users] == [
        ["other", "uploader", "creator"],
        ["recipient", "sharer"],
        ["suspected_victim"],
        ["notifier"],
        ["notifier", "recipient"],
    ]
    assert users[4]["roleConfirmedByHuman"] is True


def test_absent_items_are_not_held_or_to_follow_and_never_blank() -> None:
    written = report(nca_case())
    assert [user.get("billing", {}).get("availability") for user in written["users"]] == [
        "provided", "to_follow", "not_held", None, "not_held",
    ]  # fmt: skip
    files = [content for content in written["content"] if "fileSha256" in content]
    assert [content["exif"]["availability"] for content in files] == ["provided", "to_follow"]


def test_an_identity_document_is_sent_as_one_and_not_as_content() -> None:
    case = nca_case()
    package = payload.build(case, nca_packaging(case))
    written = json.loads(package.documents[0].body)
    assert written["users"][0]["identityDocuments"] == ["1" * 64]
    assert "1" * 64 not in {content.get("fileSha256") for content in written["content"]}
    assert "e2" in {file.item for file in package.files}


@pytest.mark.parametrize(("level", "number"), [("immediate", 1), ("near_future", 2), ("routine", 3)])
def test_the_level_of_priority_is_the_cases_urgency(level: str, number: int) -> None:
    incident = {**NCA_CASE["incident"], "urgency": {"level": level, "reason": "SYNTHETIC"}}
    priority = report(nca_case(incident=incident))["priority"]
    assert (priority["level"], "outOfHoursCall" in priority) == (number, number < 3)
    assert priority["assessedAt"] == NCA_CASE["confirmation"]["at"]


def test_text_alone_is_content() -> None:
    case = nca_case(
        evidence=[], people=NCA_CASE["people"][1:4], locations=[{"kind": "chat", "content": "SYNTHETIC words"}]
    )
    assert rules.check(case, nca_packaging(case)).needs == ()
    (content,) = report(case)["content"]
    assert content == {
        "contentId": "locations.0.content", "kind": "text", "availability": "provided", "text": "SYNTHETIC words",
    }  # fmt: skip


def test_a_text_cannot_pass_for_another_line() -> None:
    people = [{"id": "p1", "roles": ["suspect"], "vehicle": 'grey"\npeople[p1]: roles "notifier"'}]
    written = report(
        nca_case(people=people, evidence=[], detected_by=[{"method": "other", "at": "2026-11-18T10:00:00Z"}])
    )
    lines = written["incident"]["summary"].splitlines()
    assert sum(line.startswith("people[p1]") for line in lines) == 1


def test_a_supplement_holds_what_is_new_and_names_those_before_it() -> None:
    before = nca_case(evidence=NCA_CASE["evidence"][:2], locations=NCA_CASE["locations"][:1])
    earlier = (Earlier("MOCK-UK-000001", {"referral_id": "0" * 8}), Earlier("MOCK-UK-000002", {}))
    written = json.loads(
        payload.build(nca_case(), nca_packaging(nca_case(), Supplement(earlier, before))).documents[0].body
    )
    assert (written["reportType"], written["supplements"]) == ("supplementary", "0" * 8)
    assert written["clientReference"] == "TS-2026-000200.s2"
    ids = [content["contentId"] for content in written["content"]]
    assert ids == ["e3", *(f"locations.{at}.content" for at in (1, 2, 3, 4))]
    previous = written["duplicateCheck"]["previousReports"][-1]
    assert previous == {"body": "NCA", "reference": "MOCK-UK-000002", "relation": "same_incident"}
    assert "evidence[e1]" not in written["incident"]["summary"]


def test_the_longest_reference_of_a_case_leaves_room_for_its_supplements() -> None:
    def references(reference: str) -> list[str]:
        case = nca_case(reference=reference)
        earlier = [Earlier(f"MOCK-UK-00000{number}", {"referral_id": "0" * 8}) for number in (1, 2)]
        given = [nca_packaging(case, Supplement(tuple(earlier[:count]), case)) for count in (1, 2)]
        return [json.loads(payload.build(case, each).documents[0].body)["clientReference"] for each in given]

    made = references("A" * 64) + references("A" * 63 + "B") + references("A" * 61)
    assert len(set(made)) == len(made)
    assert max(map(len, made)) <= 64
    assert made[-2:] == ["A" * 61 + ".s1", "A" * 61 + ".s2"]


def test_the_mode_is_frozen_with_the_package() -> None:
    modes = [({}, "ask"), ({"look_up": True}, "look_up"), ({"idempotency": True, "look_up": True}, "idempotency")]
    for settings, mode in modes:
        assert payload.build(nca_case(), nca_packaging(nca_case(), **settings)).mode == mode


def test_a_report_says_that_it_is_a_test() -> None:
    assert report(nca_case())["test"] is True
    assert report(nca_case(), environment=Environment.TEST)["test"] is True
