"""``reporter contact``: who is protected from being reported for having told us."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reporter.cli.acting import As, actor, present
from reporter.cli.output import AsJson, Reference, open_app, print_json, say, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reporter.contacts.model import Added, ContactKind, Identifiers

app = typer.Typer(
    no_args_is_help=True, help="Who tells us things: known again without their names, and named by no oversight."
)

_KINDS = "member, newsroom, hotline, trusted_flagger, police or staff"
Email = Annotated[list[str] | None, typer.Option("--email", callback=None, metavar="ADDRESS", help="Their e-mail.")]
Phone = Annotated[list[str] | None, typer.Option("--phone", metavar="NUMBER", help="Their telephone.")]
UserName = Annotated[list[str] | None, typer.Option("--user", metavar="NAME", help="Their user name or account id.")]
Domain = Annotated[list[str] | None, typer.Option("--domain", metavar="DOMAIN", help="Of every address there.")]
Reason = Annotated[str, typer.Option(callback=words, metavar="TEXT", help="Why, in words; kept sealed.")]


@app.command()
def add(
    kind: Annotated[str, typer.Option("--kind", metavar="K", help=f"What they are to us: {_KINDS}.")],
    email: Email = None,
    phone: Phone = None,
    user: UserName = None,
    domain: Domain = None,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Protect somebody. Only keyed blind indexes are kept: neither a name nor an address can be read back.

    What a command line holds stays in a shell's history; `contact import -` reads from standard input.

    Example: reporter contact add --kind newsroom --domain newsroom.example --user jo_reports --as dana
    """
    with open_app() as house:
        known_by = _identifiers(email, phone, user, domain)
        added = house.contacts.register.add([(_kind(kind), known_by)], actor(name, house))
    _say_added(added, as_json)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file, or - for standard input.")],
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Protect many, all or none: a CSV with the columns kind, emails, phones, user_names, domains; several by semicolons.

    Those who are there already change nothing.

    Example: reporter contact import staff.csv --as dana
    """
    from reporter.contacts.lists import read

    with open_app() as house:
        who = actor(name, house)
        added = house.contacts.register.add(read(file), who)
    _say_added(added, as_json)


@app.command("list")
def list_(
    email: Email = None,
    phone: Phone = None,
    user: UserName = None,
    domain: Domain = None,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    List who is protected, or say whether somebody is.

    Exit code 1: nobody is known by what was asked for.

    Example: reporter contact list --user jo_reports --as dana
    """
    from reporter.contacts.model import Identifiers

    asked = _identifiers(email, phone, user, domain)
    with open_app() as house:
        actor(name, house)
        found = house.contacts.register.contacts(None if asked == Identifiers() else asked)
    shown = [
        {
            "id": contact.id,
            "kind": contact.kind.value,
            "known_by": contact.known_by,
            "added_by": contact.added_by,
            "added_at": contact.added_at.isoformat(timespec="seconds"),
            "removal_proposed_by": contact.removal_proposed_by,
        }
        for contact in found
    ]
    if as_json:
        print_json({"contacts": shown})
    else:
        for contact in found:
            by = ", ".join(f"{count} {sort.replace('_', ' ')}" for sort, count in contact.known_by.items())
            proposed = f"; {contact.removal_proposed_by} proposed to remove it" if contact.removal_proposed_by else ""
            kind = contact.kind.replace("_", " ")
            say(f"{contact.id}  {kind:<15}  {by}; {contact.added_at:%Y-%m-%d} by {contact.added_by}{proposed}")
        if not found:
            say("Nobody.")
    if not found and asked != Identifiers():
        raise typer.Exit(1)


@app.command()
def allow(
    reference: Reference,
    person: Annotated[str, typer.Argument(metavar="PERSON", help="The id of the person in the case document.")],
    reason: Reason,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Write why somebody whom the register knows is named in a case all the same. It takes two people, each in words.

    It counts for these roles, identifiers and contacts; when one changes, it must be decided anew. Exit code 1:
    another person must still write. `reporter case check` shows whom it is about.

    Example: reporter contact allow TS-2026-000101 p1 --reason "SYNTHETIC: judged by the footage itself." --as dana
    """
    with open_app() as house:
        who = present(name, house)
        stored = house.cases.load(reference)
        missing = house.contacts.naming.allow(stored, person, who.handle, reason, who.state)
    if as_json:
        print_json({"reference": reference, "person": person, "people_missing": missing})
    elif missing:
        say(f"{reference}: recorded; one more person must write why.")
    else:
        say(f"{reference}: two people wrote why; it may be approved. See: reporter case check {reference}")
    if missing:
        raise typer.Exit(1)


@app.command()
def remove(
    number: Annotated[str, typer.Argument(metavar="ID", help="The contact's id.")],
    reason: Reason,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Protect somebody no more. It takes two people, each in words. Exit code 1: another person must still say the same.

    Example: reporter contact remove 0123456789abcdef --reason "Left the newsroom." --as dana
    """
    with open_app() as house:
        who = present(name, house)
        missing = house.contacts.register.remove(number, who.handle, reason, who.state)
    if as_json:
        print_json({"id": number, "removed": not missing, "people_missing": missing})
    else:
        say(f"{number}: recorded; one more person must say the same." if missing else f"{number} is removed.")
    if missing:
        raise typer.Exit(1)


def _identifiers(
    emails: Sequence[str] | None,
    phones: Sequence[str] | None,
    user_names: Sequence[str] | None,
    domains: Sequence[str] | None,
) -> Identifiers:
    from reporter.contacts.model import Identifiers

    return Identifiers(tuple(emails or ()), tuple(phones or ()), tuple(user_names or ()), tuple(domains or ()))


def _kind(value: str) -> ContactKind:
    """
    Give a kind of contact.

    Raises:
        UsageError: There is none of that name.
    """
    from reporter.contacts.model import ContactKind
    from reporter.errors import UsageError

    try:
        return ContactKind(value)
    except ValueError as error:
        raise UsageError(f"--kind is {_KINDS}.") from error


def _say_added(added: Sequence[Added], as_json: bool) -> None:
    if as_json:
        contacts = [
            {"id": each.id, "kind": each.kind.value, "new": each.new, "named_in": list(each.named_in)} for each in added
        ]
        print_json({"contacts": contacts})
        return
    for each in added:
        say(f"{each.id}  {each.kind.replace('_', ' ')}, {'protected from now on' if each.new else 'known already'}")
        for reference in each.named_in:
            say(f"  {reference} names them; approvals not acted on are void: reporter case show {reference}")
