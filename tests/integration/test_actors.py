"""Enrolled people on both databases: what two of them decide, what a signature is worth, and attacks on both."""

import dataclasses
import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from sqlalchemy import Engine, insert, select, text, update

from reporter.actors import proofs, register
from reporter.actors.lineage import WINDOW
from reporter.actors.model import Change, ChangeKind, Person, Proof, ProofKind, Role, Signature, Statement
from reporter.actors.service import Presence, unsigned
from reporter.actors.tables import ActorChange, ActorProof, ActorRecord, SignedStatement
from reporter.actors.verification import verify
from reporter.alarms.model import Kind
from reporter.audit import service as audit
from reporter.cases.records import PREPARES
from reporter.db.engine import transaction
from reporter.errors import NotFoundError, PolicyError, ReporterError, UsageError
from reporter.submissions.approvals import VERB
from reporter.submissions.tables import Approval, Submission
from reporter.testing.documents import write_case
from reporter.testing.house import House
from reporter.testing.people import People

REF = "TEST-000001"
ROLES = {
    "robin": frozenset({Role.ADMINISTRATOR}),
    "dana": frozenset({Role.COMPLIANCE}),
    "kim": frozenset({Role.ESCALATION_LEAD}),
    "lee": frozenset({Role.ANALYST}),
}


@pytest.fixture
def house(tmp_path: Path, engine: Engine) -> House:
    """Give a house that is pointed at the authority's test system, which the double plays."""
    made = House(tmp_path, database=engine)
    made.beyond_the_sandbox()
    return made


@pytest.fixture
def people(house: House) -> People:
    return People(house.app, ROLES)


def person(handle: str, *roles: Role, kind: ProofKind = ProofKind.KEY) -> Person:
    return Person(handle, frozenset(roles), proofs=(Proof(kind, proofs.public_key(proofs.new_key())),))


def kinds(house: House) -> list[str]:
    with transaction(house.app.database) as connection:
        return [event.kind for event in audit.events(connection)]


def approve(house: House, people: People, handle: str) -> Any:
    (approved,) = house.app.submissions.approve(REF, handle, "ncmec", people.acts(handle, VERB).state)
    return approved


def added(house: House, people: People | None = None, by: str = "lee") -> None:
    witness = people.acts(by, "case add").state if people else unsigned
    house.app.cases.add(write_case(house.folder / "cases", REF), by, witness=witness)


# --- the register -----------------------------------------------------------------------------------------------


def test_a_register_is_founded_by_two_and_grows_by_two(house: House, people: People) -> None:
    assert [(entry.handle, entry.roles) for entry in house.app.actors.people()] == sorted(ROLES.items())
    assert house.app.changes.waiting() == []
    assert verify(house.app.actors) == (6, [])
    told = kinds(house)
    assert told.count("actors_founded") == told.count("actor_enrolled") == 2


def test_nobody_founds_a_second_register(house: House, people: People) -> None:
    again = Change(ChangeKind.FOUND, (person("x1", Role.ADMINISTRATOR), person("x2", Role.ADMINISTRATOR)))
    with pytest.raises(PolicyError, match="enrolled here already"):
        house.app.changes.propose(again, people.acts("robin", "actor found"))


def test_one_person_alone_founds_no_register(house: House) -> None:
    key = proofs.new_key()
    one = Person("one", ROLES["robin"], proofs=(Proof(ProofKind.KEY, proofs.public_key(key)),))
    who = Presence(house.app.actors, "actor found", "one", proofs.signer(key), one)
    twice = dataclasses.replace(one, handle="two")
    for both in ((one, twice), (one,), (one, person("two", Role.COMPLIANCE, kind=ProofKind.TOKEN))):
        with pytest.raises(UsageError, match="two people, each with a key of their own"):
            house.app.changes.propose(Change(ChangeKind.FOUND, both), who)
    other = person("two", Role.COMPLIANCE)
    number = house.app.changes.propose(Change(ChangeKind.FOUND, (one, other)), who)
    with pytest.raises(PolicyError, match="different person"):
        house.app.changes.approve(number, Presence(house.app.actors, "actor approve", "one", proofs.signer(key), one))
    forged = Presence(house.app.actors, "actor approve", "two", proofs.signer(key), other)
    with pytest.raises(PolicyError, match="no proof of two"):
        house.app.changes.approve(number, forged)
    assert house.app.actors.people() == []


