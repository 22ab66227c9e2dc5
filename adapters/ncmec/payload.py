"""Build a package from a case and the organisation's profile."""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape

from adapters.ncmec.codec import codec
from adapters.ncmec.converters import Writing
from adapters.ncmec.node import DECLARATION, Node
from adapters.ncmec.schema import ADDITIONS, declared_additions
from adapters.ncmec.simple import integer
from reporter.authority import Document, EvidenceFacts, Package, PackagedFile, Packaging, Supplement
from reporter.cases.model import Case, Evidence

MEDIA_TYPE = "text/xml; charset=utf-8"
REPORT = "report"
_IDS = b"<fileDetails><reportId>%s</reportId><fileId>%s</fileId>"
_PLACEHOLDERS = DECLARATION + _IDS % (b"{{report_id}}", b"{{file_id}}")


@dataclass(frozen=True, slots=True, repr=False)
class Composition:
    """The documents before they are rendered, with what was noticed on the way; ``files`` by place in the evidence."""

    report: Node
    files: dict[int, Node]
    writing: Writing


def compose(case: Case, packaging: Packaging) -> Composition:
    """Lay the case out as CyberTipline elements; content that cannot stand is laid out too, for ``check`` to name."""
    omitted = ADDITIONS - declared_additions(packaging.schema)
    if packaging.settings.get("industry_classification") is not True:
        omitted |= {("fileDetails", "industryClassification")}
    writing = Writing(omitted)
    writing.given = {"reporter": codec("reporter").write(packaging.organisation, "organisation", "reporter", writing)}
    writing.unsent.clear()  # the profile serves every authority; only the case must be expressed whole
    report = codec("report").write(case, "", "report", writing)
    _add_previous_reports(case, packaging.supplement, report)
    files = {}
    for index, item in enumerate(case.evidence or []):
        if packaging.supplement and packaging.supplement.has(item):
            continue
        path = f"evidence[{index}]"
        writing.given = _given(path, packaging.evidence.get(item.id))
        files[index] = codec("fileDetails").write(item, path, "fileDetails", writing)
    return Composition(report, files, writing)


def _given(path: str, facts: EvidenceFacts | None) -> dict[str, Node]:
    viewed = facts is not None and facts.viewed_entire
    metadata_viewed = viewed and facts is not None and facts.metadata_viewed
    texts = {
        "reportId": ("string", "{{report_id}}"),  # NCMEC's numbers take these places later
        "fileId": ("string", "{{file_id}}"),
        "fileViewedByEsp": ("boolean", str(viewed).lower()),
        "exifViewedByEsp": ("boolean", str(metadata_viewed).lower()),
    }
    return {name: Node(name, kind, path, text) for name, (kind, text) in texts.items()}


def _add_previous_reports(case: Case, supplement: Supplement | None, report: Node) -> None:
    """
    Name earlier CyberTipline reports beside the reported person's own, without doubles.

    They are those that the case belongs to, and those that this report adds to: a filed one cannot be changed.
    """
    reported = report.find("personOrUserReported")
    if reported is None:
        return
    known = {integer(node.text) for node in reported.find_all("priorCTReports")}
    earlier = [(each.reference, "supplement") for each in (supplement.earlier if supplement else ())]
    for index, previous in enumerate(case.previous_reports or []):
        if previous.authority == "ncmec":
            earlier.append((previous.reference, f"previous_reports[{index}].reference"))
    for reference, path in earlier:
        if integer(reference) not in known:
            known.add(integer(reference))
            reported.insert(Node("priorCTReports", "long", path, reference))


def build(case: Case, packaging: Packaging) -> Package:
    """
    Build the package: the report, and the details of each file.

    Nothing is checked here. Files without a preservation record have details, but cannot be sent yet and are missing
    from ``files``.
    """
    composition = compose(case, packaging)
    evidence = case.evidence or []
    documents = [Document(REPORT, MEDIA_TYPE, composition.report.document())]
    documents += [
        Document(f"fileDetails:{evidence[index].id}", MEDIA_TYPE, node.document(), evidence[index].id)
        for index, node in composition.files.items()
    ]
    files = [
        _file(evidence[at], facts) for at in composition.files if (facts := packaging.evidence.get(evidence[at].id))
    ]
    urgency = case.incident.urgency
    return Package("ncmec", tuple(documents), tuple(files), urgency is not None and urgency.level == "immediate")


def _file(item: Evidence, facts: EvidenceFacts) -> PackagedFile:
    name = item.reported_name or item.original_name or (item.path or item.id).rpartition("/")[2]
    return PackagedFile(
        item.id, name, item.media_type or "application/octet-stream", facts.size, facts.md5, facts.sha256
    )


def fill(body: bytes, report_id: str, file_id: str) -> bytes:
    """Put the ids given by NCMEC where the details of a file begin; any other text that looks like a place stays."""
    if not body.startswith(_PLACEHOLDERS):
        return body
    ids = _IDS % (escape(report_id).encode(), escape(file_id).encode())
    return DECLARATION + ids + body[len(_PLACEHOLDERS) :]
