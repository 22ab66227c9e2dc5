"""Every file of a bag but the evidence: the records within scope, what was sent, the log, and what explains it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from reporter import __version__
from reporter.audit.notes import Verifier
from reporter.cases.records import StoredCase
from reporter.evidence import service as evidence
from reporter.evidence.model import SealedItem
from reporter.export import bag, extract, wording
from reporter.export.discretion import Discretion
from reporter.export.documents import SentDocuments, withheld
from reporter.export.guard import rules
from reporter.export.model import Export, Scope
from reporter.export.redaction import cut
from reporter.retention.demands import Demand

CASE_FILE: Final = "data/records/case.json"
REQUEST_FILE: Final = "meta/request.json"
_INDEX: Final = ("file", "item", "id", "size", "md5", "sha1", "sha256", "viewed_in_full")


@dataclass(frozen=True, slots=True)
class Signed:
    """
    What vouches for a bag: the log's checkpoint and key, the seal's fingerprint, whether it gets a time-stamp.

    ``environment`` is the most serious one that the home knows: what was made in a sandbox says so.
    """

    checkpoint: str
    size: int
    verifier: Verifier
    fingerprint: str
    stamped: bool
    environment: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What a bag is about: the export, its demand, what was asked for, the case, and the items that leave."""

    export: Export
    demand: Demand
    request: Mapping[str, Any]
    case: StoredCase
    items: Sequence[tuple[SealedItem, str]]

    @property
    def scope(self) -> Scope:
        """The scope that was approved."""
        return Scope.model_validate(self.request["scope"])

    @property
    def objects(self) -> list[bag.Payload]:
        """The evidence files."""
        return [bag.Payload(object_path(item), item.size, item.sha256, sha512) for item, sha512 in self.items]


def object_path(item: SealedItem) -> str:
    """Give where an item lies in a bag."""
    return f"data/objects/{item.id}.bin"


def files(
    connection: Connection, subject: Subject, documents: SentDocuments, signed: Signed, organisation: str
) -> dict[str, bytes]:
    """
    Give the files, by path, manifests included.

    Raises:
        CustodyError: A document does not open.
    """
    record = _case(subject)
    payload = [*subject.objects, bag.payload_of(CASE_FILE, record)]
    sent = dict(
        document
        for authority in subject.scope.submissions
        for document in documents.of(connection, subject.case.reference, authority)
    )
    discretion = Discretion(subject.export, subject.demand, _others(connection, subject))
    lines = extract.lines(connection, subject.case.reference, signed.size, discretion.leaves)
    about = _about(subject, signed, organisation, payload)
    tags = {
        **withheld(sent, subject.scope.withhold),
        **{name: wording.text(name, about) for name in ("READ-ME-FIRST.txt", "VERIFY.txt", "certificate-902.txt")},
        "meta/custody.jsonl": "".join(f"{line}\n" for line in lines).encode(),
        "meta/index.csv": _index(connection, subject),
        "meta/log/checkpoint.txt": signed.checkpoint.encode(),
        "meta/log/key.txt": f"{signed.verifier}\n".encode(),
        REQUEST_FILE: _json(_request(subject)),
    }
    return {CASE_FILE: record, **bag.tag_files(payload, tags, _info(subject, signed, organisation))}


def _case(subject: Subject) -> bytes:
    """Give the part of the case document within scope; it says what is missing, and the digest of the whole."""
    scope, case = subject.scope, subject.case
    about = {
        "document": f"case {case.reference}, revision {case.revision}",
        "complete": set(case.raw) <= {*scope.fields, "case_version", "reference"} and not scope.redact,
        "fields": list(scope.fields),
        "redacted": [redaction.model_dump() for redaction in scope.redact],
        "original_size": len(case.data),
        "original_sha256": hashlib.sha256(case.data).hexdigest(),
    }
    return _json({"about_this_copy": about, "case": cut(case.raw, scope.fields, scope.redact)})


def _request(subject: Subject) -> dict[str, Any]:
    export, demand = subject.export, subject.demand
    who, what = rules("recipient")[demand.requester], rules("instrument")[demand.kind]
    return {
        **subject.request,
        "instrument": demand.kind.value,
        "allowed_by": {"recipient": who.source, "instrument": what.source},
        "digest_approved": f"sha256:{export.digest}",
        "asked": {"by": export.asked_by, "at": _time(export.asked_at)},
        "approved": {"by": export.approved_by, "at": _time(export.approved_at)},
        "sealed_at": _time(export.sealed_at),
    }


def _others(connection: Connection, subject: Subject) -> set[str]:
    """Give the names of the items that stay: what the log tells of them stays, too."""
    leaving = {item.item for item, _ in subject.items}
    return {item.item for item in evidence.sealed_items(connection, subject.case.reference)} - leaving


def _index(connection: Connection, subject: Subject) -> bytes:
    """Give the items whose bytes leave; MD5 and SHA-1 are for hash sets of the police, never for integrity."""
    seen = {of for of, look in evidence.looks(connection, subject.case.reference) if look.extent == "entire"}
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_INDEX)
    for item, _ in subject.items:
        known = [item.item, item.id, item.size, item.md5 or "", item.sha1 or "", item.sha256]
        table.writerow([object_path(item), *known, _yes(item.id in seen)])
    return text.getvalue().encode()


def _about(subject: Subject, signed: Signed, organisation: str, payload: Sequence[bag.Payload]) -> dict[str, object]:
    export = subject.export
    return {
        "organisation": organisation,
        "demand": subject.demand.number,
        "instrument": subject.demand.kind.value.replace("_", " "),
        "recipient": rules("recipient")[subject.demand.requester].words,
        "reference": export.reference,
        "export": export.id,
        "bag": export.name,
        "sealed_at": _time(export.sealed_at),
        "asked_by": export.asked_by,
        "approved_by": export.approved_by,
        "files": len(payload),
        "bytes": sum(file.size for file in payload),
        "trial": wording.trial(signed.environment),
        "warning": wording.warning(export.content),
        "fingerprint": signed.fingerprint,
        "stamp": " (this bundle has none)" if not signed.stamped else "",
        "version": __version__,
        "table": wording.table(payload),
    }


def _info(subject: Subject, signed: Signed, organisation: str) -> dict[str, str]:
    export = subject.export
    assert export.sealed_at  # noqa: S101 (set by whoever seals it)
    return {
        "Source-Organization": organisation,
        "External-Identifier": export.id,
        "Internal-Sender-Identifier": export.reference,
        "Bagging-Date": bag.bagging_date(export.sealed_at),
        "Bag-Software-Agent": f"reporter {__version__}",
        "Environment": signed.environment,
        "Time-Stamped": _yes(signed.stamped),
    }


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _time(at: Any) -> str | None:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z") if at else None


def _json(data: Any) -> bytes:
    return json.dumps(data, indent=2, ensure_ascii=False).encode() + b"\n"
