"""
A small authority that does not exist, in three kinds that differ in what a lost answer to its only filing call means.

``REPEAT``: reports carry an idempotency key. ``LOOK_UP``: no key, but reports are found by our reference. ``ASK``:
neither. Files are known by their digest, so an upload may always be repeated.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from adapters._double import Clock, Double, Reply, Request
from adapters._forms import read_form
from adapters._http import HttpClient, as_transport, checked_url
from adapters._http import Reply as Got
from adapters._multipart import FileForm
from reporter.authority import (
    Answer,
    Call,
    Check,
    Document,
    Endpoint,
    Environment,
    Imported,
    Lost,
    Outcome,
    Package,
    PackagedFile,
    Packaging,
    Plan,
    Step,
)
from reporter.cases.model import Case
from reporter.errors import AuthorityTroubleError, ConfigurationError, DocumentError, Finding
from reporter.testing.contract.subject import Held

PINNED = {
    Environment.TEST: "https://test.registry.example/mini",
    Environment.PRODUCTION: "https://registry.example/mini",
}
REPORT, LOOK = "report", Step("look", Lost.REPEAT)


class Registry(Double):
    """The double: takes in files by digest and reports, and may have been told to know keys or to be asked."""

    base_path = "/mini"

    def __init__(
        self, clock: Clock, faults: str = "", *, kind: Lost, username: str = "mini", password: str = "mini"
    ) -> None:
        super().__init__(clock, faults)
        self.kind = kind
        self.files: dict[str, bytes] = {}
        self.reports: list[dict[str, Any]] = []
        self._credentials = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
        self._lock = threading.Lock()

    def process(self, request: Request) -> Reply:
        if request.headers.get("authorization") != self._credentials:
            return Reply(401)
        with self._lock:
            match request.endpoint:
                case "status":
                    return _json(200)
                case "files":
                    return self._file(request)
                case "reports":
                    return self._report(json.loads(b"".join(request.body)))
                case "find" if self.kind is Lost.LOOK_UP:
                    return self._find(b"".join(request.body).decode())
        return _json(404)

    def _file(self, request: Request) -> Reply:
        try:
            (content,) = [b"".join(part.data) for part in read_form(request.headers["content-type"], request.body)]
        except DocumentError:
            return _json(400)
        digest = hashlib.sha256(content + b"!" * request.corrupt).hexdigest()
        self.files[digest] = content
        return _json(200, sha256=digest)

    def _report(self, report: dict[str, Any]) -> Reply:
        known = [each for each in self.reports if each["client_reference"] == report["client_reference"]]
        if self.kind is not Lost.REPEAT or not known:
            if any(file["sha256"] not in self.files for file in report["files"]):
                return _json(422)
            known = [{**report, "reference": f"R-{len(self.reports) + 1}"}]
            self.reports += known
        return _json(201, reference=known[0]["reference"])

    def _find(self, client_reference: str) -> Reply:
        found = [each["reference"] for each in self.reports if each["client_reference"] == client_reference]
        return _json(200, reference=found[0] if found else "")

    def coded(self, code: int, status: int | None) -> Reply:
        return _json(status or code)

    def code_of(self, reply: Reply) -> str:
        return str(reply.status)

    def state(self) -> dict[str, object]:
        return {"reports": len(self.reports), "files": len(self.files)}

    def held(self) -> Iterator[Held]:
        """Give the reports with their files, and the files of no report as one draft."""
        filed = {file["sha256"] for report in self.reports for file in report["files"]}
        for report in self.reports:
            yield Held(report["reference"], True, tuple(self.files[file["sha256"]] for file in report["files"]))
        if loose := tuple(content for digest, content in self.files.items() if digest not in filed):
            yield Held("", False, loose)


class MiniConnection:
    """One HTTP call for each step."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def perform(self, call: Call) -> Answer:
        if call.step.item is not None:
            file = call.package.file(call.step.item)
            answer, said = self._post("/files", FileForm({}, "file", file, call.open_item, call.heartbeat))
            if answer.outcome is Outcome.ACCEPTED and said["sha256"] != file.sha256:
                return _changed(answer, Outcome.MISMATCH)
            return answer
        body = call.package.document(REPORT).body
        if call.step.key == LOOK.key:
            answer, said = self._post("/find", json.loads(body)["client_reference"].encode())
            nowhere = answer.outcome is Outcome.ACCEPTED and not said["reference"]
            return _changed(answer, Outcome.MISSING) if nowhere else answer
        return self._post("/reports", body)[0]

    def probe(self) -> Answer:
        return self._judge(self._http.send("GET", "/status"))[0]

    def fetch_schema(self) -> bytes:
        raise AuthorityTroubleError("The registry publishes no schema.")

    def _post(self, path: str, body: bytes | FileForm) -> tuple[Answer, dict[str, str]]:
        return self._judge(self._http.send("POST", path, body, "application/json"))

    def _judge(self, got: Got | Answer) -> tuple[Answer, dict[str, str]]:
        if isinstance(got, Answer):
            return got, {}
        outcomes = {401: Outcome.UNAUTHORISED, 429: Outcome.RETRYABLE, 422: Outcome.REJECTED}
        outcome, said = outcomes.get(got.status, Outcome.UNKNOWN), {}
        if got.status in (200, 201):
            with contextlib.suppress(ValueError):
                said, outcome = json.loads(got.body), Outcome.ACCEPTED
        answer = Answer(
            outcome,
            code=str(got.status),
            http_status=got.status,
            reference=said.get("reference", ""),
            retry_after=got.retry_after,
            exchange=got.exchange,
        )
        return answer, said


