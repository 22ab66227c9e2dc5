"""Office hours by the office's own wall clock: through summer time, at their edges, and at any moment."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.rules.calendar import OfficeHours
from reporter.rules.reading import shipped

LONDON = ZoneInfo("Europe/London")
ASKED = next(rule.telephone for rule in shipped() if rule.telephone)
NCA = OfficeHours.of(ASKED)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
INSTANT = timedelta(microseconds=1)


def test_the_ncas_office_is_open_on_weekdays_from_seven_until_five() -> None:
    assert (NCA.zone, NCA.weekdays, NCA.opens, NCA.closes) == ("Europe/London", {0, 1, 2, 3, 4}, time(7), time(17))


@pytest.mark.parametrize(
    ("moment", "opened"),
    [
        ("2026-11-23T06:59:59.999999+00:00", False),
        ("2026-11-23T07:00:00+00:00", True),
        ("2026-11-23T16:59:59.999999+00:00", True),
        ("2026-11-23T17:00:00+00:00", False),
        ("2026-11-22T12:00:00+00:00", False),  # Sunday
        ("2026-07-01T06:00:00+00:00", True),  # 07:00 in summer
        ("2026-07-01T16:00:00+00:00", False),  # 17:00 in summer
        ("2026-03-27T06:30:00+00:00", False),  # the Friday before the clocks go forward
        ("2026-03-30T06:30:00+00:00", True),  # the Monday after
        ("2026-10-23T06:30:00+00:00", True),  # the Friday before they go back
        ("2026-10-26T06:30:00+00:00", False),  # the Monday after
    ],
)
def test_the_edges(moment: str, opened: bool) -> None:
    assert NCA.open_at(datetime.fromisoformat(moment)) is opened


@given(MOMENTS)
def test_the_first_closed_moment_is_closed_and_all_before_it_are_open(moment: datetime) -> None:
    closed = NCA.closed_from(moment)
    assert closed >= moment
    assert not NCA.open_at(closed)
    assert (closed == moment) is not NCA.open_at(moment)
    if closed > moment:
        assert NCA.open_at(closed - INSTANT)
        assert closed.astimezone(LONDON).time() == time(17)
        assert closed - moment <= timedelta(hours=10)


@given(MOMENTS, st.integers(-12, 14))
def test_the_zone_in_which_a_moment_is_written_changes_nothing(moment: datetime, offset: int) -> None:
    elsewhere = moment.astimezone(ZoneInfo(f"Etc/GMT{-offset:+d}"))
    assert NCA.open_at(elsewhere) is NCA.open_at(moment)
    assert NCA.closed_from(elsewhere) == NCA.closed_from(moment)
    assert NCA.closed_from(elsewhere).tzinfo is UTC
