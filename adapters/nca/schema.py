"""
The JSON Schema of our own contract (not the NCA's), and what a document breaks of it.

It is part of this package, so that exact documents are validated without a network. Messages never quote a value.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

VERSION = "own-0.1"
_WORDS = {
    "enum": "is not one of the contract's words",
    "const": "is not what the contract allows",
    "pattern": "does not have the form that the contract asks for",
    "type": "is not of the type that the contract asks for",
    "anyOf": "is none of what the contract allows",
    "uniqueItems": "holds the same entry twice",
    "not": "must not stand here",
}
_LIMITS = {
    "minLength": "is empty",
    "maxLength": "is longer than {} characters",
    "minItems": "needs at least {} entry",
    "maxItems": "has more than {} entries",
    "minimum": "is less than {}",
    "maximum": "is more than {}",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Where a document breaks the contract: a JSON pointer, the rule, and the rule in words."""

    pointer: str
    rule: str
    message: str


@cache
def text() -> bytes:
    """Give the schema as it is published."""
    return (files("adapters.nca") / "own_contract.schema.json").read_bytes()


def digest() -> str:
    """Give the SHA-256 of the schema."""
    return hashlib.sha256(text()).hexdigest()


@cache
def schema() -> Mapping[str, Any]:
    """Give the schema, read once."""
    read: Mapping[str, Any] = json.loads(text())
    return read


@cache
def names() -> frozenset[str]:
    """Give every property that the contract has."""

    def walk(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            properties = part.get("properties")
            yield from properties if isinstance(properties, dict) else ()
            for each in part.values():
                yield from walk(each)
        elif isinstance(part, list):
            for each in part:
                yield from walk(each)

    return frozenset(walk(schema()))


def faults(document: Any) -> list[Fault]:
    """Hold a document against the contract."""
    found = [fault for error in _validator().iter_errors(document) for fault in _faults(error)]
    return sorted(dict.fromkeys(found), key=lambda fault: fault.pointer)


@cache
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator, FormatChecker  # here, because it is slow to import

    checker = FormatChecker(formats=())
    for name, check in _FORMATS.items():
        checker.checks(name, raises=ValueError)(check)
    return Draft202012Validator(schema(), format_checker=checker)


def _faults(error: ValidationError) -> Iterator[Fault]:
    pointer = "".join(f"/{part}" for part in error.absolute_path)
    rule, value = str(error.validator), error.validator_value
    if rule == "required" and isinstance(error.instance, dict):
        for name in value:
            if name not in error.instance:
                yield Fault(f"{pointer}/{name}", rule, "is missing")
    elif rule == "format":
        yield Fault(pointer, rule, f"is no {value}")
    elif rule in _LIMITS:
        yield Fault(pointer, rule, _LIMITS[rule].format(value))
    else:
        yield Fault(pointer, rule, _WORDS.get(rule, "breaks the contract"))


def _format(check: Callable[[str], object]) -> Callable[[object], bool]:
    """Give a format's check, to which what is no text conforms (JSON Schema 2020-12, Validation, section 7.1)."""

    def holds(value: object) -> bool:
        if isinstance(value, str):
            check(value)
        return True

    return holds


def _uri(value: str) -> None:
    parts = urlsplit(value)
    if not parts.scheme or not (parts.netloc or parts.path) or any(char.isspace() for char in value):
        raise ValueError


def _email(value: str) -> None:
    local, _, domain = value.rpartition("@")
    if not local or not domain or any(char.isspace() for char in value):
        raise ValueError


_FORMATS: Mapping[str, Callable[[object], bool]] = {
    "uuid": _format(UUID),
    "date": _format(date.fromisoformat),
    "date-time": _format(datetime.fromisoformat),
    "uri": _format(_uri),
    "email": _format(_email),
    "ipv4": _format(ipaddress.IPv4Address),
    "ipv6": _format(ipaddress.IPv6Address),
}
