"""
What NCMEC documents about single elements, beyond its schema.

Source: CyberTipline Reporting API documentation, Appendix A, 2025-06-11. A line names, for one complex type, each
element, ``@attribute`` or ``#text`` with its rules: ``max=N`` characters, ``past``, ``filled`` (not blank), ``url``,
``email``, ``ip``, ``range=A..B``, ``report_id``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from adapters.ncmec.simple import integer
from reporter.cases.scalars import day, instant

_ACCOUNT = (
    "espIdentifier:max=255 espService:max=100 screenName:max=256 displayName:max=255 profileUrl:max=2083,url"
    " priorCTReports:report_id groupIdentifier:max=255"
)
_DISABLED = "@disabledDate:past @userNotifiedDate:past"
DOCUMENTED = {
    "incidentSummary": "platform:max=256 escalateToHighPriority:filled,max=3000 incidentDateTime:past"
    " incidentDateTimeDescription:max=3000",
    "webPageIncident": "url:max=2083,url",
    "newsgroupIncident": "name:max=255",
    "chatImIncident": "chatClient:max=255 chatRoomName:max=255",
    "onlineGamingIncident": "gameName:max=255 console:max=255",
    "nonInternetIncident": "locationName:max=255",
    "peer2peerIncident": "client:max=255",
    "lawEnforcement": "agencyName:max=255 caseNumber:max=100",
    "reporter": "legalURL:max=2083,url",
    "personOrUserReported": f"vehicleDescription:max=300 {_ACCOUNT}",
    "intendedRecipient": _ACCOUNT,
    "victim": f"schoolName:max=255 {_ACCOUNT}",
    "person": "firstName:max=100 lastName:max=100 age:range=0..150 dateOfBirth:past",
    "contactPerson": "firstName:max=100 lastName:max=100",
    "address": "address:max=255 city:max=100 zipCode:max=20 nonUsaState:max=100",
    "email": "#text:max=255,email @verificationDate:past",
    "phone": "#text:max=50 @verificationDate:past @extension:max=10",
    "estimatedLocation": "city:max=255 region:max=255 @timestamp:past",
    "ipCaptureEvent": "ipAddress:filled,ip dateTime:past port:range=1..65535",
    "deviceId": "idType:filled,max=255 idValue:filled,max=2083 dateTime:past",
    "accountTemporarilyDisabled": _DISABLED,
    "accountPermanentlyDisabled": _DISABLED,
    "associatedAccount": "firstName:max=256 middleName:max=256 lastName:max=256 approximateAge:range=0..150"
    " dateOfBirth:past espService:max=256 espIdentifier:max=256 profileUrl:max=2083,url screenName:max=256"
    " displayName:max=255 groupIdentifier:max=256 priorCTReport:report_id",
    "associatedPlatform": "#text:max=256",
    "fileDetails": "originalFileName:max=2056 uploadedToEspTimestamp:past locationOfFile:max=2083,url",
    "hash": "@hashType:max=64",
    "nameValuePair": "name:max=64",
}
#: RFC 5321, 4.5.3.1.1, which the documentation repeats.
_LONGEST_LOCAL_PART = 64
_EMAIL = re.compile(
    r"""(?P<local>"[^"\r\n]+"|[^\s@"(),:;<>\[\]\\]+)@(?:\[[0-9A-Fa-f:.]+\]|[^\s@.,;:()<>\[\]"]+(?:\.[^\s@.,;:()<>\[\]"]+)+)"""
)
# U+FFFD stands for a character that XML cannot carry.
_NOT_IN_URL = r"\s\x00-\x1f\x7f-\x9f\ufffd"
_URL = re.compile(rf"[A-Za-z][A-Za-z0-9+.-]*://[^{_NOT_IN_URL}/?#]+(?:[/?#][^{_NOT_IN_URL}]*)?")
_Rule = Callable[[str, str, datetime], str]


def _max(text: str, limit: str, _: datetime) -> str:
    return f"longer than {limit}" if len(text) > int(limit) else ""


def _filled(text: str, _: str, __: datetime) -> str:
    return "" if text.strip() else "blank"


def _past(text: str, _: str, now: datetime) -> str:
    try:
        past = instant(text) < now if "T" in text else day(text) < now.date()
    except (ValueError, OverflowError):
        return "not a moment that exists"
    return "" if past else "not in the past"


def _url(text: str, _: str, __: datetime) -> str:
    try:
        valid = _URL.fullmatch(text) is not None and bool(urlsplit(text).hostname) and urlsplit(text).port != 0
    except ValueError:
        valid = False
    return "" if valid else "not a valid URL, or with white space or control characters in it"


def _email(text: str, _: str, __: datetime) -> str:
    match = _EMAIL.fullmatch(text)
    if match is None:
        return "not a well-formed e-mail address"
    too_long = len(match["local"]) > _LONGEST_LOCAL_PART
    return f"longer than {_LONGEST_LOCAL_PART} before the @" if too_long else ""


def _ip(text: str, _: str, __: datetime) -> str:
    try:
        ip_address(text)
    except ValueError:
        return "not an IPv4 or IPv6 address"
    return "not an IPv4 or IPv6 address" if "%" in text else ""


def _range(text: str, limits: str, _: datetime) -> str:
    low, high = limits.split("..")
    number = integer(text)
    return "" if number is not None and int(low) <= number <= int(high) else f"not between {low} and {high}"


def _report_id(text: str, _: str, __: datetime) -> str:
    number = integer(text)
    return "" if number is not None and 0 < number < 2**63 else "not the number of a CyberTipline report"


_RULES: dict[str, tuple[str, _Rule]] = {
    "max": ("max_length", _max),
    "filled": ("not_blank", _filled),
    "past": ("past", _past),
    "url": ("url", _url),
    "email": ("email", _email),
    "ip": ("ip_address", _ip),
    "range": ("range", _range),
    "report_id": ("report_id", _report_id),
}


def _parse(line: str) -> dict[str, list[tuple[str, _Rule, str]]]:
    table = {}
    for entry in line.split():
        name, _, rules = entry.partition(":")
        parts = [rule.partition("=") for rule in rules.split(",")]
        table[name] = [(*_RULES[word], argument) for word, _, argument in parts]
    return table


_PARSED = {name: _parse(line) for name, line in DOCUMENTED.items()}


def first_broken(type_name: str, name: str, text: str, now: datetime) -> tuple[str, str] | None:
    """Give (rule, message) of the first documented rule that the text of one element or attribute breaks."""
    for rule, breaks, argument in _PARSED.get(type_name, {}).get(name, ()):
        if message := breaks(text, argument, now):
            return rule, message
    return None
