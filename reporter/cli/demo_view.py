"""What the demonstration shows at its beginning and at its end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from reporter.bootstrap import App

_AGE = b"age-encryption.org/v1"
_KINDS = {
    "acknowledged": "NCMEC's own words",
    "inferred": "inferred: answer lost, then “already finished”",
    "manual": "typed by two people",
}


def title(screen: Console, home: Path) -> None:
    """Say what is about to happen."""
    from rich.panel import Panel

    text = (
        "[bold]Reporter[/]: from a confirmed case to the authority's receipt,\n"
        "exactly once, with the evidence sealed.\n"
        "[dim]Everything here is synthetic, and nothing leaves this machine.[/]"
    )
    screen.print(Panel(text, expand=False))
    screen.print(f"[dim]Temporary home: {home}[/]")


def receipts(screen: Console, house: App, references: list[str]) -> None:
    """Show who was told, with receipt numbers, and who was not and why."""
    from rich.table import Table

    table = Table(title="\nWho was told", title_justify="left", title_style="bold", show_edge=False, pad_edge=False)
    for name in ("case", "authority", "state", "receipt"):
        table.add_column(name, no_wrap=True)
    table.add_column("worth of the receipt", overflow="fold")
    for reference in references:
        shown = house.submissions.overview(reference)
        if not shown:
            table.add_row(reference, "nobody", "not confirmed", "–", "none: a person decided that it is no case")
        for entry in shown:
            receipt = entry["receipt"] or {"reference": "–", "kind": ""}
            where = f"{entry['authority']} ({entry['environment']})"
            kind = _KINDS.get(receipt["kind"], "")
            table.add_row(reference, where, entry["state"], f"[bold]{receipt['reference']}[/]", kind)
    screen.print(table)


def ledger_of(screen: Console, house: App, references: list[str], double: Any, approved: int) -> bool:
    """Show the ledger of the delivery whose finish was lost; give whether the authority has each report once."""
    finished = sum(1 for report in double.reports.values() if report.state == "finished")
    ledgers = {reference: house.deliveries.calls(reference) for reference in references}
    for reference, calls in ledgers.items():
        if all(call.outcome != "unknown" for call in calls):
            continue
        screen.print(f"\n[bold]The ledger of {reference}[/] [dim](each intent is on disk before its call)[/]")
        for call in calls:
            outcome = "[yellow]answer lost[/]" if call.outcome == "unknown" else call.outcome
            code = f"[dim]code {call.code}[/]" if call.code else ""
            screen.print(f"   attempt {call.attempt}  {call.step:<12} {outcome} {code}")
    verdict = "nothing twice, nothing lost" if finished == approved else "[red]this must not happen[/]"
    screen.print(f"   The sandbox holds [bold]{finished}[/] reports for {approved} approved cases: {verdict}.")
    return finished == approved


def closing(screen: Console, home: Path, references: list[str]) -> None:
    """Show where the evidence is and what to try next."""
    objects = [path for path in (home / "objects").rglob("*") if path.is_file()]
    sealed = [path for path in objects if path.read_bytes().startswith(_AGE)]
    screen.print(
        f"\n[bold]The evidence[/] lies in {home / 'objects'}: {len(sealed)} files that begin with “{_AGE.decode()}”,"
    )
    screen.print("each under a key of its own; no plaintext of it is on this disk but your own copies.")
    screen.print("\n[bold]Try next[/]")
    for line in (
        f"export REPORTER_HOME={home}",
        f"reporter case show {references[0]}",
        f"reporter submission preview {references[0]} --to ncmec",
        f"reporter case check {references[-1]}",
        "reporter doctor",
    ):
        screen.print(f"   {line}", style="cyan")
    screen.print("[dim]Your own first case: README.md, “A first real case”.[/]")
