"""The referral as it is handed in: who sent it, and links, ids and times. It has no place for content."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from reporter.cases import reader
from reporter.cases.document import findings_of, listed
from reporter.cases.scalars import Part, Timestamp
from reporter.contacts.model import ContactKind, Identifiers
from reporter.errors import DocumentError, Finding

#: Bounds of ours: a referral of more items is several, and words that long are content.
MAX_ITEMS, MAX_WORDS = 10_000, 2_000
#: Addresses that carry content in themselves, or point to a file (RFC 2397; W3C File API; RFC 8089).
_CONTENT = re.compile(r"\s*(data|blob|file|cid)\s*:", re.IGNORECASE)
#: Our words, by rule.
_MESSAGES = {
    "content": "must be an address that points somewhere, and no content in itself",
    "which": "must have a link or an id",
    "unknown_field": "is no field of a referral: links, ids, times and notes; never content",
    "string_too_long": f"must have at most {MAX_WORDS:,} characters",
    "too_short": "must name something",
    "too_long": f"must have at most {MAX_ITEMS:,} entries",
    "enum": f"must be one of: {', '.join(ContactKind)}",
}


class Sender(Part):
    """Who sent it, and by what they are known again."""

    kind: Annotated[ContactKind, Field(strict=False)]
    name: str | None = Field(default=None, max_length=MAX_WORDS)
    emails: list[str] = Field(default_factory=list)
    phones: list[str] = Field(default_factory=list)
    user_names: list[str] = Field(default_factory=list)
    domains: list[str] = Field(default_factory=list)

    @property
    def known_by(self) -> Identifiers:
        """Give what the register of contacts knows them by."""
        return Identifiers(tuple(self.emails), tuple(self.phones), tuple(self.user_names), tuple(self.domains))


class ReferredItem(Part):
    """One thing that somebody points to."""

    link: str | None = Field(default=None, max_length=MAX_WORDS)
    id: str | None = Field(default=None, max_length=MAX_WORDS)
    at: Timestamp | None = None
    note: str | None = Field(default=None, max_length=MAX_WORDS)

    @field_validator("link")
    @classmethod
    def _points_somewhere(cls, link: str | None) -> str | None:
        if link and _CONTENT.match(link):
            raise PydanticCustomError("content", "content")
        return link

    @model_validator(mode="after")
    def _says_which(self) -> ReferredItem:
        if not (self.link or self.id):
            raise PydanticCustomError("which", "which")
        return self


class ReferralDocument(Part):
    """The whole referral."""

    sender: Sender
    received_at: Timestamp
    requested_by: Literal["nobody", "platform", "authority"]
    note: str | None = Field(default=None, max_length=MAX_WORDS)
    items: list[ReferredItem] = Field(min_length=1, max_length=MAX_ITEMS)


def parse(data: bytes) -> tuple[ReferralDocument, bytes]:
    """
    Read a referral and give it with its bytes, as they are kept.

    Raises:
        DocumentError: Its findings are all that is wrong, by path and never by value.
    """
    raw, findings = reader.read(data, "referral")
    if not isinstance(raw, dict):
        raise DocumentError("A referral must be one JSON object.")
    try:
        document = ReferralDocument.model_validate(raw)
    except ValidationError as error:
        findings = [*map(_ours, findings_of(error)), *findings]
    if findings:
        count = f"{len(findings):,} problem{'' if len(findings) == 1 else 's'}"
        raise DocumentError(f"The referral has {count}:", listed(findings))
    return document, data


def _ours(finding: Finding) -> Finding:
    return Finding(finding.path, finding.rule, _MESSAGES.get(finding.rule, finding.message))
