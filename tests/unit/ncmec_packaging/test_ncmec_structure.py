"""The structural table, held against small documents and against schemas."""

from __future__ import annotations

import pytest
from lxml import etree

from adapters.ncmec.structure import as_xsd, violations
from adapters.ncmec.tables import ROOTS

PERSON = (
    "<report><incidentSummary><incidentType>Child Sex Tourism</incidentType>"
    "<incidentDateTime>2012-10-15T08:00:00Z</incidentDateTime></incidentSummary>"
    "<reporter><reportingPerson>{}</reportingPerson></reporter></report>"
)
DETAILS = "<fileDetails><reportId>1</reportId><fileId>a</fileId>{}</fileDetails>"
AT = "report/reporter/reportingPerson"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (
            PERSON.format("<lastName/><firstName/>"),
            [f"{AT}/firstName: stands too late; the order of elements is fixed"],
        ),
        (PERSON.format("<age>1</age><age>2</age>"), [f"{AT}/age: may stand only once"]),
        (PERSON.format("<age>hidden</age>"), [f"{AT}/age: is not an xs:int"]),
        (PERSON.format("<age>2147483648</age>"), [f"{AT}/age: is out of the range of xs:int"]),
        (PERSON.format("<middleName/>"), [f"{AT}/middleName: is not an element of person"]),
        (
            PERSON.format("<ageAssertionDiscrepancy>true</ageAssertionDiscrepancy>"),
            [f"{AT}/ageAssertionDiscrepancy: is not an element of person"],
        ),
        (PERSON.format("hidden"), [f"{AT}: may not hold text of its own"]),
        (
            PERSON.format("<email/><email type='hidden'/>"),
            [f"{AT}/email[2]/@type: is not one of the words allowed here"],
        ),
        (PERSON.format("<email hidden='x'/>"), [f"{AT}/email/@hidden: is not an attribute of this element"]),
        (PERSON.format("<email><b/></email>"), [f"{AT}/email: may hold text only"]),
        (PERSON.format("<firstName a='x'/>"), [f"{AT}/firstName/@a: is not an attribute of this element"]),
        (PERSON.format("<dateOfBirth>2011-02-29</dateOfBirth>"), [f"{AT}/dateOfBirth: is not a day that exists"]),
        (DETAILS.format("<originalFileHash/>"), ["fileDetails/originalFileHash/@hashType: is required"]),
        (DETAILS.format("<details/>"), ["fileDetails/details/nameValuePair: is required"]),
        (
            DETAILS.format("<potentialMeme>true</potentialMeme><fileAnnotations/>"),
            ["fileDetails: may hold only one of potentialMeme, fileAnnotations"],
        ),
        (
            DETAILS.format("<fileAnnotations><viral>false</viral></fileAnnotations>"),
            ["fileDetails/fileAnnotations/viral: must be empty or true"],
        ),
        (
            DETAILS.format(
                "<ipCaptureEvent><ipAddress/></ipCaptureEvent><ipCaptureEvent><ipAddress/></ipCaptureEvent>"
            ),
            ["fileDetails/ipCaptureEvent: may stand only once"],
        ),
        (
            "<reportResponse><responseCode>0</responseCode></reportResponse>",
            ["reportResponse/responseDescription: is required"],
        ),
        ("<victim/>", ["victim: is not a document of this interface"]),
    ],
)
def test_a_violation_names_path_and_rule(document: str, expected: list[str]) -> None:
    root = etree.fromstring(document)
    assert violations(root) == expected
    assert not etree.XMLSchema(etree.fromstring(as_xsd())).validate(root)


@pytest.mark.parametrize(
    "document",
    [
        PERSON.format("<!-- comment --> <age> 7 </age>\n"),
        PERSON.format("").replace(
            "<report>",
            "<report xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:noNamespaceSchemaLocation='x'>",
        ),
        DETAILS.format("<fileAnnotations><viral/><infant>true</infant></fileAnnotations>"),
        DETAILS.format("<potentialMeme>0</potentialMeme>"),
        "<reportResponse><responseCode>0</responseCode><responseDescription/><hash>x</hash></reportResponse>",
        "<reportDoneResponse><responseCode>0</responseCode><reportId>1</reportId><files/></reportDoneResponse>",
    ],
)
def test_what_is_allowed_passes_both(document: str) -> None:
    root = etree.fromstring(document)
    assert violations(root) == []
    assert etree.XMLSchema(etree.fromstring(as_xsd())).validate(root)


def test_newer_elements_are_allowed_on_request() -> None:
    root = etree.fromstring(PERSON.format("<age>1</age><ageAssertionDiscrepancy>true</ageAssertionDiscrepancy>"))
    assert violations(root, additions=True) == []
    assert etree.XMLSchema(etree.fromstring(as_xsd(additions=True))).validate(root)


def test_the_schema_declares_the_four_documents() -> None:
    names = [element.get("name") for element in etree.fromstring(as_xsd()).findall("{*}element")]
    assert tuple(names) == ROOTS
