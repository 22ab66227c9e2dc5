"""Where two documents differ."""

from copy import deepcopy
from typing import Any

import pytest

from reporter.cases.difference import differences, only_adds_views
from reporter.cases.scalars import NumberAsWritten


def paths(old: Any, new: Any) -> list[tuple[str, str]]:
    return [(finding.path, finding.rule) for finding in differences(old, new)]


def test_the_same_content_does_not_differ(routine: dict[str, Any]) -> None:
    assert paths(routine, deepcopy(routine)) == []


def test_each_difference_is_named_by_its_path_and_not_by_its_value(routine: dict[str, Any]) -> None:
    other = deepcopy(routine)
    other["people"][0]["person"]["last_name"] = "Hidden"
    other["people"][1]["age_note"] = "Hidden"
    del other["uk"]
    other["evidence"].append({"id": "e4"})
    other["locations"][0]["urls"].pop()
    assert paths(routine, other) == [
        ("locations[0].urls[1]", "removed"),
        ("people[0].person.last_name", "changed"),
        ("people[1].age_note", "added"),
        ("evidence[3]", "added"),
        ("uk", "removed"),
    ]
    assert "Hidden" not in "".join(str(finding) for finding in differences(routine, other))


@pytest.mark.parametrize(("old", "new"), [(1, True), (0, False), ("1", 1), ([], {}), ("", []), (False, "")])
def test_values_of_another_kind_differ(old: Any, new: Any) -> None:
    assert paths({"x": old}, {"x": new}) == [("x", "changed")]


def test_one_number_written_in_two_ways_is_the_same() -> None:
    assert paths({"x": NumberAsWritten("51.50")}, {"x": NumberAsWritten("5.15e1")}) == []


def test_added_views_are_told_from_other_changes(routine: dict[str, Any]) -> None:
    seen = deepcopy(routine)
    seen["evidence"][2]["views"] = [{"by": "r", "at": "2026-11-17T00:00:00Z", "extent": "entire"}]
    seen["evidence"][0]["views"].insert(0, {"by": "s", "at": "2026-11-17T00:00:00Z", "extent": "partial"})
    assert only_adds_views(routine, seen)
    assert only_adds_views(routine, routine)
    assert not only_adds_views(seen, routine)
    seen["incident"]["summary"] = "other"
    assert not only_adds_views(routine, seen)


def test_a_changed_view_is_not_an_added_one(routine: dict[str, Any]) -> None:
    other = deepcopy(routine)
    other["evidence"][1]["views"][0]["extent"] = "entire"
    assert not only_adds_views(routine, other)


def test_a_view_given_twice_must_be_there_twice(routine: dict[str, Any]) -> None:
    twice = deepcopy(routine)
    twice["evidence"][0]["views"] *= 2
    assert only_adds_views(routine, twice)
    assert not only_adds_views(twice, routine)


def test_views_on_a_new_item_are_no_mere_views(routine: dict[str, Any]) -> None:
    other = deepcopy(routine)
    other["evidence"].append({"id": "e4", "views": []})
    assert not only_adds_views(routine, other)


def test_an_item_left_out_does_not_make_the_others_differ(routine: dict[str, Any]) -> None:
    other = deepcopy(routine)
    del other["evidence"][0]
    other["evidence"][0]["kind"] = "other"
    assert paths(routine, other) == [("evidence[0].kind", "changed"), ("evidence[0]", "removed")]


def test_another_order_is_a_difference(routine: dict[str, Any]) -> None:
    other = deepcopy(routine)
    other["people"].reverse()
    assert paths(routine, other) == [("people", "order")]
