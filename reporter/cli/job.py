"""``reporter job``: compliance jobs and their schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from reporter.cli.output import AsJson, moment, open_app, print_json, say

if TYPE_CHECKING:
    from reporter.jobs.model import Standing

app = typer.Typer(no_args_is_help=True, help="Jobs that run by themselves beside a worker, and when.")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """
    List the jobs: how often each runs, when it last ran and will, and how that went.

    Exit code 1: one fails.

    Example: reporter job list
    """
    with open_app() as house:
        standings = house.jobs.standings()
    if as_json:
        print_json({"jobs": [_data(standing) for standing in standings]})
    else:
        for standing in standings:
            say(_line(standing))
    if any(standing.failing_since for standing in standings):
        raise typer.Exit(1)


@app.command()
def run(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One job, due or not; or all that are.")] = None,
    as_json: AsJson = False,
) -> None:
    """
    Run one job now, or all that are due; for cron, where no worker runs.

    Exit code 4: one failed.

    Example: reporter job run audit-verify
    """
    with open_app() as house:
        ran = house.jobs.run_due() if name is None else dict.fromkeys([name] if house.jobs.run(name) else [], "")
    if as_json:
        print_json({"jobs": [{"name": job, "trouble": trouble} for job, trouble in ran.items()]})
    else:
        for job, trouble in ran.items():
            say(f"{job}: {trouble or 'done'}", stderr=bool(trouble))
        if not ran:
            say(f"{name} runs elsewhere now." if name else "No job is due.")
    if any(ran.values()):
        raise typer.Exit(4)


def _data(standing: Standing) -> dict[str, Any]:
    times = {key: getattr(standing, key) for key in ("began_at", "ended_at", "next_at", "failing_since")}
    return {
        "name": standing.name,
        "every_seconds": standing.every.total_seconds(),
        "running": standing.running,
        **{key: at.isoformat() if at else None for key, at in times.items()},
        "trouble": standing.trouble,
    }


def _line(standing: Standing) -> str:
    if standing.next_at is None:
        last = "never ran; jobs run beside: reporter worker"
    elif standing.running and standing.began_at:
        last = f"running since {moment(standing.began_at)}"
    else:
        ended = f"ran at {moment(standing.ended_at)}" if standing.ended_at else "never ran"
        last = f"{ended}, next at {moment(standing.next_at)}"
    if standing.failing_since:
        last += f"; failing since {moment(standing.failing_since)}: {standing.trouble}"
    return f"{standing.name:<20}  every {_length(standing):<7}  {last}"


def _length(standing: Standing) -> str:
    minutes = standing.every.total_seconds() / 60
    return f"{minutes:g} min" if minutes < 120 else f"{minutes / 60:g} h"
