"""``reporter task``: what a person must do by a clock, and that it is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reporter.cli.acting import As, actor
from reporter.cli.output import AsJson, moment, open_app, print_json, say
from reporter.cli.resolution import Reason

if TYPE_CHECKING:
    from reporter.tasks.model import Task

app = typer.Typer(no_args_is_help=True, help="What a person must do by a clock.")
Number = Annotated[int, typer.Argument(metavar="ID", help="Its number, as listed.")]


@app.command("list")
def list_(
    of: Annotated[str | None, typer.Option("--of", metavar="REF", help="Only those of this case.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Also those that are closed.")] = False,
    as_json: AsJson = False,
) -> None:
    """
    List the open tasks, what is due first before all.

    Example: reporter task list
    """
    with open_app() as house:
        tasks, now = house.tasks.desk.tasks(reference=of, closed_too=every), house.clock.now()
    if as_json:
        print_json({"tasks": [data(task) | {"overdue": task.overdue(now)} for task in tasks]})
        return
    for task in tasks:
        say(f"{task.id:>5}  {_line(task)}")
    if not tasks:
        say("No tasks.")


@app.command()
def request(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The authority's own number of its request.")],
    authority: Annotated[str, typer.Option("--from", metavar="AUTHORITY", help="Who asks.")],
    received: Annotated[str, typer.Option(metavar="TIME", help="When it came, such as 2026-11-20T14:05:00Z.")],
    of: Annotated[str | None, typer.Option("--of", metavar="REF", help="The case that it is about.")] = None,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Record an authority's request for information; by its rule it is answered within days, such as seven to the NCA.

    Example: reporter task request IR-2026-4 --from nca --received 2026-11-20T14:05Z --of TS-2026-000101 --as dana
    """
    from reporter.cli.resolution import instant
    from reporter.db.engine import transaction

    at = instant(received, "--received")
    with open_app() as house:
        who = actor(name, house)
        if of is not None:
            house.cases.load(of)
        with transaction(house.database) as connection:
            opened = house.duties.request(connection, authority, number, at, of, who)
        task = house.tasks.desk.show(opened)
    if as_json:
        print_json(data(task))
    else:
        say(f"Task {task.id}: {_title(task)}; {_clock(task)}.")


@app.command()
def refresh(name: As = None, as_json: AsJson = False) -> None:
    """
    Ask the rules again about every case that is not over, once rules, targets or authorities have changed.

    Exit code 1: a case cannot be read.

    Example: reporter task refresh
    """
    from reporter.submissions.duties import ask_again

    with open_app() as house:
        cases, unread = ask_again(house.database, house.cases, house.duties, actor(name, house))
        tasks = len(house.tasks.desk.tasks())
    if as_json:
        print_json({"cases": cases, "unread": unread, "open_tasks": tasks})
    else:
        say(f"{cases} case{'' if cases == 1 else 's'} asked about; open tasks: {tasks}.")
    for reference in unread:
        say(f"{reference} cannot be read; see: reporter evidence verify {reference}", stderr=True)
    if unread:
        raise typer.Exit(1)


@app.command()
def show(
    number: Number,
    words: Annotated[bool, typer.Option("--words", help="Also what people said, in their words; recorded.")] = False,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Show one task: what it waits for, by when, and who can move it.

    Example: reporter task show 12
    """
    with open_app() as house:
        reader = actor(name, house) if words else ""
        task, verified = house.tasks.desk.show(number), house.duties.router.verified()
        reasons = house.tasks.desk.reasons(number, reader) if words else []
    if as_json:
        told = {"rule_verified": verified.get(task.rule)}
        print_json(
            data(task) | told | ({"words": [{"by": who, "text": text} for who, text in reasons]} if words else {})
        )
        return
    say(f"Task {task.id}: {_title(task)}")
    say(f"  {_clock(task)}")
    if task.rule:
        say(f"  rule {task.rule}{'' if verified.get(task.rule, True) else ', unverified: it only advises'}")
    say(f"  opened by {task.opened_by} at {moment(task.opened_at)}")
    if task.closed_at:
        say(f"  closed by {task.closed_by} at {moment(task.closed_at)}: {task.outcome.replace('_', ' ')}")
    else:
        say(f"  waits for {task.waits_for} ({', '.join(role.replace('_', ' ') for role in task.movers)})")
        say(f"  next: {task.next_step}")
    if task.receipt:
        say(f"  the authority's reference: {task.receipt}")
    for who, text in reasons:
        say(f"  {who}: {text}")


@app.command()
def done(
    number: Number,
    reason: Reason,
    receipt: Annotated[
        str, typer.Option(metavar="N", help="The reference that the authority gave, where the task takes one.")
    ] = "",
    not_needed: Annotated[bool, typer.Option("--not-needed", help="It need not be done any more.")] = False,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Say that a task is done. Where it takes two people, the second says the same as the first.

    Exit code 3: it is closed, its own command moves it, or one person says both words.

    Example: reporter task done 12 --receipt BKA-2026-77 --reason "Told by their form." --as dana
    """
    from reporter.tasks.model import Outcome

    outcome = Outcome.NOT_NEEDED if not_needed else Outcome.DONE
    with open_app() as house:
        answered = house.tasks.desk.done(number, actor(name, house), outcome, reason, receipt)
    if as_json:
        print_json(data(answered.task) | {"people_missing": answered.missing})
    elif answered.missing:
        say(f"Recorded; another person must say the same before task {number} is closed.")
    else:
        say(f"Task {number} is closed: {outcome.value.replace('_', ' ')}.")


def say_open(tasks: Sequence[Task]) -> None:
    """Say which tasks of a case are open."""
    if tasks:
        say("Tasks:")
    for task in tasks:
        say(f"  {task.id}  {_line(task)}")


def say_by_hand(tasks: Sequence[Task]) -> None:
    """Say what no machine does about a case."""
    for task in tasks:
        say(f"Not by machine: {task.authority or task.about} waits for {task.waits_for}; {_clock(task)}.")
        say(f"  When it is done: {task.next_step}")


def data(task: Task) -> dict[str, Any]:
    """Give a task for programs."""
    return {
        "id": task.id,
        "kind": task.kind.value,
        "about": task.about,
        "reference": task.reference,
        "authority": task.authority or None,
        "level": task.level,
        "due": _instant(task.due),
        "basis": task.basis.value if task.due else None,
        "rule": task.rule or None,
        "waits_for": None if task.closed_at else task.waits_for,
        "roles": list(task.movers),
        "next": None if task.closed_at else task.next_step,
        "opened_at": _instant(task.opened_at),
        "opened_by": task.opened_by,
        "outcome": task.outcome or None,
        "receipt": task.receipt or None,
        "proposed_by": task.proposed_by,
        "closed_by": task.closed_by,
        "closed_at": _instant(task.closed_at),
    }


def _instant(at: Any) -> str | None:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z") if at else None


def _line(task: Task) -> str:
    return f"{_title(task)}; {_clock(task)}; {_standing(task)}"


def _title(task: Task) -> str:
    where = " ".join(filter(None, (task.reference or task.about, task.authority)))
    return f"{task.kind.value.replace('_', ' ')}: {where}" + (f" (level {task.level})" if task.level else "")


def _clock(task: Task) -> str:
    if task.due is None:
        return "no clock"
    return f"{'due by law' if task.basis == 'law' else 'own target'} {moment(task.due)}"


def _standing(task: Task) -> str:
    if task.closed_at:
        return f"closed at {moment(task.closed_at)}: {task.outcome.replace('_', ' ')}"
    return f"next: {task.next_step}"
