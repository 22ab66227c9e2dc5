"""
The case document, version 1: what a moderation system hands in, neutral of any authority.

Absent means not known. An empty object, list or string is content of its own and is sent where the authority's format
can say it. Nothing here knows an authority.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import StringConstraints

from reporter.cases.locations import Location
from reporter.cases.people import (
    Account,
    AccountActions,
    Address,
    AssociatedAccount,
    Device,
    Disabled,
    Email,
    EstimatedLocation,
    InvolvedPerson,
    IPEvent,
    Officer,
    Person,
    Phone,
    Prior,
    TemporarilyDisabled,
)
from reporter.cases.scalars import Part, Timestamp

__all__ = [
    "Account",
    "AccountActions",
    "Address",
    "AssociatedAccount",
    "Case",
    "Confirmation",
    "Device",
    "Disabled",
    "Email",
    "EstimatedLocation",
    "Evidence",
    "IPEvent",
    "Incident",
    "InvolvedPerson",
    "Location",
    "Officer",
    "Person",
    "Phone",
    "Prior",
    "TemporarilyDisabled",
    "View",
]

REFERENCE_PATTERN = r"^[A-Za-z0-9._-]{8,64}$"
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Detection(Part):
    """How the matter came to notice."""

    method: Literal[
        "user_report",
        "trusted_flagger",
        "hotline",
        "law_enforcement",
        "media_enquiry",
        "other_provider",
        "human_review",
        "hash_match",
        "classifier",
        "other",
    ]
    at: Timestamp
    person: str | None = None
    note: str | None = None


class Confirmation(Part):
    """A human's decision about the case; without ``confirmed`` nothing is ever sent."""

    decision: Literal["confirmed", "not_confirmed", "pending"]
    by: str
    at: Timestamp
    basis: str


class Platform(Part):
    """Where on the organisation's services it happened."""

    name: str | None = None
    url: str | None = None
    feature: str | None = None


class Urgency(Part):
    """How soon harm may come to a child, and who says so."""

    level: Literal["immediate", "near_future", "routine"]
    reason: str | None = None
    assessed_by: str | None = None
    assessed_at: Timestamp | None = None


class Batch(Part):
    """Many accounts sharing one item that spreads by itself."""

    reason: Literal["viral_potential_meme"]


class Incident(Part):
    """What happened and when; ``summary`` is our statement to the authority."""

    type: Literal[
        "csam",
        "child_sex_trafficking",
        "child_sex_tourism",
        "child_sexual_molestation",
        "misleading_domain_name",
        "misleading_words_or_images",
        "online_enticement",
        "unsolicited_obscene_material",
    ]
    occurred_at: Timestamp
    occurred_at_note: str | None = None
    platform: Platform | None = None
    annotations: (
        list[
            Literal[
                "sextortion",
                "csam_solicitation",
                "minor_to_minor_interaction",
                "spam",
                "sadistic_online_exploitation",
                "informational",
            ]
        ]
        | None
    ) = None
    conduct: list[str] | None = None
    urgency: Urgency | None = None
    batch: Batch | None = None
    summary: str | None = None


class OriginalHash(Part):
    """A digest that came with the file from elsewhere."""

    algorithm: str
    value: str


class MetadataPair(Part):
    """One name and value of a file's metadata."""

    name: str
    value: str


class Metadata(Part):
    """Metadata extracted upstream; this program never opens evidence."""

    type: Literal["exif", "hash"] | None = None
    pairs: list[MetadataPair]


class Match(Part):
    """How a known item was recognised."""

    kind: Literal["cryptographic", "perceptual", "classifier"]
    previously_viewed_at: Timestamp | None = None


class Grading(Part):
    """National gradings."""

    uk: Literal["A", "B", "C"] | None = None


class View(Part):
    """Somebody looked: only ``entire`` counts as having viewed the file."""

    by: str
    at: Timestamp
    extent: Literal["entire", "partial", "blurred", "thumbnail"]
    metadata_viewed: bool | None = None


