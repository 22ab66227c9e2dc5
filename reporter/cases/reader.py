"""
Documents as JSON text: strict reading, and writing that keeps numbers as they were written.

JSON lets more through than evidence can stand: doubled keys, numbers no double can hold, endless nesting, half
characters. Each is found here by its path, and none of them by its value.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final

from reporter.cases.scalars import NumberAsWritten
from reporter.errors import DocumentError, Finding

#: Bounds of ours, so that no document takes more than 500 MiB to be read and what it names to be sealed.
MAX_BYTES = 16 * 2**20
MAX_DEPTH = 32
MAX_VALUES = 250_000
MAX_ENTRIES = 40_000
#: RFC 8785 section 3.2.2.3: numbers are IEEE 754 doubles, so whole numbers are exact only up to here.
MAX_WHOLE_NUMBER = 2**53 - 1

#: Stands for half a surrogate pair. Like that it is no character, and packaging replaces and lists it.
NO_CHARACTER = "\uffff"

#: What is read, as errors name it.
CASE: Final = "case document"
_SPLIT = "Split a case of so many: each part a document with a reference of its own."
_BOM = b"\xef\xbb\xbf"
_SURROGATE = re.compile("[\ud800-\udfff]")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


class _Doubled(dict[str, Any]):
    """A JSON object in which names came more than once, and which."""

    names: list[str]


class _NoNumber:
    """A number that JSON, or RFC 8785, cannot carry."""


def read(data: bytes, what: str = CASE) -> tuple[Any, list[Finding]]:
    """
    Read JSON text into plain values, and list by path what is wrong with it as JSON.

    One UTF-8 byte order mark at the start is skipped. Nulls, which no document of ours has, are found and left out.
    ``what`` is the document's name in errors.

    Raises:
        DocumentError: It is too large, not UTF-8, no JSON at all, or nested too deeply.

    """
    if len(data) > MAX_BYTES:
        raise too_large(len(data), what)
    if data.count(b"[") > MAX_VALUES:  # lists alone have no hook below
        raise _too_many_values("", what)
    data, counter = data.removeprefix(_BOM), _Counter(what)
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=counter.over(_object),
            parse_int=counter.over(_whole_number),
            parse_float=counter.over(_number),
            parse_constant=counter.over(lambda _: _NoNumber()),
        )
    except UnicodeDecodeError as error:
        raise DocumentError(f"The {what} is not UTF-8: byte {error.start} does not fit.") from error
    except json.JSONDecodeError as error:
        wrong = error.msg.removesuffix(" at").lower()
        raise DocumentError(
            f"The {what} is not complete JSON: line {error.lineno}, column {error.colno}: {wrong}."
        ) from error
    except RecursionError as error:
        raise DocumentError(f"The {what} is nested deeper than {MAX_DEPTH} levels.") from error
    settling = _Settling(what)
    return settling.value(value, "", 0), settling.findings


def too_large(size: int, what: str = CASE) -> DocumentError:
    """Give the refusal of a document of ``size`` bytes."""
    return DocumentError(
        f"The {what} has {size:,} bytes; at most {MAX_BYTES:,} are taken.",
        next_step=f"Files belong beside the document, under evidence[].path, not inside it. {_SPLIT}" * (what == CASE),
    )


def write(value: Any) -> bytes:
    """Write plain values as indented JSON text, numbers as they were written."""
    return ("".join(_written(value, "\n")) + "\n").encode()


def name_in(path: str, name: str) -> str:
    """
    Give the path of a field; a name that is no plain word is not repeated.

    Where documents are malformed, names may be anything: an address, a sentence.
    """
    if not _PLAIN_NAME.fullmatch(name):
        return f'{path}["…"]'
    return f"{path}.{name}" if path else name


class _Counter:
    """Counts values while they are read, so that a document of nothing but values fills no memory first."""

    def __init__(self, what: str) -> None:
        self._what, self._count = what, 0

    def over(self, made: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Give the same, counted."""

        def counted(given: Any) -> Any:
            self._count += 1
            if self._count > MAX_VALUES:
                raise _too_many_values("", self._what)
            return made(given)

        return counted


def _too_many_values(path: str, what: str) -> DocumentError:
    return DocumentError(
        f"The {what} holds too much:",
        [Finding(path, "too_many_values", f"is beyond {MAX_VALUES:,} values, and no document may hold more")],
        next_step=_SPLIT * (what == CASE),
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    doubled = _Doubled(members)
    doubled.names = [name for name, times in Counter(name for name, _ in pairs).items() if times > 1]
    return doubled


def _whole_number(text: str) -> int | _NoNumber:
    if len(text) > len(str(-MAX_WHOLE_NUMBER)) or abs(number := int(text)) > MAX_WHOLE_NUMBER:
        return _NoNumber()
    return number


def _number(text: str) -> NumberAsWritten | _NoNumber:
    number = NumberAsWritten(text)
    return number if math.isfinite(number) else _NoNumber()


class _Settling:
    """One walk over what was read: plain values out, findings aside."""

    def __init__(self, what: str) -> None:
        self.findings: list[Finding] = []
        self._what, self._count = what, 0

    def value(self, value: Any, path: str, depth: int) -> Any:
        self._count += 1
        if self._count > MAX_VALUES:
            raise _too_many_values(path, self._what)
        if depth > MAX_DEPTH:
            raise DocumentError(f"The {self._what} is nested deeper than {MAX_DEPTH} levels.")
        if isinstance(value, dict):
            return self._members(value, path, depth)
        if isinstance(value, list):
            if len(value) > MAX_ENTRIES:
                self._add(
                    path, "too_many_entries", f"has {len(value):,} entries, and at most {MAX_ENTRIES:,} are taken"
                )
                raise DocumentError(
                    f"The {self._what} holds too much:", self.findings, next_step=_SPLIT * (self._what == CASE)
                )
            return [self.value(entry, f"{path}[{index}]", depth + 1) for index, entry in enumerate(value)]
        if isinstance(value, str):
            return _SURROGATE.sub(NO_CHARACTER, value)
        if isinstance(value, _NoNumber):
            self._add(path, "number", "is a number that JSON cannot carry exactly; write it as text")
        return value

    def _members(self, members: dict[str, Any], path: str, depth: int) -> dict[str, Any]:
        for name in members.names if isinstance(members, _Doubled) else ():
            self._add(name_in(path, name), "duplicate_key", "stands twice in the same object")
        settled = {}
        for name, value in members.items():
            place = name_in(path, name)
            if value is None:
                self._add(place, "null", "is null; leave out what is not known")
            else:
                settled[_SURROGATE.sub(NO_CHARACTER, name)] = self.value(value, place, depth + 1)
        return settled

    def _add(self, path: str, rule: str, message: str) -> None:
        self.findings.append(Finding(path, rule, message))


def _written(value: Any, line: str) -> Iterable[str]:
    inner = line + "  "
    if isinstance(value, dict) and value:
        for index, (name, member) in enumerate(value.items()):
            yield f"{',' if index else '{'}{inner}{json.dumps(name, ensure_ascii=False)}: "
            yield from _written(member, inner)
        yield line + "}"
    elif isinstance(value, list) and value:
        for index, entry in enumerate(value):
            yield f"{',' if index else '['}{inner}"
            yield from _written(entry, inner)
        yield line + "]"
    elif isinstance(value, NumberAsWritten):
        yield value.text
    else:
        yield json.dumps(value, ensure_ascii=False)
