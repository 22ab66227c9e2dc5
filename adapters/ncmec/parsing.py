"""Parse XML from elsewhere: no document type, no entities, no network, bounded."""

from __future__ import annotations

from xml.parsers import expat

from lxml import etree

from reporter.errors import DocumentError


def parser() -> etree.XMLParser:
    """Give a parser that resolves and fetches nothing, and drops comments and processing instructions."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        huge_tree=True,
    )


class _RootReachedError(Exception):
    """The prologue is over."""


def _has_document_type(body: bytes) -> bool:
    found = False

    def doctype(*_: object) -> None:
        nonlocal found
        found = True
        raise _RootReachedError

    def start(*_: object) -> None:
        raise _RootReachedError

    prologue = expat.ParserCreate()
    prologue.StartDoctypeDeclHandler = doctype
    prologue.StartElementHandler = start
    try:
        prologue.Parse(body, True)
    except _RootReachedError:
        return found
    return found


def parse(body: bytes, limit: int, label: str) -> etree._Element:
    """
    Parse one document of at most ``limit`` bytes; ``label`` names it in errors.

    Raises:
        DocumentError: It is too long, has a document type, or is not well formed.

    """
    if len(body) > limit:
        raise DocumentError(f"{label} is longer than {limit} bytes")
    try:
        if _has_document_type(body):
            raise DocumentError(f"{label} has a document type declaration, which is refused")
        return etree.fromstring(body, parser())
    except (expat.ExpatError, etree.XMLSyntaxError) as error:
        line = error.lineno if isinstance(error, expat.ExpatError) else (error.position[0] or 0)
        raise DocumentError(f"{label} is not well-formed XML, at line {line}") from None
    except (ValueError, LookupError) as error:
        raise DocumentError(f"{label} is in a character encoding that cannot be read") from error
