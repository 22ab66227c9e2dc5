"""Writes the page of each authority that people tell, from its form and the rules: ``make docs``."""

from collections.abc import Iterator
from pathlib import Path

from adapters.handoff.form import Blank, Form, shipped_forms
from adapters.handoff.words import source_line
from reporter.rules.model import Rule, Verdict
from reporter.rules.reading import shipped

FOLDER = Path(__file__).parents[2] / "docs" / "authorities"
_VERDICTS = {
    Verdict.MUST: "must be told",
    Verdict.MAY: "may be told",
    Verdict.MUST_NOT: "must not be told",
    Verdict.NOT_BOUND: "not bound",
}
_MEANS = {"portal": "by its portal", "form": "by its form", "writing": "in writing"}


def pages() -> dict[Path, str]:
    """Give every page by its place."""
    return {FOLDER / f"{form.name}.md": "\n".join(_lines(form)) + "\n" for form in shipped_forms()}


def _lines(form: Form) -> Iterator[str]:
    rules = [rule for rule in shipped() if rule.authority == form.name]
    yield f"# {form.title}\n"
    yield "<!-- Written by `make docs` from the form and the rules; change those. -->\n"
    yield f"`{form.name}` is told by people, {_MEANS[form.means]}: Reporter fills in the form, a person takes it there."
    yield "How that goes: [tell an authority by hand](../howto/hand-out.md). This page is about software, and no legal"
    yield "advice.\n"
    yield "## Who must tell it, and when\n"
    for rule in rules:
        yield from _rule(rule)
    yield "## The way there\n"
    yield f"{form.where}\n"
    if form.emergency:
        yield f"**{form.emergency}**\n"
    yield f"The receipt: {form.receipt}. Two people record it with `reporter submission record-receipt`.\n"
    yield "## What is sent\n"
    yield "The fields below, in this order, as a page (HTML), a PDF, JSON and CSV; no file of the case, and nothing of"
    yield "who told you. `reporter case check` lists everything in a case for which the form has no field.\n"
    yield "| | field | filled by | |"
    yield "|---|---|---|---|"
    for number, blank in enumerate(form.fields, start=1):
        yield _field(number, blank)
    yield ""
    if form.settings:
        yield f"In `[authority.{form.name}]`, besides `environment`, `recipient_key` and `font`:\n"
        yield from (f"- `{key}`: {words}" for key, words in form.settings.items())
        yield ""
    yield "## What is kept\n"
    kept = [(rule, each) for rule in rules for each in rule.retentions]
    yield from (
        f"- {each.what.replace('_', ' ')}, {'at most' if each.kind == 'cap' else 'at least'}: {each.words} "
        f"[{rule.id}/{rule.version}{_unverified((each.mark or rule.source.mark).verified)}]"
        for rule, each in kept
    )
    yield "- what was handed out, byte for byte and sealed, and every hand-out with who, when and to whose key\n"
    yield "## What is unverified\n"
    if not form.source.verified:
        yield "- The form as a whole: it is not from the authority's own words."
    if unread := [blank.label for blank in form.fields if blank.unverified]:
        yield f"- Words and order of: {'; '.join(unread)}."
    for rule in rules:
        if not rule.source.mark.verified:
            yield f"- The rule {rule.id}/{rule.version}: it advises, forbids nothing, and starts no clock to destroy."
    yield f"\n{source_line(form.source)}\n"
    yield from (f"- {note}" for note in form.notes)


def _rule(rule: Rule) -> Iterator[str]:
    force = f"in force from {rule.effective_from}" if rule.effective_from else "not in force yet"
    force += f" to {rule.effective_to}" if rule.effective_to else ""
    yield f"**{rule.title}** ({rule.id}/{rule.version}, {force}; {rule.source.text}, {rule.source.section})\n"
    yield from dict.fromkeys(f"- {_VERDICTS[each.verdict]}: {each.reason}" for each in rule.outcomes)
    for each in rule.deadlines:
        mark = _unverified((each.mark or rule.source.mark).verified)
        yield f"- when: {each.words}{mark}{'; the law gives no hours, the target is yours' if not each.within else ''}"
    yield ""


def _field(number: int, blank: Blank) -> str:
    english = f" ({blank.english})" if blank.english else ""
    filled = ", ".join(f"`{path}`" for path in blank.fill).replace("|", "\\|")
    said = [
        word
        for word, so in (
            ("required", blank.required),
            ("Internet addresses only", blank.addresses),
            ("unverified", blank.unverified),
        )
        if so
    ]
    return f"| {number} | {blank.label}{english} | {filled} | {', '.join(said)} |"


def _unverified(verified: bool) -> str:
    return "" if verified else ", unverified"


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
