"""``reporter referral``: what others tell us of, and what becomes of each item."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reporter.cli.acting import As, actor, present
from reporter.cli.output import AsJson, open_app, print_json, say, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reporter.referrals.model import Item, Verdict

app = typer.Typer(
    no_args_is_help=True, help="What members, newsrooms, hotlines and police tell us of; each item ends in a decision."
)

Referral = Annotated[str, typer.Argument(metavar="ID", help="The referral's id, such as rf:0123456789.")]
Items = Annotated[list[str], typer.Argument(metavar="ITEM…", help="Numbers of items, such as 3 or 5-9.")]
Reason = Annotated[str, typer.Option(callback=words, metavar="TEXT", help="Why, in words; kept sealed.")]


@app.command()
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The referral as JSON, or - for standard input.")],
    attachments: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Files that came along: each is sealed unopened.")
    ] = None,
    mail: Annotated[
        list[Path] | None, typer.Option(metavar="EML", help="A mail that it came by: sealed whole and unopened.")
    ] = None,
    remove_source: Annotated[
        bool, typer.Option("--remove-source", help="Remove each of those files once its seal is read back.")
    ] = False,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Take a referral in: links, ids and times, and at whose request they came. Content is never asked for.

    The sender is protected from being reported for it. The same document again changes nothing. Exit code 1: a source
    could not be removed.

    Example: reporter referral add referral.json --attachments received/ --as robin
    """
    from reporter.cli import referral_text
    from reporter.referrals.attachments import came

    with open_app() as house:
        who = actor(name, house)
        data, files = referral_text.read(file), came(attachments, mail or [])
        taken = house.referrals.intake.add(data, files, who, remove_source=remove_source)
    referral_text.say_taken(taken, as_json, sources_left=not remove_source)
    if taken.left:
        raise typer.Exit(1)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """
    List the referrals, and how many of their items are settled.

    Example: reporter referral list
    """
    with open_app() as house:
        rows = house.referrals.overview.list()
    shown = [
        {
            "id": row.id,
            "sender_kind": row.sender_kind,
            "requested_by": row.requested_by,
            "received_at": row.received_at.isoformat(timespec="seconds"),
            "items": row.items,
            "settled": row.settled,
        }
        for row in rows
    ]
    if as_json:
        print_json({"referrals": shown})
        return
    for row in rows:
        kind = row.sender_kind.replace("_", " ")
        say(f"{row.id}  {row.received_at:%Y-%m-%d}  {kind:<15}  {row.settled} of {row.items} settled")
    if not rows:
        say("No referrals yet. Take one in: reporter referral add FILE")


