"""What an event of the custody log looks like, and that every kind recorded is explained."""

import ast
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from reporter.audit.kinds import KINDS
from reporter.audit.model import Event, canonical, parsed

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
EVENTS = st.builds(
    Event,
    at=st.datetimes(timezones=st.just(UTC)),
    actor=TEXT,
    kind=TEXT,
    reference=st.none() | TEXT,
    item=st.none() | TEXT,
    detail=TEXT,
)


@given(EVENTS)
def test_the_bytes_of_an_event_are_canonical_json_and_give_it_back(event: Event) -> None:
    text = canonical(event)
    assert text.encode() == rfc8785.dumps(json.loads(text))
    assert parsed(text) == event


def test_an_instant_is_written_in_utc() -> None:
    east = AT.astimezone(timezone(timedelta(hours=5)))
    assert canonical(Event(east, "a", "k")) == canonical(Event(AT, "a", "k"))
    assert '"at":"2026-11-23T09:30:00.000000Z"' in canonical(Event(AT, "a", "k"))


@pytest.mark.parametrize("event", [Event(AT.replace(tzinfo=None), "a", "k"), Event(AT, "\ud800", "k")])
def test_what_cannot_be_written_is_refused_before_it_is_recorded(event: Event) -> None:
    with pytest.raises(ValueError):
        canonical(event)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"at":"yesterday"}', '{"at":1}', '{"at":"2026-11-23","what":1}'])
def test_what_is_no_record_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ValueError):
        parsed(text)


def test_every_kind_that_is_recorded_is_explained() -> None:
    recorded = set()
    for file in (Path(__file__).parents[3] / "reporter").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "kind" and "audit" in file.read_text(encoding="utf-8"):
                recorded |= {part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant)}
    unexplained = {kind for kind in recorded if isinstance(kind, str) and not kind.endswith("_")} - KINDS.keys()
    assert {"lane_paused", "credential_set"} <= recorded
    assert unexplained == set()
