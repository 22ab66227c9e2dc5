"""
The one table between the case document and a report of the contract (our own, not the NCA's).

A line pairs a property, dotted where it lies deeper, with a field of the case, and says how one becomes the other:
``theirs=ours`` copies, ``theirs=ours:HOW`` converts by a line set of this table (each entry of a list) or by a
function of ``converters``. What no line takes is sent in words, kept, or left out by name: see ``notes``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_TABLE = {
    "report": "clientReference=reference territorial.ukLinks=uk.links:ukLink"
    " duplicateCheck.previousReports=previous_reports:previousReport priority=incident.urgency:priority"
    " incident.summary=incident.summary incident.conduct=incident.conduct:conduct"
    " incident.detection.methods=detected_by:methods incident.detection.detectedAt=detected_at"
    " incident.detection.basisForJudgement=confirmation.basis incident.platform.name=incident.platform.name"
    " incident.platform.url=incident.platform.url incident.platform.feature=incident.platform.feature"
    " incident.actionsTaken=actions:action content=evidence:content users=people:user"
    " declaration.declaredAt=uk.declaration.at",
    "ukLink": "basis=ground:ground evidence=evidence",
    "previousReport": "body=authority:body reference=reference relation=relation:relation reasonForNewReport=reason",
    "priority": "level=level:level rationale=reason assessedAt=assessed_at",
    "action": "action=kind:done at=at note=note",
    "content": "contentId=id kind=kind:kind mimeType=media_type originalFileName=original_name url=url"
    " uploadedAt=uploaded_at uploadIp=upload_event:upload publiclyAvailable=publicly_available"
    " ukGrading=grading.uk hashes=original_hashes:hash exif.tags=metadata:exif",
    "hash": "algorithm=algorithm:algorithm value=value",
    "user": "userRef=id roles=roles:roles notifierContext=context accountId=account.id"
    " usernames=account.screen_name:one displayName=account.display_names:first"
    " profileUrl=account.profile_urls:first accountCreatedAt=account.created_at connections=account.connections"
    " emails=person.emails:email phones=person.phones:phone dateOfBirth=person.date_of_birth"
    " statedLocation=stated_location logins=ip_events:logins billing=billing:billing"
    " identityDocuments=identity_documents:files unavailable=not_held",
    #: A notifier who stands in no other role is named by that alone (law 8).
    "notifier": "userRef=id roles=roles:roles notifierContext=context",
    "prior": "body=authority:body reference=reference",
    "email": "address=address kind=type:email_kind verifiedAt=verified_at",
    "phone": "number=number verifiedAt=verified_at",
    "ip": "address=address port=port:integer observedAt=at",
    "billing": "name=name address=address:postal instrumentSummary=instrument",
}
#: What stands where no field of the case says otherwise.
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "previousReport": {"relation": "other"},
    "prior": {"relation": "same_user_other_content"},
    "content": {"kind": "file", "availability": "provided"},
    "hash": {"of": "original_file"},
    "email": {"kind": "primary"},
    "billing": {"availability": "provided"},
}
#: By converter: our word, and theirs; a word after ``~`` says less than ours, which is then sent in words as well.
WORDS: Mapping[str, Mapping[str, str]] = {
    "ground": {
        "place": "place_of_publication_generation_upload_or_sharing",
        "suspect_nationality": "suspect_nationality",
        "suspect_location": "suspect_location",
        "victim_location": "child_victim_location",
    },
    "body": {"nca": "NCA", "ncmec": "NCMEC", "*": "~other"},
    "relation": {"same_person": "same_user_other_content", "supplements": "same_incident", "duplicate": "~other"},
    "done": {
        **{
            word: word
            for word in (
                "content_restricted", "content_removed", "account_restricted", "account_suspended",
                "emergency_services_called", "victim_support_offered",
            )
        },
        "*": "~other",
    },
    "kind": {
        "image": "image", "video": "video", "audio": "audio", "text": "text", "document": "~file", "other": "~file",
    },
    "email_kind": {"recovery": "recovery", "*": "~primary"},
    "method": {
        "user_report": "user_report", "hash_match": "hash_match", "classifier": "classifier",
        "human_review": "human_review", "law_enforcement": "law_enforcement", "other": "other",
        "*": "~external_notifier",
    },
    "role": {
        "victim": "suspected_victim", "notifier": "notifier", "uploader": "uploader", "creator": "creator",
        "sharer": "sharer", "recipient": "recipient", "intended_recipient": "~recipient", "suspect": "~other",
    },
    "conduct": {
        **{
            word: word
            for word in (
                "imagery", "non_photographic_imagery", "ai_generated_imagery", "grooming", "sexual_extortion",
                "livestream", "link_to_material", "text_encouraging_abuse", "other",
            )
        },
        "*": "~other",
    },
    "algorithm": {
        "md5": "MD5", "sha1": "SHA1", "sha-1": "SHA1", "sha256": "SHA256", "sha-256": "SHA256", "photodna": "PHOTODNA",
        "pdq": "PDQ", "tmk_pdqf": "TMK_PDQF", "*": "~OTHER",
    },
}  # fmt: skip
#: Conduct that the case does not name itself follows from the incident's type and from annotations.
CONDUCT_OF_TYPE = {"csam": "imagery", "online_enticement": "grooming"}
CONDUCT_OF_ANNOTATION = {
    "sextortion": "sexual_extortion",
    "generative_ai": "ai_generated_imagery",
    "anime_drawing_virtual_hentai": "non_photographic_imagery",
    "live_streaming": "livestream",
}
#: SI 2026/268 reg 6(6), in the words of the case document.
LEVELS = {"immediate": 1, "near_future": 2, "routine": 3}
#: Roles that an evidence item gives to people.
ROLES_OF_EVIDENCE = {"uploaded_by": "uploader", "created_by": "creator", "shared_by": "sharer"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line: their property, our field, and how."""

    theirs: str
    ours: str
    how: str


def _lines(text: str) -> tuple[Line, ...]:
    words = (word.partition("=") for word in text.split())
    return tuple(Line(theirs, *rest.partition(":")[::2]) for theirs, _, rest in words)


LINES = {kind: _lines(text) for kind, text in _TABLE.items()}


def fields(kind: str = "report", pointer: str = "", path: str = "") -> Iterator[tuple[str, str]]:
    """Give each property of the table, as a JSON pointer without numbers, with the field it comes from."""
    for line in LINES[kind]:
        there, here = f"{pointer}/{line.theirs.replace('.', '/')}", f"{path}.{line.ours}".lstrip(".")
        yield there, here
        inner = {"logins": "ip", "upload": "ip"}.get(line.how, line.how)
        if inner in LINES:
            many = "" if line.how in ("priority", "billing", "upload") else "[]"
            yield from fields(inner, there, here + many)
