"""``reporter actor``: who may act, and how they prove it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from reporter.cli.acting import As, key_file, means_given, passphrase, present
from reporter.cli.output import AsJson, moment, open_app, print_json, say

if TYPE_CHECKING:
    from reporter.actors.model import Change, Person, Role

app = typer.Typer(no_args_is_help=True, help="Enrol people with their roles and proofs; each change takes two.")

Handle = Annotated[str, typer.Argument(metavar="HANDLE", help="What somebody chose to be called here.")]
Requests = Annotated[list[str], typer.Argument(metavar="REQUEST…", help="What `reporter actor key` printed for each.")]
Roles = Annotated[
    list[str],
    typer.Option("--role", metavar="ROLE", help="What they are there for, such as analyst; may be given repeatedly."),
]


@app.command()
def key(
    context: typer.Context,
    handle: Handle,
    token: Annotated[
        bool, typer.Option("--token", help="Make a token for a program, printed once, in place of a key.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """
    Make a key of your own, in a file that your passphrase protects, and print the request to be enrolled with it.

    The request is no secret. The file is ~/.config/reporter/actors/HANDLE.key, or what `reporter --key FILE` says.

    Example: reporter actor key robin
    """
    from reporter.actors import proofs
    from reporter.actors.model import ProofKind

    proofs.require_handle(handle)
    made, means = proofs.new_key(), means_given(context)
    file = means.key or key_file(handle)
    if not token:
        asked = passphrase(f"A new passphrase for {file}", means.passphrase_file, confirm=True)
        proofs.keep_key(file, made, asked)
    request = proofs.ask(handle, ProofKind.TOKEN if token else ProofKind.KEY, made)
    shown = {"handle": handle, "request": str(request), "fingerprint": proofs.fingerprint(request.proof.public_key)}
    if as_json:
        print_json({**shown, **({"token": proofs.token(made)} if token else {"file": str(file)})})
        return
    if token:
        say("The token, shown this once; keep it in a file that only its program can read:", stderr=True)
        say(proofs.token(made))
    else:
        say(f"Your key is in {file}; nobody can make up for its loss, or for its passphrase.", stderr=True)
    say(f"Have two people enrol it, and tell them its fingerprint yourself: {shown['fingerprint']}", stderr=True)
    say(str(request), stderr=token)


@app.command()
def found(
    requests: Requests,
    roles: Annotated[
        list[str], typer.Option("--role", metavar="HANDLE=ROLE", help="What each is there for; given repeatedly.")
    ],
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Begin the register with two people: one of them proposes both, the other approves.

    Example: reporter actor found "$ROBIN" "$DANA" --role robin=administrator --role dana=compliance --as robin
    """
    from dataclasses import replace

    from reporter.actors.model import Change, ChangeKind
    from reporter.errors import UsageError

    given: dict[str, list[str]] = {}
    for entry in roles:
        handle, _, role = entry.partition("=")
        given.setdefault(handle, []).append(role)
    people = [_person(request) for request in requests]
    if given.keys() != {person.handle for person in people}:
        raise UsageError("--role names each of the two, such as --role robin=administrator.")
    founders = {person.handle: replace(person, roles=_roles(given[person.handle])) for person in people}
    with open_app() as house:
        who = present(name, house, founders)
        number = house.changes.propose(Change(ChangeKind.FOUND, tuple(founders.values())), who)
    _say_proposed(number, as_json)


