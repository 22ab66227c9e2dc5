"""A synthetic case in which every field that NCMEC can carry is filled."""

from __future__ import annotations

from typing import Any

_IP = {"address": "192.0.2.10", "port": 51515, "event": "upload", "at": "2026-11-18T09:55:00Z", "possible_proxy": False}
_DEVICE = {"type": "IMEI", "value": "490154203237518", "event": "login", "at": "2026-11-17T20:01:00Z"}
_KNOWN = {"verified": True, "verified_at": "2025-02-01T00:00:00Z"}
_EMAIL = {"address": "user@mail.example", "type": "home", **_KNOWN}
_PHONE = {"number": "1632960001", "country_calling_code": "+44", "extension": "12", "type": "mobile", **_KNOWN}
_ADDRESS = {
    "street": "1 Sample Street",
    "city": "Springfield",
    "postal_code": "62701",
    "us_state": "IL",
    "region": "",
    "country": "US",
    "type": "home",
}
_ACCOUNT = {
    "id": "9001",
    "service": "Example Forum",
    "screen_name": "user_9001",
    "display_names": ["Nine O."],
    "profile_urls": ["https://forum.example/u/9001"],
    "bio": "SYNTHETIC",
    "compromised": False,
}
_NAME = {
    "first_name": "Test",
    "last_name": "Person",
    "emails": [_EMAIL],
    "phones": [_PHONE],
    "addresses": [_ADDRESS],
}
_HUMAN = {**_NAME, "all_emails_reported": True, "age_assertion_discrepancy": False}
_PERSON = {**_HUMAN, "age": 34, "date_of_birth": "1990-04-02"}
_TOLD = {"value": True, "at": "2026-11-01T00:00:00Z", "user_notified": True, "user_notified_at": "2026-11-01T00:00:00Z"}
_ACTIONS = {
    "temporarily_disabled": {**_TOLD, "reenabled_at": "2026-11-02T00:00:00Z"},
    "permanently_disabled": _TOLD,
}
_EVENTS = {
    "ip_events": [_IP],
    "devices": [_DEVICE],
    "account_actions": _ACTIONS,
    "prior_reports": [{"authority": "ncmec", "environment": "sandbox", "reference": "248114407"}],
    "additional_info": "SYNTHETIC",
}
_ASSOCIATED = [
    {
        "type": "parent_guardian",
        "platform": {"name": "Other Forum", "third_party": True},
        "group_id": "555",
        "middle_name": "Middle",
        "approximate_age": 40,
        **_ACCOUNT,
        **_HUMAN,
        **_EVENTS,
    },
    {"type": "other", "date_of_birth": "1980-01-01"},
]
_INVOLVED = {
    "person": _PERSON,
    "estimated_location": {
        "city": "Springfield",
        "region": "IL",
        "country": "US",
        "verified": True,
        "at": "2026-11-17T20:01:00Z",
    },
    **_EVENTS,
}
_TEXTS = {"content": "SYNTHETIC", "additional_info": "SYNTHETIC"}

FULL_CASE: dict[str, Any] = {
    "case_version": 1,
    "reference": "TS-2026-000200",
    "detected_at": "2026-11-18T10:00:00Z",
    "confirmation": {"decision": "confirmed", "by": "reviewer-7", "at": "2026-11-18T10:04:30Z", "basis": "SYNTHETIC"},
    "incident": {
        "type": "csam",
        "occurred_at": "2026-11-18T09:55:00Z",
        "occurred_at_note": "SYNTHETIC",
        "platform": {"name": "Example Forum"},
        "annotations": [
            "sextortion",
            "csam_solicitation",
            "minor_to_minor_interaction",
            "spam",
            "sadistic_online_exploitation",
            "informational",
        ],
        "urgency": {"level": "immediate", "reason": "SYNTHETIC"},
        "summary": "SYNTHETIC",
    },
    "locations": [
        {
            "kind": "web_page",
            "urls": ["https://forum.example/t/1"],
            "third_party_hosted": True,
            "additional_info": "SYNTHETIC",
        },
        {"kind": "email", "addresses": [_EMAIL], **_TEXTS},
        {"kind": "newsgroup", "name": "alt.example", "addresses": [_EMAIL], **_TEXTS},
        {"kind": "chat", "client": "Example", "room": "r", **_TEXTS},
        {"kind": "gaming", "game": "Example", "console": "c", **_TEXTS},
        {"kind": "cell_phone", "phone": _PHONE, "latitude": 51.5, "longitude": "-0.1", "additional_info": "SYNTHETIC"},
        {"kind": "non_internet", "name": "Example", "addresses": [_ADDRESS], "additional_info": "SYNTHETIC"},
        {
            "kind": "peer_to_peer",
            "client": "Example",
            "ip_events": [_IP],
            "file_names": "a.png",
            "additional_info": "SYNTHETIC",
        },
    ],
    "people": [
        {
            "id": "p1",
            "roles": ["suspect"],
            "account": {**_ACCOUNT, "third_party": False, "group_id": "555"},
            "vehicle": "SYNTHETIC",
            "associated_accounts": _ASSOCIATED,
            **_INVOLVED,
        },
        {"id": "p2", "roles": ["intended_recipient"], "account": {**_ACCOUNT, "group_id": "555"}, **_INVOLVED},
        {
            "id": "p3",
            "roles": ["victim"],
            "account": _ACCOUNT,
            "school": "SYNTHETIC",
            "associated_accounts": _ASSOCIATED,
            **_INVOLVED,
        },
    ],
    "evidence": [
        {
            "id": "e1",
            "path": "files/e1.png",
            "sha256": "0" * 64,
            "reported_name": "e1.png",
            "original_name": "IMG_0001.png",
            "uploaded_at": "2026-11-18T09:55:00Z",
            "url": "https://forum.example/a/1.png",
            "publicly_available": True,
            "relevance": "reported",
            "classification": "B2",
            "annotations": [
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
            ],
            "upload_event": _IP,
            "devices": [_DEVICE],
            "original_hashes": [{"algorithm": "MD5", "value": "0" * 32}],
            "metadata": [{"type": "exif", "pairs": [{"name": "Model", "value": "Sample"}]}],
            "additional_info": ["SYNTHETIC", "SYNTHETIC too"],
        }
    ],
    "law_enforcement": {
        "agency": "Example Police",
        "case_number": "1",
        "officer": _NAME,
        "reported": True,
        "legal_process": {"domestic": False, "international": {"served": True, "country": "GB"}},
    },
}
