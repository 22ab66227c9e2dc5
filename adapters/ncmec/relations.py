"""
What NCMEC documents about elements in relation to each other.

Source: CyberTipline Reporting API documentation, Appendix A and (batched reports) Appendix E, 2025-06-11.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from adapters.ncmec.node import Node
from adapters.ncmec.vocabulary import COUNTRIES_BESIDE_ISO, STATES
from reporter.cases.scalars import instant
from reporter.errors import Finding

#: Appendix E: what a batched report and the details of its one file may not hold.
BATCH_FORBIDS = {
    "report": (
        "incidentSummary/escalateToHighPriority",
        "internetDetails",
        "lawEnforcement",
        "intendedRecipient",
        "victim",
        "additionalInfo",
    ),
    "fileDetails": (
        "originalFileName",
        "locationOfFile",
        "originalFileHash",
        "ipCaptureEvent",
        "deviceId",
        "details",
        "additionalInfo",
    ),
}
BATCH_ANNOTATIONS = frozenset({"viral", "potentialMeme"})
BATCH_FILES = 1
_NOT_DIALLED = re.compile(r"[^0-9+]")


def _verified(node: Node) -> Iterator[Finding]:
    verified = node.find("@verified")
    if node.find("@verificationDate") and (verified is None or verified.text != "true"):
        yield Finding(f"{node.path}.verified", "verified", "not true although verified_at is given")


def _phone(node: Node) -> Iterator[Finding]:
    yield from _verified(node)
    code = node.find("@countryCallingCode")
    number = _NOT_DIALLED.sub("", node.text)
    digits = code.text.removeprefix("+") if code else ""
    if digits and number.startswith((f"+{digits}", digits, f"00{digits}")):
        yield Finding(node.text_path, "calling_code", "starts with its country calling code; give the national number")


def _disabled(node: Node) -> Iterator[Finding]:
    since, told, again = (node.find(f"@{name}") for name in ("disabledDate", "userNotifiedDate", "reenabledDate"))
    if since and told and instant(told.text) < instant(since.text):
        yield Finding(told.path, "order", "before the account was disabled")
    if since and again and instant(again.text) <= instant(since.text):
        yield Finding(again.path, "order", "not after the account was disabled")


def _estimated_location(node: Node) -> Iterator[Finding]:
    city, region, country = (node.find(name) for name in ("city", "region", "countryCode"))
    if country is None or not country.text:
        yield Finding(f"{node.path}.country", "required", "missing; an estimated location needs its country")
    elif country.text == "US":
        if region and region.text and region.text not in STATES:
            yield Finding(region.path, "state", "not the postal abbreviation of a US state or territory")
        if city and not (region and region.text.strip()):
            yield Finding(f"{node.path}.region", "required", "missing; a city in the US needs its state")


def _associated_account(node: Node) -> Iterator[Finding]:
    age = node.find("approximateAge")
    if age and node.find("dateOfBirth"):
        yield Finding(age.path, "either_or", "not together with date_of_birth")


def _file_details(node: Node) -> Iterator[Finding]:
    relevance = node.find("fileRelevance")
    if relevance is None or relevance.text != "Supplemental Reported":
        return
    if node.find_all("fileAnnotations/potentialMeme"):
        yield Finding(relevance.path, "relevance", "not supplemental where a file is a potential meme")
    if node.find("industryClassification"):
        yield Finding(relevance.path, "relevance", "not supplemental where a file is classified")


_RELATIONS: Mapping[str, Callable[[Node], Iterator[Finding]]] = {
    "email": _verified,
    "phone": _phone,
    "accountTemporarilyDisabled": _disabled,
    "accountPermanentlyDisabled": _disabled,
    "estimatedLocation": _estimated_location,
    "associatedAccount": _associated_account,
    "fileDetails": _file_details,
}


def within(node: Node) -> Iterator[Finding]:
    """Check one element against what it holds."""
    if node.type in _RELATIONS:
        yield from _RELATIONS[node.type](node)


def across(report: Node) -> Iterator[Finding]:
    """Check the parts of a report against each other."""
    people = {
        email.text
        for role in ("personOrUserReported", "intendedRecipient", "victim")
        for email in report.find_all(f"{role}/{role}Person/email")
    }
    for kind in ("emailIncident", "newsgroupIncident"):
        for email in report.find_all(f"internetDetails/{kind}/emailAddress"):
            if email.text not in people:
                yield Finding(
                    email.text_path, "on_a_person", "not among the e-mail addresses of a suspect, recipient or victim"
                )
    if not report.find_all("reporter/reportingPerson/email"):
        yield Finding("organisation.reporting_person.email", "required", "missing; NCMEC needs it in every report")


def batched(report: Node, files: list[Node]) -> Iterator[Finding]:
    """Check a batched report."""
    for path in BATCH_FORBIDS["report"]:
        yield from map(_forbidden, report.find_all(path))
    for person in report.find_all("personOrUserReported"):
        yield from (_forbidden(node) for node in person.children if node.name != "espIdentifier")
    for details in files[BATCH_FILES:]:
        yield Finding(details.path, "batch", "a batched report holds one file at most")
    for details in files:
        for path in BATCH_FORBIDS["fileDetails"]:
            yield from map(_forbidden, details.find_all(path))
        annotations = details.find_all("fileAnnotations")
        flags = [flag for node in annotations for flag in node.children]
        if not any(flag.name in BATCH_ANNOTATIONS for flag in flags):
            yield Finding(f"{details.path}.annotations", "batch", "a batched file is viral or a potential_meme")
        yield from (_forbidden(flag) for flag in flags if flag.name not in BATCH_ANNOTATIONS)
        relevance = details.find("fileRelevance")
        if relevance is None or relevance.text != "Reported":
            yield Finding(f"{details.path}.relevance", "batch", "a batched file is reported, and says so")


def _forbidden(node: Node) -> Finding:
    return Finding(node.text_path or node.path, "batch", "not allowed in a batched report")


def outside_iso(node: Node) -> Iterator[Finding]:
    """Note country codes that the schema lists although the documentation asks for ISO 3166-1."""
    for leaf in (*node.attributes, *node.children):
        if leaf.type == "country" and leaf.text in COUNTRIES_BESIDE_ISO:
            yield Finding(
                leaf.path, "country", "not in ISO 3166-1, so NCMEC may refuse it although its schema lists it"
            )
