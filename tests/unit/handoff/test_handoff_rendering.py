"""The filled form as people and programs read it, by its structure; and what hostile text does to it: nothing."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from adapters.handoff import pdf
from adapters.handoff.adapter import HandoffAdapter, shipped
from adapters.handoff.form import Form
from adapters.handoff.text import visible
from reporter.authority import Earlier, Environment, EvidenceFacts, Package, Packaging, Supplement
from reporter.cases.model import Case, Email
from reporter.errors import ConfigurationError
from reporter.organisation import Contact, Organisation
from reporter.testing.documents import case_document

ADAPTERS = {adapter.name: adapter for adapter in shipped()}
HOSTILE = (
    '</main><script>alert(1)</script><img src="https://evil.example/x" onerror=1>',
    "harmless\u202egnp.exe",
    "a\u2066b\u2069c\u200bd\u0000e\u001b[31m",
    "&lt;already&gt; ⟦U+0041⟧",
)
FORMULAS = ("=HYPERLINK(1)", "+1", "-1", "@SUM(1)", " =1", "\t=1", "\uff1d1")


def packaging(case: Case, environment: Environment = Environment.PRODUCTION, **given: Any) -> Packaging:
    person = Contact(first_name="Alex", last_name="Example", emails=(Email(address="safety@forum.example"),))
    organisation = Organisation(name="Example Forum Ltd", reporting_person=person)
    facts = {item.id: EvidenceFacts(item.id, item.sha256 or "", "", 7) for item in case.evidence or ()}
    chosen = {"provider_id": "P-17", "recipient": "A police authority, ES", **given}
    return Packaging(organisation, environment, facts, datetime(2026, 11, 23, tzinfo=UTC), settings=chosen)


def built(name: str = "eu-police", environment: Environment = Environment.PRODUCTION, **changes: Any) -> Package:
    case = Case.model_validate(case_document(**changes))
    return ADAPTERS[name].build(case, packaging(case, environment))


def summary(text: str) -> dict[str, Any]:
    return {"incident": {"type": "csam", "occurred_at": "2026-11-18T09:55:00Z", "summary": text}}


def page(package: Package) -> Any:
    return html.document_fromstring(package.document("form").body.decode())


def table(package: Package) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(package.document("table").body.decode(), newline="")))


@pytest.mark.parametrize("adapter", ADAPTERS.values(), ids=ADAPTERS)
def test_page_data_and_table_hold_the_same_fields_in_the_same_order(adapter: HandoffAdapter) -> None:
    package = built(adapter.name, files={"e1": b"harmless", "e2": b"harmless too"})
    data = json.loads(package.document("data").body)
    labels = [field["label"] for field in data["fields"]]
    headings = [" ".join(h.text_content().split()) for h in page(package).xpath("//section/h2")]
    assert len(headings) == len(labels)
    for number, (label, heading) in enumerate(zip(labels, headings, strict=True), start=1):
        assert heading.startswith(f"{number}. {label}")
    assert list(dict.fromkeys(row["field"] for row in table(package) if row["number"] != "0")) == [
        field["id"] for field in data["fields"]
    ]


def test_the_page_stands_for_itself_and_cannot_act() -> None:
    document = page(built())
    (policy,) = document.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert document.xpath("//script | //a | //img | //link | //iframe | //form | //@onclick") == []
    assert document.xpath("//html/@lang") == ["en"]
    assert all(document.xpath("//section/@aria-labelledby"))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_text(text: str) -> None:
    package = built(**summary(text))
    document = page(package)
    assert document.xpath("//script | //img") == []
    assert visible(text) in [value.text_content() for value in document.xpath("//p[@class='value']")]
    assert not set("\u202e\u2066\u2069\u200b\x00\x1b") & set(package.document("form").body.decode())
    values = [part["value"] for field in json.loads(package.document("data").body)["fields"]
              for entry in field["entries"] for part in entry["parts"]]  # fmt: skip
    assert text in values, "the data is exact"


@pytest.mark.parametrize("text", FORMULAS)
def test_a_spreadsheet_computes_nothing(text: str) -> None:
    rows = [row["value"] for row in table(built(**summary(text))) if row["field"] == "matter"]
    assert visible(text).replace("'", "") in [row.replace("'", "") for row in rows if row.startswith("'")]
    assert not any(row.lstrip(" ").startswith(("=", "+", "-", "@", "\t")) for row in rows)


@pytest.mark.parametrize("sign", [";", ";  ", ';"', "|", "\t", "\n"])
def test_a_spreadsheet_that_takes_another_separator_computes_nothing(sign: str) -> None:
    rows = [row["value"] for row in table(built(**summary(f"SYNTHETIC{sign}=1+1"))) if row["field"] == "matter"]
    assert f"SYNTHETIC{sign}'=1+1" in rows


@settings(max_examples=60)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_comes_back_from_the_data_and_breaks_no_page(text: str) -> None:
    package = built(**summary(text))
    data = json.loads(package.document("data").body)
    (field,) = (field for field in data["fields"] if field["id"] == "matter")
    values = [part["value"] for entry in field["entries"] for part in entry["parts"]]
    assert text == "" or text in values
    assert len(page(package).xpath("//section")) == len(data["fields"])
    assert all(len(row) == 6 and None not in row for row in table(package))


@given(st.text())
def test_nothing_visible_acts_and_two_texts_never_look_alike(text: str) -> None:
    shown = visible(text)
    assert all(character.isprintable() or character in "\n\t" or character.isspace() for character in shown)
    assert visible(text.replace("\u202e", "⟦U+202E⟧")) != shown or "\u202e" not in text


def test_a_supplement_names_what_it_adds_to() -> None:
    case = Case.model_validate(case_document())
    before = Supplement((Earlier("AFP-1"), Earlier("AFP-2")), case)
    package = ADAPTERS["au-afp"].build(case, replace(packaging(case), supplement=before))
    assert "AFP-1, AFP-2" in page(package).text_content()
    assert [row["value"] for row in table(package) if row["field"] == "adds_to"] == ["AFP-1", "AFP-2"]
    assert "AFP-1, AFP-2" in json.loads(package.document("data").body)["adds_to"]


def test_only_the_notifier_is_passed_over_and_nobody_whose_number_begins_alike() -> None:
    people = [{"id": f"p{number}", "roles": ["suspect"], "vehicle": "blue"} for number in range(11)]
    people[1] = {"id": "n", "roles": ["notifier"], "vehicle": "red"}
    people[10]["school"] = "a school"
    case = Case.model_validate(case_document(people=people))
    notes = {note.path for note in ADAPTERS["eu-police"].check(case, packaging(case)).notes}
    assert "people[10].school" in notes
    assert not any(note.startswith("people[1].") for note in notes)


def test_what_a_form_cannot_take_by_its_size_is_named() -> None:
    form = Form.model_validate(
        {
            "name": "small", "title": "Small", "means": "form", "where": "Here.", "language": "en", "receipt": "none",
            "source": {"text": "T", "section": "S", "mark": "summary", "checked": "2026-11-23"},
            "field": [
                {"id": "what", "label": "What", "fill": ["incident.summary"], "max_chars": 5},
                {"id": "urls", "label": "Addresses", "fill": ["locations[web_page].urls"], "max_entries": 1},
            ],
        }
    )  # fmt: skip
    urls = ["https://forum.example/1", "https://forum.example/2"]
    case = Case.model_validate(case_document(**summary("SECRETS"), locations=[{"kind": "web_page", "urls": urls}]))
    needs = HandoffAdapter(form).check(case, packaging(case)).needs
    assert [(need.path, need.rule) for need in needs] == [
        ("incident.summary", "too_long"), ("locations[web_page].urls", "too_many"),
    ]  # fmt: skip
    assert "SECRETS" not in str(needs)


def test_outside_production_every_document_says_so() -> None:
    package = built(environment=Environment.SANDBOX)
    assert "no report" in page(package).xpath("//p[@class='stop']")[0].text_content()
    assert json.loads(package.document("data").body)["warning"]
    assert page(built()).xpath("//p[@class='stop']") == []


@pytest.mark.parametrize("url", ["data:image/png;base64,AAAA", "javascript:alert(1)", "forum.example/x", "https://",
                                 "https://forum.example/a b", "words"])  # fmt: skip
def test_cybertip_refuses_what_is_no_address(url: str) -> None:
    case = Case.model_validate(case_document(locations=[{"kind": "web_page", "urls": [url]}]))
    needs = ADAPTERS["ca-cybertip"].check(case, packaging(case)).needs
    assert [(need.path, need.rule) for need in needs] == [("locations[0].urls[0]", "address")]
    assert url not in str(needs[0])


@pytest.mark.parametrize("url", ["https://forum.example/p/1", "192.0.2.7", "2001:db8::1", "ftp://forum.example/x"])
def test_cybertip_takes_addresses_and_sends_nothing_besides(url: str) -> None:
    case = Case.model_validate(case_document(locations=[{"kind": "web_page", "urls": [url], "additional_info": "W"}]))
    adapter = ADAPTERS["ca-cybertip"]
    assert adapter.check(case, packaging(case)).needs == ()
    data = json.loads(adapter.build(case, packaging(case)).document("data").body)
    assert [[part["value"] for entry in field["entries"] for part in entry["parts"]] for field in data["fields"]] == [
        ["P-17"], [url],
    ]  # fmt: skip
    notes = {note.path for note in adapter.check(case, packaging(case)).notes}
    assert {"incident.summary", "locations[0].additional_info", "people[0].account.id"} <= notes


def test_what_the_form_asks_for_and_the_case_lacks_is_named() -> None:
    case = Case.model_validate(case_document())
    needs = ADAPTERS["de-bka"].check(case, packaging(case)).needs
    assert [(need.path, need.rule) for need in needs] == [("incident.urgency.level", "required")]
    assert [need.path for need in ADAPTERS["ca-cybertip"].check(case, packaging(case, provider_id="")).needs] == [
        "settings.provider_id"
    ]


class TestPrint:
    """The PDF, by the text that a reader gets out of it."""

    def text(self, package: Package, font: str | None = None) -> str:
        from pypdf import PdfReader

        (document,) = ADAPTERS[package.authority].printed(package, font).documents
        return "\n".join(each.extract_text() for each in PdfReader(io.BytesIO(document.body)).pages)

    def test_it_says_what_the_page_says(self) -> None:
        package = built("de-bka", files={"e1": b"harmless"}, **summary("SYNTHETIC: “quoted” – äöü €"))
        text = self.text(package)
        for field in json.loads(package.document("data").body)["fields"]:
            assert field["label"].split(" (")[0] in text
        assert "“quoted” – äöü €" in text

    def test_what_no_font_draws_stands_as_its_number_and_is_told(self) -> None:
        package = built(**summary("Привет \u202e"))
        assert "[U+041F][U+0440]" in self.text(package)
        assert "[U+202E]" in self.text(package)
        assert ADAPTERS["eu-police"].printed(package).notes

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the library leaves the file open
    def test_a_font_that_is_none_is_refused(self, tmp_path: Any) -> None:
        file = tmp_path / "font.ttf"
        file.write_bytes(b"no font")
        with pytest.raises(ConfigurationError):
            ADAPTERS["eu-police"].printed(built(), str(file))

    def test_without_the_library_the_page_has_to_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pdf, "installed", lambda: False)
        printed = ADAPTERS["eu-police"].printed(built())
        assert printed.documents == ()
        assert "reporter[pdf]" in printed.notes[0]


def test_a_thousand_items_are_one_row_each() -> None:
    package = built(files={f"e{number}": b"harmless" for number in range(1000)})
    (rows,) = (t for t in page(package).xpath("//table/tbody") if len(t) == 1000)
    assert rows[999].xpath("./th")[0].text == "1000"
