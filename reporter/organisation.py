"""The organisation that reports, as reporter.toml describes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict

from reporter.cases.model import Address, Email, Phone

#: Codes that are in use and are none of ISO 3166-1's officially assigned ones, and what stands there; EU is no country.
_TAKEN_FOR: Final[Mapping[str, str]] = {"UK": "GB", "EL": "GR", "EU": "each of its countries"}


def _country(code: str) -> str:
    """See that a code is one that rules know: by another they would bind nobody, and say nothing of it."""
    if (meant := _TAKEN_FOR.get(code)) is not None:
        raise ValueError(f"{code} is no country's code in ISO 3166-1; write {meant}")
    if not re.fullmatch("[A-Z]{2}", code):
        raise ValueError("a country is written as its ISO 3166-1 code of two capital letters, such as GB")
    return code


Country = Annotated[str, AfterValidator(_country)]


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
    established_in: Country = "US"
    serves: tuple[Country, ...] = ()
    ncmec_arrangement: bool = False
    legal_url: str | None = None
    terms_of_service: str | None = None
    company_template: str | None = None
    reporting_person: Contact = Contact()
    law_enforcement_contact: Contact | None = None
