"""The mock keeps the contract: keys, look-ups, hours, links, files, and its switches."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from adapters.nca.hours import within_office_hours
from adapters.nca.sandbox import PASSWORD, MockEndpoint
from reporter.authority import Call, Outcome
from reporter.errors import ConfigurationError
from reporter.sandbox.server import serve
from reporter.testing.bench import chunks
from reporter.testing.clock import FakeClock
from tests.contract.nca_subject import CHANGES
from tests.unit.nca.nca_wire import ADAPTER, Wire


class Client:
    """Another client than ours."""

    def __init__(self, mock: MockEndpoint) -> None:
        self.mock = mock
        self._http = httpx.Client(transport=mock.transport(), base_url="http://127.0.0.1:8900")

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        return self._http.request(method, path, content=content, headers={"X-Api-Key": PASSWORD, **headers})

    def report(self, body: dict[str, Any], key: str = "k1") -> httpx.Response:
        return self.call("POST", "/v0/reports", body, **{"Idempotency-Key": key})


@pytest.fixture
def wire() -> Wire:
    return Wire(switches=True)


@pytest.fixture
def client(wire: Wire) -> Client:
    return Client(wire.mock)


def body(**changes: Any) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(Wire.package(**changes).documents[0].body)
    return read


def test_the_same_key_and_body_get_the_first_receipt_again(client: Client) -> None:
    first, again = client.report(body()), client.report(body())
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.json() == again.json()


def test_white_space_and_order_make_no_other_body(client: Client) -> None:
    first = client.report(body())
    turned = json.dumps(dict(reversed(body().items())), indent=2).encode()
    again = client.call("POST", "/v0/reports", turned, **{"Idempotency-Key": "k1"})
    assert again.json() == first.json()


def test_the_same_key_with_another_body_is_refused(client: Client) -> None:
    client.report(body())
    assert client.report(body(reference="TEST-000002")).json()["code"] == "key_reused"


def test_the_same_case_under_another_key_is_refused_and_names_the_report(client: Client) -> None:
    first = client.report(body()).json()
    second = client.report(body(), key="k2")
    assert (second.status_code, second.json()["code"]) == (409, "duplicate_client_reference")
    assert second.json()["existingReferralId"] == first["referralId"]


def test_without_keys_every_report_is_received_anew() -> None:
    client = Client(Wire(idempotency=False).mock)
    assert [client.report(body()).status_code for _ in range(2)] == [201, 201]
    assert len(client.mock.store.reports) == 2


def test_a_report_is_found_by_our_reference_or_not_at_all(client: Client) -> None:
    receipt = client.report(body()).json()
    assert client.call("GET", "/v0/reports?clientReference=TEST-000001").json() == {"items": [receipt]}
    assert client.call("GET", "/v0/reports?clientReference=OTHER-00001").json() == {"items": []}
    assert client.call("GET", f"/v0/reports/{receipt['referralId']}").json() == receipt
    assert Client(Wire(look_up=False).mock).call("GET", "/v0/reports?clientReference=x").status_code == 404


def test_a_receipt_says_what_arrived_and_for_how_long_it_is_to_be_kept(client: Client) -> None:
    client.mock.clock.advance_to(datetime(2028, 2, 29, 12, tzinfo=UTC))
    receipt = client.report(body()).json()
    assert receipt["environment"] == "mock"
    assert receipt["referralFriendlyId"] == "MOCK-UK-000001"
    assert receipt["retention"] == {"referenceUntil": "2033-03-01", "evidenceUntil": "2029-03-01"}


@pytest.mark.parametrize(
    ("changes", "status", "code", "pointer"),
    [
        ({"territorial": {"providerType": "non_uk"}}, 422, "not_uk_linked", "/territorial/ukLinks"),
        ({"unknown": "SECRET"}, 422, "validation_failed", ""),
        ({"test": False}, 422, "validation_failed", "/test"),
        ({"organisation": {"registrationId": "OTHER", "legalName": "x"}}, 403, "not_registered", None),
        ({"reportType": "supplementary"}, 422, "validation_failed", "/supplements"),
        (
            {"reportType": "supplementary", "supplements": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"},
            422, "validation_failed", "/supplements",
        ),
    ],
)  # fmt: skip
def test_what_breaks_the_contract_is_refused_by_pointer_and_repeats_no_value(
    client: Client, changes: dict[str, Any], status: int, code: str, pointer: str | None
) -> None:
    answer = client.report({**body(), **changes})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert [error["pointer"] for error in answer.json().get("errors", [])] == ([] if pointer is None else [pointer])
    assert "SECRET" not in answer.text
    assert client.mock.store.reports == {}


def test_a_file_that_is_not_held_is_refused(client: Client) -> None:
    assert client.report(body(files={"e1": b"harmless"})).json()["code"] == "unknown_file"


def test_a_file_is_known_by_its_digest(client: Client) -> None:
    digest = "ffd3af8fd19d1aea2ba8c9f0b52d8ca0b5c0f2c0f3d0f1d5b3d8b8b1b8f1a111"
    assert client.call("PUT", f"/v0/files/{digest}", b"harmless").json()["code"] == "digest_mismatch"
    assert client.call("PUT", "/v0/files/no-digest", b"harmless").json()["code"] == "malformed"
    assert client.call("HEAD", f"/v0/files/{digest}").status_code == 404


def test_urgent_reports_out_of_hours_need_the_call_to_be_acknowledged(client: Client) -> None:
    urgency = {"level": "immediate", "reason": "SYNTHETIC"}
    urgent = body(incident={**CHANGES["incident"], "urgency": urgency})
    assert client.report(urgent, key="k1").status_code == 201  # a Sunday; ours acknowledges the call
    quiet = body(reference="TEST-000002", incident={**CHANGES["incident"], "urgency": urgency})
    del quiet["priority"]["outOfHoursCall"]
    assert client.report(quiet, key="k2").json()["errors"] == [
        {"pointer": "/priority/outOfHoursCall", "rule": "required"}
    ]
    client.call("POST", "/__mock/clock", {"now": "2026-11-23T10:00:00Z"})
    assert client.report(quiet, key="k2").status_code == 201


@pytest.mark.parametrize(
    ("moment", "open_now"),
    [
        ("2026-11-23T06:59:59+00:00", False),
        ("2026-11-23T07:00:00+00:00", True),
        ("2026-11-23T17:00:00+00:00", False),
        ("2026-07-06T06:00:00+00:00", True),  # summer time
        ("2026-11-22T12:00:00+00:00", False),
    ],
)
def test_office_hours_are_those_of_london(moment: str, *, open_now: bool) -> None:
    assert within_office_hours(datetime.fromisoformat(moment)) is open_now


def test_a_bank_holiday_is_closed() -> None:
    monday = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert not within_office_hours(monday, {monday.date()})


def test_only_people_who_are_authorised_report() -> None:
    client = Client(Wire(authorised={"other@forum.example"}).mock)
    assert client.report(body()).json()["code"] == "reporter_not_authorised"


def test_a_report_of_tomorrow_is_refused(client: Client) -> None:
    client.call("POST", "/__mock/clock", {"now": "2026-11-01T00:00:00Z"})
    assert client.report(body()).json()["errors"] == [{"pointer": "/incident/detection/detectedAt", "rule": "future"}]


def test_a_question_is_due_in_seven_days_and_answered_once(client: Client) -> None:
    receipt = client.report(body()).json()
    client.call("POST", "/__mock/question", {"referralId": receipt["referralId"], "text": "SYNTHETIC?"})
    (question,) = client.call("GET", "/v0/information-requests").json()["items"]
    assert (question["askedAt"][:10], question["dueBy"][:10]) == ("2026-11-22", "2026-11-29")
    path = f"/v0/information-requests/{question['requestId']}/response"
    assert client.call("POST", path, {"text": "SYNTHETIC."}).status_code == 201
    assert client.call("POST", path, {"text": "SYNTHETIC."}).status_code == 409
    assert client.call("GET", "/v0/information-requests").json()["items"][0]["status"] == "answered"


@pytest.mark.parametrize("answer", ["400", "401", "409", "429", "500", "503"])
def test_the_next_answer_can_be_chosen(client: Client, answer: str) -> None:
    client.call("POST", "/__mock/next", {"answer": answer})
    assert [client.report(body()).status_code for _ in range(2)] == [int(answer), 201]


def test_a_report_can_be_stored_and_its_answer_lost(client: Client) -> None:
    client.call("POST", "/__mock/next", {"answer": "stored_but_answer_lost"})
    with pytest.raises(httpx.RemoteProtocolError):
        client.report(body())
    assert len(client.call("GET", "/__mock/reports").json()["items"]) == 1
    client.call("DELETE", "/__mock/all")
    assert client.call("GET", "/__mock/reports").json()["items"] == []


def test_the_switches_are_off_unless_asked_for() -> None:
    client = Client(Wire().mock)
    assert client.call("POST", "/__mock/next", {"answer": "503"}).status_code == 404


def test_a_wrong_key_is_told_and_the_service_needs_none(client: Client) -> None:
    assert client.call("POST", "/v0/reports", {}, **{"X-Api-Key": "another"}).json()["code"] == "unauthenticated"
    assert client.call("GET", "/v0/service", **{"X-Api-Key": ""}).json()["withinOfficeHours"] is False


def test_what_is_shown_of_the_state_holds_no_content(client: Client) -> None:
    client.report(body())
    shown = json.dumps(client.mock.state())
    assert "MOCK-UK-000001" in shown
    assert "SYNTHETIC" not in shown


def test_over_real_http_a_report_arrives_whole() -> None:
    wire = Wire()
    content = b"harmless" * 40_000
    package = wire.package(files={"e1": content})
    plan = ADAPTER.plan(package)
    with (
        serve(ADAPTER.double(FakeClock())) as server,
        wire.connect(server.url, httpx.HTTPTransport()) as connection,
    ):
        calls = [Call(step, package, {}, lambda _item: chunks(content)) for step in (*plan.steps, plan.final)]
        answers = [connection.perform(call) for call in calls]
        assert connection.probe().outcome is Outcome.ACCEPTED
    assert [answer.outcome for answer in answers] == [Outcome.ACCEPTED] * 3
    assert [answer.reference for answer in answers] == ["", "MOCK-UK-000001", "MOCK-UK-000001"]
    assert [answer.http_status for answer in answers] == [201, 201, 200]
    assert {answer.discrepancy for answer in answers} == {""}


@pytest.mark.parametrize("key", ["with\nbreak", "with é"])
def test_a_key_that_no_header_can_carry_is_refused(key: str) -> None:
    with pytest.raises(ConfigurationError, match="no header can carry"):
        Wire().connect(key=key)


def test_the_header_with_the_key_is_never_kept() -> None:
    wire = Wire()
    answer = wire.perform("report")
    assert answer.exchange is not None
    assert b"x-api-key" not in answer.exchange.request.lower()
    assert PASSWORD.encode() not in answer.exchange.request