class MiniAdapter:
    """The adapter; ``kind`` is what a lost answer to the report means."""

    name = "mini"
    title = "Registry"
    digests = frozenset({"md5"})
    setting_keys = frozenset[str]()

    def __init__(self, kind: Lost) -> None:
        self.kind = kind

    def endpoint_url(self, environment: Environment, base_url: str | None) -> str:
        if pinned := PINNED.get(environment):
            if base_url not in (None, pinned):
                raise ConfigurationError(f"[authority.mini] base_url: {environment} is {pinned}.")
            return pinned
        url = checked_url(base_url or "http://127.0.0.1:8913/mini")
        if f".{urlsplit(url).hostname or ''}".rstrip(".").endswith(".registry.example"):
            raise ConfigurationError("[authority.mini] base_url is the registry's own service.")
        return url

    def check(self, case: Case, packaging: Packaging) -> Check:
        needs = [
            Finding(f"evidence[{index}].path", "required", "is not sealed yet")
            for index, item in enumerate(case.evidence or ())
            if item.id not in packaging.evidence
        ]
        return Check(tuple(needs))

    def build(self, case: Case, packaging: Packaging) -> Package:
        files = [
            PackagedFile(item.id, item.original_name or item.id, "text/plain", facts.size, facts.md5, facts.sha256)
            for item in case.evidence or ()
            if (facts := packaging.evidence.get(item.id))
        ]
        report = {
            "client_reference": case.reference,
            "occurred_at": case.incident.occurred_at,
            "type": case.incident.type,
            "files": [{"name": file.file_name, "sha256": file.sha256} for file in files],
        }
        document = Document(REPORT, "application/json", json.dumps(report, sort_keys=True).encode())
        urgency = case.incident.urgency
        return Package("mini", (document,), tuple(files), urgency is not None and urgency.level == "immediate")

    def validate(self, package: Package, schema: bytes) -> Sequence[Finding]:
        return ()

    def plan(self, package: Package) -> Plan:
        uploads = [Step(f"file:{file.item}", Lost.REPEAT, file.item) for file in package.files]
        look_up = LOOK if self.kind is Lost.LOOK_UP else None
        return Plan(steps=(*uploads, Step(REPORT, self.kind)), look_up=look_up)

    def connect(self, endpoint: Endpoint, transport: Any = None) -> MiniConnection:
        self.endpoint_url(endpoint.environment, endpoint.base_url)
        return MiniConnection(HttpClient(endpoint, as_transport(transport)))

    def double(self, clock: Clock, faults: str = "", **behaviour: Any) -> Registry:
        return Registry(clock, faults, **{"kind": self.kind, **behaviour})

    def read(self, documents: Sequence[bytes], reference: str, now: datetime, actor: str) -> Imported:
        report = json.loads(documents[0])
        at = now.isoformat().replace("+00:00", "Z")
        document = {
            "case_version": 1,
            "reference": reference,
            "detected_at": at,
            "confirmation": {"decision": "pending", "by": actor, "at": at, "basis": "Imported."},
            "incident": {"type": report["type"], "occurred_at": report["occurred_at"]},
            "evidence": [
                {"id": f"e{number}", "original_name": file["name"]} for number, file in enumerate(report["files"], 1)
            ],
        }
        return Imported(document, {})


def _json(status: int, **content: str) -> Reply:
    return Reply(status, {"Content-Type": "application/json"}, json.dumps(content).encode())


def _changed(answer: Answer, outcome: Outcome) -> Answer:
    return Answer(outcome, code=answer.code, http_status=answer.http_status, exchange=answer.exchange)
