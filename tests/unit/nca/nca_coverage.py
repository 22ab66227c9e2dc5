"""Every property of the contract, and as far as a case reaches."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from adapters.nca import payload, schema
from adapters.nca.notes import pattern_of
from reporter.authority import Earlier, Packaging, Supplement
from tests.unit.nca.full_nca_case import nca_case, nca_packaging

_NUMBER = re.compile(r"/\d+")


def schema_pointers() -> list[str]:
    """Walk the JSON Schema: a pointer without numbers for each property that has no others, in its order."""
    return list(dict.fromkeys(_walk(schema.schema(), "")))


def _walk(part: Mapping[str, Any], pointer: str) -> Iterator[str]:
    if "$ref" in part:
        part = schema.schema()["$defs"][part["$ref"].rpartition("/")[2]]
    if "items" in part:
        yield from _walk(part["items"], pointer)
    elif "properties" in part:
        for name, inner in part["properties"].items():
            yield from _walk(inner, f"{pointer}/{name}")
    else:
        yield pointer


def reached() -> dict[str, str]:
    """Give each property that the full case reaches, with the field of the case that it comes from, if any."""
    found: dict[str, str] = {}
    case = nca_case()
    earlier = Supplement((Earlier("MOCK-UK-000001", {"referral_id": "0" * 8}),), nca_case(evidence=[]))
    for packaging in (nca_packaging(case, on_behalf_of="Example"), nca_packaging(case, earlier)):
        composition = _composed(packaging)
        for pointer, _ in _leaves(json.loads(json.dumps(composition.report)), ""):
            tags = re.sub(r"(/exif/tags)/.*", r"\1", pointer)
            path = composition.writing.places.get(pointer, "")
            found.setdefault(_NUMBER.sub("", tags), pattern_of(path))
    return found


def _composed(packaging: Packaging) -> payload.Composition:
    return payload.compose(nca_case(), packaging)


def _leaves(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if inner is None:
        yield pointer, value
    else:
        for name, each in inner:
            yield from _leaves(each, f"{pointer}/{name}")
