"""``reporter case``: hand cases in, look at them, see what an authority still lacks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from reporter.cli import task
from reporter.cli.acting import As, actor, present
from reporter.cli.output import AsJson, Reference, open_app, print_json, say, words

app = typer.Typer(no_args_is_help=True, help="Hand cases in, look at them, see what each authority still lacks.")

RemoveSource = Annotated[
    bool,
    typer.Option("--remove-source", help="Remove each evidence file once its seal is read back and verified."),
]


@app.command()
def add(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Case documents, or their folders.")],
    remove_source: RemoveSource = False,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Take cases in and seal their evidence. Each path is reported, none stops the rest.

    The same document again changes nothing. A path that begins with a dash goes after a double dash: -- -path

    Example: reporter case add cases/TS-2026-000101 --as robin
    """
    from reporter.cli import case_text
    from reporter.errors import ConflictError, ReporterError

    results: list[dict[str, Any]] = []
    worst = 0
    with open_app() as house:
        who = present(name, house)
        for path in paths:
            try:
                taken = house.cases.add(path, who.handle, remove_source=remove_source, witness=who.state)
            except ReporterError as error:
                outcome = "conflict" if isinstance(error, ConflictError) else "refused"
                results.append(case_text.refused(path, outcome, error))
                worst = max(worst, error.exit_code)
            else:
                results.append({"path": str(path), **case_text.taken(taken)})
                worst = max(worst, int(case_text.kept_source(results[-1])))
            if not as_json:
                case_text.say_added(results[-1])
    if as_json:
        print_json({"results": results})
    else:
        case_text.say_next(results)
    raise typer.Exit(worst)


@app.command("list")
def list_cases(as_json: AsJson = False) -> None:
    """
    List the cases on record, oldest first.

    Example: reporter case list
    """
    from reporter.cli import case_text

    with open_app() as house:
        cases = [case_text.summary(entry) for entry in house.cases.list()]
    if as_json:
        print_json({"cases": cases})
        return
    for entry in cases:
        say(f"{entry['reference']:<24}  {entry['state']:<13}  revision {entry['revision']:<3}  {entry['created_at']}")
    if not cases:
        say("No cases yet. Add one: reporter case add PATH")


@app.command()
def show(
    reference: Reference,
    document: Annotated[bool, typer.Option("--document", help="Print the case document itself, as kept.")] = False,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Show where a case stands: its evidence, who looked at it, its submissions, and its open tasks.

    Example: reporter case show TS-2026-000101
    """
    from reporter.cli import case_text, retention_text
    from reporter.delivery.authorities import standing_still
    from reporter.delivery.model import lane_name

    with open_app() as house:
        if document:
            case_text.say_document(house.cases.document(reference, actor(name, house)))
            return
        shown = case_text.shown(house.cases.describe(reference), house.submissions.overview(reference))
        shown["retention"] = retention_text.summary(house.retention.clocks.show(reference))
        tasks = house.tasks.desk.tasks(reference=reference)
        paused = standing_still(house.database, house.configuration.authority)
    shown["tasks"] = [task.data(each) for each in tasks]
    for entry in shown["submissions"]:
        if entry["state"] in ("approved", "delivering"):
            entry["reason"] = paused.get(lane_name(entry["authority"], entry["environment"]), entry["reason"])
    if as_json:
        print_json(shown)
    else:
        case_text.say_shown(shown)
        retention_text.say_summary(shown["retention"])
        task.say_open(tasks)


@app.command()
def check(reference: Reference, as_json: AsJson = False) -> None:
    """
    Say who must be told, who may and who must not, by which rule; and what each authority still lacks.

    Exit code 1: something is missing or wrong. This is software, and no legal advice.

    Example: reporter case check TS-2026-000101
    """
    from reporter.cli import case_text, duty_text, named_text
    from reporter.errors import ConfigurationError

    with open_app() as house:
        checks, route = house.submissions.check(reference), house.submissions.route(reference)
        state, named = house.cases.describe(reference).stored.state, house.submissions.named(reference)
        if not house.desks:
            raise ConfigurationError("No authority is configured.", next_step="Add an [authority.NAME] section.")
    if as_json:
        duties = [duty_text.duty(each, each.rule.authority in house.desks) for each in route.obligations]
        found = {"authorities": case_text.checks(checks), "duties": duties, "people": named_text.people(named)}
        print_json({"reference": reference, "state": state.value, **found})
    else:
        duty_text.say_duties(route, house.desks, state)
        named_text.say_people(named)
        case_text.say_checks(reference, checks)
    if any(entry.needs for entry in checks.values()):
        raise typer.Exit(1)


@app.command()
def revise(
    reference: Reference,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The new document, or its folder.")],
    remove_source: RemoveSource = False,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Replace a case's document by a new revision, which voids the approvals given so far.

    Example: reporter case revise TS-2026-000101 cases/TS-2026-000101 --as robin
    """
    from reporter.cli import case_text

    with open_app() as house:
        who = present(name, house)
        taken = house.cases.revise(reference, path, who.handle, remove_source=remove_source, witness=who.state)
    case_text.answer(case_text.taken(taken), as_json)


@app.command()
def confirm(
    reference: Reference,
    basis: Annotated[
        str, typer.Option(callback=words, help="Why you confirm it, in words; kept sealed with the case.")
    ],
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Confirm a pending case: you have judged it yourself. Only a confirmed case is ever sent.

    Example: reporter case confirm TS-2026-000101 --basis "Judged against policy CS-1." --as robin
    """
    from reporter.cli import case_text

    with open_app() as house:
        who = present(name, house)
        taken = house.cases.confirm(reference, basis, who.handle, who.state)
    case_text.answer(case_text.taken(taken), as_json)


@app.command("import")
def import_report(
    paths: Annotated[list[Path], typer.Argument(metavar="XML…", help="The report, then its file details.")],
    reference: Annotated[
        str | None, typer.Option(metavar="REF", help="The case's reference; by default made from the content.")
    ] = None,
    authority: Annotated[
        str | None,
        typer.Option("--from", metavar="AUTHORITY", help="Whose format; by default the one that can be read."),
    ] = None,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Read an authority's own report format into a case, which stays pending until it is confirmed here.

    What the report says of viewed files is kept as a claim: shown, and not sent until views are on record.

    Example: reporter case import report.xml details-1.xml --as robin
    """
    from reporter.cases.intake import read_file
    from reporter.cli import case_text

    with open_app() as house:
        who = present(name, house)
        adapter = case_text.importing(house.adapters, authority)
        documents = [read_file(path, "report") for path in paths]
        taken = house.cases.import_report(adapter, documents, reference, who.handle, who.state)
    case_text.answer(case_text.taken(taken), as_json)


@app.command()
def schema() -> None:
    """
    Print the contract of the case document as JSON Schema.

    Example: reporter case schema > case-v1.schema.json
    """
    from reporter.cases.model import Case

    print_json(Case.json_schema())
