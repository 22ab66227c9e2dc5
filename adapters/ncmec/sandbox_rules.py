"""
Rules that the CyberTipline's server holds documents against beyond their structure, for the double.

Written apart from the rules that packages are checked with, so that the one can catch the other's mistakes. Source:
CyberTipline Reporting API Technical Documentation (2025-06-11), Appendix A (fields), 7.3 (dates), E (batched reports).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime

from lxml import etree

from adapters.ncmec.structure import element_path, elements, name_of, text_of

#: Elements and attributes that "must be in the past".
PAST = frozenset(
    {
        "incidentDateTime",
        "dateTime",
        "verificationDate",
        "disabledDate",
        "userNotifiedDate",
        "uploadedToEspTimestamp",
        "timestamp",
        "dateOfBirth",
    }
)
#: What a batched report may not hold, and what the details of its file may not hold (Appendix E).
BATCH_FORBIDS = (
    "incidentSummary/escalateToHighPriority",
    "internetDetails",
    "lawEnforcement",
    "intendedRecipient",
    "victim",
    "additionalInfo",
)
BATCH_FILE_FORBIDS = (
    "originalFileName",
    "locationOfFile",
    "originalFileHash",
    "ipCaptureEvent",
    "deviceId",
    "details",
    "additionalInfo",
)
BATCH_FILE_ANNOTATIONS = {"viral", "potentialMeme"}

_ZONE = re.compile(r"(Z|[+-]\d\d:\d\d)$")


def report_violations(report: etree._Element, now: datetime) -> list[str]:
    """Give what the server refuses in a ``<report>``, by element."""
    found = list(_past(report, now))
    if report.find("reporter/reportingPerson/email") is None:
        found.append("report/reporter/reportingPerson/email: is required")
    if (reason := report.find("incidentSummary/escalateToHighPriority")) is not None and not text_of(reason).strip():
        found.append(f"{element_path(reason)}: must not be blank")
    reported = report.findall("personOrUserReported")
    if report.find("batchedReport") is None:
        if len(reported) > 1:
            found.append("report/personOrUserReported: only one is allowed unless the report is batched")
        return found
    found += [f"report/{path}: is not allowed in a batched report" for path in BATCH_FORBIDS if _has(report, path)]
    if any(name_of(child) != "espIdentifier" for person in reported for child in elements(person)):
        found.append("report/personOrUserReported: may hold only espIdentifier in a batched report")
    return found


def details_violations(details: etree._Element, now: datetime, *, batched: bool) -> list[str]:
    """Give what the server refuses in a ``<fileDetails>``, by element."""
    found = list(_past(details, now))
    viewed, exif = (_true(details, name) for name in ("fileViewedByEsp", "exifViewedByEsp"))
    if exif and not viewed:
        found.append("fileDetails/exifViewedByEsp: requires fileViewedByEsp")
    if batched:
        found += [
            f"fileDetails/{path}: is not allowed in a batched report"
            for path in BATCH_FILE_FORBIDS
            if _has(details, path)
        ]
        annotations = details.find("fileAnnotations")
        names = set() if annotations is None else {name_of(child) for child in elements(annotations)}
        if not names or names - BATCH_FILE_ANNOTATIONS:
            found.append("fileDetails/fileAnnotations: must be viral, potentialMeme or both in a batched report")
        if (details.findtext("fileRelevance") or "Reported") != "Reported":
            found.append("fileDetails/fileRelevance: must be Reported in a batched report")
    return found


def _has(root: etree._Element, path: str) -> bool:
    return root.find(path) is not None


def _true(root: etree._Element, name: str) -> bool:
    return (root.findtext(name) or "").strip() in ("true", "1")


def _past(root: etree._Element, now: datetime) -> Iterator[str]:
    for element in root.iter(etree.Element):
        values = [(name, str(value)) for name, value in element.attrib.items()]
        for name, value in [(name_of(element), text_of(element)), *values]:
            if str(name) in PAST and (complaint := _complaint(value.strip(), now)):
                yield f"{element_path(element)}: {complaint}"


def _complaint(text: str, now: datetime) -> str:
    try:
        if "T" not in text:
            return "" if date.fromisoformat(text[:10]) <= now.date() else "must be a past date"
        if not _ZONE.search(text):
            return "must have a time zone"
        return "" if datetime.fromisoformat(text) <= now else "must be a past date"
    except ValueError:
        return ""
