"""
The structure of the CyberTipline's documents as one table: every element and attribute, in order.

Source: the published XML schema of the CyberTipline Reporting API, November 2025, and, marked ``~``, what readers of
the documentation of August 2026 report beyond it. There is no target namespace.

One line of words describes one complex type. A child is ``name:type`` with ``?`` (at most one), ``*`` (any number) or
``+`` (one or more) after it, and neither where exactly one is required; without ``:type`` it has the complex type of
its own name, or else is a string. ``a|b`` is a choice of at most one. ``@name:type`` is an attribute, ``!`` makes it
required. The first word may be ``all`` (children in any order), ``choice`` (exactly one child) or ``=type`` (text).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

ROOTS = ("report", "fileDetails", "reportResponse", "reportDoneResponse")

_ACCOUNT = "espIdentifier? espService? compromisedAccount:boolean? screenName? displayName* profileUrl* profileBio?"
_EVENTS = "ipCaptureEvent* deviceId*"
_DISABLED = "accountTemporarilyDisabled? accountPermanentlyDisabled?"
_NAME = "firstName? lastName? phone* email* address*"

_TABLE = {
    "report": "batchedReport? incidentSummary internetDetails* lawEnforcement? reporter personOrUserReported*"
    " intendedRecipient* victim* additionalInfo?",
    "batchedReport": "@reason!:batchReason",
    "incidentSummary": "incidentType:incidentType platform? escalateToHighPriority? reportAnnotations?"
    " incidentDateTime:dateTime incidentDateTimeDescription?",
    "reportAnnotations": "all sextortion:flag? csamSolicitation:flag? minorToMinorInteraction:flag? spam:flag?"
    " sadisticOnlineExploitation:flag? ~informational:flag? ~potentialAggravatingFactors:flag? ~instrumentalUse:flag?",
    "internetDetails": "choice webPageIncident emailIncident newsgroupIncident chatImIncident onlineGamingIncident"
    " cellPhoneIncident nonInternetIncident peer2peerIncident",
    "webPageIncident": "url* additionalInfo? @thirdPartyHostedContent:boolean",
    "emailIncident": "emailAddress:email* content? additionalInfo?",
    "newsgroupIncident": "name? emailAddress:email* content? additionalInfo?",
    "chatImIncident": "chatClient? chatRoomName? content? additionalInfo?",
    "onlineGamingIncident": "gameName? console? content? additionalInfo?",
    "cellPhoneIncident": "phoneNumber:phone? latitude:double? longitude:double? additionalInfo?",
    "nonInternetIncident": "locationName? incidentAddress:address* additionalInfo?",
    "peer2peerIncident": "client? ipCaptureEvent* fileNames? additionalInfo?",
    "lawEnforcement": "agencyName caseNumber? officerContact:contactPerson? reportedToLe:boolean?"
    " servedLegalProcessDomestic:boolean? servedLegalProcessInternational?",
    "servedLegalProcessInternational": "=boolean @fleaCountry:country",
    "reporter": "reportingPerson:person contactPerson? companyTemplate? termsOfService? legalURL?",
    "personOrUserReported": f"personOrUserReportedPerson:person? vehicleDescription? {_ACCOUNT} {_EVENTS}"
    f" thirdPartyUserReported:boolean? priorCTReports:long* groupIdentifier? {_DISABLED} estimatedLocation?"
    " allEmailsReported:boolean? associatedAccount* additionalInfo?",
    "intendedRecipient": f"intendedRecipientPerson:person? {_ACCOUNT} {_EVENTS} priorCTReports:long*"
    f" groupIdentifier? {_DISABLED} estimatedLocation? allEmailsReported:boolean? additionalInfo*",
    "victim": f"victimPerson:person {_ACCOUNT} {_EVENTS} schoolName? priorCTReports:long* {_DISABLED}"
    " estimatedLocation? allEmailsReported:boolean? associatedAccount* additionalInfo?",
    "person": f"{_NAME} age:int? ~ageAssertionDiscrepancy:boolean? dateOfBirth:date?",
    "contactPerson": _NAME,
    "address": "address:string? city? zipCode? state:state? nonUsaState? country:country? @type:addressType",
    "email": "=string @type:emailType @verified:boolean @verificationDate:dateTime",
    "phone": "=string @type:phoneType @verified:boolean @verificationDate:dateTime @countryCallingCode:callingCode"
    " @extension:extension",
    "estimatedLocation": "city? region? countryCode:country? @verified:boolean @timestamp:dateTime",
    "ipCaptureEvent": "ipAddress eventName:eventName? dateTime:dateTime? possibleProxy:boolean? port:int?",
    "deviceId": "idType idValue eventName:eventName? dateTime:dateTime?",
    "accountTemporarilyDisabled": "=boolean @disabledDate:dateTime @userNotified:boolean @userNotifiedDate:dateTime"
    " @reenabledDate:dateTime",
    "accountPermanentlyDisabled": "=boolean @disabledDate:dateTime @userNotified:boolean @userNotifiedDate:dateTime",
    "associatedAccount": "platform:associatedPlatform? firstName? middleName? lastName? approximateAge:int?"
    " ~ageAssertionDiscrepancy:boolean? dateOfBirth:date? phone* email* allEmailsReported:boolean? address*"
    " espService? espIdentifier? profileUrl* screenName? displayName* profileBio? groupIdentifier?"
    f" compromisedAccount:boolean? {_DISABLED} {_EVENTS} priorCTReport:long* additionalInfo?"
    " @type!:associatedAccountType",
    "associatedPlatform": "=string @thirdPartyUser:boolean",
    "fileDetails": "reportId:long fileId:token fileName? originalFileName? uploadedToEspTimestamp:dateTime?"
    " locationOfFile? fileViewedByEsp:boolean? exifViewedByEsp:boolean? publiclyAvailable:boolean?"
    " fileRelevance:relevance? potentialMeme:boolean?|fileAnnotations? industryClassification:classification?"
    " originalFileHash:hash* ipCaptureEvent? deviceId* details* additionalInfo*",
    "fileAnnotations": "all animeDrawingVirtualHentai:flag? potentialMeme:flag? viral:flag?"
    " possibleSelfProduction:flag? physicalHarm:flag? violenceGore:flag? bestiality:flag? liveStreaming:flag?"
    " infant:flag? generativeAi:flag?",
    "hash": "=string @hashType!",
    "details": "nameValuePair+ @type:metadataType",
    "nameValuePair": "name value",
    "reportResponse": "responseCode:int responseDescription reportId:long? fileId:token? hash:token?",
    "reportDoneResponse": "responseCode:int reportId:long files",
    "files": "fileId:string*",
}


@dataclass(frozen=True, slots=True)
class Child:
    """A child element; ``group`` is its place in the order, shared by the alternatives of a choice."""

    name: str
    type: str
    group: int
    required: bool
    many: bool
    addition: bool


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of simple type."""

    name: str
    type: str
    required: bool