@pytest.mark.parametrize(
    ("change", "first", "second", "says"),
    [
        (Change(ChangeKind.ENROL, (person("new", Role.LEGAL),)), "robin", "robin", "a different person"),
        (Change(ChangeKind.ROLES, (Person("dana", ROLES["robin"]),)), "robin", "dana", "This is about dana"),
        (Change(ChangeKind.ENROL, (person("new", Role.LEGAL),)), "kim", "dana", "kim may not run"),
        (Change(ChangeKind.ENROL, (person("new", Role.LEGAL),)), "dana", "lee", "lee may not run"),
        (Change(ChangeKind.ENROL, (person("new"),)), "dana", "robin", "needs a role"),
        (Change(ChangeKind.ENROL, (person("kim", Role.LEGAL),)), "dana", "robin", "enrolled already"),
        (Change(ChangeKind.ROLES, (Person("who", ROLES["kim"]),)), "dana", "robin", "who is not enrolled"),
        (Change(ChangeKind.ENABLE, (Person("kim", frozenset()),)), "dana", "robin", "not suspended"),
    ],
    ids=range(8),
)  # fmt: skip
def test_a_change_takes_two_who_may_and_whom_it_is_not_about(
    house: House, people: People, change: Change, first: str, second: str, says: str
) -> None:
    before = house.app.actors.people()
    with pytest.raises(ReporterError, match=says):
        people.decide(change, first, second)
    assert house.app.actors.people() == before


def test_no_key_and_no_token_is_enrolled_under_two_names(house: House, people: People) -> None:
    of_kim = Proof(ProofKind.KEY, proofs.public_key(people.keys["kim"]))
    for proof in (of_kim, Proof(ProofKind.TOKEN, of_kim.public_key)):
        with pytest.raises(PolicyError, match="is, or was, somebody's already"):
            people.decide(Change(ChangeKind.ENROL, (Person("kim2", ROLES["kim"], proofs=(proof,)),)), "robin", "dana")
    people.decide(Change(ChangeKind.ENROL, (person("kim"),)), "robin", "dana")  # a new key in place of the old one
    with pytest.raises(PolicyError, match="is, or was, somebody's already"):
        people.decide(Change(ChangeKind.ENROL, (Person("kim2", ROLES["kim"], proofs=(of_kim,)),)), "robin", "dana")
    with pytest.raises(PolicyError, match="no proof of kim"):
        people.acts("kim", VERB).act({})


def test_a_proposal_is_worth_nothing_once_its_maker_is_suspended(house: House, people: People) -> None:
    number = house.app.changes.propose(
        Change(ChangeKind.ENROL, (person("new", Role.LEGAL),)), people.acts("robin", "actor enrol")
    )
    house.app.changes.suspend("robin", people.acts("kim", "actor suspend"))
    with pytest.raises(PolicyError, match="robin is suspended"):
        house.app.changes.approve(number, people.acts("dana", "actor approve"))


def test_one_suspends_at_once_and_two_let_act_again(house: House, people: People) -> None:
    people.decide(Change(ChangeKind.ENROL, (person("pat", Role.COMPLIANCE),)), "robin", "dana")
    house.app.changes.suspend("kim", people.acts("dana", "actor suspend"))
    with pytest.raises(PolicyError, match="kim is suspended"):
        people.acts("kim", VERB).act({})
    people.decide(Change(ChangeKind.ENABLE, (Person("kim", frozenset()),)), "dana", "robin")
    assert people.acts("kim", VERB).act({}) == "kim"
    with pytest.raises(NotFoundError):
        house.app.changes.suspend("nobody", people.acts("dana", "actor suspend"))
    assert verify(house.app.actors)[1] == []


def test_a_bare_name_decides_nothing_about_who_may_act(house: House) -> None:
    bare = Presence(house.app.actors, "actor found", "robin")
    both = Change(ChangeKind.FOUND, (person("robin", Role.ADMINISTRATOR), person("dana", Role.COMPLIANCE)))
    with pytest.raises(PolicyError, match="bare name"):
        house.app.changes.propose(both, bare)


# --- a statement ------------------------------------------------------------------------------------------------


def statement(house: House, **changes: Any) -> Statement:
    with transaction(house.app.database) as connection:
        home = register.home_of(connection)
    said = Statement("submission approve", {"digest": "d"}, "test", home, "kim", house.clock.now(), "n" * 32)
    return dataclasses.replace(said, **changes)


def accept(house: House, said: Statement, signature: Signature) -> str:
    with transaction(house.app.database) as connection:
        return house.app.actors.accept(connection, said, signature)


