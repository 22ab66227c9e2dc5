"""Hold a case against our own contract (not the NCA's), its JSON Schema, and what the law asks beyond both."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from adapters.nca import payload, schema
from adapters.nca.mapping import ROLES_OF_EVIDENCE, fields
from adapters.nca.settings import missing, read
from reporter.authority import Check, Environment, Package, Packaging
from reporter.cases.model import Case
from reporter.errors import Finding

_NUMBER = re.compile(r"/\d+")
#: Where in the case a property belongs that a report lacks; the table names the rest.
_WANTED = {
    **{re.sub(r"/\d+", "", pointer): path for pointer, path in fields()},
    "/territorial/ukLinks": "uk.links",
    "/priority": "incident.urgency",
    "/declaration": "uk.declaration",
    "/content": "evidence",
    "/users/roleConfirmedByHuman": "people[].role_decision",
    "/supplements": "supplement",
    "/reporter": "[organisation.reporting_person]",
    "/organisation/registrationId": "[authority.nca] registration_id",
    "/organisation": "[organisation] name",
    "/incident/platform": "incident.platform",
}


def check(case: Case, packaging: Packaging) -> Check:
    """Give what stops the report (``needs``) and what is only shown (``notes``), in the case document's own paths."""
    registration, wrong = read(packaging.settings)
    composition = payload.compose(case, packaging)
    needs = [*wrong, *missing(registration, packaging.organisation, packaging.now.date()), *_duties(case, packaging)]
    known = {need.path for need in needs}
    needs += [finding for finding in _by_schema(composition) if finding.path not in known]
    shown = list(composition.shown)
    shown += [
        Finding(path, "replaced_characters", "holds half a surrogate pair, which is sent as U+FFFD")
        for path in composition.writing.replaced
    ]
    if composition.report.get("priority", {}).get("level") in (1, 2):
        words = "levels 1 and 2 are to be telephoned as well outside Mon-Fri 07:00-17:00 UK time; approving says so"
        shown.append(Finding("incident.urgency.level", "telephone", words))
    return Check(tuple(dict.fromkeys(needs)), tuple(dict.fromkeys(shown)))


def validate(package: Package, text: bytes) -> list[Finding]:
    """Hold the exact documents of a package against the contract, which is built in; no other schema counts."""
    del text
    return [
        Finding(f"{document.name}{fault.pointer}", fault.rule, fault.message)
        for document in package.documents
        for fault in schema.faults(json.loads(document.body))
    ]


def _by_schema(composition: payload.Composition) -> Iterator[Finding]:
    for fault in schema.faults(composition.report):
        if (fault.pointer, fault.rule) == ("/incident/summary", "maxLength"):
            words = f"{fault.message}, with what is sent in words at its end; shorten it, or the case"
            yield Finding("incident.summary", fault.rule, words)
            continue
        yield Finding(_path_of(fault.pointer, composition.writing.places), fault.rule, fault.message)


def _path_of(pointer: str, places: dict[str, str]) -> str:
    """Name the field of the case that a property came from or would come from, or the nearest around it."""
    if places.get(pointer):
        return places[pointer]
    wanted = _WANTED.get(_NUMBER.sub("", pointer))
    around, _, _ = pointer.rpartition("/")
    if wanted is not None:
        return _numbered(wanted, around, places)
    return _path_of(around, places) if around else "case"


def _numbered(wanted: str, around: str, places: dict[str, str]) -> str:
    """Put the numbers of the nearest known field into a pattern such as ``people[].context``."""
    while around and not places.get(around):
        around = around.rpartition("/")[0]
    near = places.get(around, "")
    for number in re.findall(r"\[\d+\]", near):
        wanted = wanted.replace("[]", number, 1)
    return wanted


# --- what the schema cannot say ---------------------------------------------------------------------------------


def _duties(case: Case, packaging: Packaging) -> Iterator[Finding]:
    if packaging.environment is not Environment.SANDBOX:
        yield Finding("[authority.nca] environment", "mock", "this contract is our own; it serves the sandbox alone")
    if packaging.organisation.ncmec_arrangement:
        yield Finding(
            "[organisation] ncmec_arrangement", "covered",
            "content that arrangements with a foreign agency cover is not to be reported again (s.70(5))",
        )  # fmt: skip
    if not (case.incident.summary or "").strip():
        yield Finding("incident.summary", "required", "is missing")
    if case.incident.urgency is None:
        yield Finding("incident.urgency", "required", "missing: a person states the level of priority (reg 6(6))")
    elif not (case.incident.urgency.reason or "").strip():
        yield Finding("incident.urgency.reason", "required", "missing: the level of priority goes with its reason")
    if not case.detected_by:
        yield Finding("detected_by", "required", "missing: a report says how the content was detected")
    if case.uk is None or case.uk.declaration is None:
        yield Finding(
            "uk.declaration", "required", "missing: somebody declares that all information available is given"
        )
    for at, link in enumerate((case.uk and case.uk.links) or []):
        if link.evidence and not link.evidence.strip():
            yield Finding(f"uk.links[{at}].evidence", "not_blank", "blank: a ground goes with its evidence (s.70(6))")
    yield from _people(case)
    yield from _evidence(case, packaging)
    yield from _earlier(case, packaging)


def _people(case: Case) -> Iterator[Finding]:
    items = {item.id for item in case.evidence or []}
    for at, (person, roles) in enumerate(zip(case.people or [], payload.roles_of(case), strict=True)):
        path = f"people[{at}]"
        by_evidence = [role for role in roles if role in ROLES_OF_EVIDENCE.values() and role not in person.roles]
        if "notifier" in roles and by_evidence:
            words = f"the evidence makes this notifier {by_evidence[0]} too: name that role here, or take it out there"
            yield Finding(f"{path}.roles", "both_roles", words)
        if "notifier" in roles and not (person.context or "").strip():
            yield Finding(f"{path}.context", "required", "missing: how, and at whose request, they told us")
        for number, item in enumerate(person.identity_documents or []):
            if item not in items:
                yield Finding(f"{path}.identity_documents[{number}]", "reference", "names no item of the evidence")


def _evidence(case: Case, packaging: Packaging) -> Iterator[Finding]:
    for at, item in enumerate(case.evidence or []):
        if packaging.supplement and packaging.supplement.has(item):
            continue
        if item.id not in packaging.evidence or item.path is None or item.sha256 is None:
            yield Finding(f"evidence[{at}].path", "file", "the file is not sealed here yet; use case revise")


def _earlier(case: Case, packaging: Packaging) -> Iterator[Finding]:
    if packaging.supplement and not packaging.supplement.earlier[0].ids.get("referral_id"):
        yield Finding(
            "supplement", "referral_id", "the first receipt has no referralId, by which a supplement is linked"
        )
    people = [
        (f"people[{at}].prior_reports[{number}]", prior)
        for at, person in enumerate(case.people or [])
        for number, prior in enumerate(person.prior_reports or [])
    ]
    for path, prior in (*people, *((f"previous_reports[{at}]", p) for at, p in enumerate(case.previous_reports or []))):
        if prior.authority == "nca" and prior.environment not in (None, packaging.environment.value):
            yield Finding(f"{path}.environment", "environment", f"not {packaging.environment.value}")