@dataclass(frozen=True, slots=True)
class Complex:
    """A complex type. ``model`` is sequence, all, choice or text; ``text`` the simple type of its text."""

    name: str
    model: str
    text: str
    children: dict[str, Child]
    attributes: dict[str, Attribute]


_WORD = re.compile(r"(?P<mark>[~@]?)(?P<name>\w+)(?P<required>!?)(?::(?P<type>\w+))?(?P<count>[?*+]?)")


def _complex(name: str, line: str) -> Complex:
    model, text = "sequence", ""
    children: dict[str, Child] = {}
    attributes: dict[str, Attribute] = {}
    for group, word in enumerate(line.split()):
        if word in {"all", "choice"}:
            model = word
        elif word.startswith("="):
            model, text = "text", word[1:]
        else:
            for match in map(_WORD.fullmatch, word.split("|")):
                if match is None:
                    raise ValueError(name, word)
                if match["mark"] == "@":
                    attributes[match["name"]] = Attribute(
                        match["name"], match["type"] or "string", bool(match["required"])
                    )
                    continue
                own = match["name"] if match["name"] in _TABLE else "string"
                child = Child(
                    match["name"],
                    match["type"] or own,
                    group,
                    match["count"] in {"", "+"},
                    match["count"] in {"*", "+"},
                    match["mark"] == "~",
                )
                children[child.name] = replace(child, required=False) if model == "choice" else child
    return Complex(name, model, text, children, attributes)


COMPLEX_TYPES = {name: _complex(name, line) for name, line in _TABLE.items()}
