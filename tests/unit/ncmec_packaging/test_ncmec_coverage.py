"""Every element and attribute is reachable, or the coverage file says why it is never sent."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, get_args

import pytest
from lxml import etree
from pydantic import BaseModel

from adapters.ncmec import notes, payload, rules, structure
from adapters.ncmec.schema import ADDITIONS
from reporter.cases.model import Case
from tests.unit.ncmec_packaging.coverage import everything, reached, schema_paths, table_paths
from tests.unit.ncmec_packaging.full_case import FULL_CASE
from tests.unit.ncmec_packaging.support import OFFICIAL, full_organisation, official_schema, packaging

_FILE = Path(__file__).parents[3] / "docs" / "authorities" / "ncmec-coverage.csv"
_needs_official = pytest.mark.skipif(not OFFICIAL, reason="REPORTER_NCMEC_XSD is not set")


def _rows() -> dict[str, dict[str, str]]:
    with _FILE.open(encoding="utf-8", newline="") as file:
        return {row["element"]: row for row in csv.DictReader(file)}


def test_the_file_lists_every_path_of_the_table_in_its_order() -> None:
    assert list(_rows()) == table_paths()


def test_what_is_sent_is_reached_from_the_named_field_and_nothing_else_is() -> None:
    said = {path: row["field"] for path, row in _rows().items() if row["status"] != "never"}
    assert said == reached(everything())


def test_what_is_never_or_not_always_sent_has_a_reason() -> None:
    rows = _rows().values()
    assert {row["status"] for row in rows} == {"sent", "conditional", "never"}
    assert [row["element"] for row in rows if row["status"] != "sent" and not row["reason"].strip()] == []


@_needs_official
def test_the_official_schema_has_the_same_paths_but_for_the_newer_ones() -> None:
    newer = {path for path in table_paths() if path.rpartition("/")[2] in {name for _, name in ADDITIONS}}
    assert schema_paths(official_schema()) == set(table_paths()) - newer


def test_the_schema_written_from_the_table_has_the_same_paths() -> None:
    assert schema_paths(structure.as_xsd(additions=True)) == set(table_paths())


def test_the_full_case_meets_every_rule_and_the_schema() -> None:
    schema = structure.as_xsd(additions=True)
    given = packaging(
        _full(), organisation=full_organisation(), schema=schema, settings={"industry_classification": True}
    )
    assert rules.check(_full(), given).needs == ()
    package = payload.build(_full(), given)
    assert rules.validate(package, schema) == []
    roots = [etree.fromstring(payload.fill(document.body, "1", "0")) for document in package.documents]
    assert [structure.violations(root, additions=True) for root in roots] == [[], []]


@_needs_official
def test_the_full_case_without_newer_fields_meets_the_official_schema() -> None:
    given = packaging(_full(), organisation=full_organisation(), settings={"industry_classification": True})
    assert rules.validate(payload.build(_full(), given), official_schema()) == []


def _full() -> Case:
    return Case.model_validate(FULL_CASE)


def _fields(model: type[BaseModel], path: str) -> list[str]:
    found = []
    for name, field in model.model_fields.items():
        here = f"{path}.{name}" if path else name
        inner = _models(field.annotation)
        many = "[]" if "list[" in str(field.annotation) else ""
        found += [here] + [each for part in inner for each in _fields(part, here + many)]
    return found


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def test_every_field_of_a_case_is_sent_kept_or_refused() -> None:
    sent = {field.removesuffix("[]") for field in reached(everything()).values()}
    decided = {**notes.SENT, **notes.KEPT, **notes.NOTED, **notes.REFUSED}
    whole = {**notes.KEPT, **notes.NOTED, **notes.REFUSED}
    undecided = [
        field
        for field in dict.fromkeys(_fields(Case, ""))
        if field not in sent
        and field not in decided
        and not any(each.startswith((f"{field}.", f"{field}[]")) for each in sent)
        and not any(field.startswith((f"{each}.", f"{each}[]")) for each in whole)
    ]
    assert undecided == []


def test_decisions_name_fields_that_exist() -> None:
    fields = set(_fields(Case, ""))
    decided = [*notes.SENT, *notes.KEPT, *notes.NOTED, *notes.REFUSED]
    assert [field for field in decided if field not in fields] == []
    assert len(decided) == len(set(decided))
