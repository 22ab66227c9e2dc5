"""A synthetic case in which every field that the case document has for an authority is filled, ready for the NCA."""

from __future__ import annotations

from typing import Any

from reporter.authority import Environment, EvidenceFacts, Packaging, Supplement
from reporter.cases.model import Case
from reporter.testing.clock import FakeClock
from tests.contract.nca_subject import ORGANISATION, SETTINGS
from tests.unit.ncmec_packaging.full_case import FULL_CASE

_SUSPECT = FULL_CASE["people"][0]
_LOGIN = {"address": "2001:db8::1", "port": 443, "event": "login", "at": "2026-11-17T20:00:00Z", "possible_proxy": True}
_PRIOR = {"environment": "sandbox", "reference": "R-1"}

NCA_CASE: dict[str, Any] = {
    **FULL_CASE,
    "detected_by": [
        {"method": "user_report", "at": "2026-11-18T09:59:00Z", "person": "p4", "note": "SYNTHETIC"},
        {"method": "hotline", "at": "2026-11-18T10:00:00Z"},
    ],
    "incident": {
        **FULL_CASE["incident"],
        "platform": {"name": "Example Forum", "url": "https://forum.example/", "feature": "posts"},
        "conduct": ["imagery", "of our own"],
        "batch": {"reason": "viral_potential_meme"},
        "urgency": {
            "level": "near_future",
            "reason": "SYNTHETIC",
            "assessed_by": "reviewer-7",
            "assessed_at": "2026-11-18T10:03:00Z",
        },
    },
    "people": [
        {
            **_SUSPECT,
            "roles": ["suspect", "uploader"],
            "context": "SYNTHETIC",
            "account": {**_SUSPECT["account"], "created_at": "2020-01-01T00:00:00Z", "connections": ["9002"]},
            "ip_events": [_LOGIN, *_SUSPECT["ip_events"]],
            "billing": {
                "name": "Test Person",
                "instrument": "card ending 0000",
                "address": {"street": "1 Sample Street", "city": "Springfield", "country": "GB", "type": "billing"},
                "emails": [{"address": "billing@mail.example"}],
                "phones": [{"number": "1632960002"}],
            },
            "identity_documents": ["e2"],
            "stated_location": "SYNTHETIC town",
            "not_held": ["phones"],
            "prior_reports": [{"authority": "nca", **_PRIOR}, {"authority": "elsewhere", **_PRIOR}],
        },
        {"id": "p2", "roles": ["intended_recipient", "sharer"], "to_follow": ["billing"]},
        {"id": "p3", "roles": ["victim"], "school": "SYNTHETIC"},
        {
            "id": "p4",
            "roles": ["notifier"],
            "context": "Pressed the report button, at nobody's request.",
            "account": {"id": "9004", "screen_name": "told_us"},
        },
        {
            "id": "p5",
            "roles": ["notifier", "recipient"],
            "context": "Was sent it, and told us.",
            "role_decision": {"by": "reviewer-8", "at": "2026-11-18T10:03:30Z", "reason": "SYNTHETIC"},
            "account": {"id": "9005"},
        },
    ],
    "evidence": [
        {
            **FULL_CASE["evidence"][0],
            "media_type": "image/png",
            "kind": "image",
            "uploaded_by": ["p1"],
            "created_by": ["p1"],
            "shared_by": ["p2"],
            "received_from": "p4",
            "received_at_request_of": "nobody",
            "match": {"kind": "perceptual", "previously_viewed_at": "2026-10-01T00:00:00Z"},
            "grading": {"uk": "B"},
            "metadata": [
                {"type": "exif", "pairs": [{"name": "Model", "value": "Sample"}, {"name": "Model", "value": "Again"}]},
                {"type": "hash", "pairs": [{"name": "Other", "value": "SYNTHETIC"}]},
            ],
            "views": [{"by": "reviewer-7", "at": "2026-11-18T10:02:00Z", "extent": "entire"}],
        },
        {"id": "e2", "path": "files/e2.bin", "sha256": "1" * 64},
        {"id": "e3", "path": "files/e3.bin", "sha256": "2" * 64, "kind": "document", "to_follow": ["metadata"]},
    ],
    "actions": [
        {"kind": "content_removed", "at": "2026-11-18T10:05:00Z", "note": "SYNTHETIC"},
        {"kind": "told the school", "at": "2026-11-18T10:06:00Z"},
    ],
    "uk": {
        "links": [{"ground": "suspect_location", "evidence": "SYNTHETIC: the address lies in the UK."}],
        "declaration": {"by": "reviewer-7", "at": "2026-11-18T10:06:00Z"},
    },
    "previous_reports": [
        {"authority": "nca", **_PRIOR, "relation": "supplements", "reason": "SYNTHETIC"},
        {"authority": "ncmec", **_PRIOR, "relation": "same_person"},
        {"authority": "elsewhere", **_PRIOR, "relation": "duplicate"},
    ],
}


def nca_case(**changes: Any) -> Case:
    """Give the full case; ``changes`` replace top-level fields."""
    return Case.model_validate({**NCA_CASE, **changes})


def nca_packaging(case: Case, supplement: Supplement | None = None, **changes: Any) -> Packaging:
    """Give what the house adds to it; ``changes`` are settings, or ``organisation`` and ``environment``."""
    facts = {
        item.id: EvidenceFacts(item.id, item.sha256 or "", "", 7, viewed_entire=bool(item.views))
        for item in case.evidence or []
    }
    organisation = changes.pop("organisation", ORGANISATION)
    environment = changes.pop("environment", Environment.SANDBOX)
    settings = {**SETTINGS, **changes}
    return Packaging(organisation, environment, facts, FakeClock().now(), settings, supplement=supplement)
