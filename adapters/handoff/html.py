"""The form as a page that stands for itself: no script, no style from elsewhere, nothing to load, nothing to click."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from typing import Final

from adapters.handoff.filling import Answer, Entry, Filled
from adapters.handoff.text import visible
from adapters.handoff.words import ADDS_TO, DIRECTIONS, NOT_A_REPORT, NOTHING, source_line
from reporter.authority import Environment

_STYLE = (
    "body{font:1rem/1.45 sans-serif;color:#111;background:#fff;max-width:52rem;margin:2rem auto;padding:0 1rem}"
    "h1{font-size:1.5rem}h2{font-size:1.05rem;margin:1.4rem 0 .3rem;break-after:avoid}"
    ".note,.unverified{color:#444;font-size:.9rem}"
    ".stop{border:.25rem solid #a00;color:#800;padding:.6rem;font-weight:700}"
    ".value{white-space:pre-wrap;overflow-wrap:anywhere;border-left:.2rem solid #666;margin:.2rem 0;"
    "padding:.1rem .7rem}"
    "table{border-collapse:collapse;width:100%}th,td{border:1px solid #777;padding:.2rem .4rem;text-align:left;"
    "vertical-align:top;white-space:pre-wrap;overflow-wrap:anywhere;font-size:.85rem}thead{display:table-header-group}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem .8rem}dt{color:#444}dd{margin:0}"
    "tr{break-inside:avoid}@media print{body{margin:0;max-width:none}}"
)
#: From how many entries on a table is read more easily, and up to how many columns.
_ROWS: Final = 4
_COLUMNS: Final = 4
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"


def page(filled: Filled, reference: str, environment: Environment) -> bytes:
    """Give the page."""
    return "\n".join(_lines(filled, reference, environment)).encode()


def _lines(filled: Filled, reference: str, environment: Environment) -> Iterator[str]:
    form = filled.form
    title = f"{form.title}: {reference}"
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">'
    yield '<meta name="referrer" content="no-referrer">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>"
    if environment is not Environment.PRODUCTION:
        yield f'<p class="stop" role="note">{escape(NOT_A_REPORT.format(environment=environment))}</p>'
    yield f'<h1><span lang="{form.language}">{escape(form.title)}</span></h1>'
    yield f"<p>Reference of the sender: <strong>{escape(reference)}</strong></p>"
    if filled.adds_to:
        yield f"<p><strong>{_shown(ADDS_TO.format(', '.join(filled.adds_to)))}</strong></p>"
    yield f'<p class="note">{escape(DIRECTIONS[form.means])} {escape(form.where)}</p>'
    if form.emergency:
        yield f'<p class="note">{escape(form.emergency)}</p>'
    for number, answer in enumerate(filled.answers, start=1):
        yield from _field(number, answer, form.language)
    yield "<h2>About this form</h2>"
    yield f'<p class="note">{escape(source_line(form.source))}</p>'
    yield from (f'<p class="note">{escape(note)}</p>' for note in form.notes)
    yield "</main>\n</body>\n</html>\n"


def _field(number: int, answer: Answer, language: str) -> Iterator[str]:
    blank = answer.blank
    english = f" ({escape(blank.english)})" if blank.english else ""
    mark = ' <span class="unverified">[unverified]</span>' if blank.unverified else ""
    yield (
        f'<section aria-labelledby="f{number}">\n'
        f'<h2 id="f{number}">{number}. <span lang="{language}">{escape(blank.label)}</span>{english}{mark}</h2>'
    )
    if not answer.entries:
        yield f'<p class="value note">{escape(NOTHING)}</p>'
    for named, group in groupby(answer.entries, key=lambda entry: bool(entry.parts[0][0])):
        entries = list(group)
        yield from _named(entries) if named else map(_value, entries)
    yield "</section>"


def _value(entry: Entry) -> str:
    return f'<p class="value" dir="auto">{_shown(entry.parts[0][1])}</p>'


def _named(entries: Sequence[Entry]) -> Iterator[str]:
    """Give entries whose parts have names: a row for each, or where they are few and long, a list for each."""
    names = list(dict.fromkeys(name for entry in entries for name, _ in entry.parts))
    if len(entries) < _ROWS and len(names) > _COLUMNS:
        for entry in entries:
            pairs = "".join(f'<dt>{escape(name)}</dt><dd dir="auto">{_shown(text)}</dd>' for name, text in entry.parts)
            yield f'<dl class="value">{pairs}</dl>'
        return
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in ("no.", *names))
    yield f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>"
    for number, entry in enumerate(entries, start=1):
        said: dict[str, list[str]] = {}
        for name, text in entry.parts:
            said.setdefault(name, []).append(text)
        cells = "".join(f'<td dir="auto">{_shown(chr(10).join(said.get(name, ())))}</td>' for name in names)
        yield f'<tr><th scope="row">{number}</th>{cells}</tr>'
    yield "</tbody>\n</table>"


def _shown(text: str) -> str:
    return escape(visible(text))
