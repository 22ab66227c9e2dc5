"""
The one table between the case document and the CyberTipline's documents, read in both directions.

A line pairs each element, ``@attribute`` or ``#text`` of a complex type with a field of the case, dotted where the
field lies deeper. Order, cardinality and types come from the structural table; a field whose model is a list becomes
repeated elements. What has no field here is written from elsewhere or never: ``docs/authorities/ncmec-coverage.csv``.
"""

from __future__ import annotations

from pydantic import BaseModel

from reporter.cases import locations, model, people
from reporter.organisation import Contact, Organisation

_NAME = "firstName=first_name lastName=last_name phone=phones email=emails address=addresses"
_ACCOUNT = (
    "espIdentifier=account.id espService=account.service compromisedAccount=account.compromised"
    " screenName=account.screen_name displayName=account.display_names profileUrl=account.profile_urls"
    " profileBio=account.bio"
)
_DISABLED = (
    "accountTemporarilyDisabled=account_actions.temporarily_disabled"
    " accountPermanentlyDisabled=account_actions.permanently_disabled"
)
_INVOLVED = (
    f"{_ACCOUNT} {_DISABLED} ipCaptureEvent=ip_events deviceId=devices priorCTReports=prior_reports"
    " estimatedLocation=estimated_location allEmailsReported=person.all_emails_reported additionalInfo=additional_info"
)
_ACTION = "#text=value @disabledDate=at @userNotified=user_notified @userNotifiedDate=user_notified_at"
_PERSON = f"{_NAME} age=age ageAssertionDiscrepancy=age_assertion_discrepancy dateOfBirth=date_of_birth"

