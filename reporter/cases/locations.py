"""The kinds of place, on and off the internet, where something happened."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from reporter.cases.people import Address, Email, IPEvent, Phone
from reporter.cases.scalars import Decimal, Part


class WebPage(Part):
    """Pages by their URL."""

    kind: Literal["web_page"]
    urls: list[str] | None = None
    third_party_hosted: bool | None = None
    additional_info: str | None = None


class EmailLocation(Part):
    """An exchange by e-mail."""

    kind: Literal["email"]
    addresses: list[Email] | None = None
    content: str | None = None
    additional_info: str | None = None


class Newsgroup(Part):
    """A newsgroup."""

    kind: Literal["newsgroup"]
    name: str | None = None
    addresses: list[Email] | None = None
    content: str | None = None
    additional_info: str | None = None


class Chat(Part):
    """A chat or messages."""

    kind: Literal["chat"]
    client: str | None = None
    room: str | None = None
    content: str | None = None
    additional_info: str | None = None


class Gaming(Part):
    """An online game."""

    kind: Literal["gaming"]
    game: str | None = None
    console: str | None = None
    content: str | None = None
    additional_info: str | None = None


class CellPhone(Part):
    """A mobile telephone and where it was, in decimal degrees as written."""

    kind: Literal["cell_phone"]
    phone: Phone | None = None
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    additional_info: str | None = None


class NonInternet(Part):
    """A place in the world."""

    kind: Literal["non_internet"]
    name: str | None = None
    addresses: list[Address] | None = None
    additional_info: str | None = None


class PeerToPeer(Part):
    """A peer-to-peer network."""

    kind: Literal["peer_to_peer"]
    client: str | None = None
    ip_events: list[IPEvent] | None = None
    file_names: str | None = None
    additional_info: str | None = None


Location = Annotated[
    WebPage | EmailLocation | Newsgroup | Chat | Gaming | CellPhone | NonInternet | PeerToPeer,
    Field(discriminator="kind"),
]
