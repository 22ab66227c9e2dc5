"""Every property of the contract is reached, or the coverage file says why it is never written."""

from __future__ import annotations

import csv
from pathlib import Path

from adapters.nca import mapping, notes, rules
from reporter.cases.model import Case
from tests.unit.nca.full_nca_case import nca_case, nca_packaging
from tests.unit.nca.nca_coverage import reached, schema_pointers
from tests.unit.ncmec_packaging.test_ncmec_coverage import _fields as fields_of

_FILE = Path(__file__).parents[3] / "docs" / "authorities" / "nca-coverage.csv"


def _rows() -> dict[str, dict[str, str]]:
    with _FILE.open(encoding="utf-8", newline="") as file:
        return {row["property"]: row for row in csv.DictReader(file)}


def test_the_file_lists_every_property_of_the_contract_in_its_order() -> None:
    assert list(_rows()) == schema_pointers()


def test_what_is_written_comes_from_the_named_field_and_nothing_else_is() -> None:
    found, rows = reached(), _rows()
    assert {name: row["field"] for name, row in rows.items() if row["status"] == "sent"} == {
        name: field for name, field in found.items() if field
    }
    assert {name for name, row in rows.items() if row["status"] == "given"} == {n for n, f in found.items() if not f}


def test_what_no_field_gives_has_a_source_and_what_is_never_written_a_reason() -> None:
    rows = _rows().values()
    assert {row["status"] for row in rows} == {"sent", "given", "never"}
    assert [row["property"] for row in rows if row["status"] != "sent" and not row["reason"].strip()] == []


def test_the_full_case_meets_every_rule_and_the_contract() -> None:
    assert rules.check(nca_case(), nca_packaging(nca_case())).needs == ()


def test_decisions_and_lines_name_fields_that_exist() -> None:
    fields = {field.replace("[]", "") for field in fields_of(Case, "")}
    named = [*notes.KEPT, *notes.NOTED, *(path for _, path in mapping.fields())]
    assert [name for name in named if name.replace("[]", "") not in fields] == []