@app.command()
def show(
    referral: Referral,
    with_words: Annotated[
        bool, typer.Option("--words", help="What was sent, and why people decided as they did; on record.")
    ] = False,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Say what became of everything they sent, in numbers and item by item.

    While an item waits for a second look, nobody but who decided first is shown that there is a decision.

    Example: reporter referral show rf:0123456789 --as dana
    """
    from reporter.cli import referral_text

    with open_app() as house:
        who, overview = actor(name, house), house.referrals.overview
        shown = overview.show(referral)
        items = shown.seen_by(who)
        said = overview.words(shown, items, who) if with_words else None
    referral_text.say_shown(shown, items, said, as_json)


@app.command()
def decide(
    referral: Referral,
    items: Items,
    reason: Reason,
    confirmed: Annotated[bool, typer.Option("--confirmed", help="It is what the policy forbids; give --case.")] = False,
    not_confirmed: Annotated[bool, typer.Option("--not-confirmed", help="It is not; give --clause.")] = False,
    out_of_scope: Annotated[bool, typer.Option("--out-of-scope", help="It is not for us to judge.")] = False,
    case: Annotated[str, typer.Option(metavar="REF", help="The case that the confirmed item is in.")] = "",
    clause: Annotated[str, typer.Option(metavar="CODE", help="The clause of the policy, such as CS-4.2.")] = "",
    exemption: Annotated[
        str, typer.Option(metavar="E", help="A known context: news_photograph or work_of_record; give --ground.")
    ] = "",
    ground: Annotated[str, typer.Option(callback=words, metavar="TEXT", help="Why the context is known.")] = "",
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Decide items, all or none. Some of what is not confirmed a second person decides as well, without knowing of it.

    Where two people saw an item differently, the escalation lead decides it. Exit code 3: this person decided one of
    them already, or is not the lead.

    Example: reporter referral decide rf:0123456789 3 5-9 --not-confirmed --clause CS-4 --reason "Holiday photo."
    """
    from reporter.cli import referral_text

    verdict = _verdict(confirmed, not_confirmed, out_of_scope, case, clause, exemption)
    numbers = referral_text.numbers(items)
    with open_app() as house:
        from reporter.referrals.deciding import Words

        who = present(name, house)
        deciding = house.referrals.deciding
        done = deciding.decide(referral, numbers, verdict, Words(reason, ground), who.handle, who.state)
    _say_items(referral, done, as_json)


@app.command()
def reopen(referral: Referral, items: Items, reason: Reason, name: As = None, as_json: AsJson = False) -> None:
    """
    Open settled items again, all or none; what was decided stays on record. A case that an item is in stays as it is.

    Example: reporter referral reopen rf:0123456789 7 --reason "The newsroom disagrees: letter of 20 November."
    """
    from reporter.cli import referral_text

    numbers = referral_text.numbers(items)
    with open_app() as house:
        who = present(name, house)
        done = house.referrals.deciding.reopen(referral, numbers, reason, who.handle, who.state)
    _say_items(referral, done, as_json)


@app.command()
def answer(
    referral: Annotated[str | None, typer.Argument(metavar="[ID]", help="The referral's id.")] = None,
    automatic: Annotated[
        bool, typer.Option("--automatic", help="The automatic answer to whoever writes to us, asking for links alone.")
    ] = False,
    name: As = None,
    as_json: AsJson = False,
) -> None:
    """
    Make the answer to whoever sent a referral, which says no more than they may know. It is kept; sending is for you.

    It names no case, no person and no authority, and never says whether anything was reported.

    Example: reporter referral answer rf:0123456789 --as dana > answer.txt
    """
    from reporter.errors import UsageError
    from reporter.referrals.answers import automatic as automatic_answer

    if automatic == (referral is not None):
        raise UsageError("Give either the id of a referral, or --automatic.")
    if referral is None:
        text: dict[str, Any] = {"text": automatic_answer()}
    else:
        with open_app() as house:
            made = house.referrals.answers.make(referral, actor(name, house))
        text = {"referral": referral, "sender_kind": made.sender_kind.value, "digest": made.digest, "text": made.text}
    if as_json:
        print_json(text)
    else:
        say(text["text"].rstrip())


def _verdict(
    confirmed: bool, not_confirmed: bool, out_of_scope: bool, case: str, clause: str, exemption: str
) -> Verdict:
    """
    Give the verdict that the options say.

    Raises:
        UsageError: They say none, or several.
    """
    from reporter.errors import UsageError
    from reporter.referrals.model import Exemption, Outcome, Verdict

    said = {Outcome.CONFIRMED: confirmed, Outcome.NOT_CONFIRMED: not_confirmed, Outcome.OUT_OF_SCOPE: out_of_scope}
    chosen = [outcome for outcome, given in said.items() if given]
    if len(chosen) != 1:
        raise UsageError("Give one of --confirmed, --not-confirmed and --out-of-scope.")
    if exemption and exemption not in list(Exemption):
        raise UsageError(f"--exemption is one of: {', '.join(Exemption)}.")
    return Verdict(chosen[0], clause, Exemption(exemption) if exemption else None, case)


def _say_items(referral: str, items: Sequence[Item], as_json: bool) -> None:
    from reporter.cli import referral_text

    if as_json:
        print_json({"referral": referral, "items": [referral_text.item(each) for each in items]})
        return
    for each in items:
        say(f"{referral} item {each.number}: {referral_text.standing(each)}")
