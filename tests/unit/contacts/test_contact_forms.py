"""The same person, however an address, a number or a name was typed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.cases.people import InvolvedPerson
from reporter.contacts.model import Identifiers
from reporter.contacts.normal import PHONE_DIGITS, registered, sought
from reporter.contacts.people import identifiers_of

LETTERS = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)
DIGITS = st.text("0123456789", min_size=PHONE_DIGITS, max_size=15)
WIDE = {ord(sign): chr(ord(sign) + 0xFEE0) for sign in "abcdefghijklmnopqrstuvwxyz0123456789@.+"}


def marks(identifiers: Identifiers) -> set[tuple[str, str]]:
    return {mark for found in registered(identifiers).values() for mark in found}


def found(contact: Identifiers, person: Identifiers) -> bool:
    return bool(marks(contact) & sought(person))


def emails(*values: str) -> Identifiers:
    return Identifiers(emails=values)


def phones(*values: str) -> Identifiers:
    return Identifiers(phones=values)


def names(*values: str) -> Identifiers:
    return Identifiers(user_names=values)


@given(LETTERS, LETTERS, LETTERS, st.randoms(use_true_random=False))
def test_an_address_is_found_however_it_is_written(local: str, host: str, tag: str, random: object) -> None:
    address = f"{local}@{host}.example"
    written = [
        address.upper(),
        f"  {address}\t",
        f"mailto:{address}",
        f"A Name <{address}>",
        f"{local}+{tag}@{host}.example.",
        address.translate(WIDE),
        "\N{ZERO WIDTH SPACE}".join(address),
        unicodedata.normalize("NFD", address.title()),
    ]
    for other in written:
        assert found(emails(address), emails(other)), other
        assert found(emails(other), emails(address)), other
    assert not found(emails(address), emails(f"x{address}"))


@given(DIGITS)
def test_a_number_is_found_with_and_without_the_codes_of_country_and_area(digits: str) -> None:
    for other in (f"+44 {digits}", f"0044{digits}", f"({digits[:3]}) {digits[3:]}", f"tel:{digits};ext=5"):
        assert found(phones(digits), phones(other))
        assert found(phones(other), phones(digits))
    assert found(phones(digits), phones(digits.translate(WIDE)))
    last = "1" if digits[-1] == "0" else "0"
    assert not found(phones(digits), phones(digits[:-1] + last))


@given(LETTERS)
def test_a_user_name_is_found_in_any_case_and_width(name: str) -> None:
    for other in (name.upper(), f"@{name}", name.translate(WIDE), f" {name} ", "\N{ZERO WIDTH JOINER}".join(name)):
        assert found(names(name), names(other))
    assert not found(names(name), names(f"{name}_"))


@given(LETTERS, LETTERS)
def test_a_domain_finds_every_address_below_it_and_no_other(local: str, host: str) -> None:
    domain = Identifiers(domains=(f"{host}.example",))
    for address in (f"{local}@{host}.example", f"{local}@desk.{host}.EXAMPLE"):
        assert found(domain, emails(address))
    assert not found(domain, emails(f"{local}@x{host}.example"))
    assert not found(domain, names(f"{host}.example"))


def test_a_domain_is_the_same_in_letters_and_in_ascii() -> None:
    assert found(Identifiers(domains=("bücher.example",)), emails("a@XN--BCHER-KVA.example"))
    assert found(emails("a@bu\N{COMBINING DIAERESIS}cher.example"), emails("a@bücher\u3002example"))


@given(st.text(), st.text(), st.text())
def test_whoever_is_looked_for_may_be_written_in_any_way(one: str, two: str, three: str) -> None:
    sought(Identifiers((one, f"{one}@{two}"), (two,), (three,)))


def test_what_is_far_too_long_costs_nothing() -> None:
    long = "a." * 100_000
    assert sought(Identifiers((f"a@{long}example",), ("1" * 100_000,), (long,))) == set()


@pytest.mark.parametrize(
    ("identifiers", "sort"),
    [
        (emails("nobody"), "email"),
        (emails("@forum.example"), "email"),
        (phones("112"), "phone"),
        (names(" @ "), "user name"),
        (Identifiers(domains=("example",)), "domain"),
    ],
)
def test_what_nobody_could_be_known_by_is_refused(identifiers: Identifiers, sort: str) -> None:
    with pytest.raises(ValueError, match=f"a {sort} of this contact is none"):
        registered(identifiers)


def test_a_person_is_known_by_all_their_accounts() -> None:
    person = InvolvedPerson.model_validate(
        {
            "id": "p1",
            "roles": ["suspect"],
            "account": {"id": "9001", "display_names": ["Two"], "profile_urls": ["https://forum.example/u/three/"]},
            "person": {"emails": [{"address": "four@a.example"}], "phones": [{"number": "5550100"}]},
            "associated_accounts": [{"type": "other", "screen_name": "five", "emails": [{"address": "six@a.example"}]}],
            "billing": {"emails": [{"address": "seven@a.example"}], "phones": [{"number": "5550101"}]},
        }
    )
    known_by = sought(identifiers_of(person))
    for contact in [
        *(names(name) for name in ("9001", "two", "three", "five")),
        *(emails(f"{name}@a.example") for name in ("four", "six", "seven")),
        phones("5550100"),
        phones("5550101"),
    ]:
        assert marks(contact) <= known_by
