"""``reporter board``: everything open by its clock, the worst first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reporter.cli.output import AsJson, console, moment, open_app, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from reporter.board.model import Line

#: What runs out within it is said in the first line.
_SOON = timedelta(hours=1)
#: So much room, in columns, what something waits for takes on the same line.
_WAITS = 60


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(board)


def board(
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="At most so many lines, the worst.")] = 40,
    as_json: AsJson = False,
) -> None:
    """
    Show everything open by its clock: an immediate risk before all else, then what is due first.

    Each clock is the `law`'s or your own `target`, and says which. With --json every line is given. Exit code 1:
    something is overdue, so that a monitor can run this.

    Example: reporter board
    """
    with open_app() as house:
        now, lines = house.board.lines()
    late = sum(line.overdue(now) for line in lines)
    if as_json:
        print_json(
            {"at": _instant(now), "overdue": late, "open": len(lines), "lines": [_data(each, now) for each in lines]}
        )
    else:
        _show(lines, now, late, limit)
    if late:
        raise typer.Exit(1)


def _show(lines: Sequence[Line], now: datetime, late: int, limit: int) -> None:
    screen = console()
    if not lines:
        screen.print(f"Nothing is open.  {moment(now)}")
        return
    soon = sum(line.due is not None and now < line.due <= now + _SOON for line in lines)
    counts = [("bold red", late, "overdue"), ("yellow", soon, "due within the hour"), ("", len(lines), "open")]
    said = [
        f"[{style}]{count:,} {words}[/]" if style else f"{count:,} {words}" for style, count, words in counts if count
    ]
    screen.print(f"{' · '.join(said)}   [dim]{moment(now)}[/]")
    shown = lines[:limit]
    wide = {name: max(len(_cell(line, name)) for line in shown) for name in ("authority", "reference")}
    for line in shown:
        _say(screen, line, now, wide)
    if len(lines) > limit:
        screen.print(f"[dim]… and {len(lines) - limit:,} more; see them with --limit {len(lines)}[/]")


def _say(screen: Console, line: Line, now: datetime, wide: dict[str, int]) -> None:
    """Say one line: the clock, whose it is, what it concerns, what it waits for; below it who moves it, and how."""
    from rich.text import Text

    style = "bold red" if line.overdue(now) else "yellow" if line.due and line.due <= now + _SOON else ""
    text = Text()
    text.append(f"{_clock(line, now):>19}", style)
    text.append(f"  {line.basis.value if line.basis else '':<6}", "dim")
    text.append(f"  {line.level or ' '}", "bold red" if line.level == 1 else "")
    text.append(f"  {_cell(line, 'authority'):<{wide['authority']}}  {_cell(line, 'reference'):<{wide['reference']}}")
    narrow = screen.is_terminal and screen.width < len(text.plain) + _WAITS
    text.append(f"\n{'':>21}{line.waits_for}" if narrow else f"  {line.waits_for}")
    who = " or ".join(role.replace("_", " ") for role in line.movers)
    text.append(f"\n{'':>21}{who}: {line.next_step}", "dim")
    if line.verified is False:
        text.append(f"  (rule {line.rule} is unverified)", "dim")
    screen.print(text)


def _clock(line: Line, now: datetime) -> str:
    from reporter.board.model import span

    if line.due is None:
        return "no clock"
    return f"over by {span(now - line.due)}" if line.overdue(now) else f"in {span(line.due - now)}"


def _cell(line: Line, name: str) -> str:
    if name == "reference":
        return line.reference or "-"
    where = "" if line.environment in ("", "production") else f" ({line.environment})"
    return (line.authority or "-") + where


def _data(line: Line, now: datetime) -> dict[str, Any]:
    return {
        "what": line.what,
        "reference": line.reference,
        "authority": line.authority or None,
        "environment": line.environment or None,
        "level": line.level,
        "state": line.state or None,
        "due": _instant(line.due) if line.due else None,
        "seconds_left": int((line.due - now).total_seconds()) if line.due else None,
        "overdue": line.overdue(now),
        "basis": line.basis.value if line.basis else None,
        "rule": line.rule or None,
        "rule_verified": line.verified,
        "waits_for": line.waits_for,
        "movers": list(line.movers),
        "next": line.next_step,
        "task": line.task,
    }


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
