"""The people of a case: who they are, their accounts, and the events that tie them to it."""

from __future__ import annotations

from typing import Literal

from reporter.cases.scalars import Date, Integer, Part, Timestamp

Role = Literal["suspect", "victim", "intended_recipient", "notifier", "uploader", "creator", "sharer", "recipient"]
Event = Literal["login", "registration", "purchase", "upload", "other", "unknown"]


class Email(Part):
    """An e-mail address and how well it is known."""

    address: str
    type: Literal["home", "work", "business", "recovery"] | None = None
    verified: bool | None = None
    verified_at: Timestamp | None = None


class Phone(Part):
    """A telephone number and how well it is known."""

    number: str
    country_calling_code: str | None = None
    extension: str | None = None
    type: Literal["mobile", "home", "business", "work", "fax", "internet", "recovery"] | None = None
    verified: bool | None = None
    verified_at: Timestamp | None = None


class Address(Part):
    """A postal address; ``us_state`` and ``region`` are alternatives."""

    street: str | None = None
    city: str | None = None
    postal_code: str | None = None
    us_state: str | None = None
    region: str | None = None
    country: str | None = None
    type: Literal["home", "business", "billing", "shipping", "technical"] | None = None


class IPEvent(Part):
    """An internet address seen at some event."""

    address: str
    port: Integer | None = None
    event: Event | None = None
    at: Timestamp | None = None
    possible_proxy: bool | None = None


class Device(Part):
    """A device identifier (IMEI, advertising id, ...) seen at some event."""

    type: str
    value: str
    event: Event | None = None
    at: Timestamp | None = None


class Prior(Part):
    """An earlier report to an authority."""

    authority: str
    environment: Literal["sandbox", "test", "production"] | None = None
    reference: str


class RoleDecision(Part):
    """A second human's decision that a notifier is named in another role too, in words."""

    by: str
    at: Timestamp
    reason: str


class Account(Part):
    """An account at a service."""

    id: str | None = None
    service: str | None = None
    screen_name: str | None = None
    display_names: list[str] | None = None
    profile_urls: list[str] | None = None
    bio: str | None = None
    compromised: bool | None = None
    third_party: bool | None = None
    group_id: str | None = None
    created_at: Timestamp | None = None
    connections: list[str] | None = None


class Person(Part):
    """What is known of the human being."""

    first_name: str | None = None
    middle_name: str | None = None
    last_name: str | None = None
    emails: list[Email] | None = None
    all_emails_reported: bool | None = None
    phones: list[Phone] | None = None
    addresses: list[Address] | None = None
    age: Integer | None = None
    date_of_birth: Date | None = None
    age_assertion_discrepancy: bool | None = None


class Disabled(Part):
    """Whether an account was disabled, and what its holder was told."""

    value: bool
    at: Timestamp | None = None
    user_notified: bool | None = None
    user_notified_at: Timestamp | None = None


class TemporarilyDisabled(Disabled):
    """A disabled account that may have been enabled again."""

    reenabled_at: Timestamp | None = None


class AccountActions(Part):
    """What the platform did to the account."""

    temporarily_disabled: TemporarilyDisabled | None = None
    permanently_disabled: Disabled | None = None


class EstimatedLocation(Part):
    """Where the person probably is."""

    city: str | None = None
    region: str | None = None
    country: str | None = None
    verified: bool | None = None
    at: Timestamp | None = None


class AssociatedPlatform(Part):
    """The platform of an associated account."""

    name: str
    third_party: bool | None = None


class AssociatedAccount(Part):
    """Another account tied to this person; the fields of account and person, flat."""

    type: Literal["billing", "linked", "business", "creator", "parent_guardian", "other"]
    platform: AssociatedPlatform | None = None
    id: str | None = None
    service: str | None = None
    screen_name: str | None = None
    display_names: list[str] | None = None
    profile_urls: list[str] | None = None
    bio: str | None = None
    compromised: bool | None = None
    third_party: bool | None = None
    group_id: str | None = None
    created_at: Timestamp | None = None
    connections: list[str] | None = None
    first_name: str | None = None
    middle_name: str | None = None
    last_name: str | None = None
    emails: list[Email] | None = None
    all_emails_reported: bool | None = None
    phones: list[Phone] | None = None
    addresses: list[Address] | None = None
    approximate_age: Integer | None = None
    date_of_birth: Date | None = None
    age_assertion_discrepancy: bool | None = None
    ip_events: list[IPEvent] | None = None
    devices: list[Device] | None = None
    account_actions: AccountActions | None = None
    prior_reports: list[Prior] | None = None
    additional_info: str | None = None


class Billing(Part):
    """How the person paid; ``instrument`` in words, never a full card number."""

    name: str | None = None
    instrument: str | None = None
    address: Address | None = None
    emails: list[Email] | None = None
    phones: list[Phone] | None = None


class InvolvedPerson(Part):
    """One person of the case, in one or more roles."""

    id: str
    roles: list[Role]
    role_decision: RoleDecision | None = None
    context: str | None = None
    account: Account | None = None
    person: Person | None = None
    ip_events: list[IPEvent] | None = None
    devices: list[Device] | None = None
    account_actions: AccountActions | None = None
    estimated_location: EstimatedLocation | None = None
    vehicle: str | None = None
    school: str | None = None
    prior_reports: list[Prior] | None = None
    associated_accounts: list[AssociatedAccount] | None = None
    billing: Billing | None = None
    identity_documents: list[str] | None = None
    stated_location: str | None = None
    not_held: list[str] | None = None
    to_follow: list[Literal["billing"]] | None = None
    additional_info: str | None = None


class Officer(Part):
    """The officer who deals with a matter already known to law enforcement."""

    first_name: str | None = None
    last_name: str | None = None
    phones: list[Phone] | None = None
    emails: list[Email] | None = None
    addresses: list[Address] | None = None
