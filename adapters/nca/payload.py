"""Build a report of the contract (our own, not the NCA's) from a case and the organisation's profile."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import rfc8785

from adapters.nca import notes, schema
from adapters.nca.converters import Writing
from adapters.nca.mapping import CONDUCT_OF_ANNOTATION, CONDUCT_OF_TYPE, ROLES_OF_EVIDENCE, WORDS
from adapters.nca.settings import Registration, read
from reporter.authority import Document, Environment, Package, PackagedFile, Packaging
from reporter.cases.model import Case, Evidence
from reporter.errors import Finding
from reporter.organisation import Contact

REPORT = "report"
#: The contract's longest clientReference, which is a case's longest reference too.
_MAX_REFERENCE = 64
#: What stands before the fields for which the contract has no property of their own.
IN_WORDS = "Further information held, for which this format has no field of its own:"


@dataclass(frozen=True, slots=True, repr=False)
class Composition:
    """The report before it is rendered; ``shown`` is what is sent in words or left out, by the case's own paths."""

    report: dict[str, Any]
    writing: Writing
    shown: list[Finding] = field(default_factory=list)
    files: tuple[PackagedFile, ...] = ()


def compose(case: Case, packaging: Packaging) -> Composition:
    """Lay the case out as the contract's report; what cannot stand is laid out too, for ``rules`` to name."""
    registration, _ = read(packaging.settings)
    document = case.model_dump(exclude_none=True)
    roles = roles_of(case)
    digests = {item: facts.sha256 for item, facts in packaging.evidence.items()}
    writing = Writing(digests, {f"people[{at}]": each for at, each in enumerate(roles)})
    notifiers = {f"people[{at}]" for at, each in enumerate(roles) if each == ["notifier"]}
    rest = {name: value for name, value in document.items() if name not in ("evidence", "people")}
    report = writing.write("report", rest, "", "")
    report["content"] = _content(case, document, packaging, writing)
    report["users"] = _users(case, document, writing, notifiers)
    _add_given(report, case, packaging, registration)
    _add_previous_reports(report, document, packaging, writing, notifiers)
    _add_conduct(report, case)
    words, shown = _leftovers(document, writing, notifiers)
    if words and "summary" in report["incident"]:
        report["incident"]["summary"] += "\n\n" + "\n".join([IN_WORDS, *words])
    files = tuple(
        _file(item, packaging)
        for item in case.evidence or []
        if item.id in packaging.evidence and _is_new(item, packaging)
    )
    return Composition(report, writing, shown, files)


def build(case: Case, packaging: Packaging) -> Package:
    """Build the package: one document, and the files that the authority does not hold yet. Nothing is checked here."""
    composition = compose(case, packaging)
    registration, _ = read(packaging.settings)
    urgency = case.incident.urgency
    return Package(
        "nca",
        (Document(REPORT, "application/json", rfc8785.dumps(composition.report)),),
        composition.files,
        urgent=urgency is not None and urgency.level == "immediate",
        mode=registration.mode,
    )


def body_digest(body: bytes) -> str:
    """Give the digest that a receipt repeats; the body is canonical (RFC 8785) as it stands."""
    return hashlib.sha256(body).hexdigest()


def roles_of(case: Case) -> list[list[str]]:
    """Give the contract's roles of each person: those that the case names, and those that its evidence gives them."""
    found: list[list[str]] = []
    for person in case.people or []:
        roles = [WORDS["role"][role].removeprefix("~") for role in person.roles]
        for name, role in ROLES_OF_EVIDENCE.items():
            if any(person.id in (getattr(item, name) or ()) for item in case.evidence or []):
                roles.append(role)
        found.append(list(dict.fromkeys(roles)))
    return found


# --- content ----------------------------------------------------------------------------------------------------


def _content(case: Case, document: dict[str, Any], packaging: Packaging, writing: Writing) -> list[dict[str, Any]]:
    """
    Give what was detected: files, and the words and addresses of places.

    A supplement holds what is new alone; where nothing is, it names what was sent before.
    """
    documents = _identity_documents(case)
    entries = [
        (item, f"evidence[{at}]", _is_new(item, packaging))
        for at, item in enumerate(case.evidence or [])
        if item.id not in documents
    ]
    before = packaging.supplement.sent if packaging.supplement else None
    sent = {value for value, _ in _words(before.model_dump(exclude_none=True))} if before else set()
    places = [(value, path, value not in sent) for value, path in _words(document)]
    only_new = any(new for *_, new in (*entries, *places))
    content: list[dict[str, Any]] = []
    for item, path, new in entries:
        if new or not only_new:
            part = document["evidence"][int(path[9:-1])]
            content.append(_file_content(item, part, path, packaging, writing, f"/content/{len(content)}"))
        else:
            writing.passed_over.add(path)
    for value, path, new in places:
        writing.used.add(path)
        if new or not only_new:
            content.append(_place_content(value, path, writing, f"/content/{len(content)}"))
    return content


