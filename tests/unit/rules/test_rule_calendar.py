"""Calendar arithmetic: leap years, ends of months, zones, and renewals that never shorten."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.rules.calendar import OfficeHours, add, cap_ends, floor_ends, renewed
from reporter.rules.model import Length

YEAR, DAY = Length(years=1), Length(days=1)
DAYLONG = timedelta(days=1)
Date = tuple[int, int, int]
_moments = st.integers(0, 36_524 * 86_400).map(
    lambda seconds: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
_lengths = st.builds(
    Length,
    years=st.integers(0, 10),
    months=st.integers(0, 30),
    days=st.integers(0, 400),
    hours=st.integers(1, 100),
)


@pytest.mark.parametrize(
    ("start", "floor", "cap"),
    [
        ((2026, 11, 23), (2027, 11, 23), (2027, 11, 23)),
        ((2024, 2, 29), (2025, 3, 1), (2025, 2, 28)),
        ((2027, 2, 28), (2028, 2, 28), (2028, 2, 28)),
    ],
)
def test_a_year_is_the_calendars(start: Date, floor: Date, cap: Date) -> None:
    assert floor_ends(datetime(*start, 9, tzinfo=UTC), YEAR) == datetime(*floor, 9, tzinfo=UTC)
    assert cap_ends(datetime(*start, 9, tzinfo=UTC), YEAR) == datetime(*cap, 9, tzinfo=UTC)


def test_a_month_ends_with_its_last_day() -> None:
    start = datetime(2026, 8, 31, tzinfo=UTC)
    assert cap_ends(start, Length(months=6)) == datetime(2027, 2, 28, tzinfo=UTC)
    assert floor_ends(start, Length(months=6)) == datetime(2027, 3, 1, tzinfo=UTC)


def test_the_zone_in_which_a_moment_is_written_changes_nothing() -> None:
    here = datetime(2026, 3, 1, 1, tzinfo=timezone(timedelta(hours=3)))
    assert floor_ends(here, YEAR) == floor_ends(here.astimezone(UTC), YEAR)
    assert floor_ends(here, YEAR) == datetime(2027, 2, 28, 22, tzinfo=UTC)


def test_a_moment_without_a_zone_starts_nothing() -> None:
    with pytest.raises(ValueError, match="zone"):
        add(datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None), YEAR, late=True)


def test_a_clock_does_not_wrap_round_the_calendar() -> None:
    with pytest.raises(OverflowError):
        add(datetime(9999, 6, 1, tzinfo=UTC), YEAR, late=True)


@given(_moments, _lengths)
def test_a_cap_never_ends_after_the_floor_of_its_length(start: datetime, length: Length) -> None:
    assert start < cap_ends(start, length) <= floor_ends(start, length) <= cap_ends(start, length) + DAYLONG


@given(_moments, _moments, _lengths)
def test_what_starts_later_never_ends_sooner(one: datetime, other: datetime, length: Length) -> None:
    earlier, later = sorted((one, other))
    assert floor_ends(earlier, length) <= floor_ends(later, length)
    assert cap_ends(earlier, length) <= cap_ends(later, length)


@given(_moments)
def test_a_year_is_never_shorter_than_365_days(start: datetime) -> None:
    assert floor_ends(start, YEAR) - start >= timedelta(days=365)
    assert floor_ends(start, YEAR, DAY) - floor_ends(start, YEAR) == DAYLONG


@given(_moments, st.lists(st.integers(0, 500), max_size=5))
def test_renewals_never_shorten_and_their_order_of_telling_is_nothing(start: datetime, days: list[int]) -> None:
    letter = Length(days=90)
    renewals = [(start + timedelta(days=each), letter) for each in days]
    end = renewed(start, letter, renewals)
    assert end == renewed(start, letter, reversed(renewals))
    assert end >= floor_ends(start, letter)
    for number in range(len(renewals)):
        assert end >= renewed(start, letter, renewals[:number])
        assert end >= renewals[number][0] + timedelta(days=90)


def test_a_renewal_in_time_is_added_and_a_late_one_counts_from_its_receipt() -> None:
    start, letter = datetime(2026, 1, 1, tzinfo=UTC), Length(days=90)
    assert renewed(start, letter, [(start + timedelta(days=80), letter)]) == start + timedelta(days=180)
    assert renewed(start, letter, [(start + timedelta(days=100), letter)]) == start + timedelta(days=190)


def test_office_hours_follow_the_wall_clock_of_their_zone() -> None:
    nca = OfficeHours("Europe/London", frozenset(range(5)), time(7), time(17))
    assert nca.open_at(datetime(2026, 7, 1, 6, 0, tzinfo=UTC))  # 07:00 in summer
    assert not nca.open_at(datetime(2026, 12, 1, 6, 59, tzinfo=UTC))
    assert nca.open_at(datetime(2026, 12, 1, 7, 0, tzinfo=UTC))
    assert not nca.open_at(datetime(2026, 7, 1, 16, 0, tzinfo=UTC))  # 17:00 in summer
    assert not nca.open_at(datetime(2026, 11, 21, 12, 0, tzinfo=UTC))  # a Saturday
    assert nca.open_at(datetime(2026, 3, 30, 6, 30, tzinfo=UTC))  # the Monday after the clocks went forward


def test_a_length_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than nothing"):
        Length()
