"""``reporter demo``: the whole story in a temporary home, against the built-in sandbox over real HTTP."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from reporter.bootstrap import App

#: The answer to the first /finish is lost on its way back: the moment at which others file twice.
_LOST_FINISH = "finish:1 drop_after"
_PREPARER, _APPROVER = "amira", "ben"


def register(app: typer.Typer) -> None:
    """Add the command of this module to the root."""
    app.command()(demo)


def demo() -> None:
    """
    Show the whole story: four synthetic cases, two people, one lost answer, nothing filed twice.

    Runs in a temporary home against the built-in sandbox; nothing leaves this machine.

    Example: reporter demo
    """
    from reporter.bootstrap import open_home
    from reporter.cli.demo_view import closing, ledger_of, receipts, title
    from reporter.cli.output import console
    from reporter.home import create

    screen = console()
    folder = Path(tempfile.mkdtemp(prefix="reporter-demo-"))
    home = folder / "home"
    title(screen, home)
    create(home, keys={"machine_secret_file": str(folder / "machine-secret")})
    with _sandbox() as (double, url), _environment(url):
        house = open_home(home)
        try:
            house.authorities.fetch_schema("ncmec", _PREPARER)
            references = _intake(screen, house)
            approved = _approve(screen, house, references)
            _deliver(screen, house, approved)
            receipts(screen, house, references)
            kept_its_word = ledger_of(screen, house, references, double, approved)
        finally:
            house.close()
    closing(screen, home, references)
    if not kept_its_word:
        raise typer.Exit(1)


@contextmanager
def _sandbox() -> Iterator[tuple[Any, str]]:
    from reporter.abilities import machine
    from reporter.bootstrap import find_adapters
    from reporter.clock import SystemClock
    from reporter.sandbox.server import serve

    double = machine(find_adapters()["ncmec"]).double(SystemClock(), _LOST_FINISH)
    with serve(double) as server:
        yield double, server.url


@contextmanager
def _environment(url: str) -> Iterator[None]:
    """Point the fresh home at the sandbox's port, and let retries come quickly, as long as the demonstration runs."""
    ours = {"REPORTER_AUTHORITY__NCMEC__BASE_URL": url, "REPORTER_DELIVERY__RETRY_BASE_SECONDS": "0.5"}
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _intake(screen: Console, house: App) -> list[str]:
    from reporter.sandbox.cases import demo_cases

    screen.print(f"\n[bold]1  Intake.[/] {_PREPARER} hands in four cases; every file is sealed on the way in.")
    references = []
    for folder in demo_cases():
        taken = house.cases.add(folder, _PREPARER)
        references.append(taken.reference)
        files = f"{taken.sealed} file{'s' if taken.sealed != 1 else ''} sealed"
        screen.print(f"   [green]✓[/] {taken.reference}  {taken.state.value.replace('_', ' '):<13} {files}")
    return references


def _approve(screen: Console, house: App, references: list[str]) -> int:
    """Have the approver say yes to what may be sent; give how many submissions that makes."""
    from rich.markup import escape

    from reporter.errors import PolicyError

    screen.print("\n[bold]2  Approval.[/] Nothing goes out on one person's word.")
    try:
        house.submissions.approve(references[0], _PREPARER)
    except PolicyError as error:
        screen.print(f"   [yellow]✗[/] {_PREPARER} approves their own case: refused. [dim]{escape(error.message)}[/]")
    count = 0
    for reference in references:
        try:
            approved = house.submissions.approve(reference, _APPROVER)
        except PolicyError as error:
            screen.print(f"   [yellow]✗[/] {reference}: refused. [dim]{escape(error.message)}[/]")
            continue
        for result in approved:
            count += 1
            many = "s" if len(result.notes) > 1 else ""
            notes = f"[dim]; {len(result.notes)} note{many} on what is not sent[/]" if result.notes else ""
            screen.print(f"   [green]✓[/] {reference} approved by {_APPROVER} for {result.authority}{notes}")
    return count


def _deliver(screen: Console, house: App, approved: int) -> None:
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    screen.print("\n[bold]3  Delivery[/] over real HTTP. The sandbox is told to lose the answer to the first /finish.")
    columns = (TextColumn("  "), SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24))
    with Progress(*columns, console=screen, transient=True) as progress:
        task = progress.add_task("delivering …", total=approved)

        def report(result: Any) -> None:
            settled = result.again_at is None
            where = house.submissions.where(result.submission_id)
            if settled:
                progress.advance(task)
                progress.console.print(
                    f"   [green]✓[/] {where['reference']} → {where['authority']}: {result.move.state}"
                )
            else:
                reason = result.last.reason if result.last else ""
                progress.console.print(
                    f"   [yellow]…[/] {where['reference']} → {where['authority']}: "
                    f"answer to {result.last.step} lost ({reason}); asking again"
                )

        house.deliveries.worker(report).until_idle()
