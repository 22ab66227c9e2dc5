"""``reporter alarm``: what a person must hear of, and that they did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from reporter.cli.acting import As, actor
from reporter.cli.output import AsJson, moment, open_app, print_json, say

if TYPE_CHECKING:
    from reporter.alarms.model import Standing

app = typer.Typer(no_args_is_help=True, help="What a person must hear of, until somebody says that they did.")


@app.command("list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False, as_json: AsJson = False
) -> None:
    """
    List the open alarms.

    Exit code 1: there is one that nobody has acknowledged, so that a monitor can run this.

    Example: reporter alarm list
    """
    with open_app() as house:
        alarms = house.alarms.register.standing(cleared_too=every)
    _show(alarms, as_json)


@app.command()
def check(as_json: AsJson = False) -> None:
    """
    Look once for what a person must hear of, and tell them; for cron, where no worker runs.

    Exit code 1: there is an open alarm that nobody has acknowledged. 4: a channel failed.

    Example: reporter alarm check
    """
    with open_app() as house:
        troubles = house.alarms.watch.check()
        alarms = house.alarms.register.standing()
    for channel, trouble in troubles.items():
        say(f"{channel}: {trouble}; trying again at the next check", stderr=True)
    _show(alarms, as_json, failed=bool(troubles))


@app.command()
def ack(
    number: Annotated[int, typer.Argument(metavar="ID", help="Its number, as listed.")],
    acting: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Say that you heard: the alarm is silent from now on, until it is over or happens again.

    Example: reporter alarm ack 12 --as robin
    """
    with open_app() as house:
        alarm = house.alarms.register.acknowledge(number, actor(acting, house))
    if as_json:
        print_json(_data(alarm))
    elif alarm.acknowledged_at is None:
        say(f"Alarm {number} is over already.")
    else:
        say(f"Alarm {number} was acknowledged by {alarm.acknowledged_by} at {moment(alarm.acknowledged_at)}.")


@app.command()
def test(as_json: AsJson = False) -> None:
    """
    Send a test message through every channel.

    Exit code 4: a channel failed, or there is none.

    Example: reporter alarm test
    """
    with open_app() as house:
        results = house.alarms.notifier.test()
    if as_json:
        print_json({"channels": [{"channel": name, "trouble": trouble} for name, trouble in results.items()]})
    for name, trouble in results.items():
        if trouble:
            say(f"{name}: {trouble}", stderr=True)
        elif not as_json:
            say(f"{name}: handed over")
    if not results:
        say("No channel is configured: set command, webhook or mail in the [alarm] section.", stderr=True)
    if not results or any(results.values()):
        raise typer.Exit(4)


def _show(alarms: list[Standing], as_json: bool, *, failed: bool = False) -> None:
    calling = [alarm for alarm in alarms if alarm.calls]
    if as_json:
        print_json({"alarms": [_data(alarm) for alarm in alarms], "unacknowledged": len(calling)})
    elif not alarms:
        say("No alarms.")
    else:
        for alarm in alarms:
            say(_line(alarm))
    if failed or calling:
        raise typer.Exit(4 if failed else 1)


def _data(alarm: Standing) -> dict[str, Any]:
    from reporter.alarms.model import matter_data

    return {
        "id": alarm.id,
        **matter_data(alarm.matter),
        "raised_at": alarm.raised_at.isoformat(),
        "acknowledged_by": alarm.acknowledged_by,
        "acknowledged_at": alarm.acknowledged_at.isoformat() if alarm.acknowledged_at else None,
        "cleared_at": alarm.cleared_at.isoformat() if alarm.cleared_at else None,
        "channels": [
            {
                "channel": sent.channel,
                "notices": sent.notices,
                "sent_at": sent.sent_at.isoformat() if sent.sent_at else None,
                "trouble": sent.trouble,
            }
            for sent in alarm.sendings
        ],
    }


def _line(alarm: Standing) -> str:
    from reporter.alarms.model import next_step

    matter = alarm.matter
    if alarm.cleared_at:
        where = f"over since {moment(alarm.cleared_at)}"
    elif alarm.acknowledged_by:
        where = f"acknowledged by {alarm.acknowledged_by}"
    else:
        where = f"next: {next_step(matter)}"
    about = " ".join(filter(None, (matter.reference or matter.about, matter.reference and matter.lane)))
    troubles = "".join(f"; {sent.channel} failed: {sent.trouble}" for sent in alarm.sendings if sent.trouble)
    return f"{alarm.id:>4}  {matter.kind.replace('_', ' ')}: {about}, since {moment(matter.since)}; {where}{troubles}"
