"""
A double of the CyberTipline: the whole protocol with its real state, for tests, demonstrations and other clients.

What NCMEC documents or has been recorded doing is done here; what is not known is assumed, and every assumption is
listed in ``docs/reference/sandbox.md``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Literal
from xml.sax.saxutils import escape

from lxml import etree

from adapters._double import Clock, Double, Reply, Request
from adapters._forms import MAX_FIELD, Part, collect, read_form
from adapters.ncmec import sandbox_rules, structure
from adapters.ncmec.sandbox_codes import RefusedError, status_of_code, text_of_code
from adapters.ncmec.sandbox_state import Desk, Report, StoredFile
from adapters.ncmec.tables import COMPLEX_TYPES
from reporter.errors import DocumentError

#: The credentials of the documentation's own examples.
USERNAME, PASSWORD = "usr123", "pswd456"
#: The most a document may hold, in bytes. NCMEC documents no bound.
MAX_DOCUMENT = 16 << 20

_CODE = re.compile(rb"<responseCode>(\d+)</responseCode>")
_REPORT_ID = re.compile(r"\d{1,19}")


class CyberTipline(Double):
    """
    The double. Safe for threads; ``reports``, ``requests`` and ``faults`` are there to be looked at.

    ``expired_code`` is what an expired report answers (the documentation allows both readings), ``forgets_after`` how
    long a closed report is remembered, ``unauthorised`` the body of a 401 (all three kinds have been seen), and
    ``keep_bytes`` the size up to which an upload's content is kept beside its digests.
    """

    base_path = "/ispws"

    def __init__(
        self,
        clock: Clock,
        faults: str = "",
        *,
        username: str = USERNAME,
        password: str = PASSWORD,
        schema: bytes | None = None,
        expired_code: Literal[5001, 5101] = 5001,
        forgets_after: timedelta | None = None,
        unauthorised: Literal["empty", "xml", "html"] = "empty",
        keep_bytes: int = 1 << 20,
    ) -> None:
        super().__init__(clock, faults)
        self._username = username
        self._credentials = base64.b64encode(f"{username}:{password}".encode())
        self._schema = schema or _official_schema() or structure.as_xsd()
        self._additions = any(
            f'name="{child.name}"'.encode() in self._schema
            for kind in COMPLEX_TYPES.values()
            for child in kind.children.values()
            if child.addition
        )
        self._desk = Desk(clock.now, expired_code, forgets_after)
        self._unauthorised = unauthorised
        self._keep_bytes = keep_bytes
        self._calls: dict[str, tuple[str, Callable[[Request], Reply]]] = {
            "status": ("GET", self._status),
            "xsd": ("GET", self._xsd),
            "submit": ("POST", self._submit),
            "upload": ("POST", self._upload),
            "fileinfo": ("POST", self._fileinfo),
            "finish": ("POST", self._finish),
            "retract": ("POST", self._retract),
        }

    @property
    def reports(self) -> dict[str, Report]:
        """Every report by its id, those whose time is up already expired."""
        return self._desk.all()

    def process(self, request: Request) -> Reply:
        """Carry out one call."""
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic" or not hmac.compare_digest(credentials.strip().encode(), self._credentials):
            return self._challenge()
        method, call = self._calls.get(request.endpoint, ("", None))
        try:
            if call is None:
                raise RefusedError(1210)
            if request.method != method:
                raise RefusedError(4000, status=405)
            return call(request)
        except RefusedError as refusal:
            return self._answer(refusal.code, refusal.message, refusal.status)

    def coded(self, code: int, status: int | None) -> Reply:
        """Give the answer for a code, documented or not."""
        return self._answer(code, text_of_code(code), status or status_of_code(code))

    def code_of(self, reply: Reply) -> str:
        """Give the response code of a reply."""
        found = _CODE.search(reply.body[:1024])
        return found[1].decode() if found else ""

    def state(self) -> dict[str, object]:
        """Give ids, states and counts."""
        return {
            "reports": [
                {
                    "id": report.id,
                    "state": report.state.value,
                    "opened_at": report.opened_at.isoformat(),
                    "alive_until": report.alive_until.isoformat(),
                    "files": len(report.files),
                    "file_details": sum(file.details is not None for file in report.files.values()),
                }
                for report in self.reports.values()
            ],
            "requests": len(self.requests),
            "faults": [{"line": fault.text, "fired": fault.fired} for fault in self.faults.faults],
        }

    def _status(self, request: Request) -> Reply:
        return self._answer(0, f"Remote User : {self._username}, Remote Ip : 127.0.0.1")

    def _xsd(self, request: Request) -> Reply:
        return Reply(200, {"Content-Type": "text/xml;charset=UTF-8", "Request-ID": str(uuid.uuid4())}, self._schema)

    def _submit(self, request: Request) -> Reply:
        body, root = self._document(request, "report")
        _require(sandbox_rules.report_violations(root, self.clock.now()))
        report = self._desk.open(body, batched=root.find("batchedReport") is not None)
        return self._answer(0, reportId=report.id)

    def _upload(self, request: Request) -> Reply:
        report_id, file = "", None
        try:
            for part in read_form(request.headers.get("content-type", ""), request.body):
                if part.name == "id":
                    report_id = _field(part)
                elif part.name == "file":
                    file = self._stored(part, corrupt=request.corrupt)
        except DocumentError:
            raise RefusedError(4200) from None
        if not report_id:
            raise RefusedError(4000)
        if file is None:
            raise RefusedError(4200)
        self._desk.add_file(report_id, file)
        return self._answer(0, reportId=report_id, fileId=file.id, hash=file.md5)

    def _fileinfo(self, request: Request) -> Reply:
        body, root = self._document(request, "fileDetails")
        report_id, file_id = ((root.findtext(name) or "").strip() for name in ("reportId", "fileId"))
        batched = self._desk.batched(report_id)
        _require(sandbox_rules.details_violations(root, self.clock.now(), batched=batched))
        self._desk.add_details(report_id, file_id, body)
        return self._answer(0, reportId=report_id)

    def _finish(self, request: Request) -> Reply:
        report = self._desk.finish(_report_id(request))
        files = "".join(f"<fileId>{file_id}</fileId>" for file_id in report.files)
        return self._xml(
            f"<reportDoneResponse><responseCode>0</responseCode><reportId>{report.id}</reportId>"
            f"<files>{files}</files></reportDoneResponse>"
        )

    def _retract(self, request: Request) -> Reply:
        report_id = _report_id(request)
        self._desk.retract(report_id)
        return self._answer(0, reportId=report_id)

    def _document(self, request: Request, name: str) -> tuple[bytes, etree._Element]:
        try:
            body = collect(request.body, MAX_DOCUMENT)
        except DocumentError as error:
            raise RefusedError(4000, error.message, status=413) from None
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        try:
            root = etree.fromstring(body, parser)
        except (etree.XMLSyntaxError, ValueError):
            raise RefusedError(4110) from None
        if root.getroottree().docinfo.doctype:
            raise RefusedError(4110, "a document type declaration is not allowed")
        if root.tag != name:
            raise RefusedError(4100, f"{name}: is expected as the root element")
        _require(structure.violations(root, additions=self._additions))
        return body, root

    def _stored(self, part: Part, *, corrupt: bool) -> StoredFile:
        md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
        size, kept = 0, bytearray()
        for chunk in part.data:
            md5.update(chunk)
            sha256.update(chunk)
            size += len(chunk)
            kept += chunk[: max(self._keep_bytes + 1 - len(kept), 0)]
        if corrupt:
            md5.update(b"!")
            sha256.update(b"!")
        content = bytes(kept) if len(kept) <= self._keep_bytes else None
        return StoredFile(uuid.uuid4().hex, part.file_name, md5.hexdigest(), sha256.hexdigest(), size, content)

    def _challenge(self) -> Reply:
        bodies = {
            "empty": b"",
            "html": b"<html><body><h1>401 Unauthorized</h1></body></html>",
            "xml": self._answer(1000, "Authentication Required").body,  # so recorded in 2016
        }
        headers = {"WWW-Authenticate": 'Basic realm="ESP Web Services"', "Request-ID": str(uuid.uuid4())}
        return Reply(401, headers, bodies[self._unauthorised])

    def _answer(self, code: int, text: str = "Success", status: int = 200, **ids: str) -> Reply:
        known = "".join(f"<{name}>{value}</{name}>" for name, value in ids.items())
        return self._xml(
            f"<reportResponse><responseCode>{code}</responseCode>"
            f"<responseDescription>{escape(text)}</responseDescription>{known}</reportResponse>",
            status,
        )

    def _xml(self, document: str, status: int = 200) -> Reply:
        # The header has been recorded to contradict the declaration; a client that believes it misreads names.
        headers = {"Content-Type": "application/xml;charset=ISO-8859-1", "Request-ID": str(uuid.uuid4())}
        return Reply(status, headers, f'<?xml version="1.0" encoding="UTF-8"?>\n{document}\n'.encode())


def _official_schema() -> bytes | None:
    path = os.environ.get("REPORTER_NCMEC_XSD")
    return Path(path).read_bytes() if path else None


def _require(violations: list[str]) -> None:
    if violations:
        raise RefusedError(4100, *violations)


def _field(part: Part) -> str:
    return collect(part.data, MAX_FIELD).decode("utf-8", "replace").strip()


def _report_id(request: Request) -> str:
    """Read the form of /finish and /retract: an id in the query string is not documented, and does not count."""
    try:
        parts = {part.name: _field(part) for part in read_form(request.headers.get("content-type", ""), request.body)}
    except DocumentError:
        raise RefusedError(4000) from None
    if not _REPORT_ID.fullmatch(parts.get("id", "")):
        raise RefusedError(4000)
    return parts["id"]
