"""
A mock endpoint of OUR OWN CONTRACT, with its real state. It is not the NCA's API, whose specification was not seen.

Its behaviour follows the description in ``docs/authorities/nca.md``. What is known of the NCA's own interface is
copied: an API key, two identifiers in the answer, what 400, 401 and 5xx mean. Receipt numbers begin with MOCK-UK-.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Callable, Container, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import rfc8785

from adapters._double import Clock, Double, Reply, Request
from adapters._forms import collect
from adapters.nca import sandbox_switches
from adapters.nca.hours import within_office_hours
from adapters.nca.outcomes import status_of
from adapters.nca.sandbox_codes import NUMBERS, RETRY_AFTER, RETRYABLE, Problem, RefusedError, violations
from adapters.nca.sandbox_state import Store, StoredFile, stamp
from reporter.errors import DocumentError

#: The organisation and the key of the mock; of no use anywhere else.
USERNAME, PASSWORD = "MOCKORG-01", "mock-key-0001"
#: Bounds of the mock, in bytes.
MAX_BODY, MAX_FILE = 4 << 20, 8 << 30
#: How far a sender's clock may be ahead; a choice of ours.
CLOCK_SKEW = timedelta(minutes=5)

_DIGEST = re.compile(r"[0-9a-f]{64}")
_FILES, _REPORTS, _QUESTIONS = "files", "reports", "questions"


class MockEndpoint(Double):
    """
    The double. Safe for threads; ``store``, ``requests`` and ``faults`` are there to be looked at.

    ``username`` is the registration that the key ``password`` belongs to. ``idempotency`` off: keys are ignored and
    every report is received anew. ``look_up`` off: reports cannot be searched for. ``authorised`` are the e-mail
    addresses of those who may report; by default anybody's. ``switches`` lets clients set the clock and the next
    answers under ``/__mock``. ``keep_bytes`` is the size up to which a file's content is kept beside its digest.
    """

    base_path = "/v0"

    def __init__(
        self,
        clock: Clock,
        faults: str = "",
        *,
        username: str = USERNAME,
        password: str = PASSWORD,
        idempotency: bool = True,
        look_up: bool = True,
        authorised: Container[str] | None = None,
        bank_holidays: Container[date] = (),
        switches: bool = False,
        keep_bytes: int = 1 << 20,
    ) -> None:
        super().__init__(clock, faults)
        self.store = Store()
        self.shift = timedelta(0)
        self._organisation, self._key = username, password.encode()
        self._idempotency, self._look_up, self._authorised = idempotency, look_up, authorised
        self._bank_holidays, self._switches, self._keep_bytes = bank_holidays, switches, keep_bytes
        self._calls: Mapping[tuple[str, str], Callable[[Request], Reply]] = {
            ("PUT", _FILES): self._put_file,
            ("HEAD", _FILES): self._head_file,
            ("POST", _REPORTS): self._post_report,
            ("GET", "find"): self._find,
            ("GET", "receipt"): self._receipt,
            ("GET", _QUESTIONS): self._list_questions,
            ("POST", "answers"): self._answer_question,
        }

    # --- as every double ------------------------------------------------------------------------------------

    def endpoint_of(self, method: str, path: str) -> str:
        """Name a call: files, reports, find, receipt, questions, answers or service."""
        first, _, rest = path.partition("/")
        match first, bool(rest), method:
            case "files", True, _:
                return _FILES
            case "reports", False, "GET":
                return "find"
            case "reports", True, "GET":
                return "receipt"
            case "information-requests", False, _:
                return _QUESTIONS
            case "information-requests", True, _:
                return "answers"
        return path

    def process(self, request: Request) -> Reply:
        """Answer as the contract says."""
        if request.endpoint == "service":
            return self._service()
        try:
            if request.path.startswith("/__mock/") and self._switches:
                return self._json(200, sandbox_switches.turn(self, request))
            if not hmac.compare_digest(request.headers.get("x-api-key", "").encode(), self._key):
                raise RefusedError("unauthenticated")
            call = self._calls.get((request.method, request.endpoint))
            if call is None:
                raise RefusedError("not_found")
            return call(request)
        except RefusedError as refusal:
            return self._problem(refusal.problem)

    def coded(self, code: int, status: int | None) -> Reply:
        """Give the problem that a number of ``sandbox_codes`` stands for."""
        return self._problem(Problem(NUMBERS.get(code, "internal"), status=status))

    def code_of(self, reply: Reply) -> str:
        """Give the problem's code in a reply."""
        if reply.headers.get("Content-Type") != "application/problem+json":
            return ""
        return str(json.loads(reply.body)["code"])

    def state(self) -> dict[str, object]:
        """Give numbers, states and counts."""
        with self.store.lock:
            reports = [
                {
                    "number": report.number,
                    "status": report.receipt["status"],
                    "level": report.receipt["priorityLevel"],
                    "received_at": report.receipt["receivedAt"],
                    "files": len(report.files),
                }
                for report in self.store.reports.values()
            ]
            return {
                "contract": "our own, not the NCA's",
                "reports": reports,
                "files": len(self.store.files),
                "questions": len(self.store.questions),
                "requests": len(self.requests),
                "faults": [{"line": fault.text, "fired": fault.fired} for fault in self.faults.faults],
            }

    def now(self) -> datetime:
        """Give the mock's own time."""
        return self.clock.now() + self.shift

    # --- the calls ------------------------------------------------------------------------------------------

    def _put_file(self, request: Request) -> Reply:
        address = request.path.partition("/")[2]
        if not _DIGEST.fullmatch(address):
            raise RefusedError("malformed")
        digest, size, kept = hashlib.sha256(), 0, bytearray()
        for chunk in request.body:
            digest.update(chunk)
            size += len(chunk)
            if size > MAX_FILE:
                raise RefusedError("too_large")
            kept += chunk[: max(self._keep_bytes + 1 - len(kept), 0)]
        if request.corrupt:
            digest.update(b"!")
        announced = f"sha-256=:{base64.b64encode(bytes.fromhex(address)).decode()}:"
        if digest.hexdigest() != address or request.headers.get("content-digest") != announced:
            raise RefusedError("digest_mismatch")
        content = bytes(kept) if len(kept) <= self._keep_bytes else None
        new = self.store.add_file(StoredFile(address, size, content))
        receipt = {"sha256": address, "sizeBytes": size, "receivedAt": stamp(self.now())}
        return self._json(201 if new else 200, receipt)

    def _head_file(self, request: Request) -> Reply:
        return Reply(200 if request.path.partition("/")[2] in self.store.files else 404)

    def _post_report(self, request: Request) -> Reply:
        canonical, report = self._document(request)
        key, digest = request.headers.get("idempotency-key", ""), hashlib.sha256(canonical).hexdigest()
        with self.store.lock:
            if self._idempotency:
                if not key:
                    raise RefusedError("malformed")
                if known := self.store.keys.get(key):
                    return self._again(*known, digest)
            named = self._require_sound(canonical, report)
            before = self.store.by_reference(report["clientReference"])
            if self._idempotency and before and report["reportType"] == "initial":
                existing = before[0].receipt["referralId"]
                raise RefusedError("duplicate_client_reference", existing=existing)
            received = self.store.receive(report, digest, key, self.now(), named)
        return self._json(201, received.receipt)

    def _again(self, before: str, referral_id: str, digest: str) -> Reply:
        if before != digest:
            raise RefusedError("key_reused")
        return self._json(200, self.store.reports[referral_id].receipt, {"Idempotency-Replayed": "true"})

    def _find(self, request: Request) -> Reply:
        references = parse_qs(request.query).get("clientReference", [])
        if not self._look_up or len(references) != 1:
            raise RefusedError("not_found" if not self._look_up else "malformed")
        with self.store.lock:
            return self._json(200, {"items": [each.receipt for each in self.store.by_reference(references[0])]})

    def _receipt(self, request: Request) -> Reply:
        report = self.store.reports.get(request.path.partition("/")[2])
        if report is None:
            raise RefusedError("not_found")
        return self._json(200, report.receipt)

    def _list_questions(self, _request: Request) -> Reply:
        with self.store.lock:
            return self._json(200, {"items": [question.shown() for question in self.store.questions.values()]})

    def _answer_question(self, request: Request) -> Reply:
        question = self.store.questions.get(request.path.split("/")[1])
        _, answer = self._document(request)
        if question is None or not request.path.endswith("/response"):
            raise RefusedError("not_found")
        if not isinstance(answer.get("text"), str):
            raise RefusedError("validation_failed", ("/text", "required"))
        with self.store.lock:
            if question.answered:
                raise RefusedError("key_reused")
            question.answered = True
        return Reply(201)

    def _service(self) -> Reply:
        open_now = within_office_hours(self.now(), self._bank_holidays)
        return self._json(
            200,
            {
                "environment": "mock",
                "accepting": True,
                "now": stamp(self.now()),
                "withinOfficeHours": open_now,
                "maxFileBytes": MAX_FILE,
                "maxFilesPerReport": 500,
            },
        )

    # --- parts ----------------------------------------------------------------------------------------------

    def _document(self, request: Request) -> tuple[bytes, dict[str, Any]]:
        try:
            body = collect(request.body, MAX_BODY)
        except DocumentError:
            raise RefusedError("too_large") from None
        try:
            read = json.loads(body)
            canonical = rfc8785.dumps(read)
        except (ValueError, RecursionError, rfc8785.CanonicalizationError):
            raise RefusedError("malformed") from None
        if not isinstance(read, dict):
            raise RefusedError("malformed")
        return canonical, read

    def _require_sound(self, canonical: bytes, report: dict[str, Any]) -> list[str]:
        """Hold a report against the schema and what only a server can know; give the digests that it names."""
        if broken := violations(canonical):
            outside = all(pointer.startswith("/territorial") for pointer, _ in broken)
            raise RefusedError("not_uk_linked" if outside else "validation_failed", *broken)
        if report["organisation"]["registrationId"] != self._organisation:
            raise RefusedError("not_registered")
        if self._authorised is not None and report["reporter"]["email"] not in self._authorised:
            raise RefusedError("reporter_not_authorised")
        if report.get("test") is not True:
            raise RefusedError("validation_failed", ("/test", "const"))
        priority = report["priority"]
        open_now = within_office_hours(self.now(), self._bank_holidays)
        if priority["level"] < 3 and not open_now and "outOfHoursCall" not in priority:
            raise RefusedError("validation_failed", ("/priority/outOfHoursCall", "required"))
        if datetime.fromisoformat(report["incident"]["detection"]["detectedAt"]) > self.now() + CLOCK_SKEW:
            raise RefusedError("validation_failed", ("/incident/detection/detectedAt", "future"))
        if "supplements" in report and report["supplements"] not in self.store.reports:
            raise RefusedError("validation_failed", ("/supplements", "unknown"))
        named = _named(report)
        if any(digest not in self.store.files for digest in named):
            raise RefusedError("unknown_file")
        return named

    def _problem(self, problem: Problem) -> Reply:
        headers = {"Content-Type": "application/problem+json", "Request-ID": str(uuid.uuid4())}
        if problem.code in RETRYABLE:
            headers["Retry-After"] = str(RETRY_AFTER)
        return Reply(problem.status or status_of(problem.code), headers, problem.body())

    def _json(self, status: int, content: Any, headers: Mapping[str, str] | None = None) -> Reply:
        described = {"Content-Type": "application/json", "Request-ID": str(uuid.uuid4()), **(headers or {})}
        return Reply(status, described, json.dumps(content).encode())


def _named(report: Mapping[str, Any]) -> list[str]:
    digests = [each["fileSha256"] for each in report["content"] if "fileSha256" in each]
    digests += [digest for user in report["users"] for digest in user.get("identityDocuments", ())]
    return list(dict.fromkeys(digests))
