"""The connection to an endpoint of our own contract (not the NCA's): one HTTP call for each step of the plan."""

from __future__ import annotations

import base64
import uuid
from types import TracebackType
from typing import Self
from urllib.parse import quote

from adapters._http import HttpClient
from adapters._whole import WholeFile
from adapters.nca.outcomes import Kind
from adapters.nca.responses import Sent, judge
from reporter.authority import Answer, Call
from reporter.errors import AuthorityTroubleError

#: The header in which the key goes; that of the NCA's own interface is not known.
KEY_HEADER = "X-Api-Key"
JSON = "application/json"
#: Ours alone: names the keys that are made from the digest of a body.
_KEYS = uuid.UUID("6b7c0a5e-3c0c-5d5a-9a49-3f6a6b1a2f10")


class NCAConnection:
    """Calls as one organisation; may be shared by threads."""

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
            case Kind.FILE:
                return self._file(call)
            case Kind.REPORT:
                return self._report(call)
            case _:
                return self._find(call)

    def probe(self) -> Answer:
        """Ask for the questions put to us, which touches no report; ``/service`` answers without a key."""
        reply = self._http.send("GET", "/information-requests")
        return reply if isinstance(reply, Answer) else judge(Kind.QUESTIONS, reply)

    def fetch_schema(self) -> bytes:
        """
        Refuse: there is none to fetch.

        Raises:
            AuthorityTroubleError: Always; our own contract's schema is built in and in force.
        """
        raise AuthorityTroubleError("Nothing is fetched: the schema of our own contract is built in and in force.")

    def _file(self, call: Call) -> Answer:
        file = call.package.file(call.step.item or "")
        digest = base64.b64encode(bytes.fromhex(file.sha256)).decode()  # RFC 9530 section 2
        reply = self._http.send(
            "PUT",
            f"/files/{file.sha256}",
            WholeFile(file, call.open_item, call.heartbeat),
            headers={"Content-Digest": f"sha-256=:{digest}:"},
        )
        return reply if isinstance(reply, Answer) else judge(Kind.FILE, reply, sha256=file.sha256)

    def _report(self, call: Call) -> Answer:
        sent = Sent.of(call.package)
        key = str(uuid.uuid5(_KEYS, sent.digest))  # the same body is the same report, whoever sends it again
        body = call.package.documents[0].body
        reply = self._http.send("POST", "/reports", body, JSON, headers={"Idempotency-Key": key})
        return reply if isinstance(reply, Answer) else judge(Kind.REPORT, reply, sent)

    def _find(self, call: Call) -> Answer:
        sent = Sent.of(call.package)
        reply = self._http.send("GET", f"/reports?clientReference={quote(sent.client_reference, safe='')}")
        return reply if isinstance(reply, Answer) else judge(Kind.FIND, reply, sent)
