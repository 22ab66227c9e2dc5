"""What is computed for a bundle alone: lists, archive, cut documents, scopes, the guard's rules."""

import io
import random
import tarfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.errors import DocumentError, PolicyError
from reporter.export import bag, guard, scope
from reporter.export.model import Gives, Redaction, Scope
from reporter.export.redaction import cut, steps, unmatched
from reporter.export.tar import Member, archive, size_of
from reporter.retention.demand import DemandKind, Requester

DOCUMENT: dict[str, Any] = {
    "case_version": 1,
    "reference": "TEST-000001",
    "incident": {"type": "csam", "summary": "SYNTHETIC"},
    "people": [{"id": "p1", "emails": ["a@x.example", "b@x.example"]}, {"id": "p2"}],
}


def members(sizes: list[int]) -> list[Member]:
    return [Member(f"bag/data/{number:03}.bin", size, [bytes(size)]) for number, size in enumerate(sizes)]


@given(st.lists(st.integers(min_value=0, max_value=3000), max_size=6))
def test_an_archive_is_as_long_as_is_said_and_any_tar_reads_it(sizes: list[int]) -> None:
    whole = b"".join(archive(members(sizes), 1_700_000_000))
    assert len(whole) == size_of(members(sizes), 1_700_000_000)
    assert whole == b"".join(archive(members(sizes), 1_700_000_000))
    with tarfile.open(fileobj=io.BytesIO(whole)) as read:
        found = [(each.name, each.size, each.mtime, each.uid, each.mode) for each in read]
    assert found == [(f"bag/data/{number:03}.bin", size, 1_700_000_000, 0, 0o644) for number, size in enumerate(sizes)]


def test_an_archive_has_room_for_files_of_any_size_and_long_names() -> None:
    huge = Member("x" * 150, 20 << 30, [])
    assert size_of([huge], 0) > 20 << 30
    head = next(archive([huge], 0))
    with tarfile.open(fileobj=io.BytesIO(head), mode="r|") as read:
        member = read.next()
    assert member is not None
    assert (member.name, member.size) == ("x" * 150, 20 << 30)


@pytest.mark.parametrize("content", [b"", b"more than was said"])
def test_content_of_another_length_is_no_archive(content: bytes) -> None:
    with pytest.raises(ValueError, match="as long as"):
        list(archive([Member("a", 5, [content])], 0))


@pytest.mark.parametrize("path", ["a b", "a\nb", "../a", "a/../b", "/a", "a//b", "a/", "%0A", "..", ""])
def test_no_path_in_a_bag_needs_an_escape(path: str) -> None:
    with pytest.raises(ValueError, match="path in a bag"):
        bag.tag_files([bag.payload_of(path, b"")], {}, {})


def test_no_value_adds_a_line_to_what_is_said_of_a_bag() -> None:
    tags = bag.tag_files([bag.payload_of("data/a", b"abc")], {}, {"Source-Organization": "x\nTime-Stamped: yes"})
    assert tags["bag-info.txt"] == b"Source-Organization: x Time-Stamped: yes\nPayload-Oxum: 3.1\n"


# --- cutting a document -----------------------------------------------------------------------------------------------


def test_what_is_not_named_is_not_there_and_lists_keep_their_places() -> None:
    assert cut(DOCUMENT, ["people[1].id", "people[0].emails[1]"], []) == {
        "case_version": 1,
        "reference": "TEST-000001",
        "people": [
            {"emails": [{"left_out": "not within the scope of this export"}, "b@x.example"]},
            {"id": "p2"},
        ],
    }


def test_what_is_redacted_is_gone_though_it_is_named() -> None:
    reason = Redaction(path="people[0].emails", reason="SYNTHETIC")
    kept = cut(DOCUMENT, ["people", "people[0].emails"], [reason])
    assert kept["people"][0] == {"id": "p1", "emails": {"redacted": "SYNTHETIC"}}
    assert DOCUMENT["people"][0]["emails"] == ["a@x.example", "b@x.example"]
    within = [reason, Redaction(path="people[0].emails[0]", reason="SYNTHETIC too")]
    assert cut(DOCUMENT, ["people"], within) == cut(DOCUMENT, ["people"], within[:1])


@given(st.randoms(use_true_random=False))
def test_nothing_that_is_not_named_ever_leaves(chance: random.Random) -> None:
    paths = ["incident", "incident.type", "people", "people[0]", "people[0].id", "people[0].emails[0]", "people[1]"]
    fields = chance.sample(paths, chance.randrange(len(paths)))
    redact = [Redaction(path=path, reason="why not") for path in chance.sample(paths, 2)]
    told = repr(cut(DOCUMENT, fields, redact))
    gone = {each.path for each in redact}
    for path, value in (("incident.summary", "SYNTHETIC"), ("people[0].emails[0]", "a@x.example")):
        above = {path[:end] for end in range(len(path) + 1)}
        assert (value in told) is bool(above & set(fields) and not above & gone)


@pytest.mark.parametrize("path", ["", ".", "people[", "people[x]", "people[0]emails", "a..b", "*", "[0]x", "a-b"])
def test_what_is_no_path_leads_nowhere(path: str) -> None:
    assert steps(path) is None
    assert len(unmatched(DOCUMENT, [path], "fields")) == 1


# --- scopes and rules -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        {"contents": ["e1"]},
        {"content": "e1"},
        {"redact": [{"path": "people"}]},
        {"redact": [{"path": "people", "reason": ""}]},
        {"withhold": ["x"]},
    ],
)
def test_a_scope_of_another_form_is_refused_and_repeats_nothing(data: dict[str, Any]) -> None:
    with pytest.raises(DocumentError) as refused:
        scope.parse(data)
    assert refused.value.findings


def test_everything_is_everything_only_if_nothing_is_left() -> None:
    fields = ("incident", "people")

    def check(wanted: Scope, named: list[str]) -> None:
        scope.check(wanted, DOCUMENT, items=["i1", "i2"], named=named, submissions=["ncmec"])

    whole = Scope(content=("e1", "e2"), fields=fields, submissions=("ncmec",))
    with pytest.raises(PolicyError, match="all there is"):
        check(whole, ["i1", "i2"])
    check(whole, ["i1"])
    check(whole.model_copy(update={"fields": ("incident",)}), ["i1", "i2"])
    check(whole.model_copy(update={"submissions": ()}), ["i1", "i2"])
    check(whole.model_copy(update={"redact": (Redaction(path="people[0]", reason="why"),)}), ["i1", "i2"])
    check(whole.model_copy(update={"whole_case": "SYNTHETIC"}), ["i1", "i2"])


def test_there_is_a_rule_with_a_source_for_every_demand_and_everybody_who_makes_one() -> None:
    assert set(guard.rules("recipient")) == set(Requester)
    assert set(guard.rules("instrument")) == set(DemandKind)
    for table in ("recipient", "instrument"):
        assert all(rule.source and rule.words for rule in guard.rules(table).values())
    for kind in ("civil_party", "defence", "other"):
        assert guard.rules("recipient")[kind].gives is Gives.NOTHING