def test_a_statement_is_good_for_once(house: House, people: People) -> None:
    said = statement(house)
    signature = proofs.signer(people.keys["kim"])(said.content())
    assert accept(house, said, signature) == said.nonce
    with pytest.raises(PolicyError, match="used before"):
        accept(house, said, signature)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"environment": "production"}, "another home or environment"),
        ({"home": "0" * 32}, "another home or environment"),
        ({"verb": "actor enrol"}, "kim may not run"),
        ({"verb": "case list"}, "needs nobody"),
        ({"verb": "house burn"}, "in no table"),
        ({"actor": "dana"}, "no proof of dana"),
        ({"actor": "nobody"}, "no proof of nobody"),
    ],
    ids=lambda value: str(value),
)
def test_a_statement_of_another_house_verb_or_person_is_refused(
    house: House, people: People, changes: dict[str, str], says: str
) -> None:
    said = statement(house, **changes)
    with pytest.raises(PolicyError, match=says):
        accept(house, said, proofs.signer(people.keys["kim"])(said.content()))


@pytest.mark.parametrize("off", [WINDOW + timedelta(seconds=1), -WINDOW - timedelta(seconds=1)], ids=["late", "early"])
def test_a_statement_of_another_time_is_refused(house: House, people: People, off: timedelta) -> None:
    said = statement(house, at=house.clock.now() - off)
    with pytest.raises(PolicyError, match="too old or too early"):
        accept(house, said, proofs.signer(people.keys["kim"])(said.content()))


def test_a_signature_over_something_else_is_refused(house: House, people: People) -> None:
    said = statement(house)
    signature = proofs.signer(people.keys["kim"])(dataclasses.replace(said, subject={"digest": "e"}).content())
    with pytest.raises(PolicyError, match="does not hold"):
        accept(house, said, signature)


def test_a_token_hands_in_and_approves_nothing(house: House, people: People) -> None:
    key = proofs.new_key()
    robot = Person("robot", frozenset({Role.ESCALATION_LEAD}), proofs=(Proof(ProofKind.TOKEN, proofs.public_key(key)),))
    people.decide(Change(ChangeKind.ENROL, (robot,)), "robin", "dana")
    people.keys["robot"] = key
    assert people.acts("robot", "case add").act({}) == "robot"
    with pytest.raises(PolicyError, match="a token is not enough"):
        people.acts("robot", VERB).act({})
    with transaction(house.app.database) as connection:
        rows = connection.execute(select(ActorProof.__table__)).all()  # type: ignore[attr-defined]
    assert proofs.token(key).removeprefix("reporter-token-") not in repr(rows)


# --- two people -------------------------------------------------------------------------------------------------


def test_a_case_prepared_and_approved_by_two_enrolled_people_is_sent(house: House, people: People) -> None:
    added(house, people)
    assert approve(house, people, "kim").missing == 0
    house.until_idle()
    assert house.submission()["state"] == "accepted"
    with transaction(house.app.database) as connection:
        (row,) = connection.execute(select(Approval.__table__)).all()  # type: ignore[attr-defined]
        said = json.loads(connection.execute(select(SignedStatement.__table__.c.subject).where(  # type: ignore[attr-defined]
            SignedStatement.__table__.c.nonce == row.statement)).scalar_one())  # type: ignore[attr-defined]  # fmt: skip
    assert said == {"reference": REF, "authority": "ncmec", "environment": "test", "digest": row.digest}


def test_a_name_that_is_nobodys_counts_for_nothing(house: House, people: People) -> None:
    added(house, by="somebody")
    assert approve(house, people, "kim").missing == 1
    assert approve(house, people, "dana").missing == 0


def test_a_name_taken_before_it_was_enrolled_counts_for_nothing(house: House) -> None:
    added(house, by="lee")
    house.clock.advance(timedelta(seconds=1))
    people = People(house.app, ROLES)
    assert approve(house, people, "kim").missing == 1


def test_a_program_is_none_of_the_two_people(house: House, people: People) -> None:
    key = proofs.new_key()
    robot = Person("robot", ROLES["lee"], proofs=(Proof(ProofKind.TOKEN, proofs.public_key(key)),))
    people.decide(Change(ChangeKind.ENROL, (robot,)), "robin", "dana")
    people.keys["robot"] = key
    house.clock.advance(timedelta(seconds=1))
    added(house, people, by="robot")
    assert approve(house, people, "kim").missing == 1


