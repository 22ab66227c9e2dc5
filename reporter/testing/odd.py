"""
Case documents that keep their contract and are odd all the same: what every adapter must answer without falling over.

All synthetic. Every free text holds ``MARKER`` unless it is empty, so that a finding which repeats content is noticed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reporter.testing.documents import case_document

#: Stands in every free text; it may appear in no finding.
MARKER = "ODDMARKER"
#: What XML cannot carry or terminals would obey; lone surrogates are refused before a case exists.
_CONTROL = "\x00\x01\x08\x0b\x1b[31m\x1f\x7f\x85\u202e\ufeff\ufffe\uffff\r\n\t<&>\"']]>{{report_id}}"
_MANY_URLS = 10_000
_LONG = 200_000


def odd_documents() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each odd document with a name for it."""
    minimal = case_document()
    for optional in ("people", "evidence"):
        del minimal[optional]
    del minimal["incident"]["summary"]
    yield "nothing but what must be there", minimal
    yield "empty objects and lists", case_document(**_hollow())
    yield "empty texts", case_document(**_rich(""))
    yield "control characters", case_document(**_rich(MARKER + _CONTROL))
    yield "very long texts", case_document(**_rich(MARKER * (_LONG // len(MARKER))))
    urls = [f"https://forum.example/{MARKER}/{number}" for number in range(_MANY_URLS)]
    yield "10,000 URLs", case_document(locations=[{"kind": "web_page", "urls": urls}])
    yield "many people in every role", case_document(people=_crowd())
    yield "evidence that nobody has sealed", case_document(evidence=[{"id": "e1"}, {"id": "e2", "kind": "video"}])
    for moment in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "2026-11-18T00:00:00+23:59"):
        yield f"a moment such as {moment}", case_document(detected_at=moment, **_at(moment))


def _hollow() -> dict[str, Any]:
    """Give every optional object and list that may be empty, empty."""
    person = {
        "id": "p1",
        "roles": [],
        "account": {},
        "person": {"emails": [], "phones": [], "addresses": [{}]},
        "ip_events": [],
        "devices": [],
        "account_actions": {},
        "estimated_location": {},
        "prior_reports": [],
        "associated_accounts": [{"type": "other", "emails": [], "ip_events": [], "account_actions": {}}],
        "billing": {"address": {}, "emails": [], "phones": []},
        "identity_documents": [],
        "not_held": [],
    }
    kinds = ("web_page", "email", "newsgroup", "chat", "gaming", "cell_phone", "non_internet", "peer_to_peer")
    return {
        "detected_by": [],
        "incident": {
            "type": "csam",
            "occurred_at": "2026-11-18T09:55:00Z",
            "platform": {},
            "annotations": [],
            "conduct": [],
        },
        "locations": [{"kind": kind} for kind in kinds],
        "people": [person, {**person, "id": "p2", "roles": ["suspect"], "account": {"display_names": []}}],
        "evidence": [{"id": "e1", "annotations": [], "devices": [], "metadata": [], "grading": {}, "views": []}],
        "law_enforcement": {"agency": "", "officer": {"phones": [], "emails": []}, "legal_process": {}},
        "actions": [],
        "uk": {},
        "previous_reports": [],
    }


def _rich(text: str) -> dict[str, Any]:
    """Give a document's parts with ``text`` in every place that takes free text."""
    email = {"address": text}
    phone = {"number": text, "country_calling_code": text, "extension": text}
    address = dict.fromkeys(("street", "city", "postal_code", "us_state", "region", "country"), text)
    ip_event = {"address": text, "port": "-0", "event": "login"}
    person = {
        "id": "p1",
        "roles": ["suspect"],
        "context": text,
        "account": {
            **dict.fromkeys(("id", "service", "screen_name", "bio", "group_id"), text),
            **{name: [text, text] for name in ("display_names", "profile_urls", "connections")},
        },
        "person": {
            **dict.fromkeys(("first_name", "middle_name", "last_name"), text),
            "emails": [email, email],
            "phones": [phone],
            "addresses": [address],
            "age": "-1",
        },
        "ip_events": [ip_event],
        "devices": [{"type": text, "value": text}],
        "estimated_location": {"city": text, "region": text, "country": text},
        "prior_reports": [{"authority": text, "reference": text}],
        "associated_accounts": [{"type": "linked", "platform": {"name": text}, "screen_name": text}],
        "billing": {"name": text, "instrument": text, "address": address},
        **dict.fromkeys(("vehicle", "school", "stated_location", "additional_info"), text),
        "identity_documents": [text],
        "not_held": [text],
    }
    evidence = {
        "id": "e1",
        **dict.fromkeys(("media_type", "reported_name", "original_name", "url"), text),
        "additional_info": [text],
        "original_hashes": [{"algorithm": text, "value": text}],
        "metadata": [{"type": "exif", "pairs": [{"name": text, "value": text}]}],
        "upload_event": ip_event,
    }
    return {
        "detected_by": [{"method": "other", "at": "2026-11-18T09:59:00Z", "note": text}],
        "incident": {
            "type": "csam",
            "occurred_at": "2026-11-18T09:55:00Z",
            "occurred_at_note": text,
            "platform": {"name": text, "url": text, "feature": text},
            "conduct": [text],
            "urgency": {"level": "immediate", "reason": text},
            "summary": text,
        },
        "locations": [
            {"kind": "web_page", "urls": [text], "additional_info": text},
            {"kind": "email", "addresses": [email], "content": text},
            {"kind": "cell_phone", "phone": phone, "latitude": "1e999999", "longitude": "-.5"},
            {"kind": "non_internet", "name": text, "addresses": [address]},
            {"kind": "peer_to_peer", "client": text, "ip_events": [ip_event], "file_names": text},
        ],
        "people": [person],
        "evidence": [evidence],
        "law_enforcement": {"agency": text, "case_number": text, "officer": {"first_name": text, "emails": [email]}},
        "actions": [{"kind": text, "at": "2026-11-18T10:05:00Z", "note": text}],
        "previous_reports": [{"authority": text, "reference": text, "reason": text}],
    }


def _crowd() -> list[dict[str, Any]]:
    roles = ["suspect", "victim", "intended_recipient", "notifier", "uploader", "creator", "sharer", "recipient"]
    return [{"id": f"p{number}", "roles": roles, "person": {"first_name": MARKER}} for number in range(200)]


def _at(moment: str) -> dict[str, Any]:
    """Give what may hold a moment that nobody of us wrote down, at ``moment``."""
    return {
        "incident": {"type": "csam", "occurred_at": moment},
        "people": [
            {
                "id": "p1",
                "roles": ["suspect"],
                "account": {"created_at": moment},
                "person": {
                    "emails": [{"address": "a@forum.example", "verified_at": moment}],
                    "date_of_birth": moment[:10],
                },
                "ip_events": [{"address": "192.0.2.1", "at": moment}],
            }
        ],
        "evidence": [{"id": "e1", "uploaded_at": moment}],
    }
