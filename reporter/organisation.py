"""The organisation that reports, as reporter.toml describes it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from reporter.cases.model import Address, Email, Phone


class Contact(BaseModel):
    """A named person of the organisation, from reporter.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first_name: str | None = None
    last_name: str | None = None
    emails: tuple[Email, ...] = ()
    phones: tuple[Phone, ...] = ()
    addresses: tuple[Address, ...] = ()


class Organisation(BaseModel):
    """Who reports: the profile from which every authority's reporter section is filled."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    established_in: str = "US"
    serves: tuple[str, ...] = ()
    ncmec_arrangement: bool = False
    legal_url: str | None = None
    terms_of_service: str | None = None
    company_template: str | None = None
    reporting_person: Contact = Contact()
    law_enforcement_contact: Contact | None = None
