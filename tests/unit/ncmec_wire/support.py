"""A small case as it is packaged for the CyberTipline, and the means to send it to the double."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import SecretStr

from adapters.ncmec.adapter import NCMECAdapter
from adapters.ncmec.client import NCMECConnection
from adapters.ncmec.sandbox import CyberTipline
from reporter.authority import Answer, Call, Document, Endpoint, Environment, Package, PackagedFile, Step

REPORT = """<?xml version="1.0" encoding="UTF-8"?>
<report>
  <incidentSummary>
    <incidentType>Child Pornography (possession, manufacture, and distribution)</incidentType>
    <incidentDateTime>2026-10-15T08:00:00-07:00</incidentDateTime>
  </incidentSummary>
  <internetDetails><webPageIncident><url>https://forum.example/p/1</url></webPageIncident></internetDetails>
  <reporter><reportingPerson>
    <firstName>Ånna</firstName><lastName>Example</lastName><email>anna@forum.example</email>
  </reportingPerson></reporter>
</report>""".encode()

BATCHED = b"""<report>
  <batchedReport reason="VIRAL_POTENTIAL_MEME"/>
  <incidentSummary>
    <incidentType>Child Pornography (possession, manufacture, and distribution)</incidentType>
    <incidentDateTime>2026-10-15T08:00:00Z</incidentDateTime>
  </incidentSummary>
  <reporter><reportingPerson><email>anna@forum.example</email></reportingPerson></reporter>
  <personOrUserReported><espIdentifier>u1</espIdentifier></personOrUserReported>
  <personOrUserReported><espIdentifier>u2</espIdentifier></personOrUserReported>
</report>"""

IDS = b"""<?xml version="1.0" encoding="UTF-8"?>
<fileDetails><reportId>{{report_id}}</reportId><fileId>{{file_id}}</fileId>"""

DETAILS = (
    IDS
    + b"""<originalFileName>harmless.bin</originalFileName>
  <ipCaptureEvent>
    <ipAddress>192.0.2.7</ipAddress><eventName>Upload</eventName><dateTime>2026-10-15T08:00:00Z</dateTime>
  </ipCaptureEvent></fileDetails>"""
)

BATCHED_DETAILS = IDS + b"<fileAnnotations><viral/></fileAnnotations></fileDetails>"


def packaged(item: str, content: bytes, name: str = "harmless.bin") -> PackagedFile:
    """Describe a file as a package does."""
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    sha256 = hashlib.sha256(content).hexdigest()
    return PackagedFile(item, name, "application/octet-stream", len(content), md5, sha256)


class Delivery:
    """Performs steps as the engine does: ids learnt by one call are there for the next."""

    def __init__(
        self,
        connection: NCMECConnection,
        contents: dict[str, bytes] | None = None,
        report: bytes = REPORT,
        details: bytes = DETAILS,
        files: Iterable[PackagedFile] = (),
    ) -> None:
        self.contents = {"e1": b"harmless bytes"} if contents is None else contents
        self.connection = connection
        self.ids: dict[str, str] = {}
        self.beats = 0
        files = tuple(files) or tuple(packaged(item, content) for item, content in self.contents.items())
        documents = [Document("report.xml", "text/xml", report)]
        documents += [Document(f"{file.item}.xml", "text/xml", details, file.item) for file in files]
        self.package = Package("ncmec", tuple(documents), files)

    def perform(self, key: str) -> Answer:
        """Perform one step."""
        step = next(
            (each for each in NCMECAdapter().plan(self.package).steps if each.key == key),
            NCMECAdapter().plan(self.package).abandon,
        )
        assert isinstance(step, Step)
        answer = self.connection.perform(Call(step, self.package, dict(self.ids), self.open_item, self._beat))
        self.ids.update(answer.ids)
        return answer

    def run(self, *keys: str) -> Answer:
        """Perform steps of which all but the last must be accepted."""
        for key in keys[:-1]:
            answer = self.perform(key)
            assert answer.outcome == "accepted", (key, answer)
        return self.perform(keys[-1])

    def all_steps(self) -> list[str]:
        """Give the keys of the plan."""
        return [step.key for step in NCMECAdapter().plan(self.package).steps]

    def open_item(self, item: str) -> Iterator[bytes]:
        """Give an item's bytes in small chunks."""
        content = self.contents[item]
        return (content[at : at + 1024] for at in range(0, len(content), 1024))

    def _beat(self) -> None:
        self.beats += 1


def endpoint(url: str = "http://127.0.0.1:8911/ispws", **changes: Any) -> Endpoint:
    """Describe the sandbox, with the double's own credentials."""
    settings = {"username": "usr123", "password": SecretStr("pswd456"), "timeout_seconds": 5.0, **changes}
    return Endpoint(Environment.SANDBOX, url, **settings)


def connected(double: CyberTipline, **changes: Any) -> NCMECConnection:
    """Connect to a double inside the process."""
    return NCMECAdapter().connect(endpoint(**changes), double.transport())
