"""Whatever a text field holds, the check answers, and what it lets pass has the right structure."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from lxml import etree
from pydantic import ValidationError

from adapters.ncmec import payload, rules, structure
from reporter.cases.model import Case
from tests.unit.ncmec_packaging.full_case import FULL_CASE
from tests.unit.ncmec_packaging.support import packaging

_SCHEMA = structure.as_xsd(additions=True)


def _leaves(part: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    entries = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in entries:
        yield from _leaves(value, (*path, key))
    if not entries and isinstance(part, str):
        yield path


def _with(path: tuple[str | int, ...], text: str) -> dict[str, Any]:
    document = copy.deepcopy(FULL_CASE)
    part: Any = document
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = text
    return document


@pytest.mark.parametrize(
    "text",
    ["", " ", "\x00", "\uffff", "x" * 5000, "٣", "{{report_id}}", "]]><!--", "US", "9" * 30, "2026-11-18T09:55:00Z"],
    ids=range(11),
)
def test_any_text_in_any_field_gets_an_answer(text: str) -> None:
    passed = answered = 0
    for path in _leaves(FULL_CASE):
        try:
            case = Case.model_validate(_with(path, text))
        except ValidationError:
            continue
        given = packaging(case, schema=_SCHEMA)
        check = rules.check(case, given)
        package = payload.build(case, given)
        roots = [etree.fromstring(payload.fill(document.body, "1", "0")) for document in package.documents]
        answered += 1
        if not check.needs:
            passed += 1
            assert [structure.violations(root, additions=True) for root in roots] == [[] for _ in roots], path
    assert answered > passed > 0