def test_nobody_approves_their_own_case_under_a_second_name(house: House, people: People) -> None:
    added(house, people, by="kim")
    with pytest.raises(PolicyError, match="kim prepared this case"):
        approve(house, people, "kim")
    with pytest.raises(PolicyError, match="signed by somebody enrolled"):
        house.app.submissions.approve(REF, "dana", "ncmec")
    as_dana = Presence(house.app.actors, VERB, "dana", proofs.signer(people.keys["kim"]))
    with pytest.raises(PolicyError, match="no proof of dana"):
        house.app.submissions.approve(REF, "dana", "ncmec", as_dana.state)
    assert house.submission()["state"] == "ready"


# --- a hostile database administrator ---------------------------------------------------------------------------


def forge(house: House, statement: str) -> None:
    with transaction(house.app.database) as connection:
        connection.execute(text(statement))


def test_an_approval_written_into_the_database_counts_for_nothing(house: House, people: People) -> None:
    added(house, by="somebody")
    assert approve(house, people, "kim").missing == 1
    with transaction(house.app.database) as connection:
        given = connection.execute(select(Approval.__table__)).one()  # type: ignore[attr-defined]
        for handle, nonce in (("dana", None), ("robin", given.statement)):
            connection.execute(insert(Approval).values(
                submission_id=given.submission_id, actor=handle, digest=given.digest, at=given.at, statement=nonce
            ))  # fmt: skip
    people.decide(Change(ChangeKind.ENROL, (person("pat", Role.COMPLIANCE),)), "robin", "dana")
    people.decide(Change(ChangeKind.ROLES, (Person("lee", ROLES["kim"]),)), "robin", "dana")
    assert approve(house, people, "lee").missing == 0  # kim and lee; neither of the two forged


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE signed_statement SET subject = replace(subject, 'test', 'TEST') WHERE verb = 'submission approve'",
        "UPDATE signed_statement SET signature = 'AAAA' WHERE verb = 'submission approve'",
        "UPDATE signed_statement SET actor = 'dana' WHERE verb = 'submission approve'",
        "UPDATE approval SET actor = 'dana'",
        "UPDATE approval SET statement = NULL",
        "DELETE FROM approval",
    ],
)
def test_what_was_approved_by_altered_rows_is_not_sent(house: House, people: People, tamper: str) -> None:
    added(house, people)
    approve(house, people, "kim")
    forge(house, tamper)
    house.until_idle()
    shown = house.submission()
    assert (shown["state"], shown["attempts"]) == ("attention", 0)
    assert "approvals do not hold" in shown["reason"]
    assert house.double.reports == {}
    if "signed_statement" in tamper:
        assert len(verify(house.app.actors)[1]) == 1


def test_a_package_exchanged_for_another_approved_one_is_not_sent(house: House, people: People) -> None:
    added(house, people)
    approve(house, people, "kim")
    incident = {"type": "csam", "occurred_at": "2026-11-17T09:55:00Z", "summary": "SYNTHETIC TEST CASE."}
    revised = write_case(house.folder / "new", REF, incident=incident)
    house.app.cases.revise(REF, revised, "lee", witness=people.acts("lee", "case revise").state)
    with transaction(house.app.database) as connection:
        bodies = connection.execute(text("SELECT id FROM sealed_body WHERE kind = 'package'")).all()
        assert len(bodies) == 1
    approve(house, people, "kim")
    with transaction(house.app.database) as connection:
        connection.execute(update(Submission).values(package_body=bodies[0].id))
    house.until_idle()
    assert (house.submission()["state"], house.double.reports) == ("attention", {})


def test_a_case_exchanged_after_it_was_handed_in_makes_nobody_its_preparer(house: House, people: People) -> None:
    added(house, people)
    forge(house, "UPDATE case_revision SET actor = 'robin'")
    assert approve(house, people, "kim").missing == 1
    forge(house, "UPDATE case_revision SET actor = 'lee', digest = 'another'")
    house.app.cases.load(REF)
    with transaction(house.app.database) as connection:
        prepared = house.app.cases.revision(connection, REF, 1)
        assert not house.app.actors.said(
            connection, "lee", {verb: {"digest": prepared.digest} for verb in PREPARES}, prepared.at
        )


