"""The same form for programs: JSON, which is exact, and CSV, which is safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Final

from adapters.handoff.filling import Filled
from adapters.handoff.text import visible
from adapters.handoff.words import ADDS_TO, DIRECTIONS, NOT_A_REPORT, source_line
from reporter.authority import Environment

#: What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection").
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
#: Where a spreadsheet begins another cell, if it takes another sign than a comma between them, as many countries' do.
_INNER: Final = re.compile(r'([;|\t\n]\s*"?)(?=[-=+@\uff1d\uff0b\uff0d\uff20])')
_COLUMNS: Final = ("number", "field", "label", "entry", "name", "value")


def as_json(filled: Filled, reference: str, environment: Environment) -> bytes:
    """Give the form with every value as it is."""
    form = filled.form
    exercise = environment is not Environment.PRODUCTION
    data = {
        "authority": form.name,
        "title": form.title,
        "language": form.language,
        "reference": reference,
        "environment": environment.value,
        "warning": NOT_A_REPORT.format(environment=environment) if exercise else "",
        "adds_to": ADDS_TO.format(", ".join(filled.adds_to)) if filled.adds_to else "",
        "means": form.means,
        "directions": [line for line in (DIRECTIONS[form.means], form.where, form.emergency) if line],
        "source": source_line(form.source),
        "notes": list(form.notes),
        "fields": [
            {
                "id": answer.blank.id,
                "label": answer.blank.label,
                "english": answer.blank.english,
                "unverified": answer.blank.unverified,
                "entries": [
                    {"place": entry.place, "parts": [{"name": name, "value": text} for name, text in entry.parts]}
                    for entry in answer.entries
                ],
            }
            for answer in filled.answers
        ],
    }
    return json.dumps(data, indent=1).encode() + b"\n"


def as_csv(filled: Filled, reference: str, environment: Environment) -> bytes:
    """Give a line for each value; what a spreadsheet would compute, in whatever cell, begins with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")  # RFC 4180, section 2
    writer.writerow(_COLUMNS)
    writer.writerow((0, "environment", "", "", "", environment.value))
    writer.writerow((0, "sender_reference", "", "", "", _cell(reference)))
    for before in filled.adds_to:
        writer.writerow((0, "adds_to", "", "", "", _cell(before)))
    for number, answer in enumerate(filled.answers, start=1):
        blank = answer.blank
        for entry_number, entry in enumerate(answer.entries, start=1):
            for name, text in entry.parts:
                writer.writerow((number, blank.id, _cell(blank.label), entry_number, name, _cell(text)))
        if not answer.entries:
            writer.writerow((number, blank.id, _cell(blank.label), "", "", ""))
    return out.getvalue().encode()


def _cell(text: str) -> str:
    shown = _INNER.sub(r"\1'", visible(text))
    return f"'{shown}" if shown.lstrip(" ").startswith(_FORMULA) else shown
