"""The connection to NCMEC: one HTTP call for each step of the plan."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from lxml import etree

from adapters._http import HttpClient, Reply
from adapters._multipart import FileForm, form
from adapters.ncmec import payload
from adapters.ncmec.outcomes import Kind
from adapters.ncmec.responses import Sent, judge
from reporter.authority import Answer, Call
from reporter.errors import AuthorityTroubleError

#: Documentation section 2: the charset is stated, "to ensure correct transmission of non-ASCII characters".
XML = "text/xml; charset=utf-8"
#: The most a schema may hold, in bytes; the one of November 2025 has 120 kB.
MAX_SCHEMA = 8 << 20

_XS = "{http://www.w3.org/2001/XMLSchema}"


class NCMECConnection:
    """Calls to the CyberTipline as one reporter in one environment; may be shared by threads."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._http.close()

    def perform(self, call: Call) -> Answer:
        """Make the call of one step."""
        kind = Kind(call.step.key.partition(":")[0])
        match kind:
            case Kind.OPEN:
                return self._open(call)
            case Kind.UPLOAD:
                return self._upload(call, _item(call))
            case Kind.DETAILS:
                return self._details(call, _item(call))
            case _:
                return self._form(kind, call)

    def probe(self) -> Answer:
        """Ask ``/status`` (section 6.1), which touches no report."""
        reply = self._http.send("GET", "/status")
        return reply if isinstance(reply, Answer) else judge(Kind.STATUS, reply, Sent())

    def fetch_schema(self) -> bytes:
        """
        Fetch ``/xsd`` and make sure that documents can be held against it.

        Raises:
            AuthorityTroubleError: It could not be had, or what came is not the schema of a report.

        """
        reply = self._http.send("GET", "/xsd", limit=MAX_SCHEMA)
        if isinstance(reply, Answer):
            raise AuthorityTroubleError(f"NCMEC's schema could not be fetched: {reply.reason}.")
        if reply.status in (401, 403):
            raise AuthorityTroubleError(
                f"NCMEC refuses our credentials or rights (HTTP {reply.status}).",
                next_step="Check the username, and set the password with `reporter secret set`.",
            )
        if reply.status != 200:
            raise AuthorityTroubleError(f"NCMEC answers HTTP {reply.status} instead of its schema.")
        _require_schema(reply.body)
        return reply.body

    def _open(self, call: Call) -> Answer:
        body = next(document.body for document in call.package.documents if document.item is None)
        return _judged(Kind.OPEN, self._http.send("POST", "/submit", body, XML), Sent())

    def _upload(self, call: Call, item: str) -> Answer:
        file, report_id = call.package.file(item), call.ids["report_id"]
        body = FileForm({"id": report_id}, "file", file, call.open_item, call.heartbeat)
        others = tuple(call.ids[key] for key in call.ids if key.startswith("file_id:") and key != f"file_id:{item}")
        sent = Sent(report_id, md5=file.md5, file_ids=others)
        return _judged(Kind.UPLOAD, self._http.send("POST", "/upload", body), sent, item)

    def _details(self, call: Call, item: str) -> Answer:
        report_id, file_id = call.ids["report_id"], call.ids[f"file_id:{item}"]
        document = next(document for document in call.package.documents if document.item == item)
        body = payload.fill(document.body, report_id, file_id)
        return _judged(Kind.DETAILS, self._http.send("POST", "/fileinfo", body, XML), Sent(report_id, file_id))

    def _form(self, kind: Kind, call: Call) -> Answer:
        report_id = call.ids["report_id"]
        content_type, body = form({"id": report_id})
        file_ids = tuple(call.ids[f"file_id:{file.item}"] for file in call.package.files if kind is Kind.FINISH)
        reply = self._http.send("POST", f"/{kind}", body, content_type)
        return _judged(kind, reply, Sent(report_id, file_ids=file_ids))


def _item(call: Call) -> str:
    return call.step.key.partition(":")[2]


def _judged(kind: Kind, reply: Reply | Answer, sent: Sent, item: str = "") -> Answer:
    return reply if isinstance(reply, Answer) else judge(kind, reply, sent, item)


def _require_schema(schema: bytes) -> None:
    """A schema may not reach for other files or hosts when it is compiled, so it may not include any."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(schema, parser)
        if root.getroottree().docinfo.doctype or any(
            root.find(_XS + name) is not None for name in ("import", "include", "redefine", "override")
        ):
            raise AuthorityTroubleError("What NCMEC sent as its schema refers to other documents; it is not taken.")
        etree.XMLSchema(root)
        names = {element.get("name") for element in root.findall(f"{_XS}element")}
    except (etree.XMLSyntaxError, etree.XMLSchemaParseError, ValueError):
        raise AuthorityTroubleError("What NCMEC sent as its schema is not an XML Schema.") from None
    if "report" not in names:
        raise AuthorityTroubleError("What NCMEC sent as its schema does not describe a report.")
