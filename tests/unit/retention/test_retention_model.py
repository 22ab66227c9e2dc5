"""What clocks come to: pure, whatever their order, in every zone and leap year."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.retention.filed import Filed, clocks_of
from reporter.retention.model import Clock, Origin, Part, Side, Standing, assess, stands_against
from reporter.rules.reading import shipped

RULES = shipped()
NOW = datetime(2027, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MOMENTS = st.integers(1_000_000_000, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
ZONES = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def clock(side: Side = Side.FLOOR, ends: datetime | None = NOW, **changes: Any) -> Clock:
    values: dict[str, Any] = {
        "part": Part.MATERIAL, "side": side, "origin": Origin.RULE, "begins": NOW - DAY, "ends": ends, "rule": "rule",
        "version": 1, "retention": "r", "source": "law", "words": "words", "cause": "submission 1", **changes,
    }  # fmt: skip
    return Clock(**values)


CLOCKS = st.builds(
    clock,
    st.sampled_from(Side),
    MOMENTS,
    origin=st.sampled_from(Origin),
    verified=st.booleans(),
    part=st.sampled_from(Part),
)
FLOORS = st.builds(clock, st.just(Side.FLOOR), st.one_of(st.none(), MOMENTS), origin=st.sampled_from(Origin))


def standing(*clocks: Clock, now: datetime = NOW) -> Standing:
    return assess(clocks, Part.MATERIAL, now).standing


@pytest.mark.parametrize(
    ("clocks", "found"),
    [
        ([], Standing.UNKNOWN),
        ([clock(ends=NOW + DAY)], Standing.KEPT),
        ([clock(ends=NOW)], Standing.DUE),
        ([clock(ends=NOW - DAY), clock(ends=None, origin=Origin.HOLD)], Standing.HELD),
        ([clock(ends=NOW + DAY), clock(Side.CAP, NOW - DAY)], Standing.CONFLICT),
        ([clock(ends=NOW + DAY), clock(Side.CAP, NOW + DAY)], Standing.KEPT),
        ([clock(ends=NOW + 2 * DAY), clock(Side.CAP, NOW + DAY)], Standing.CONFLICT),
        ([clock(ends=None, origin=Origin.HOLD), clock(Side.CAP, NOW + DAY)], Standing.CONFLICT),
        ([clock(ends=NOW - 2 * DAY), clock(Side.CAP, NOW - DAY)], Standing.OVERDUE),
        ([clock(ends=NOW - DAY), clock(Side.CAP, NOW - 2 * DAY)], Standing.OVERDUE),
        ([clock(ends=NOW + DAY), clock(Side.CAP, NOW - DAY, verified=False)], Standing.KEPT),
        ([clock(ends=NOW + DAY, verified=False), clock(Side.CAP, NOW - DAY)], Standing.CONFLICT),
        ([clock(ends=NOW + DAY, origin=Origin.HOUSE), clock(Side.CAP, NOW - DAY)], Standing.OVERDUE),
        ([clock(part=Part.REFERENCE, ends=NOW + DAY), clock(ends=NOW)], Standing.DUE),
    ],
)
def test_where_a_case_stands(clocks: list[Clock], found: Standing) -> None:
    assert standing(*clocks) is found


@given(st.lists(CLOCKS, max_size=6), MOMENTS, st.randoms(use_true_random=False))
def test_the_order_of_the_clocks_does_not_matter(clocks: list[Clock], now: datetime, random: Any) -> None:
    shuffled = list(clocks)
    random.shuffle(shuffled)
    one, other = assess(clocks, Part.MATERIAL, now), assess(shuffled, Part.MATERIAL, now)
    assert (one.standing, one.earliest_destroy, one.latest_keep) == (
        other.standing, other.earliest_destroy, other.latest_keep,
    )  # fmt: skip


@given(st.lists(CLOCKS, max_size=5), FLOORS, MOMENTS)
def test_one_more_floor_never_lets_anything_go_sooner(clocks: list[Clock], more: Clock, now: datetime) -> None:
    if stands_against(clocks, now) is not None:
        assert stands_against([*clocks, more], now) is not None
    legal = [each for each in clocks if each.origin is not Origin.HOUSE]
    if legal and more.origin is not Origin.HOUSE and assess([*legal, more], Part.MATERIAL, now).due:
        assert assess(legal, Part.MATERIAL, now).due or standing(*legal, now=now) is Standing.UNKNOWN


@given(st.lists(CLOCKS, min_size=1, max_size=6), MOMENTS)
def test_what_is_due_has_no_legal_floor_in_force(clocks: list[Clock], now: datetime) -> None:
    if assess(clocks, Part.MATERIAL, now).due:
        assert stands_against(clocks, now) is None


@given(st.lists(FLOORS, max_size=5), MOMENTS, st.timedeltas(timedelta(0), timedelta(days=9000)))
def test_once_due_always_due_as_time_goes_on(clocks: list[Clock], now: datetime, later: timedelta) -> None:
    if assess(clocks, Part.MATERIAL, now).due:
        assert assess(clocks, Part.MATERIAL, now + later).due


def filed(at: datetime, earliest: datetime | None = None, rules: str = "us-2258a/2", authority: str = "ncmec") -> Filed:
    return Filed("submission 1", authority, tuple(rules.split()), earliest or at, at, "4711")


def ends(clocks: list[Clock], retention: str) -> datetime | None:
    return next(each.ends for each in clocks if each.retention == retention)


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("2027-03-01T10:00:00+00:00", "2028-03-02T10:00:00+00:00"),
        ("2028-02-29T23:30:00+00:00", "2029-03-02T23:30:00+00:00"),  # no 29 February a year later: the day longer
        ("2027-12-31T22:00:00-05:00", "2029-01-02T03:00:00+00:00"),  # already next year in UTC
    ],
)
def test_a_report_is_kept_for_a_calendar_year_and_a_day(at: str, end: str) -> None:
    found = ends(clocks_of(RULES, filed(datetime.fromisoformat(at))), "us-2258a-h")
    assert found == datetime.fromisoformat(end)


@given(MOMENTS, ZONES)
def test_the_zone_in_which_a_moment_is_written_changes_nothing(at: datetime, zone: timezone) -> None:
    one, other = clocks_of(RULES, filed(at)), clocks_of(RULES, filed(at.astimezone(zone)))
    assert [each.ends for each in one] == [each.ends for each in other]


def test_uk_content_and_reference_are_clocks_of_their_own() -> None:
    clocks = clocks_of(RULES, filed(NOW, rules="uk-osa-66/1", authority="nca"))
    assert ends(clocks, "uk-8-1-b") == NOW.replace(year=2028)
    reference = assess(clocks, Part.REFERENCE, NOW)
    assert reference.earliest_destroy == NOW.replace(year=2032)
    assert assess(clocks, Part.MATERIAL, NOW).earliest_destroy == NOW.replace(year=2028)


def test_of_an_unknown_time_floors_take_the_latest_and_caps_the_earliest() -> None:
    clocks = clocks_of(RULES, filed(NOW, NOW - 10 * DAY, rules="ca-mra-3/1", authority="ca-police"))
    assert ends(clocks, "ca-mra-4-floor") == NOW + 21 * DAY
    assert ends(clocks, "ca-mra-4-cap") == NOW + 11 * DAY


def test_canada_and_the_united_states_are_in_conflict() -> None:
    clocks = clocks_of(RULES, filed(NOW)) + clocks_of(RULES, filed(NOW, rules="ca-mra-3/1", authority="ca-police"))
    found = assess(clocks, Part.MATERIAL, NOW)
    assert (found.standing, found.latest_keep) == (Standing.CONFLICT, NOW + 21 * DAY)
    assert stands_against(clocks, NOW + 100 * DAY) is not None, "the floor is never shortened"


def test_a_version_that_is_gone_is_stood_in_for() -> None:
    assert ends(clocks_of(RULES, filed(NOW, rules="us-2258a/77")), "us-2258a-h") is not None
    assert clocks_of(RULES, filed(NOW, rules="")), "nothing was recorded: by whom was told"


def test_an_unverified_cap_only_advises() -> None:
    found = assess([clock(ends=NOW + DAY), clock(Side.CAP, NOW - DAY, verified=False)], Part.MATERIAL, NOW)
    assert (found.latest_keep, found.advised_until) == (None, NOW - DAY)
