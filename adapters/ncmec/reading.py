"""Read CyberTipline documents, whoever wrote them, into a case document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from lxml import etree
from pydantic import ValidationError

from adapters.ncmec.codec import codec
from adapters.ncmec.converters import BOOLEAN, Reading
from adapters.ncmec.parsing import parse
from adapters.ncmec.structure import element_path, elements, name_of, text_of, violations
from reporter.authority import Imported
from reporter.cases.model import Case
from reporter.errors import DocumentError, Finding

LARGEST_DOCUMENT = 16 * 1024 * 1024
_BASIS = "Imported from a CyberTipline report; not confirmed here yet."
_DETECTION = "Imported from a CyberTipline report, which does not say how the matter came to notice."
_CLAIMS = {"fileViewedByEsp": "file_viewed", "exifViewedByEsp": "exif_viewed"}


class _Source:
    """One document, and where in it each part of the case document came from."""

    def __init__(self, body: bytes, index: int, count: int) -> None:
        name = "fileDetails" if index else "report"
        label = f"document {index + 1}"
        self._prefix = f"fileDetails[{index}]" if index and count > 2 else name
        self.reading = Reading()
        self.root = parse(body, LARGEST_DOCUMENT, label)
        if name_of(self.root) != name:
            raise DocumentError(f"{label} is not a <{name}>")
        if broken := violations(self.root, additions=True):
            findings = [self._finding(*complaint.rpartition(": ")[::2]) for complaint in broken]
            raise DocumentError(f"{label} does not have the structure of a CyberTipline <{name}>", findings)

    def _finding(self, path: str, message: str, rule: str = "structure") -> Finding:
        return Finding(self._prefix + path.removeprefix(name_of(self.root)), rule, message)

    def read(self, path: str) -> dict[str, Any]:
        """Read the document into the part of the case document at ``path``."""
        return codec(name_of(self.root)).read(self.root, path, self.reading)

    def refused(self) -> Iterator[Finding]:
        """Give the elements that the case document cannot carry."""
        for element, rule, message in self.reading.refused:
            yield self._finding(element_path(element), message, rule)

    def finding_at(self, path: str, message: str, rule: str) -> Finding | None:
        """Give a finding for the element that the case path was read from."""
        if path not in self.reading.places:
            return None
        element, attribute = self.reading.places[path]
        return self._finding(element_path(element) + attribute, message, rule)

    def note(self, name: str, message: str) -> Finding:
        """Give a note about a child of the root."""
        return self._finding(f"{name_of(self.root)}/{name}", message, "not_taken")


def read(documents: Sequence[bytes], reference: str, now: datetime, actor: str) -> Imported:
    """
    Read a report and the details of its files.

    Raises:
        DocumentError: They are malformed, or hold what the case document cannot carry, named by element path.

    """
    if not documents:
        raise DocumentError("no document was given; the first is the <report>")
    report, *files = (_Source(body, index, len(documents)) for index, body in enumerate(documents))
    notes = [report.note("reporter", "is not taken over; it comes from the organisation's profile")]
    claims: dict[str, dict[str, bool]] = {}
    evidence = []
    for index, file in enumerate(files):
        notes += _modernise(file)
        evidence.append({"id": f"e{index + 1}", **file.read(f"evidence[{index}]")})
        notes += [file.note(name, "is not taken over; NCMEC gives a new one") for name in ("reportId", "fileId")]
        if claim := _claims(file.root):
            claims[f"e{index + 1}"] = claim
    case = _case(report.read(""), evidence, reference, now, actor)
    refused = [finding for source in (report, *files) for finding in source.refused()]
    try:
        Case.model_validate(case)
    except ValidationError as error:
        refused += _not_carried(error, (report, *files))
    if refused:
        raise DocumentError("the XML holds what a case document cannot carry", refused)
    return Imported(case, claims, tuple(notes))


def _case(
    read_from_report: dict[str, Any], evidence: list[dict[str, Any]], reference: str, now: datetime, actor: str
) -> dict[str, Any]:
    at = now.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return {
        "case_version": 1,
        "reference": reference,
        "detected_at": at,
        "detected_by": [{"method": "other", "at": at, "note": _DETECTION}],
        "confirmation": {"decision": "pending", "by": actor, "at": at, "basis": _BASIS},
        **read_from_report,
        "evidence": evidence,
    }


def _modernise(file: _Source) -> Iterator[Finding]:
    """Turn the former ``potentialMeme`` element into the annotation that took its place."""
    former = file.root.find("potentialMeme")
    if former is not None and BOOLEAN.from_text(text_of(former)):
        former.tag = "fileAnnotations"
        former.text = None
        etree.SubElement(former, "potentialMeme")
        yield file.note("potentialMeme", "is taken over as the annotation potential_meme")


def _claims(root: etree._Element) -> dict[str, bool]:
    """Give what the file's details say of views; only view records of our own can say it to NCMEC."""
    return {
        _CLAIMS[name_of(child)]: BOOLEAN.from_text(text_of(child))
        for child in elements(root)
        if name_of(child) in _CLAIMS
    }


def _not_carried(error: ValidationError, sources: Sequence[_Source]) -> Iterator[Finding]:
    """Name what the case document refuses by the element it was read from, or the nearest one around it."""
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        message, rule = problem["msg"], problem["type"]
        path = _case_path(problem["loc"])
        at = path
        found: Finding | None = None
        while found is None and at:
            found = next((each for source in sources if (each := source.finding_at(at, message, rule))), None)
            at = at[: max(at.rfind("."), at.rfind("["), 0)]
        yield found or Finding(path, rule, message)


def _case_path(location: tuple[int | str, ...]) -> str:
    steps = list(location)
    if steps[:1] == ["locations"] and len(steps) > 2:
        del steps[2]  # the kind by which pydantic chose among the locations
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")
