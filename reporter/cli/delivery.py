"""``reporter deliver`` and ``reporter worker``."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reporter.cli import resolution
from reporter.cli.acting import As, actor
from reporter.cli.output import AsJson, Reference, moment, open_app, print_json, say, tell

if TYPE_CHECKING:
    from reporter.bootstrap import App
    from reporter.delivery.engine import Result
    from reporter.delivery.standing import Words


records = typer.Typer(no_args_is_help=True, help="What was called at the authorities, and what they answered.")


@records.command()
def show(
    reference: Reference,
    words: Annotated[
        bool, typer.Option("--words", help="Also open the authority's own words; that you read them is recorded.")
    ] = False,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Show the ledger of a case: every remote call, its outcome, code and request id.

    With --words also what the authority answered to the call that it refused, or to the last one, and the reasons that
    people gave for what they decided.

    Example: reporter delivery show TS-2026-000101 --words --as dana
    """
    with open_app() as house:
        calls = house.deliveries.calls(reference)
        spoken = house.standings.words(reference, actor(name, house)) if words else []
        if not calls:
            house.cases.load(reference)  # so that a reference which is none is said to be none
    if as_json:
        print_json(
            {
                "reference": reference,
                "calls": [
                    {
                        "at": call.at.isoformat(),
                        "attempt": call.attempt,
                        "step": call.step,
                        "outcome": call.outcome,
                        "code": call.code,
                        "request_id": call.request_id,
                        "reason": call.reason,
                        "ids": dict(call.ids),
                    }
                    for call in calls
                ],
                **({"words": [_words(entry) for entry in spoken]} if words else {}),
            }
        )
        return
    for call in calls:
        request = f"  request id {call.request_id}" if call.request_id else ""
        reason = f"  {call.reason}" if call.reason else ""
        say(f"{moment(call.at)}  attempt {call.attempt}  {call.step:<16} {call.outcome} {call.code}{request}{reason}")
    if not calls:
        say(f"No authority was called for {reference} yet.")
    for entry in spoken:
        _say_words(_words(entry))


def _words(spoken: Words) -> dict[str, Any]:
    return {
        "authority": spoken.authority,
        "environment": spoken.environment,
        "version": spoken.version,
        "step": spoken.call.step if spoken.call else None,
        "at": spoken.call.at.isoformat() if spoken.call else None,
        "answer": spoken.answer.decode(errors="replace"),
        "reasons": [{"by": by, "reason": reason} for by, reason in spoken.reasons],
    }


def _say_words(spoken: dict[str, Any]) -> None:
    """Print foreign text so that it cannot steer the terminal."""
    if spoken["step"]:
        say(f"\n{spoken['authority']} ({spoken['environment']}), version {spoken['version']}, to {spoken['step']}:\n")
        answer = spoken["answer"].replace("\r\n", "\n")
        say("".join(character if character.isprintable() or character in "\n\t" else "�" for character in answer))
    for entry in spoken["reasons"]:
        say(f"\n{entry['by']}: {entry['reason']}")


resolution.register(records)


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the root."""
    app.command()(deliver)
    app.command()(worker)


def deliver(
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="Wait through retries until all is accepted or needs a person.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """
    Deliver what is due now.

    Exit code 1: something needs a person. 4: an authority cannot be reached or refuses our credentials.

    Example: reporter deliver --until-idle
    """
    from reporter.delivery.authorities import standing_still

    results: dict[str, Result] = {}

    def report(result: Result) -> None:
        results[result.submission_id] = result
        if not as_json:
            tell(_line(house, result))

    with open_app() as house:
        worker = house.deliveries.worker(report)
        with house.ticker(worker).running():
            if until_idle:
                worker.until_idle()
            else:
                worker.once()
        paused = standing_still(house.database, house.configuration.authority)
        held = house.deliveries.quarantine.standing()
        due = house.deliveries.queue.next_due(house.deliveries.lanes)
        shown = [_shown(house, result) for result in results.values()]
    if as_json:
        quarantine, next_due = held.reason if held else None, due.isoformat() if due else None
        print_json({"deliveries": shown, "paused": paused, "quarantine": quarantine, "next_due": next_due})
    elif not shown and not paused and not held:
        say(f"Nothing is due before {moment(due)}." if due else "Nothing is due.")
    for lane, advice in paused.items():
        say(f"{lane} stands still: {advice}", stderr=True)
    if held:
        say(f"Deliveries are quarantined: {held.reason} See: reporter db status", stderr=True)
    raise typer.Exit(1 if held else _exit_code(shown, paused))


def worker() -> None:
    """
    Deliver and run jobs until stopped (SIGTERM or Ctrl-C finishes the calls under way).

    Example: reporter worker
    """
    with open_app() as house:
        running = house.deliveries.worker(lambda result: tell(_line(house, result)))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: running.stop())
        say(f"Working {', '.join(house.deliveries.lanes) or 'nothing: no authority is configured'}. Ctrl-C stops.")
        with house.ticker(running).running(), house.jobs.running():
            running.forever()


def _exit_code(shown: list[dict[str, Any]], paused: Any) -> int:
    if paused or any(entry["state"] == "waiting" for entry in shown):
        return 4
    return 1 if any(entry["state"] in ("rejected", "in_doubt", "attention") for entry in shown) else 0


def _shown(house: App, result: Result) -> dict[str, Any]:
    from reporter.delivery.model import Pause, Settle

    where = house.submissions.where(result.submission_id)
    move, last = result.move, result.last
    state = move.state.value if isinstance(move, Settle) else "paused" if isinstance(move, Pause) else "waiting"
    return {
        **where,
        "state": state,
        "receipt": move.reference if isinstance(move, Settle) and move.receipt else None,
        "reason": move.reason if isinstance(move, Settle | Pause) else (last.reason or last.outcome if last else ""),
        "again_at": result.again_at.isoformat() if result.again_at else None,
    }


def _line(house: App, result: Result) -> str:
    entry = _shown(house, result)
    line = f"{entry['reference']} → {entry['authority']} ({entry['environment']}): {entry['state'].replace('_', ' ')}"
    if entry["receipt"]:
        line += f", receipt {entry['receipt']}"
    if entry["reason"]:
        line += f": {entry['reason']}"
    return line + (f"; next try {moment(result.again_at)}" if result.again_at else "")
