"""Who may do what: no command is forgotten, and the table is the one that was agreed upon."""

import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from reporter.actors.model import Role
from reporter.actors.policy import FREE, RULES, conflicts
from reporter.cli.main import app

ROOT = Path(__file__).parents[3]
TABLE = runpy.run_path(str(ROOT / "tests" / "docs" / "roles_table.py"))
#: Parameters that say how to answer, what a person thinks, or where something lies: never signed.
UNSIGNED = {"as_json", "name", "reason", "basis", "path", "paths", "document", "words", "remove_source", "not_accepted"}
UNSIGNED |= {"disagree"}
UNSIGNED |= {"metadata", "viewer", "terminal", "every", "sample", "due", "resume", "rate"}  # how, and how much of it
UNSIGNED |= {"passphrase", "passphrase_file", "machine_secret", "to", "out", "expires"}
UNSIGNED |= {"attachments", "mail", "items", "confirmed", "not_confirmed", "out_of_scope", "case", "clause"}
UNSIGNED |= {"exemption", "ground", "automatic", "with_words"}  # a digest of what is decided is signed, never how
UNSIGNED |= {"email", "phone", "user", "domain", "file", "person"}  # what people are known by; a digest of it is signed
UNSIGNED |= {"acting", "request", "requests", "roles", "handle", "number"}  # a change of the register is signed whole
UNSIGNED |= {"case", "item", "since", "until", "people", "expect_none", "everything"}  # to keep more harms nobody
UNSIGNED |= {"key", "envelope", "scope", "content", "field", "submission"}  # an export's request is signed whole
UNSIGNED |= {"passphrase_to", "again"}  # where something lies, and that it is done once more
UNSIGNED |= {"purpose", "limit"}  # words, and how much at once
TWO_PEOPLE = {
    "export approve",
    "demand verify",
    "hold release",
    "retention extend",
    "retention confirm",
    "retention adopt-policy",
    "demand destroy",
    "evidence destroy",
    "submission approve",
    "submission review",
    "submission record-receipt",
    "delivery resolve",
    "task done",
    "db release-quarantine",
    "contact allow",
    "contact remove",
}


def commands(command: TyperCommand | TyperGroup, *path: str) -> Iterator[tuple[str, TyperCommand]]:
    if isinstance(command, TyperGroup):
        for name, child in command.commands.items():
            yield from commands(child, *path, name)  # type: ignore[arg-type]
    else:
        yield " ".join(path), command


COMMANDS = dict(commands(get_command(app)))  # type: ignore[arg-type]


def test_every_command_stands_in_one_of_the_two_tables() -> None:
    assert RULES.keys() & FREE.keys() == set()
    assert RULES.keys() | FREE.keys() == COMMANDS.keys(), "give it a row in reporter/actors/policy.py, and: make docs"


@pytest.mark.parametrize("verb", RULES)
def test_whoever_acts_can_be_named_and_signs_what_is_done(verb: str) -> None:
    options = {option for parameter in COMMANDS[verb].params for option in parameter.opts}
    assert "--as" in options
    signed = set(RULES[verb].signs) - {"change", "digest", "references"}
    if "digest" in RULES[verb].signs:  # of all that the command makes of its parameters
        return
    parameters = {parameter.name for parameter in COMMANDS[verb].params}
    assert signed <= parameters
    assert parameters - signed - {"help"} <= UNSIGNED, "sign it, or say here why not"


def test_the_table_is_the_published_one() -> None:
    assert TABLE["PAGE"].read_text(encoding="utf-8") == TABLE["render"](), "run: make docs"


def may(role: Role) -> set[str]:
    return {verb for verb, rule in RULES.items() if role in rule.roles}


def test_duties_are_separate() -> None:
    content = {"evidence open", "evidence viewed", "case show", "submission preview", "delivery show"}
    for role in (Role.ADMINISTRATOR, Role.CUSTODIAN, Role.AUDITOR):
        assert may(role) & (content | TWO_PEOPLE | {"case add", "case confirm"}) == set()
    assert may(Role.AUDITOR) == {"evidence verify"}
    assert may(Role.CUSTODIAN) & may(Role.ESCALATION_LEAD) <= {"db quarantine", "alarm ack", "actor suspend"}
    assert "secret set" not in may(Role.ADMINISTRATOR) | may(Role.ESCALATION_LEAD)
    assert not any(verb.startswith("actor") for verb in may(Role.ANALYST) | may(Role.AUDITOR))


def test_a_token_decides_nothing_and_reads_nothing() -> None:
    for verb in TWO_PEOPLE | {verb for verb in RULES if verb.startswith("actor")}:
        assert not RULES[verb].token
    for verb in ("case confirm", "case show", "submission preview", "delivery show", "secret set"):
        assert not RULES[verb].token


def test_roles_that_should_not_be_one_persons_are_named() -> None:
    assert conflicts(frozenset({Role.ANALYST, Role.ESCALATION_LEAD})) == []
    (why,) = conflicts(frozenset({Role.ADMINISTRATOR, Role.ESCALATION_LEAD}))
    assert why.startswith("administrator and escalation_lead: ")
    assert len(conflicts(frozenset(Role))) > len(Role)
