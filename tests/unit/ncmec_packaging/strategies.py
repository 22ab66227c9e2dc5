"""Valid <report> documents, drawn from the structural table and the documented rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import strategies as st
from lxml import etree

from adapters.ncmec.documented import DOCUMENTED
from adapters.ncmec.relations import BATCH_FORBIDS
from adapters.ncmec.simple import SIMPLE_TYPES
from adapters.ncmec.tables import COMPLEX_TYPES, Child

ROLES = ("personOrUserReported", "intendedRecipient", "victim")
#: Written by nobody: NCMEC's newest annotations that the case document has no word for.
NO_WORD = {"potentialAggravatingFactors", "instrumentalUse"}
Draw = Callable[[st.SearchStrategy], str]

_characters = st.one_of(
    st.sampled_from("ab &<>\"'\t\n\r{}]é✓\U0001f600\x85\u2028\ufffd"),
    st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff").filter(
        lambda character: character >= " " or character in "\t\n\r"
    ),
)
_words = st.text(st.sampled_from("abcxyz0189-"), min_size=1, max_size=8).filter(lambda word: word.strip("-") == word)
_urls = st.builds(
    "{}://{}.example{}".format,
    st.sampled_from(["https", "http", "ftp"]),
    _words,
    st.sampled_from(["", "/", "/a?b=c&d#e", ":8080/é"]),
)
_emails = st.builds("{}@{}.example".format, _words, _words)
_space = st.sampled_from(["", "", "", " ", "\n\t"])
_zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_moments = st.builds(
    lambda moment, zone, fraction, z: (
        (moment.astimezone(zone).replace(microsecond=0, tzinfo=None).isoformat() + fraction)
        + ("Z" if z else moment.astimezone(zone).isoformat()[-6:])
    ),
    st.datetimes(datetime(1970, 1, 3), datetime(2026, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    _zones,
    st.sampled_from(["", ".5", ".123456789"]),
    st.booleans(),
)
_OF_TYPE = {
    "boolean": st.builds("{1}{0}{1}".format, st.sampled_from(["true", "false", "1", "0"]), _space),
    "flag": st.sampled_from(["", "true"]),
    "dateTime": _moments,
    "date": st.dates(datetime(1900, 1, 1).date(), datetime(2026, 1, 1).date()).map(str),  # noqa: DTZ001
    "double": st.builds("{1}{0}{1}".format, st.sampled_from(["1", "-0.5", ".5", "5.", "+5", "1E-3", "007.10"]), _space),
    "callingCode": st.sampled_from(["+1", "+44", "+999"]),
    "extension": st.sampled_from(["1", "0123456789"]),
}
_OF_RULE = {
    "url": _urls,
    "email": _emails,
    "ip": st.one_of(st.ip_addresses().map(str), st.just("::ffff:192.0.2.1")),
    "range=0..150": st.builds("{1}{0}{1}".format, st.sampled_from(["0", "150", "+7", "007"]), _space),
    "range=1..65535": st.sampled_from(["1", "65535", " 443 "]),
    "report_id": st.builds("{1}{0}{1}".format, st.integers(1, 2**63 - 1), _space),
}


def _rules_of(type_name: str, name: str) -> list[str]:
    entries = (entry.partition(":") for entry in DOCUMENTED.get(type_name, "").split())
    return next((rules.split(",") for key, _, rules in entries if key == name), [])


def _text(owner: str, name: str, type_name: str) -> st.SearchStrategy[str]:
    rules = _rules_of(owner, name)
    for rule in rules:
        if rule in _OF_RULE:
            return _OF_RULE[rule]
    simple = SIMPLE_TYPES[type_name]
    if simple.words:
        return st.sampled_from(sorted(simple.words))
    if type_name in _OF_TYPE:
        return _OF_TYPE[type_name]
    longest = next((int(rule[4:]) for rule in rules if rule.startswith("max=")), 100)
    text = st.text(_characters, max_size=min(longest, 12))
    if owner == "phone":
        text = st.sampled_from(["", "2025550100", "632 960 001"])
    return text.map(lambda value: value if value.strip() else "x") if "filled" in rules else text


class Documents:
    """Draws documents. ``full``: every optional element is there. ``additions``: those newer than November 2025 too."""

    def __init__(self, draw: Draw, *, full: bool, additions: bool) -> None:
        self.draw, self.full, self.additions = draw, full, additions
        self._choices = iter(COMPLEX_TYPES["internetDetails"].children.values())

    def report(self, *, batched: bool) -> etree._Element:
        root = self._element("report", "report", None)
        for extra in root.findall("personOrUserReported")[1:]:
            root.remove(extra)
        for extra in root.findall("intendedRecipient"):
            for second in extra.findall("additionalInfo")[1:]:
                extra.remove(second)
        for addition in root.findall("reporter//ageAssertionDiscrepancy"):
            addition.getparent().remove(addition)
        if batched:
            self._batch(root)
        elif (batch := root.find("batchedReport")) is not None:
            root.remove(batch)
        if root.find("reporter/reportingPerson/email") is None:
            person = root.find("reporter/reportingPerson")
            for child in list(person):
                person.remove(child)
            etree.SubElement(person, "email").text = "a@b.example"
        self._addresses_on_people(root)
        for element in list(root.iter()):  # relating removes some, which would end the iteration early
            self._relate(element)
        return root

    def _element(self, name: str, type_name: str, parent: etree._Element | None) -> etree._Element:
        element = etree.Element(name) if parent is None else etree.SubElement(parent, name)
        kind = COMPLEX_TYPES[type_name]
        for attribute in kind.attributes.values():
            if attribute.required or self._wanted():
                element.set(attribute.name, self.draw(_text(type_name, f"@{attribute.name}", attribute.type)))
        if kind.text:
            element.text = self.draw(_text(type_name, "#text", kind.text))
        children = [child for child in kind.children.values() if self._exists(child)]
        if kind.model == "choice":
            children = [next(self._choices) if self.full else self.draw(st.sampled_from(children))]
        if kind.model == "all":
            children = self.draw(st.permutations(children))
        for child in children:
            for _ in range(self._count(child, kind.model)):
                if child.type in COMPLEX_TYPES:
                    self._element(child.name, child.type, element)
                else:
                    etree.SubElement(element, child.name).text = self.draw(_text(type_name, child.name, child.type))
        return element

    def _exists(self, child: Child) -> bool:
        return (self.additions or not child.addition) and child.name not in NO_WORD

    def _wanted(self) -> bool:
        return self.full or bool(self.draw(st.booleans()))

    def _count(self, child: Child, model: str) -> int:
        if self.full:
            return len(COMPLEX_TYPES["internetDetails"].children) if child.name == "internetDetails" else 1
        if model == "choice" or (child.required and not child.many):
            return 1
        return int(self.draw(st.integers(int(child.required), 2 if child.many else 1)))

    def _batch(self, root: etree._Element) -> None:
        for path in BATCH_FORBIDS["report"]:
            for element in root.findall(path):
                element.getparent().remove(element)
        for person in root.findall("personOrUserReported"):
            for child in [child for child in person if child.tag != "espIdentifier"]:
                person.remove(child)
            for _ in range(self.draw(st.integers(0, 2))):
                again = etree.Element("personOrUserReported")
                etree.SubElement(again, "espIdentifier").text = self.draw(st.text("abc", max_size=5))
                person.addnext(again)
        if root.find("batchedReport") is None:
            root.insert(0, etree.Element("batchedReport", reason="VIRAL_POTENTIAL_MEME"))

    def _addresses_on_people(self, root: etree._Element) -> None:
        known = [email.text for role in ROLES for email in root.findall(f"{role}/{role}Person/email")]
        for incident in ("emailIncident", "newsgroupIncident"):
            for email in root.findall(f"internetDetails/{incident}/emailAddress"):
                if known:
                    email.text = self.draw(st.sampled_from(known))
                else:
                    email.getparent().remove(email)

    def _relate(self, element: etree._Element) -> None:
        if "verificationDate" in element.attrib:
            element.set("verified", self.draw(st.sampled_from(["true", "1"])))
        if str(element.tag).endswith("Disabled") and "disabledDate" in element.attrib:
            element.set("disabledDate", "1969-12-31T00:00:00Z")
        if element.tag == "associatedAccount" and element.find("approximateAge") is not None:
            for birth in element.findall("dateOfBirth"):
                element.remove(birth)
        if element.tag == "estimatedLocation":
            country = element.find("countryCode")
            if country is None:
                country = etree.SubElement(element, "countryCode")
            country.text = country.text or "GB"
            if country.text == "US":
                for child in list(element)[:-1]:
                    element.remove(child)


@st.composite
def reports(draw: Draw, *, full: bool = False, additions: bool = False, batched: bool = False) -> bytes:
    """Draw one document, as bytes."""
    root = Documents(draw, full=full, additions=additions).report(batched=batched)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
