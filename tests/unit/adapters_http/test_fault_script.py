"""Fault scripts: how lines are read, and on which requests they fall."""

from __future__ import annotations

import pytest

from adapters._faults import FaultScript, Kind
from reporter.errors import UsageError


def hits(line: str, *endpoints: str) -> list[int]:
    script = FaultScript(line)
    return [number for number, endpoint in enumerate(endpoints, 1) if script.take(endpoint)]


def test_which_requests_a_line_falls_on() -> None:
    calls = ["submit", "finish", "finish", "submit", "finish", "finish"]
    assert hits("finish drop_after", *calls) == [2, 3, 5, 6]
    assert hits("finish:1 drop_after", *calls) == [2]
    assert hits("finish:2+ drop_after", *calls) == [3, 5, 6]
    assert hits("finish:2-3 drop_after", *calls) == [3, 5]
    assert hits("*:4 drop_after", *calls) == [4]
    assert hits("* delay=0.05", *calls) == [1, 2, 3, 4, 5, 6]
    assert hits("upload:1 refuse", *calls) == []


def test_added_lines_count_from_then_on_and_say_whether_they_fired() -> None:
    script = FaultScript("""
    # trouble on the way in
    submit:1 refuse   # once
    """)
    assert [fault.kind for fault in script.take("submit")] == [Kind.REFUSE]
    script.add("submit:1 html\nfinish:1 drop_after")
    assert [fault.kind for fault in script.take("submit")] == [Kind.HTML]
    assert script.take("submit") == []
    assert script.unfired == ["finish:1 drop_after"]


def test_values() -> None:
    [delay, code, status, throttle] = FaultScript(
        "a delay=2.5\na code=5001/404\na status=500 processed\na throttle"
    ).take("a")
    assert (delay.value, code.value, code.status) == (2.5, 5001, 404)
    assert (status.value, status.processed, throttle.value) == (500, True, 30)


@pytest.mark.parametrize(
    "line",
    [
        "finish",
        "finish:0x drop_after",
        "finish explode",
        "finish:1 code",
        "finish:1 drop_after processed",
        "finish:1 delay=-1",
        "finish:1 delay=1 extra",
        "FINISH drop_after",
        "finish:2-1 drop_after",
        "finish:0 drop_after",
        "finish:1 status=99",
        "finish:1 html=1000",
    ],
)
def test_line_that_means_nothing_is_refused_by_its_number(line: str) -> None:
    with pytest.raises(UsageError, match="Line 2"):
        FaultScript(f"finish drop_after\n{line}")
