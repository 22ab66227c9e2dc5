"""Lists of contacts as people keep them: CSV."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

from reporter.contacts.model import ContactKind, Identifiers
from reporter.errors import EnvironmentTroubleError, UsageError

COLUMNS = ("kind", "emails", "phones", "user_names", "domains")
#: No list of contacts is that long; a bound of ours.
MAX_BYTES = 10_000_000


def read(file: Path) -> list[tuple[ContactKind, Identifiers]]:
    """
    Read a list; ``-`` is standard input.

    Raises:
        UsageError: It is none; the text names the line, and never what stands there.
        EnvironmentTroubleError: It cannot be read.
    """
    try:
        with sys.stdin.buffer if str(file) == "-" else file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise UsageError("There is no such list.") from error
    except OSError as error:
        raise EnvironmentTroubleError(f"The list cannot be read: {error.strerror}.") from error
    if len(data) > MAX_BYTES:
        raise UsageError(f"A list of contacts has at most {MAX_BYTES:,} bytes.")
    try:
        rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        return _contacts(rows)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError("The list is no CSV in UTF-8.") from error


def _contacts(rows: csv.DictReader[str]) -> list[tuple[ContactKind, Identifiers]]:
    if unknown := set(rows.fieldnames or ()) - set(COLUMNS):
        raise UsageError(f"The list has {len(unknown)} unknown columns; it may have: {', '.join(COLUMNS)}.")
    if "kind" not in (rows.fieldnames or ()):
        raise UsageError(f"The first line names the columns: {', '.join(COLUMNS)}.")
    contacts = []
    for row in rows:
        try:
            kind = ContactKind((row["kind"] or "").strip())
        except ValueError as error:
            kinds = ", ".join(ContactKind)
            raise UsageError(f"Line {rows.line_num} of the list: the kind is one of {kinds}.") from error
        if None in row:
            raise UsageError(f"Line {rows.line_num} of the list has more values than there are columns.")
        contacts.append((kind, Identifiers(*(_several(row.get(column)) for column in COLUMNS[1:]))))
    return contacts


def _several(value: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (value or "").split(";") if part.strip())
