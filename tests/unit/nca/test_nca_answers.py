"""Every answer of the contract has one meaning for each call, and a receipt is believed for what it says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters._http import Reply
from adapters.nca.outcomes import CODES, Kind, outcome_of, status_of
from adapters.nca.responses import Sent, judge
from adapters.nca.sandbox_codes import NUMBERS
from reporter.authority import Exchange, Outcome
from tests.unit.nca.nca_wire import Wire

#: uk.md section 9's table, and what follows from it for a call that files.
REPORT = {
    "malformed": Outcome.REJECTED,
    "validation_failed": Outcome.REJECTED,
    "digest_mismatch": Outcome.REJECTED,
    "unknown_file": Outcome.REJECTED,
    "not_uk_linked": Outcome.REJECTED,
    "too_large": Outcome.REJECTED,
    "key_reused": Outcome.REJECTED,
    "unauthenticated": Outcome.UNAUTHORISED,
    "not_registered": Outcome.UNAUTHORISED,
    "reporter_not_authorised": Outcome.UNAUTHORISED,
    "duplicate_client_reference": Outcome.ALREADY,
    "in_progress": Outcome.UNKNOWN,
    "rate_limited": Outcome.RETRYABLE,
    "internal": Outcome.UNKNOWN,
    "temporarily_unavailable": Outcome.UNKNOWN,
    "not_found": Outcome.UNKNOWN,
}
SENT = Sent.of(Wire.package())


def reply(status: int, body: Any = b"", **headers: str) -> Reply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status, {name.lower(): value for name, value in headers.items()}, content, Exchange(b"", content))


def receipt(**changes: Any) -> dict[str, Any]:
    return {
        "referralId": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
        "referralFriendlyId": "MOCK-UK-000001",
        "environment": "mock",
        "clientReference": SENT.client_reference,
        "receivedAt": "2026-11-22T12:00:00Z",
        "priorityLevel": SENT.level,
        "bodySha256": SENT.digest,
        "files": [],
        "status": "received",
        **changes,
    }


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_its_outcome_for_a_report(code: str) -> None:
    answer = judge(Kind.REPORT, reply(status_of(code), {"code": code, "status": status_of(code)}), SENT)
    assert (answer.outcome, answer.code) == (REPORT[code], code)


@pytest.mark.parametrize("number", NUMBERS)
def test_the_mock_gives_every_code_and_the_client_reads_it(number: int) -> None:
    wire = Wire(f"reports:1 code={number}")
    answer = wire.perform("report")
    assert (answer.code, answer.outcome) == (NUMBERS[number], REPORT[NUMBERS[number]])
    assert answer.request_id


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, Outcome.UNKNOWN),
        (401, Outcome.UNAUTHORISED),
        (403, Outcome.UNAUTHORISED),
        (404, Outcome.UNKNOWN),
        (409, Outcome.UNKNOWN),
        (413, Outcome.REJECTED),
        (429, Outcome.RETRYABLE),
        (500, Outcome.UNKNOWN),
        (302, Outcome.UNKNOWN),
        (204, Outcome.UNKNOWN),
    ],
)
def test_a_status_without_a_readable_problem_counts_for_what_it_alone_says(status: int, outcome: Outcome) -> None:
    for body in (b"", b"<html>", {"code": "of nobody"}, [1]):
        assert judge(Kind.REPORT, reply(status, body), SENT).outcome is outcome


def test_a_code_on_another_status_is_not_believed() -> None:
    assert judge(Kind.REPORT, reply(500, {"code": "validation_failed"}), SENT).outcome is Outcome.UNKNOWN
    assert judge(Kind.REPORT, reply(401, {"code": "malformed"}), SENT).outcome is Outcome.UNAUTHORISED


def test_no_answer_to_a_look_up_says_that_a_report_is_there_or_not_there_but_the_list() -> None:
    assert {outcome_of(code, Kind.FIND) for code in (*CODES, "")} == {Outcome.RETRYABLE, Outcome.UNAUTHORISED}


def test_a_receipt_that_agrees_is_the_evidence_of_reporting() -> None:
    answer = judge(Kind.REPORT, reply(201, receipt()), SENT)
    assert (answer.outcome, answer.reference, answer.discrepancy) == (Outcome.ACCEPTED, "MOCK-UK-000001", "")
    assert answer.ids == {"referral_id": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"}
    assert answer.exchange is not None
    assert json.loads(answer.exchange.response) == receipt()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bodySha256": "0" * 64}, "another body"),
        ({"files": [{"sha256": "0" * 64, "sizeBytes": 1}]}, "files"),
        ({"files": None}, ""),
        ({"environment": "production"}, "environment"),
        ({"clientReference": "OTHER-0001"}, "our reference"),
        ({"priorityLevel": 1}, "level"),
    ],
)
def test_a_receipt_for_something_else_is_filed_and_shown(changes: dict[str, Any], words: str) -> None:
    answer = judge(Kind.REPORT, reply(201, receipt(**changes)), SENT)
    assert answer.outcome is Outcome.ACCEPTED
    assert words in answer.discrepancy
    assert bool(answer.discrepancy) is bool(words)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", [], {}, receipt(referralFriendlyId="SR-CSEAIRP-1257"), receipt(referralId="no id")]
)
def test_an_acceptance_without_a_receipt_of_this_contract_is_not_believed(body: Any) -> None:
    assert judge(Kind.REPORT, reply(201, body), SENT).outcome is Outcome.UNKNOWN


def test_what_a_look_up_finds_is_held_against_what_was_sent() -> None:
    def found(*items: dict[str, Any]) -> Any:
        return judge(Kind.FIND, reply(200, {"items": list(items)}), SENT)

    assert found().outcome is Outcome.MISSING
    assert (found(receipt()).outcome, found(receipt()).discrepancy) == (Outcome.ACCEPTED, "")
    assert "another body" in found(receipt(bodySha256="0" * 64)).discrepancy
    twice = found(receipt(bodySha256="0" * 64, referralFriendlyId="MOCK-UK-000007"), receipt())
    assert twice.discrepancy == "the authority holds 2 reports under our reference"
    assert twice.reference == "MOCK-UK-000001"
    assert judge(Kind.FIND, reply(200, {"items": [{}]}), SENT).outcome is Outcome.RETRYABLE


def test_a_duplicate_names_the_report_that_is_there() -> None:
    said = {"code": "duplicate_client_reference", "existingReferralId": receipt()["referralId"]}
    answer = judge(Kind.REPORT, reply(409, said), SENT)
    assert (answer.outcome, answer.reference) == (Outcome.ALREADY, receipt()["referralId"])
    said["existingReferralId"] = "SECRET"
    assert judge(Kind.REPORT, reply(409, said), SENT).reference == ""


def test_a_reason_holds_names_of_the_contract_alone() -> None:
    errors = [
        {"pointer": "/incident/summary", "rule": "maxLength"},
        {"pointer": "/users/0/SECRET", "rule": "format"},
        {"pointer": "/users/0/emails", "rule": "a SECRET rule"},
        "SECRET",
    ]
    said = {"code": "validation_failed", "title": "SECRET", "detail": "SECRET", "errors": errors}
    reason = judge(Kind.REPORT, reply(422, said), SENT).reason
    assert "/incident/summary maxLength; /users/0/emails" in reason
    assert "SECRET" not in reason


def test_a_file_that_arrived_changed_is_told() -> None:
    body = {"sha256": "1" * 64, "sizeBytes": 1}
    assert judge(Kind.FILE, reply(201, body), sha256="1" * 64).outcome is Outcome.ACCEPTED
    assert judge(Kind.FILE, reply(200, body), sha256="0" * 64).outcome is Outcome.MISMATCH
    assert judge(Kind.FILE, reply(201, {}), sha256="0" * 64).outcome is Outcome.UNKNOWN


def test_waiting_is_as_long_as_the_authority_asks() -> None:
    answer = judge(Kind.REPORT, reply(429, **{"Retry-After": "90"}), SENT)
    assert answer.retry_after is not None
    assert answer.retry_after.total_seconds() == 90
