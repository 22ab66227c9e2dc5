"""Import then build gives the same <report>, for every document that schema and documented rules allow."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.ncmec import payload, reading, rules, structure
from reporter.cases.model import Case
from tests.unit.ncmec_packaging.strategies import reports
from tests.unit.ncmec_packaging.support import NOW, OFFICIAL, official_schema, packaging, without_reporter

_drawn = settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
_unshrunk = settings(_drawn, phases=[Phase.explicit, Phase.reuse, Phase.generate])
_ADDITIONS = structure.as_xsd(additions=True)


def _round_trip(body: bytes, schema: bytes | None = None) -> None:
    imported = reading.read([body], "IMPORT-0001", NOW, "lead")
    case = Case.model_validate(imported.document)
    check = rules.check(case, packaging(schema=schema))
    assert [str(need) for need in check.needs] == []
    package = payload.build(case, packaging(schema=schema))
    assert without_reporter(package.document("report").body) == without_reporter(body)
    assert rules.validate(package, schema or structure.as_xsd()) == []


def _valid_officially(body: bytes) -> None:
    if OFFICIAL:
        assert etree.XMLSchema(etree.fromstring(official_schema())).validate(etree.fromstring(body))


@_drawn
@given(reports())
def test_a_report_comes_back_as_it_was(body: bytes) -> None:
    _valid_officially(body)
    _round_trip(body)


@settings(_drawn, max_examples=50)
@given(reports(batched=True))
def test_a_batched_report_comes_back_as_it_was(body: bytes) -> None:
    _valid_officially(body)
    _round_trip(body)


@settings(_unshrunk, max_examples=12)
@given(reports(full=True))
def test_a_report_with_every_optional_element_comes_back_as_it_was(body: bytes) -> None:
    _valid_officially(body)
    _round_trip(body)


@settings(_drawn, max_examples=30)
@given(reports(additions=True))
def test_newer_elements_come_back_where_the_schema_declares_them(body: bytes) -> None:
    _round_trip(body, _ADDITIONS)


@settings(_drawn, max_examples=20)
@given(reports(), st.data())
def test_the_table_and_the_schema_written_from_it_agree(body: bytes, data: st.DataObject) -> None:
    """Break a valid document somewhere; both, and the official schema where there is one, must judge alike."""
    root = etree.fromstring(body)
    everything = list(root.iter())
    victim = data.draw(st.sampled_from(everything[1:]))
    harm = data.draw(st.sampled_from(["drop", "double", "last", "text", "attribute", "rename"]))
    if harm == "drop":
        victim.getparent().remove(victim)
    elif harm == "double":
        victim.addnext(etree.fromstring(etree.tostring(victim, with_tail=False)))
    elif harm == "last":
        victim.getparent().append(victim)
    elif harm == "text":
        victim.text = "not a word of any list"
    elif harm == "attribute":
        victim.set("type", "Home")
    else:
        victim.tag = "additionalInfo"
    root = etree.fromstring(etree.tostring(root))
    valid = structure.violations(root) == []
    assert valid == etree.XMLSchema(etree.fromstring(structure.as_xsd())).validate(root)
    if OFFICIAL:
        assert valid == etree.XMLSchema(etree.fromstring(official_schema())).validate(root)