def _file_content(
    item: Evidence, part: dict[str, Any], path: str, packaging: Packaging, writing: Writing, pointer: str
) -> dict[str, Any]:
    content = writing.write("content", part, path, pointer)
    if "original_name" not in part and "reported_name" in part:
        name = writing.copy(part["reported_name"], f"{path}.reported_name", f"{pointer}/originalFileName")
        content["originalFileName"] = name
    if "exif" in content:
        content["exif"]["availability"] = "provided"
    else:
        content["exif"] = {"availability": "to_follow" if "metadata" in (item.to_follow or []) else "not_held"}
    facts = packaging.evidence.get(item.id)
    if facts is None:
        content["availability"] = "to_follow"
        return content
    content |= {"fileSha256": facts.sha256, "sizeBytes": facts.size, "viewedByReporter": facts.viewed_entire}
    kept = {"algorithm": "SHA256", "value": facts.sha256, "of": "stored_copy"}
    content["hashes"] = [*content.get("hashes", []), kept]
    return content


def _place_content(value: str, path: str, writing: Writing, pointer: str) -> dict[str, Any]:
    """Name a text or an address after where the case has it: ``locations.0.urls.1``."""
    kind = "text" if path.endswith(".content") else "url"
    writing.places[pointer] = writing.places[f"{pointer}/{kind}"] = path
    name = path.replace("[", ".").replace("]", "")
    return {"contentId": name, "kind": kind, "availability": "provided", kind: writing.text(value, path)}


