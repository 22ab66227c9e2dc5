"""The simple types of the CyberTipline schema: what text each of them allows."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Collection
from dataclasses import dataclass

from adapters.ncmec import vocabulary

_SPACE = " \t\n\r"
_ZONE = r"(Z|[+-](?:0\d|1[0-3]):[0-5]\d|[+-]14:00)?"
_DAY = r"-?([1-9]\d{4,}|\d{4})-(\d\d)-(\d\d)"
_TIME = r"(?:(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?|24:00:00(?:\.0+)?)"
_LEXICAL = {
    "boolean": re.compile(r"true|false|1|0"),
    "int": re.compile(r"[+-]?\d+", re.ASCII),
    "long": re.compile(r"[+-]?\d+", re.ASCII),
    "double": re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|-?INF|NaN", re.ASCII),
    "date": re.compile(_DAY + _ZONE, re.ASCII),
    "dateTime": re.compile(_DAY + "T" + _TIME + _ZONE, re.ASCII),
}
_BITS = {"int": 31, "long": 63}
_DIGITS_OF_ANY_INTEGER_IN_RANGE = 19


def integer(text: str) -> int | None:
    """Read a whole number as the schema writes it; None where it is none, or has more digits than a 64-bit one."""
    text = text.strip(_SPACE)
    if not _LEXICAL["long"].fullmatch(text):
        return None
    digits = text.lstrip("+-").lstrip("0") or "0"
    if len(digits) > _DIGITS_OF_ANY_INTEGER_IN_RANGE:
        return None
    return -int(digits) if text.startswith("-") else int(digits)


def _day_exists(year: str, month: str, day: str) -> bool:
    # The Gregorian calendar repeats every 400 years, and Python's ends in 9999.
    if int(year[-4:]) == 0 and not year[:-4]:
        return False
    return 1 <= int(month) <= 12 and 1 <= int(day) <= monthrange(2000 + int(year[-4:]) % 400, int(month))[1]


@dataclass(frozen=True, slots=True)
class Simple:
    """A simple type: a primitive, or a string narrowed to ``words`` or to ``pattern``; ``flag`` is fixed to true."""

    base: str
    words: Collection[str] = ()
    pattern: str = ""
    flag: bool = False

    @property
    def collapses(self) -> bool:
        """Whether white space around the value means nothing."""
        return self.base != "string"

    def complaint(self, text: str) -> str:
        """Say which rule ``text`` breaks, without quoting it; empty where it breaks none."""
        if self.words:
            return "" if text in self.words else "is not one of the words allowed here"
        if self.pattern:
            return "" if re.fullmatch(self.pattern, text) else f"does not follow the pattern {self.pattern}"
        if self.flag:
            return "" if text == "" or text.strip(_SPACE) == "true" else "must be empty or true"
        lexical = _LEXICAL.get(self.base)
        if lexical is None:
            return ""
        match = lexical.fullmatch(text.strip(_SPACE))
        if match is None:
            return f"is not an xs:{self.base}"
        if self.base in _BITS:
            number, limit = integer(text), 2 ** _BITS[self.base]
            return "" if number is not None and -limit <= number < limit else f"is out of the range of xs:{self.base}"
        if self.base in {"date", "dateTime"} and not _day_exists(match[1], match[2], match[3]):
            return "is not a day that exists"
        return ""


def _words(vocabulary_table: dict[str, str]) -> Simple:
    return Simple("string", tuple(vocabulary_table.values()))


SIMPLE_TYPES = {
    "string": Simple("string"),
    "token": Simple("token"),
    "boolean": Simple("boolean"),
    "flag": Simple("boolean", flag=True),
    "int": Simple("int"),
    "long": Simple("long"),
    "double": Simple("double"),
    "date": Simple("date"),
    "dateTime": Simple("dateTime"),
    "callingCode": Simple("string", pattern=r"\+[0-9]{1,3}"),
    "extension": Simple("string", pattern=r"[0-9]+"),
    "addressType": _words(vocabulary.ADDRESS_TYPES),
    "associatedAccountType": _words(vocabulary.ASSOCIATED_ACCOUNT_TYPES),
    "batchReason": _words(vocabulary.BATCH_REASONS),
    "classification": _words(vocabulary.CLASSIFICATIONS),
    "country": Simple("string", vocabulary.COUNTRIES),
    "emailType": _words(vocabulary.EMAIL_TYPES),
    "eventName": _words(vocabulary.EVENTS),
    "incidentType": _words(vocabulary.INCIDENT_TYPES),
    "metadataType": _words(vocabulary.METADATA_TYPES),
    "phoneType": _words(vocabulary.PHONE_TYPES),
    "relevance": _words(vocabulary.RELEVANCES),
    "state": Simple("string", vocabulary.STATES),
}
