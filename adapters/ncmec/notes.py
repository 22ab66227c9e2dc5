"""
What becomes of the case's fields that the mapping table has no element for.

A field is sent by another way, kept for people here or for another authority, or refused: what this format cannot
express is never dropped (law 12). A field named nowhere is refused.
"""

from __future__ import annotations

import re

from reporter.errors import Finding

#: Fields that reach the report by another way than a line of their own in the mapping table.
SENT = {
    "evidence": "each item has file details of its own",
    "previous_reports": "those to NCMEC join the reported person's prior reports",
    "incident.batch": "batchedReport",
    "incident.summary": "the report's additionalInfo",
    "incident.urgency.level": "escalateToHighPriority stands only where it is immediate",
    "incident.urgency.reason": "the text of escalateToHighPriority",
    "people[].roles": "the element in which the person stands",
    "people[].person.all_emails_reported": "allEmailsReported, beside the person's element",
    "people[].prior_reports[].authority": "NCMEC's are sent",
    "people[].prior_reports[].reference": "priorCTReports",
    "people[].associated_accounts[].prior_reports[].authority": "NCMEC's are sent",
    "people[].associated_accounts[].prior_reports[].reference": "priorCTReport",
    "previous_reports[].authority": "NCMEC's are sent",
    "previous_reports[].reference": "priorCTReports",
    "locations[].kind": "the element inside internetDetails",
}
#: Fields that by design are no part of a CyberTipline report.
KEPT = {
    "case_version": "the version of the document",
    "reference": "our own name for the case",
    "detected_at": "for deadlines here",
    "detected_by": "how the matter came to notice stays here; a notifier is never named to NCMEC",
    "confirmation": "a decision made here",
    "uk": "for the United Kingdom's rules",
    "incident.urgency.assessed_by": "a decision made here",
    "incident.urgency.assessed_at": "a decision made here",
    "people[].id": "ties the case document together",
    "people[].role_decision": "a decision made here",
    "people[].context": "never sent to NCMEC",
    "people[].not_held": "says what the organisation does not hold",
    "people[].to_follow": "says what a supplement will bring",
    "evidence[].to_follow": "says what a supplement will bring",
    "people[].prior_reports[].environment": "checked against the environment of the submission",
    "people[].associated_accounts[].prior_reports[].environment": "checked against the environment of the submission",
    "previous_reports[].environment": "checked against the environment of the submission",
    "evidence[].id": "ties the case document together",
    "evidence[].path": "where the file was handed in",
    "evidence[].sha256": "checked when the file was sealed",
    "evidence[].media_type": "goes with the upload of the file",
    "evidence[].kind": "for other authorities",
    "evidence[].views": "fileViewedByEsp and exifViewedByEsp come from the view records alone",
}
#: Kept as well, but somebody could expect them to be sent, so they are shown.
NOTED = {
    "actions": "what the organisation did has no element of its own; the summary can say it",
    "incident.platform.url": "NCMEC takes the platform's name alone",
    "incident.platform.feature": "NCMEC takes the platform's name alone",
    "incident.conduct": "kept for other authorities; the summary can say it",
    "previous_reports[].relation": "NCMEC takes the earlier report's number alone",
    "previous_reports[].reason": "NCMEC takes the earlier report's number alone",
    "evidence[].uploaded_by": "NCMEC's file details name nobody",
    "evidence[].created_by": "NCMEC's file details name nobody",
    "evidence[].shared_by": "NCMEC's file details name nobody",
    "evidence[].received_from": "NCMEC's file details name nobody",
    "evidence[].received_at_request_of": "NCMEC's file details name nobody",
    "evidence[].match": "how an item was recognised has no element of its own",
    "evidence[].grading": "national gradings are for other authorities",
}
#: What a user must move or remove, with the advice where to.
REFUSED = {
    "people[].account.created_at": "NCMEC's format has no element for it; move it to additional_info",
    "people[].account.connections": "NCMEC's format has no element for it; move it to additional_info",
    "people[].account.group_id": "NCMEC takes a group from suspects and intended recipients only",
    "people[].account.third_party": "NCMEC takes it from suspects only",
    "people[].person.middle_name": "NCMEC takes it in associated_accounts only; move it to first_name",
    "people[].vehicle": "NCMEC takes it from suspects only",
    "people[].school": "NCMEC takes it from victims only",
    "people[].associated_accounts": "NCMEC takes them from suspects and victims only",
    "people[].associated_accounts[].created_at": "NCMEC's format has no element for it; move it to additional_info",
    "people[].associated_accounts[].connections": "NCMEC's format has no element for it; move it to additional_info",
    "people[].associated_accounts[].third_party": "NCMEC takes it of the platform; move it to platform.third_party",
    "people[].billing": "NCMEC takes billing data in associated_accounts only",
    "people[].identity_documents": "NCMEC's format has no element for it; move it to additional_info",
    "people[].stated_location": "NCMEC's format has no element for it; move it to additional_info",
}
_INDEX = re.compile(r"\[\d+\]")


def pattern_of(path: str) -> str:
    """Give a path without its numbers: ``people[].person.age``."""
    return _INDEX.sub("[]", path)


def unsent_finding(path: str) -> tuple[Finding | None, Finding | None]:
    """Give the (need, note) that a filled field without an element calls for."""
    pattern = pattern_of(path)
    if pattern in SENT or pattern in KEPT:
        return None, None
    if pattern in NOTED:
        return None, Finding(path, "not_sent", f"is not sent: {NOTED[pattern]}")
    reason = REFUSED.get(pattern, "NCMEC's format has no element for it")
    return Finding(path, "not_expressible", f"cannot be sent: {reason}"), None