def _words(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for at, place in enumerate(document.get("locations") or []):
        if place.get("content"):
            yield place["content"], f"locations[{at}].content"
        for number, url in enumerate(place.get("urls") or []):
            yield url, f"locations[{at}].urls[{number}]"


def _is_new(item: Evidence, packaging: Packaging) -> bool:
    return packaging.supplement is None or not packaging.supplement.has(item)


def _identity_documents(case: Case) -> set[str]:
    return {item for person in case.people or [] for item in person.identity_documents or []}


def _file(item: Evidence, packaging: Packaging) -> PackagedFile:
    facts = packaging.evidence[item.id]
    name = item.original_name or item.reported_name or item.id
    media_type = item.media_type or "application/octet-stream"
    return PackagedFile(item.id, name, media_type, facts.size, facts.md5, facts.sha256)


# --- people -----------------------------------------------------------------------------------------------------


def _users(case: Case, document: dict[str, Any], writing: Writing, notifiers: set[str]) -> list[dict[str, Any]]:
    users = []
    for at, person in enumerate(case.people or []):
        path, part = f"people[{at}]", dict(document["people"][at])
        is_notifier = "notifier" in person.roles
        if not is_notifier:
            part.pop("context", None)
        user = writing.write("notifier" if path in notifiers else "user", part, path, f"/users/{at}")
        if is_notifier and path not in notifiers and person.role_decision is not None:
            user["roleConfirmedByHuman"] = True
            writing.places[f"/users/{at}/roleConfirmedByHuman"] = f"{path}.role_decision"
        if path not in notifiers:
            follows = "billing" in (person.to_follow or [])
            user.setdefault("billing", {"availability": "to_follow" if follows else "not_held"})
        users.append(user)
    return users


# --- what no field of the case gives ----------------------------------------------------------------------------


def _add_given(report: dict[str, Any], case: Case, packaging: Packaging, registration: Registration) -> None:
    organisation, supplement = packaging.organisation, packaging.supplement
    report["schemaVersion"] = schema.VERSION
    report["reportType"] = "supplementary" if supplement else "initial"
    if supplement:
        report["clientReference"] = _further(case.reference, len(supplement.earlier))
        report["supplements"] = supplement.earlier[0].ids.get("referral_id", "")
    report["organisation"] = {"registrationId": registration.registration_id, "legalName": organisation.name}
    if registration.on_behalf_of:
        report["organisation"]["onBehalfOf"] = registration.on_behalf_of
    report["reporter"] = _reporter(organisation.reporting_person, registration, packaging.now.date())
    in_uk = organisation.established_in == "GB"
    report.setdefault("territorial", {})["providerType"] = "uk" if in_uk else "non_uk"
    # The contract takes nothing else; ``rules`` refuses a case that an arrangement covers.
    report.setdefault("duplicateCheck", {})["coveredByForeignAgencyArrangement"] = False
    report["incident"].setdefault("platform", {}).setdefault("name", organisation.name)
    level = report.get("priority", {}).get("level")
    if level in (1, 2):  # so that a report which arrives out of hours is taken: whoever approves is told of the call
        report["priority"]["outOfHoursCall"] = {"acknowledged": True}
    if "priority" in report and case.incident.urgency and case.incident.urgency.assessed_at is None:
        report["priority"]["assessedAt"] = case.confirmation.at
    if "declaration" in report:
        report["declaration"]["allReasonablyAvailableInformationProvided"] = True
    report["test"] = packaging.environment is not Environment.PRODUCTION


def _further(reference: str, number: int) -> str:
    """Give a supplement its reference; where a case has one that leaves no room for more, a digest stands in it."""
    further = f"{reference}.s{number}"
    if len(further) <= _MAX_REFERENCE:
        return further
    digest = hashlib.sha256(reference.encode()).hexdigest()[:16]
    return f"{reference[:32]}.{digest}.s{number}"


def _reporter(person: Contact, registration: Registration, today: date) -> dict[str, Any]:
    written: dict[str, Any] = {
        "role": registration.role_of([each.address for each in person.emails], today) or "authorised_person",
        "firstName": person.first_name or "",
        "lastName": person.last_name or "",
    }
    if person.emails:
        written["email"] = person.emails[0].address
    if person.phones:
        phone = person.phones[0]
        code = (phone.country_calling_code or "").removeprefix("+")
        written["phone"] = {"countryCallingCode": f"+{code}", "number": phone.number}
    return written


def _add_previous_reports(
    report: dict[str, Any], document: dict[str, Any], packaging: Packaging, writing: Writing, notifiers: set[str]
) -> None:
    """Add what the people of the case have on record, and of a supplement the ones before it but the first."""
    found = report["duplicateCheck"].setdefault("previousReports", [])
    for at, person in enumerate(document.get("people", [])):
        if f"people[{at}]" in notifiers:
            continue
        for number, prior in enumerate(person.get("prior_reports", [])):
            path = f"people[{at}].prior_reports[{number}]"
            found.append(writing.write("prior", prior, path, f"/duplicateCheck/previousReports/{len(found)}"))
    for earlier in packaging.supplement.earlier[1:] if packaging.supplement else ():
        found.append({"body": "NCA", "reference": earlier.reference, "relation": "same_incident"})


def _add_conduct(report: dict[str, Any], case: Case) -> None:
    """Name the conduct that the case does not name itself, as far as its type and its annotations say."""
    known = report["incident"].get("conduct") or [CONDUCT_OF_TYPE.get(case.incident.type, "other")]
    annotations = [*(case.incident.annotations or []), *(w for e in case.evidence or [] for w in e.annotations or [])]
    known += [CONDUCT_OF_ANNOTATION[word] for word in annotations if word in CONDUCT_OF_ANNOTATION]
    report["incident"]["conduct"] = list(dict.fromkeys(known))


# --- in words ---------------------------------------------------------------------------------------------------


def _leftovers(document: dict[str, Any], writing: Writing, notifiers: set[str]) -> tuple[list[str], list[Finding]]:
    """
    Give the fields that no property carries: in words, a line for each part, and as what is shown of them and the rest.

    Texts are quoted as in JSON, so that none can be taken for another line.
    """
    words: dict[str, list[str]] = {}
    shown: dict[Finding, None] = {}
    for path, value in notes.leaves(document):
        if path in writing.used or any(path.startswith(f"{each}.") for each in writing.passed_over):
            continue
        left_out, finding = notes.left_out(path, notifiers)
        if left_out:
            shown |= {finding: None} if finding else {}
            continue
        part, _, name = _named(path, document).rpartition(".")
        told = json.dumps(writing.text(value, path) if isinstance(value, str) else value, ensure_ascii=False)
        words.setdefault(part, []).append(f"{notes.pattern_of(name).removesuffix('[]')} {told}")
        shown[Finding(path, "in_words", "is sent in words, at the end of the summary")] = None
    return [f"{part}: {', '.join(told)}".removeprefix(": ") for part, told in words.items()], list(shown)


def _named(path: str, document: dict[str, Any]) -> str:
    """Name a person or an item by the id that stands in the report, not by its place."""
    group, bracket, rest = path.partition("[")
    if not bracket or group not in ("people", "evidence"):
        return path
    number, _, inner = rest.partition("]")
    return f"{group}[{document[group][int(number)]['id']}]{inner}"
