"""Every response code on every kind of step, through the real client and the double."""

from __future__ import annotations

import pytest

from adapters.ncmec.sandbox import CyberTipline
from reporter.authority import Outcome
from reporter.testing.clock import FakeClock
from tests.unit.ncmec_wire.support import Delivery, connected

ENDPOINTS = {
    "open": "submit",
    "upload:e1": "upload",
    "details:e1": "fileinfo",
    "finish": "finish",
    "retract": "retract",
}
BEFORE: dict[str, tuple[str, ...]] = {
    "open": (),
    "upload:e1": ("open",),
    "details:e1": ("open", "upload:e1"),
    "finish": ("open", "upload:e1", "details:e1"),
    "retract": ("open",),
}
R, U, J, D = Outcome.RETRYABLE, Outcome.UNKNOWN, Outcome.REJECTED, Outcome.UNAUTHORISED
MISSING, GONE, ALREADY, MISMATCH = Outcome.MISSING, Outcome.GONE, Outcome.ALREADY, Outcome.MISMATCH
# code: open, upload, details, finish, retract
EXPECTED = {
    1000: (R, U, U, U, R),
    1100: (R, U, U, U, R),
    1110: (R, U, U, U, R),
    1111: (R, U, U, U, R),
    1210: (R, MISSING, MISSING, MISSING, MISSING),
    1300: (R, U, U, U, R),
    1999: (R, U, U, U, R),
    2000: (D, D, D, D, D),
    2999: (D, D, D, D, D),
    3000: (D, D, D, D, D),
    3100: (D, D, D, D, D),
    3300: (D, D, D, D, D),
    3999: (D, D, D, D, D),
    4000: (J, J, J, J, J),
    4100: (J, J, J, J, J),
    4110: (J, J, J, J, J),
    4200: (J, J, J, J, J),
    4999: (J, J, J, J, J),
    5001: (R, MISSING, MISSING, MISSING, MISSING),
    5002: (R, U, MISMATCH, U, R),
    5101: (R, GONE, GONE, GONE, GONE),
    5102: (R, ALREADY, ALREADY, ALREADY, ALREADY),
    9999: (R, U, U, U, R),
    1: (R, U, U, U, R),
}
CASES = [
    pytest.param(step, code, outcome, id=f"{step}-{code}")
    for code, outcomes in EXPECTED.items()
    for step, outcome in zip(ENDPOINTS, outcomes, strict=True)
]


@pytest.mark.parametrize(("step", "code", "outcome"), CASES)
def test_code_has_its_outcome_on_each_step(step: str, code: int, outcome: Outcome) -> None:
    double = CyberTipline(FakeClock(), f"{ENDPOINTS[step]}:1 code={code}")
    delivery = Delivery(connected(double))
    answer = delivery.run(*BEFORE[step], step)
    assert (answer.outcome, answer.code) == (outcome, str(code))
    assert str(code) in answer.reason or answer.outcome is D
    assert double.faults.unfired == []
    assert bool(answer.discrepancy) == (
        code in (1, 1999, 2999, 3999, 4999, 9999) and answer.http_status not in (401, 403)
    )


@pytest.mark.parametrize("code", [1000, 1100, 4100, 5001, 5102])
@pytest.mark.parametrize("status", [200, 400, 500])
def test_code_decides_whatever_the_http_status(code: int, status: int) -> None:
    double = CyberTipline(FakeClock(), f"finish:1 code={code}/{status}")
    answer = Delivery(connected(double)).run("open", "upload:e1", "details:e1", "finish")
    assert (answer.code, answer.http_status) == (str(code), status)
    assert answer.outcome is EXPECTED[code][3]


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_come_before_any_code(status: int) -> None:
    double = CyberTipline(FakeClock(), f"finish:1 code=1000/{status}")
    answer = Delivery(connected(double)).run("open", "upload:e1", "details:e1", "finish")
    assert answer.outcome is Outcome.UNAUTHORISED


@pytest.mark.parametrize("body", ["empty", "xml", "html"])
def test_wrong_password_is_told_by_every_body_of_a_401(body: str) -> None:
    double = CyberTipline(FakeClock(), unauthorised=body, password="another")
    answer = Delivery(connected(double)).run("open")
    assert (answer.outcome, answer.http_status) == (Outcome.UNAUTHORISED, 401)
    assert double.reports == {}


def test_finish_already_filed_carries_our_report_id() -> None:
    delivery = Delivery(connected(CyberTipline(FakeClock())))
    first = delivery.run(*delivery.all_steps())
    again = delivery.perform("finish")
    assert (again.outcome, again.code) == (Outcome.ALREADY, "5102")
    assert again.reference == first.reference == delivery.ids["report_id"]
