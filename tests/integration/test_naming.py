"""A notifier is not a suspect: who is named, why, and what it takes to name somebody who told us."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import Engine, text

from reporter.actors.model import Role
from reporter.audit import service as audit
from reporter.authority import Answer, Call, Outcome
from reporter.cases.model import Case
from reporter.contacts import naming
from reporter.contacts.model import ContactKind, Identifiers
from reporter.contacts.naming import Naming
from reporter.contacts.people import people_of
from reporter.contacts.words import Purpose
from reporter.db.engine import transaction
from reporter.errors import ConflictError, CustodyError, NotFoundError, NotReadyError, PolicyError, UsageError
from reporter.testing.documents import case_document, write_case
from reporter.testing.house import House
from reporter.testing.people import People

REF, WHY = "TEST-000001", "SYNTHETIC: judged by itself."
JOURNALIST = Identifiers(emails=("jo@newsroom.example",), user_names=("jo_reports",))
INCIDENT = case_document()["incident"]
SUSPECT = {"id": "p1", "roles": ["suspect"], "account": {"screen_name": "Jo_Reports"}}


@pytest.fixture
def house(tmp_path: Path, engine: Engine) -> House:
    return House(tmp_path, database=engine)


def known(house: House, kind: ContactKind = ContactKind.NEWSROOM, known_by: Identifiers = JOURNALIST) -> str:
    return house.app.contacts.register.add([(kind, known_by)], "dana")[0].id


def added(house: House, **changes: Any) -> None:
    house.app.cases.add(write_case(house.folder / "cases", REF, **changes), "preparer")


def revised(house: House, **changes: Any) -> None:
    house.app.cases.revise(REF, write_case(house.folder / "again", REF, **changes), "preparer")


def allow(house: House, actor: str, person: str = "p1", reason: str = WHY) -> int:
    stored = house.app.cases.load(REF)
    return house.app.contacts.naming.allow(stored, person, actor, reason, lambda _connection, _subject: None)


def rules(house: House) -> list[str]:
    return [f"{need.path} {need.rule}" for need in house.app.submissions.check(REF)["ncmec"].needs]


def test_a_contact_is_not_reported_until_two_people_wrote_why(house: House) -> None:
    known(house)
    added(house, people=[SUSPECT])
    assert rules(house) == ["people[0] protected_contact"]
    with pytest.raises(NotReadyError) as refused:
        house.app.submissions.approve(REF, "approver")
    assert "a newsroom contact; two people must write why" in refused.value.findings[0].message
    assert allow(house, "preparer") == 1
    with pytest.raises(PolicyError, match="has written why already"):
        allow(house, "preparer")
    assert rules(house) == ["people[0] protected_contact"]
    assert allow(house, "second") == 0
    assert rules(house) == []
    (approved,) = house.app.submissions.approve(REF, "approver")
    assert [(named.id, named.contacts, named.missing) for named in approved.named] == [("p1", ("newsroom",), 0)]
    assert [note.rule for note in approved.notes if note.path == "people[0]"] == ["protected_contact"]


@pytest.mark.parametrize(
    "changes",
    [
        {"roles": ["suspect", "uploader"]},
        {"account": {"screen_name": "Jo_Reports", "id": "9002"}},
    ],
)
def test_what_two_people_wrote_counts_for_what_they_wrote_about(house: House, changes: dict[str, Any]) -> None:
    known(house)
    added(house, people=[SUSPECT])
    allow(house, "one")
    allow(house, "two")
    revised(house, people=[SUSPECT | changes])
    assert rules(house) == ["people[0] protected_contact"]


def test_another_contact_that_matches_is_decided_anew(house: House) -> None:
    known(house)
    added(house, people=[SUSPECT])
    allow(house, "one")
    allow(house, "two")
    known(house, ContactKind.STAFF, Identifiers(user_names=("jo_reports",)))
    assert rules(house) == ["people[0] protected_contact"]


def test_who_becomes_a_contact_after_the_approval_is_not_sent(house: House) -> None:
    added(house, people=[SUSPECT])
    house.app.submissions.approve(REF, "approver")
    before = house.submission()["digest"]
    register = house.app.contacts.register
    assert register.add([(ContactKind.NEWSROOM, JOURNALIST)], "dana")[0].named_in == (REF,)
    assert house.submission()["state"] == "draft"
    house.until_idle()
    assert house.double.reports == {}
    allow(house, "one")
    allow(house, "two")
    (approved,) = house.app.submissions.approve(REF, "approver")  # what was approved before says less
    assert approved.digest != before
    assert approved.state == "approved"
    house.until_idle()
    assert len(house.double.reports) == 1


def test_a_contact_between_the_look_and_the_approval_stops_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    added(house, people=[SUSPECT])
    service = house.app.submissions
    build = service._freeze

    def meanwhile(*arguments: Any) -> Any:
        frozen = build(*arguments)
        known(house)
        return frozen

    monkeypatch.setattr(service, "_freeze", meanwhile)
    with pytest.raises(ConflictError, match="Contacts changed meanwhile"):
        service.approve(REF, "approver")
    assert house.submission()["state"] == "draft"


def test_a_contact_that_is_added_while_somebody_approves_waits_and_then_voids_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    added(house, people=[SUSPECT])
    remember = Naming.remember
    adding = Thread(target=known, args=(house,))

    def meanwhile(people: Naming, *arguments: Any) -> None:
        remember(people, *arguments)
        adding.start()
        adding.join(timeout=0.5)  # it would be done by then, if nothing kept it waiting

    monkeypatch.setattr(Naming, "remember", meanwhile)
    (approved,) = house.app.submissions.approve(REF, "approver")
    assert approved.state == "approved"
    adding.join()
    assert house.submission()["state"] == "draft"


def test_a_delivery_that_has_begun_goes_on_and_is_named(house: House) -> None:
    added(house, people=[SUSPECT])
    house.app.submissions.approve(REF, "approver")
    house.until_idle()
    assert house.app.contacts.register.add([(ContactKind.POLICE, JOURNALIST)], "dana")[0].named_in == (REF,)
    assert house.submission()["state"] == "accepted"


def test_a_delivery_under_way_opens_no_further_attempt(house: House) -> None:
    added(house, people=[SUSPECT])
    house.app.submissions.approve(REF, "approver")
    connection = house.app.deliveries.connection("ncmec")

    def out_of_reach(call: Call) -> Answer:
        return Answer(Outcome.NOT_SENT, code="dns")

    reach, connection.perform = connection.perform, out_of_reach  # type: ignore[method-assign]
    house.work()
    assert house.submission()["state"] == "delivering"
    house.clock.advance(timedelta(seconds=1))
    known(house)
    connection.perform = reach  # type: ignore[method-assign]
    house.until_idle()
    submission = house.submission()
    assert (submission["state"], house.double.reports) == ("attention", {})
    assert "has become a contact of ours" in submission["reason"]
    house.app.resolutions.withdraw(REF, "ncmec", "dana", WHY)
    allow(house, "one")
    allow(house, "two")
    house.clock.advance(timedelta(seconds=1))
    house.app.submissions.approve(REF, "approver")
    house.until_idle()
    assert len(house.double.reports) == 1


def test_nothing_of_a_destroyed_case_is_known_any_more(house: House, engine: Engine) -> None:
    known(house)
    added(house, people=[SUSPECT])
    allow(house, "one")
    allow(house, "two")
    house.app.submissions.approve(REF, "approver")
    with transaction(engine) as connection:
        house.app.contacts.naming.forget(connection, REF)
        for table in ("named_mark", "contact_word"):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0


def test_addresses_in_locations_are_held_against_the_register_too(house: House) -> None:
    known(house)
    people = [{**SUSPECT, "account": {}, "person": {"emails": [{"address": "Jo@Newsroom.example"}]}}]
    place = {"kind": "email", "addresses": [{"address": "Jo@Newsroom.example"}]}
    added(house, people=people, locations=[place])
    assert rules(house) == ["people[0] protected_contact", "locations protected_contact"]
    for person in ("p1", "locations"):
        allow(house, "one", person)
        allow(house, "two", person)
    assert rules(house) == []


def test_a_notifier_alone_is_named_nowhere_and_needs_no_decision(house: House) -> None:
    known(house)
    notifier = {**SUSPECT, "id": "p2", "roles": ["notifier"]}
    added(house, people=[{"id": "p1", "roles": ["suspect"], "account": {"id": "9001"}}, notifier])
    assert rules(house) == []
    body = house.app.submissions.preview(REF, "ncmec").package.document("report").body
    assert b"Jo_Reports" not in body
    with pytest.raises(PolicyError, match="nothing is to be decided"):
        allow(house, "one", "p2")
    with pytest.raises(NotFoundError):
        allow(house, "one", "p9")


@pytest.mark.parametrize(
    "changes",
    [
        {"incident": {**INCIDENT, "summary": "SYNTHETIC: told by (JO@newsroom.example)."}},
        {"incident": {**INCIDENT, "summary": "SYNTHETIC: see https://forum.example/u/Jo_Reports/posts."}},
        {"locations": [{"kind": "chat", "client": "SYNTHETIC", "content": "a: hello\n@jo_reports: stop."}]},
        {"locations": [{"kind": "chat", "client": "SYNTHETIC", "content": "ask \uff4ao\uff20news\u200broom.example"}]},
        {"locations": [{"kind": "web_page", "urls": ["https://forum.example/members?name=jo_reports&page=1"]}]},
        {"people": [SUSPECT | {"account": {"bio": "friend of desk@tips.newsroom.example"}}]},
        {"people": [{"id": "p2", "roles": ["notifier"], "context": "SYNTHETIC: jo@newsroom.example, asked by us."}]},
    ],
)
def test_a_contact_in_the_words_of_a_case_takes_two_people_too(house: House, changes: dict[str, Any]) -> None:
    known(house, known_by=Identifiers(JOURNALIST.emails, (), JOURNALIST.user_names, ("newsroom.example",)))
    added(house, **changes)
    assert "words protected_contact" in rules(house)
    with pytest.raises(NotReadyError):
        house.app.submissions.approve(REF, "approver")
    assert (allow(house, "one", "words"), allow(house, "two", "words")) == (1, 0)
    assert "words protected_contact" not in rules(house)


def test_words_that_name_no_contact_ask_for_nothing(house: House) -> None:
    known(house)
    added(house, incident={**INCIDENT, "summary": "SYNTHETIC: a@b.example wrote to @nobody on 2026-11-18."})
    assert [named.id for named in house.app.submissions.named(REF)] == ["p1"]
    assert rules(house) == []


def test_who_told_us_is_not_sent_by_the_word_of_one_person(house: House) -> None:
    decision = {"by": "somebody", "at": "2026-11-18T10:04:00Z", "reason": "SYNTHETIC."}
    urgent = {**INCIDENT, "urgency": {"level": "immediate", "reason": "SYNTHETIC."}}
    both = {"id": "p1", "roles": ["suspect", "notifier"], "role_decision": decision}
    added(house, people=[both], incident=urgent)
    with pytest.raises(PolicyError, match="somebody who told us, and preparer prepared it"):
        house.app.submissions.approve(REF, "preparer", alone="SYNTHETIC: nobody else is here.")
    (approved,) = house.app.submissions.approve(REF, "approver", alone="SYNTHETIC: nobody else is here.")
    assert approved.state == "approved"


def test_words_are_needed_and_sealed(house: House, engine: Engine) -> None:
    known(house)
    added(house, people=[SUSPECT])
    with pytest.raises(UsageError, match="needs words"):
        allow(house, "one", reason="  ")
    allow(house, "one", reason="SYNTHETIC-SECRET-WORDS")
    with engine.connect() as connection:
        rows = [
            str(row)
            for table in ("contact", "contact_mark", "contact_word", "named_mark", "custody_outbox")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    assert rows
    for secret in ("SYNTHETIC-SECRET-WORDS", "newsroom.example", "jo_reports", "Jo_Reports"):
        assert not [row for row in rows if secret in row]


def test_outside_the_sandbox_both_sign_what_they_wrote_about(house: House) -> None:
    house.beyond_the_sandbox()
    lead = frozenset({Role.ESCALATION_LEAD, Role.COMPLIANCE})
    people = People(house.app, {"preparer": lead, "approver": lead, "second": lead})
    known(house)
    added(house, people=[SUSPECT])
    with pytest.raises(PolicyError, match="is signed by somebody enrolled"):
        allow(house, "preparer")
    stored = house.app.cases.load(REF)
    for name in ("preparer", "second"):
        house.app.contacts.naming.allow(stored, "p1", name, WHY, people.acts(name, Purpose.ALLOW.value).state)
    assert rules(house) == []
    with transaction(house.app.database) as connection:
        connection.execute(text("UPDATE contact_word SET actor = 'approver' WHERE actor = 'second'"))
    assert rules(house) == ["people[0] protected_contact"]


def test_protection_is_taken_away_by_two_people(house: House) -> None:
    register = house.app.contacts.register
    number = known(house)
    assert known(house) == number
    unsigned = lambda _connection, _subject: None  # noqa: E731
    assert register.remove(number, "one", WHY, unsigned) == 1
    assert [contact.removal_proposed_by for contact in register.contacts()] == ["one"]
    with pytest.raises(PolicyError):
        register.remove(number, "one", WHY, unsigned)
    assert [contact.id for contact in register.contacts(JOURNALIST)] == [number]
    assert register.remove(number, "two", WHY, unsigned) == 0
    assert register.contacts() == []
    with pytest.raises(NotFoundError):
        register.remove(number, "two", WHY, unsigned)
    added(house, people=[SUSPECT])
    assert rules(house) == []
    with transaction(house.app.database) as connection:
        kinds = [event.kind for event in audit.events(connection) if event.item == number]
    assert kinds == ["contact_added", "contact_removal_proposed", "contact_removed"]


def test_another_key_is_told_from_the_one_that_finds_anybody(house: House) -> None:
    known(house)
    added(house, people=[SUSPECT])
    (house.folder / "home" / "keystore" / "index-contacts").unlink()
    house.restart()
    for act in (
        lambda: house.app.submissions.check(REF),
        lambda: house.app.submissions.approve(REF, "approver"),
        lambda: house.app.contacts.register.contacts(JOURNALIST),
        lambda: known(house, ContactKind.STAFF),
    ):
        with pytest.raises(CustodyError, match="not the one that was used before"):
            act()
    (contact,) = house.app.contacts.register.contacts()
    for actor in ("one", "two"):
        house.app.contacts.register.remove(contact.id, actor, WHY, lambda _connection, _subject: None)
    known(house)  # nobody was protected, so another key may begin
    assert rules(house) == ["people[0] protected_contact"]


def test_many_are_added_all_or_none(house: House) -> None:
    register = house.app.contacts.register
    with pytest.raises(UsageError, match="contact 2: a phone of this contact is none"):
        register.add([(ContactKind.STAFF, JOURNALIST), (ContactKind.STAFF, Identifiers(phones=("1",)))], "dana")
    assert register.contacts() == []


# --- both roles on one person ------------------------------------------------------------------------------------


def needs(**changes: Any) -> list[str]:
    case = Case.model_validate(case_document(**changes))
    return [str(need) for need in naming.needs(case, [named for named, _ in people_of(case)])]


def person(*roles: str, **fields: Any) -> dict[str, Any]:
    return {"people": [{"id": "p1", "roles": list(roles), **fields}]}


def two(account: dict[str, Any], **human: Any) -> dict[str, Any]:
    """Give a suspect, and beside them as another person a notifier with that account."""
    known_by = {"screen_name": "Jo_R", "id": "9001", "profile_urls": ["https://forum.example/u/1/profile"]}
    suspect = {"id": "p1", "roles": ["suspect"], "account": known_by, "person": HUMAN}
    return {"people": [suspect, {"id": "p2", "roles": ["notifier"], "account": account, "person": human}]}


HUMAN = {"emails": [{"address": "jo+spam@a.example"}], "phones": [{"number": "+44 5550100"}]}
TOLD = [{"method": "media_enquiry", "at": "2026-11-18T09:00:00Z", "person": "p1"}]
HANDED = [{"id": "e1", "path": "e1.txt", "sha256": "0" * 64, "received_from": "p1"}]
MISSING = ["people[0].role_decision: missing; a notifier in another role needs a second human's decision"]


@pytest.mark.parametrize(
    "changes",
    [
        person("notifier", "suspect"),
        person("suspect") | {"detected_by": TOLD},
        person("sharer", "suspect") | {"evidence": HANDED},
    ],
)
def test_whoever_told_us_takes_a_second_humans_decision_in_words(changes: dict[str, Any]) -> None:
    def decided(**decision: str) -> list[str]:
        at = {"at": "2026-11-18T10:00:00Z"}
        return needs(**changes | {"people": [{**changes["people"][0], "role_decision": at | decision}]})

    assert needs(**changes) == MISSING
    assert decided(by="reviewer-9", reason="SYNTHETIC") == []
    assert decided(by="reviewer-9", reason="  ") == ["people[0].role_decision.reason: blank"]
    same = ["people[0].role_decision.by: not another human than the one who confirmed the case"]
    assert decided(by=" Reviewer-7", reason="SYNTHETIC") == same
    assert decided(by="", reason="SYNTHETIC") == same


@pytest.mark.parametrize(
    ("account", "human"),
    [
        ({"screen_name": "jo_r"}, {}),
        ({"id": "9001"}, {}),
        ({"profile_urls": ["https://forum.example/u/1/profile/"]}, {}),
        ({}, {"emails": [{"address": "JO@a.example"}]}),
        ({}, {"phones": [{"number": "555-0100"}]}),
    ],
)
def test_whoever_told_us_is_the_same_under_another_id(account: dict[str, Any], human: dict[str, Any]) -> None:
    changes = two(account, **human)
    assert needs(**changes) == MISSING
    (suspect, _), (notifier, _) = people_of(Case.model_validate(case_document(**changes)))
    assert (suspect.both, suspect.told_us, notifier.both) == (True, ("people[1]",), False)
    assert suspect.because[-1] == "is known by the same as p2, who told us"


@pytest.mark.parametrize(
    ("place", "changes"),
    [
        ("locations", {"locations": [{"kind": "email", "addresses": [{"address": "Told@a.example"}]}]}),
        ("locations", {"locations": [{"kind": "cell_phone", "phone": {"number": "555-0123"}}]}),
        ("words", {"incident": {**INCIDENT, "summary": "SYNTHETIC: reported by told@a.example."}}),
        ("words", {"locations": [{"kind": "web_page", "urls": ["https://forum.example/u/told_us"]}]}),
    ],
)
def test_who_told_us_stands_in_no_place_and_no_words(place: str, changes: dict[str, Any]) -> None:
    known_by = {"emails": [{"address": "told@a.example"}], "phones": [{"number": "5550123"}]}
    told = {"id": "p2", "roles": ["notifier"], "account": {"id": "1", "screen_name": "told_us"}, "person": known_by}
    suspect = {"id": "p1", "roles": ["suspect"], "account": {"id": "9001"}}
    assert needs(people=[suspect, told | {"context": "SYNTHETIC: told@a.example wrote to us."}]) == []
    (need,) = needs(people=[suspect, told], **changes)
    assert need.startswith(f"{place}: holds the address, number or name of people[1], who told us")
    decision = {"by": "reviewer-9", "at": "2026-11-18T10:00:00Z", "reason": "SYNTHETIC: was sent it."}
    assert (
        needs(people=[suspect, told | {"roles": ["notifier", "recipient"], "role_decision": decision}], **changes) == []
    )


def test_two_people_of_one_site_and_one_mail_service_are_two() -> None:
    other = {"screen_name": "al", "profile_urls": ["https://forum.example/u/2/profile"]}
    assert needs(**two(other, emails=[{"address": "al@a.example"}])) == []


def test_who_told_us_and_nothing_else_needs_no_decision() -> None:
    assert needs(**person("notifier"), detected_by=TOLD, evidence=HANDED) == []


def test_it_is_said_how_somebody_comes_to_be_in_a_case_and_at_whose_request() -> None:
    handed = [HANDED[0] | {"received_at_request_of": "platform"}, HANDED[0] | {"id": "e2", "uploaded_by": ["p1"]}]
    case = Case.model_validate(case_document(**person("notifier", "suspect"), detected_by=TOLD, evidence=handed))
    ((named, _),) = people_of(case)
    assert named.because == (
        "told us (media enquiry)",
        "uploaded e2",
        "handed us e2 (it is not said at whose request)",
        "handed us e1 at our own request",
    )
    assert [f"{note.path} {note.rule}" for note in naming.notes(case, [named])] == [
        "people[0] both_roles",
        "evidence[1].received_at_request_of unstated",
    ]