class Intruder:
    """Somebody who may write the whole database, and has a key of their own."""

    def __init__(self, house: House) -> None:
        self.house, self.key = house, proofs.new_key()
        self.public = proofs.public_key(self.key)

    def acts(self, handle: str, verb: str = VERB) -> Presence:
        return Presence(self.house.app.actors, verb, handle, proofs.signer(self.key))

    def add_key(self, handle: str, number: int = 1) -> None:
        with transaction(self.house.app.database) as connection:
            row = {"public_key": self.public, "handle": handle, "kind": "key", "change_number": number}
            connection.execute(insert(ActorProof).values(**row))

    def add_person(self, handle: str, roles: str) -> None:
        with transaction(self.house.app.database) as connection:
            now = self.house.clock.now()
            values = {"handle": handle, "roles": roles, "suspended": False, "enrolled_at": now}
            connection.execute(insert(ActorRecord).values(**values))

    def state(self, handle: str, verb: str, subject: dict[str, str]) -> str:
        """Write a statement of somebody's, signed with this key, as if it had been accepted."""
        with transaction(self.house.app.database) as connection:
            said = Statement(verb, subject, "test", register.home_of(connection), handle,
                             self.house.clock.now(), proofs.token(proofs.new_key())[-32:])  # fmt: skip
            signature = proofs.signer(self.key)(said.content())
            connection.execute(insert(SignedStatement).values(
                nonce=said.nonce, actor=handle, verb=verb, at=said.at, subject=json.dumps(subject), environment="test",
                home=said.home, public_key=signature.public_key, signature=signature.value,
            ))  # fmt: skip
        return said.nonce

    def decide(self, change: Change, first: str, second: str) -> None:
        """Write a change and two signatures for it."""
        content = rfc8785.dumps(change.content()).decode()
        subject = {"change": hashlib.sha256(content.encode()).hexdigest()}
        nonces = self.state(first, f"actor {change.kind}", subject), self.state(second, "actor approve", subject)
        now = self.house.clock.now()
        with transaction(self.house.app.database) as connection:
            connection.execute(insert(ActorChange).values(
                content=content, digest=subject["change"], proposed_by=first, proposed_at=now, proposed_in=nonces[0],
                confirmed_by=second, confirmed_at=now, confirmed_in=nonces[1],
            ))  # fmt: skip


@pytest.fixture
def intruder(house: House) -> Intruder:
    return Intruder(house)


def alarmed(house: House) -> list[str]:
    """Give of whom an alarm says that nobody decided it; it is the same alarm at every look."""
    for _ in range(2):
        house.clock.advance(timedelta(seconds=15))
        house.app.alarms.watch.check()
    standing = [alarm.matter for alarm in house.app.alarms.register.standing(cleared_too=True)]
    return [matter.about for matter in standing if matter.kind is Kind.PEOPLE_FORGED]


def test_a_key_written_into_the_database_is_nobodys(house: House, people: People, intruder: Intruder) -> None:
    added(house, people)
    assert alarmed(house) == []
    intruder.add_key("kim")
    with pytest.raises(PolicyError, match="beside kim by nobody's decision"):
        house.app.submissions.approve(REF, "kim", "ncmec", intruder.acts("kim").state)
    assert verify(house.app.actors)[1] == [
        f"kim has the key {proofs.fingerprint(intruder.public)} by nobody's decision"
    ]
    assert alarmed(house) == ["kim"]
    assert approve(house, people, "kim").missing == 0  # kim's own key is worth what it was


def test_a_person_written_into_the_database_is_nobody(house: House, people: People, intruder: Intruder) -> None:
    added(house, people)
    intruder.add_person("mallory", "compliance escalation_lead")
    intruder.add_key("mallory")
    with pytest.raises(PolicyError, match="mallory stands in the table of people by nobody's decision"):
        house.app.submissions.approve(REF, "mallory", "ncmec", intruder.acts("mallory").state)
    assert [entry.handle for entry in house.app.actors.people()] == sorted(ROLES)
    assert alarmed(house) == ["mallory"]


def test_a_role_written_into_the_database_lets_do_nothing(house: House, people: People) -> None:
    forge(house, "UPDATE actor SET roles = 'compliance' WHERE handle = 'lee'")
    with pytest.raises(PolicyError, match="lee may not run"):
        people.acts("lee", VERB).act({})
    assert verify(house.app.actors)[1] == ["lee has other roles than were decided"]
    assert alarmed(house) == ["lee"]


def test_a_suspension_lifted_in_the_database_goes_on(house: House, people: People) -> None:
    house.app.changes.suspend("kim", people.acts("dana", "actor suspend"))
    forge(house, "UPDATE actor SET suspended = false WHERE handle = 'kim'")
    with pytest.raises(PolicyError, match="kim is suspended"):
        people.acts("kim", VERB).act({})
    assert alarmed(house) == ["kim"]