@app.command()
def enrol(
    request: Annotated[str, typer.Argument(metavar="REQUEST", help="What `reporter actor key` printed for them.")],
    roles: Roles = [],  # noqa: B006 (Typer copies it)
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Propose to enrol somebody; or, without --role, somebody enrolled with a new key in place of the old one.

    Compare the fingerprint with what they tell you themselves.

    Example: reporter actor enrol "$REQUEST" --role analyst --as dana
    """
    from dataclasses import replace

    from reporter.actors.model import ChangeKind

    _propose(ChangeKind.ENROL, replace(_person(request), roles=_roles(roles)), name, as_json)


@app.command("roles")
def roles_(handle: Handle, roles: Roles, name: As = None, as_json: AsJson = False) -> None:
    """
    Propose other roles for somebody, in place of all that they have.

    Example: reporter actor roles kim --role legal --as dana
    """
    from reporter.actors.model import ChangeKind, Person

    _propose(ChangeKind.ROLES, Person(handle, _roles(roles)), name, as_json)


@app.command()
def enable(handle: Handle, name: As = None, as_json: AsJson = False) -> None:
    """
    Propose that somebody suspended may act again.

    Example: reporter actor enable kim --as dana
    """
    from reporter.actors.model import ChangeKind, Person

    _propose(ChangeKind.ENABLE, Person(handle, frozenset()), name, as_json)


@app.command()
def approve(
    number: Annotated[int, typer.Argument(metavar="N", help="The change's number, as listed.")],
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Approve a change that somebody else proposed; it takes effect. Look at it first: reporter actor list

    Example: reporter actor approve 4 --as robin
    """
    from reporter.actors.model import ChangeKind

    with open_app() as house:
        change = house.changes.get(number).change
        founders = {person.handle: person for person in change.people} if change.kind is ChangeKind.FOUND else None
        house.changes.approve(number, present(name, house, founders))
    if as_json:
        print_json({"change": number, **_change(change)})
    else:
        say(f"Done: {_line(change)}")


@app.command()
def suspend(handle: Handle, name: As = None, as_json: AsJson = False) -> None:
    """
    Suspend somebody at once; one person is enough. To take it back takes two: reporter actor enable

    Example: reporter actor suspend kim --as dana
    """
    with open_app() as house:
        house.changes.suspend(handle, present(name, house))
    if as_json:
        print_json({"handle": handle, "suspended": True})
    else:
        say(f"{handle} is suspended now.")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """
    List who is enrolled, and the changes that wait for a second person.

    Example: reporter actor list
    """
    with open_app() as house:
        people, waiting, required = house.actors.people(), house.changes.waiting(), house.actors.required
    if as_json:
        print_json(
            {
                "required": required,
                "people": [_data(person) for person in people],
                "waiting": [
                    {
                        "change": entry.number,
                        "proposed_by": entry.proposed_by,
                        "proposed_at": entry.proposed_at.isoformat(),
                        **_change(entry.change),
                    }
                    for entry in waiting
                ],
            }
        )
        return
    for person in people:
        state = "suspended" if person.suspended else "active"
        say(f"{person.handle:<16}  {state:<9}  {', '.join(sorted(person.roles))}")
    if not people:
        say("Nobody is enrolled. Begin with: reporter actor key HANDLE, then reporter actor found")
    for entry in waiting:
        say(f"change {entry.number}, by {entry.proposed_by} at {moment(entry.proposed_at)}: {_line(entry.change)}")


@app.command()
def show(handle: Handle, as_json: AsJson = False) -> None:
    """
    Show somebody's roles, the fingerprints of their proofs, and the commands that they may run.

    Example: reporter actor show robin
    """
    from reporter.actors.changes import unknown
    from reporter.actors.policy import RULES, conflicts

    with open_app() as house:
        person = house.actors.person(handle)
    if person is None:
        raise unknown(handle)
    may = [verb for verb, rule in RULES.items() if rule.roles & person.roles]
    against = conflicts(person.roles)
    if as_json:
        print_json({**_data(person), "may": may, "conflicts": against})
        return
    say(f"{handle}: {'suspended; ' if person.suspended else ''}{', '.join(sorted(person.roles))}")
    for proof in _data(person)["proofs"]:
        say(f"  {proof['kind']} {proof['fingerprint']}")
    for verb in may:
        say(f"  may run: reporter {verb}")
    for conflict in against:
        say(f"  should not be one person's: {conflict}")


@app.command()
def verify(as_json: AsJson = False) -> None:
    """
    Check again every statement that was signed, every enrolment, and every approval outside the sandbox.

    Exit code 1: something does not hold; it is named.

    Example: reporter actor verify
    """
    from reporter.actors.verification import verify as check

    with open_app() as house:
        checked, troubles = check(house.actors)
    if as_json:
        print_json({"checked": checked, "troubles": troubles})
    else:
        for trouble in troubles:
            say(trouble)
        say(f"{checked} statements were checked; {len(troubles) or 'no'} trouble{'' if len(troubles) == 1 else 's'}.")
    if troubles:
        raise typer.Exit(1)


def _propose(kind: Any, person: Person, name: str | None, as_json: bool) -> None:
    from reporter.actors.model import Change

    with open_app() as house:
        number = house.changes.propose(Change(kind, (person,)), present(name, house))
    _say_proposed(number, as_json)


def _say_proposed(number: int, as_json: bool) -> None:
    if as_json:
        print_json({"change": number, "people_missing": 1})
    else:
        say(f"Change {number} is proposed; another person must approve it: reporter actor approve {number} --as NAME")


def _person(request: str) -> Person:
    from reporter.actors.model import Person
    from reporter.actors.proofs import read_request

    read = read_request(request)
    return Person(read.handle, frozenset(), proofs=(read.proof,))


def _roles(names: list[str]) -> frozenset[Role]:
    from reporter.actors.model import Role
    from reporter.errors import UsageError

    try:
        return frozenset(Role(name.replace("-", "_")) for name in names)
    except ValueError:
        raise UsageError(f"A role is one of: {', '.join(Role)}.") from None


def _data(person: Person) -> dict[str, Any]:
    from reporter.actors.proofs import fingerprint

    return {
        "handle": person.handle,
        "roles": sorted(person.roles),
        "suspended": person.suspended,
        "proofs": [{"kind": proof.kind.value, "fingerprint": fingerprint(proof.public_key)} for proof in person.proofs],
    }


def _change(change: Change) -> dict[str, Any]:
    return {"kind": change.kind.value, "people": [_data(person) for person in change.people]}


def _line(change: Change) -> str:
    told = []
    for person in map(_data, change.people):
        proofs = [f"{proof['kind']} {proof['fingerprint']}" for proof in person["proofs"]]
        told.append(f"{person['handle']} ({', '.join([*person['roles'], *proofs])})".replace(" ()", ""))
    return f"{change.kind} {' and '.join(told)}"