TABLE: dict[str, tuple[type[BaseModel], str]] = {
    "report": (
        model.Case,
        "batchedReport=incident.batch incidentSummary=incident internetDetails=locations lawEnforcement=law_enforcement"
        " personOrUserReported=people intendedRecipient=people victim=people additionalInfo=incident.summary",
    ),
    "batchedReport": (model.Batch, "@reason=reason"),
    "incidentSummary": (
        model.Incident,
        "incidentType=type platform=platform.name escalateToHighPriority=urgency reportAnnotations=annotations"
        " incidentDateTime=occurred_at incidentDateTimeDescription=occurred_at_note",
    ),
    "webPageIncident": (
        locations.WebPage,
        "url=urls additionalInfo=additional_info @thirdPartyHostedContent=third_party_hosted",
    ),
    "emailIncident": (
        locations.EmailLocation,
        "emailAddress=addresses content=content additionalInfo=additional_info",
    ),
    "newsgroupIncident": (
        locations.Newsgroup,
        "name=name emailAddress=addresses content=content additionalInfo=additional_info",
    ),
    "chatImIncident": (
        locations.Chat,
        "chatClient=client chatRoomName=room content=content additionalInfo=additional_info",
    ),
    "onlineGamingIncident": (
        locations.Gaming,
        "gameName=game console=console content=content additionalInfo=additional_info",
    ),
    "cellPhoneIncident": (
        locations.CellPhone,
        "phoneNumber=phone latitude=latitude longitude=longitude additionalInfo=additional_info",
    ),
    "nonInternetIncident": (
        locations.NonInternet,
        "locationName=name incidentAddress=addresses additionalInfo=additional_info",
    ),
    "peer2peerIncident": (
        locations.PeerToPeer,
        "client=client ipCaptureEvent=ip_events fileNames=file_names additionalInfo=additional_info",
    ),
    "lawEnforcement": (
        model.LawEnforcement,
        "agencyName=agency caseNumber=case_number officerContact=officer reportedToLe=reported"
        " servedLegalProcessDomestic=legal_process.domestic"
        " servedLegalProcessInternational=legal_process.international",
    ),
    "servedLegalProcessInternational": (model.InternationalProcess, "#text=served @fleaCountry=country"),
    "reporter": (
        Organisation,
        "reportingPerson=reporting_person contactPerson=law_enforcement_contact companyTemplate=company_template"
        " termsOfService=terms_of_service legalURL=legal_url",
    ),
    "reportingPerson": (Contact, _NAME),
    "contactPerson": (people.Officer, _NAME),
    "personOrUserReported": (
        people.InvolvedPerson,
        f"{_INVOLVED} personOrUserReportedPerson=person vehicleDescription=vehicle groupIdentifier=account.group_id"
        " thirdPartyUserReported=account.third_party associatedAccount=associated_accounts",
    ),
    "intendedRecipient": (
        people.InvolvedPerson,
        f"{_INVOLVED} intendedRecipientPerson=person groupIdentifier=account.group_id",
    ),
    "victim": (
        people.InvolvedPerson,
        f"{_INVOLVED} victimPerson=person schoolName=school associatedAccount=associated_accounts",
    ),
    "person": (people.Person, _PERSON),
    "address": (
        people.Address,
        "address=street city=city zipCode=postal_code state=us_state nonUsaState=region country=country @type=type",
    ),
    "email": (people.Email, "#text=address @type=type @verified=verified @verificationDate=verified_at"),
    "phone": (
        people.Phone,
        "#text=number @type=type @verified=verified @verificationDate=verified_at"
        " @countryCallingCode=country_calling_code @extension=extension",
    ),
    "estimatedLocation": (
        people.EstimatedLocation,
        "city=city region=region countryCode=country @verified=verified @timestamp=at",
    ),
    "ipCaptureEvent": (
        people.IPEvent,
        "ipAddress=address eventName=event dateTime=at possibleProxy=possible_proxy port=port",
    ),
    "deviceId": (people.Device, "idType=type idValue=value eventName=event dateTime=at"),
    "accountTemporarilyDisabled": (people.TemporarilyDisabled, f"{_ACTION} @reenabledDate=reenabled_at"),
    "accountPermanentlyDisabled": (people.Disabled, _ACTION),
    "associatedAccount": (
        people.AssociatedAccount,
        f"platform=platform {_NAME} middleName=middle_name approximateAge=approximate_age"
        " ageAssertionDiscrepancy=age_assertion_discrepancy dateOfBirth=date_of_birth"
        " allEmailsReported=all_emails_reported espService=service espIdentifier=id profileUrl=profile_urls"
        " screenName=screen_name displayName=display_names profileBio=bio groupIdentifier=group_id"
        f" compromisedAccount=compromised {_DISABLED} ipCaptureEvent=ip_events deviceId=devices"
        " priorCTReport=prior_reports additionalInfo=additional_info @type=type",
    ),
    "associatedPlatform": (people.AssociatedPlatform, "#text=name @thirdPartyUser=third_party"),
    "fileDetails": (
        model.Evidence,
        "fileName=reported_name originalFileName=original_name uploadedToEspTimestamp=uploaded_at locationOfFile=url"
        " publiclyAvailable=publicly_available fileRelevance=relevance fileAnnotations=annotations"
        " industryClassification=classification originalFileHash=original_hashes ipCaptureEvent=upload_event"
        " deviceId=devices details=metadata additionalInfo=additional_info",
    ),
    "hash": (model.OriginalHash, "#text=value @hashType=algorithm"),
    "details": (model.Metadata, "nameValuePair=pairs @type=type"),
    "nameValuePair": (model.MetadataPair, "name=name value=value"),
}
#: Complex types that go by another name in the table above.
TYPES = {"reportingPerson": "person"}
#: Elements that the packaging gives and no field of the case.
GIVEN = {
    "report": frozenset({"reporter"}),
    "fileDetails": frozenset({"reportId", "fileId", "fileViewedByEsp", "exifViewedByEsp"}),
}
LOCATIONS = {
    "web_page": "webPageIncident",
    "email": "emailIncident",
    "newsgroup": "newsgroupIncident",
    "chat": "chatImIncident",
    "gaming": "onlineGamingIncident",
    "cell_phone": "cellPhoneIncident",
    "non_internet": "nonInternetIncident",
    "peer_to_peer": "peer2peerIncident",
}