@pytest.mark.parametrize("by", [("robin", "dana"), ("mallory", "trudy"), ("kim", "lee"), ("robin", "robin")])
def test_a_change_that_is_not_signed_by_two_who_may_changes_nothing(
    house: House, people: People, intruder: Intruder, by: tuple[str, str]
) -> None:
    """Signed with a key of nobody's, in the names of people who may, of people who are none, or who may not."""
    mallory = Person("mallory", ROLES["kim"], proofs=(Proof(ProofKind.KEY, intruder.public),))
    intruder.decide(Change(ChangeKind.ENROL, (mallory,)), *by)
    intruder.add_person("mallory", "escalation_lead")
    intruder.add_key("mallory", 4)
    with pytest.raises(PolicyError, match="nobody's decision"):
        intruder.acts("mallory").act({"digest": "d"})
    assert any("change 4 was not signed" in trouble for trouble in verify(house.app.actors)[1])
    assert alarmed(house) == ["mallory"]


def test_two_who_may_not_appoint_appoint_nobody(house: House, people: People, intruder: Intruder) -> None:
    """An insider lends a true key to whoever may write the database: roles count where changes are played again."""
    mallory = Person("mallory", ROLES["kim"], proofs=(Proof(ProofKind.KEY, intruder.public),))
    for second in ("lee", "dana"):
        with pytest.raises(PolicyError):
            people.decide(Change(ChangeKind.ENROL, (mallory,)), "kim", second)
    change = Change(ChangeKind.ENROL, (mallory,))
    content = rfc8785.dumps(change.content()).decode()
    subject = {"change": hashlib.sha256(content.encode()).hexdigest()}
    nonces = []
    for handle, verb in (("kim", "actor enrol"), ("lee", "actor approve")):
        intruder.key = people.keys[handle]
        nonces.append(intruder.state(handle, verb, subject))
    now = house.clock.now()
    with transaction(house.app.database) as connection:
        connection.execute(insert(ActorChange).values(
            content=content, digest=subject["change"], proposed_by="kim", proposed_at=now, proposed_in=nonces[0],
            confirmed_by="lee", confirmed_at=now, confirmed_in=nonces[1],
        ))  # fmt: skip
    assert house.app.actors.person("mallory") is None


def test_a_second_founding_written_into_the_database_founds_nothing(
    house: House, people: People, intruder: Intruder
) -> None:
    one = Person("mallory", ROLES["kim"], proofs=(Proof(ProofKind.KEY, intruder.public),))
    other = person("trudy", Role.COMPLIANCE)
    content = rfc8785.dumps(Change(ChangeKind.FOUND, (one, other)).content()).decode()
    house.app.actors.people()  # where the register begins is pinned by now
    forge(house, "DELETE FROM actor_proof")
    forge(house, "DELETE FROM actor_change")
    intruder.decide(Change.read(json.loads(content)), "mallory", "trudy")
    house.restart()
    assert house.app.actors.people() == []
    assert any("was not signed" in trouble for trouble in verify(house.app.actors)[1])


def test_a_key_that_was_replaced_signs_nothing_later(house: House, people: People, intruder: Intruder) -> None:
    old = people.keys["kim"]
    people.decide(Change(ChangeKind.ENROL, (person("kim"),)), "robin", "dana")
    house.clock.advance(WINDOW + timedelta(seconds=1))
    intruder.key = old
    nonce = intruder.state("kim", VERB, {"digest": "d"})
    with transaction(house.app.database) as connection:
        assert not house.app.actors.vouches(connection, nonce, "kim", VERB, {"digest": "d"})


def test_what_was_approved_before_its_approver_left_is_sent(house: House, people: People) -> None:
    added(house, people)
    assert approve(house, people, "kim").missing == 0
    house.clock.advance(timedelta(hours=1))
    house.app.changes.suspend("kim", people.acts("dana", "actor suspend"))
    house.until_idle()
    assert house.submission()["state"] == "accepted"


# --- the sandbox ------------------------------------------------------------------------------------------------


def test_in_the_sandbox_a_name_is_enough(tmp_path: Path, engine: Engine) -> None:
    house = House(tmp_path, database=engine)
    assert not house.app.actors.required
    house.approved()
    house.until_idle()
    assert house.submission()["state"] == "accepted"
    with transaction(engine) as connection:
        assert connection.execute(select(SignedStatement.__table__)).all() == []  # type: ignore[attr-defined]