class Evidence(Part):
    """One file. ``path`` is relative to the case's folder; a case handed in as pending may lack it and ``sha256``."""

    id: str
    path: str | None = None
    sha256: Sha256 | None = None
    media_type: str | None = None
    kind: Literal["image", "video", "audio", "text", "document", "other"] | None = None
    reported_name: str | None = None
    original_name: str | None = None
    uploaded_at: Timestamp | None = None
    url: str | None = None
    publicly_available: bool | None = None
    relevance: Literal["reported", "supplemental"] | None = None
    classification: Literal["A1", "A2", "B1", "B2"] | None = None
    annotations: (
        list[
            Literal[
                "anime_drawing_virtual_hentai",
                "potential_meme",
                "viral",
                "possible_self_production",
                "physical_harm",
                "violence_gore",
                "bestiality",
                "live_streaming",
                "infant",
                "generative_ai",
            ]
        ]
        | None
    ) = None
    uploaded_by: list[str] | None = None
    created_by: list[str] | None = None
    shared_by: list[str] | None = None
    received_from: str | None = None
    received_at_request_of: Literal["nobody", "platform", "authority"] | None = None
    upload_event: IPEvent | None = None
    devices: list[Device] | None = None
    original_hashes: list[OriginalHash] | None = None
    metadata: list[Metadata] | None = None
    additional_info: list[str] | None = None
    match: Match | None = None
    grading: Grading | None = None
    to_follow: list[Literal["metadata"]] | None = None
    views: list[View] | None = None


class InternationalProcess(Part):
    """Legal process served from abroad."""

    served: bool
    country: str | None = None


class LegalProcess(Part):
    """Legal process already served on the organisation."""

    domestic: bool | None = None
    international: InternationalProcess | None = None


class LawEnforcement(Part):
    """What law enforcement already knows."""

    agency: str
    case_number: str | None = None
    officer: Officer | None = None
    reported: bool | None = None
    legal_process: LegalProcess | None = None


class Action(Part):
    """Something the organisation did."""

    kind: str
    at: Timestamp
    note: str | None = None


class UKLink(Part):
    """A ground on which content is linked to the United Kingdom, with its evidence."""

    ground: Literal["place", "suspect_nationality", "suspect_location", "victim_location"]
    evidence: str


class Declaration(Part):
    """Somebody declares that all the information reasonably available is given."""

    by: str
    at: Timestamp


class UK(Part):
    """Facts that only the United Kingdom's rules ask for."""

    links: list[UKLink] | None = None
    declaration: Declaration | None = None


class PreviousReport(Prior):
    """An earlier report that this case belongs to."""

    relation: Literal["same_person", "supplements", "duplicate"] | None = None
    reason: str | None = None


class Case(Part):
    """The whole case document, version 1."""

    case_version: Literal[1]
    reference: Annotated[str, StringConstraints(pattern=REFERENCE_PATTERN)]
    detected_at: Timestamp
    detected_by: list[Detection] | None = None
    confirmation: Confirmation
    incident: Incident
    locations: list[Location] | None = None
    people: list[InvolvedPerson] | None = None
    evidence: list[Evidence] | None = None
    law_enforcement: LawEnforcement | None = None
    actions: list[Action] | None = None
    uk: UK | None = None
    previous_reports: list[PreviousReport] | None = None

    def people_in(self, role: str) -> list[tuple[int, InvolvedPerson]]:
        """Give the people who have ``role``, each with the index under which the document lists them."""
        return [(index, person) for index, person in enumerate(self.people or []) if role in person.roles]

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Publish the contract as JSON Schema (draft 2020-12)."""
        pending = {"properties": {"confirmation": {"properties": {"decision": {"const": "pending"}}}}}
        complete = {"properties": {"evidence": {"items": {"required": ["path", "sha256"]}}}}
        schema = {**cls.model_json_schema(), "if": pending, "else": complete}
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
