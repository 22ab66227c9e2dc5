"""How one value of the case becomes a value of the report; what a converter does not take stays to be sent in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.nca.mapping import DEFAULTS, LEVELS, LINES, WORDS

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(slots=True)
class Writing:
    """
    What is noticed while a report is written.

    ``places`` says which field of the case each JSON pointer came from, ``used`` which fields need no more words,
    ``replaced`` where a text holds what UTF-8 cannot carry, ``passed_over`` what an earlier report said already.
    ``files`` gives the digest of each sealed item, ``roles`` the contract's roles of each person.
    """

    files: Mapping[str, str]
    roles: Mapping[str, list[str]]
    places: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    replaced: list[str] = field(default_factory=list)
    passed_over: set[str] = field(default_factory=set)

    def text(self, text: str, path: str) -> str:
        """Give text as JSON carries it: half a surrogate pair is no character."""
        clean = _SURROGATE.sub("\ufffd", text)
        if clean != text:
            self.replaced.append(path)
        return clean

    def write(self, kind: str, part: Mapping[str, Any], path: str, pointer: str) -> dict[str, Any]:
        """Write one object by the lines of its kind."""
        self.places[pointer] = path
        written: dict[str, Any] = dict(DEFAULTS.get(kind, {}))
        for line in LINES[kind]:
            value: Any = part
            for name in line.ours.split("."):
                value = value.get(name) if isinstance(value, Mapping) else None
            if value is None:
                continue
            here, there = f"{path}.{line.ours}".lstrip("."), f"{pointer}/{line.theirs.replace('.', '/')}"
            converted = self._convert(line.how, value, here, there)
            if converted is None:
                continue
            self.places[there] = here
            parent = written
            *outer, last = line.theirs.split(".")
            for name in outer:
                parent = parent.setdefault(name, {})
            parent[last] = converted
        return written

    def _convert(self, how: str, value: Any, path: str, pointer: str) -> Any:
        if how in LINES:
            if not isinstance(value, list):
                return self.write(how, value, path, pointer)
            self._empty(value, path)
            return [self.write(how, each, f"{path}[{at}]", f"{pointer}/{at}") for at, each in enumerate(value)]
        if how in CONVERTERS:
            return CONVERTERS[how](self, value, path, pointer)
        if how:
            return self.word(how, value, path)
        return self.copy(value, path, pointer)

    def copy(self, value: Any, path: str, pointer: str) -> Any:
        """Take a text, a truth value, or a list of texts as it is."""
        if isinstance(value, list):
            self._empty(value, path)
            return [self.copy(each, f"{path}[{at}]", f"{pointer}/{at}") for at, each in enumerate(value)]
        self.used.add(path)
        self.places[pointer] = path
        return self.text(value, path) if isinstance(value, str) else value

    def word(self, table: str, value: str, path: str) -> str | None:
        """Translate a word; one that says less than ours leaves ours to be sent in words."""
        words = WORDS[table]
        theirs = words.get(value.lower() if table == "algorithm" else value, words.get("*"))
        if theirs and not theirs.startswith("~"):
            self.used.add(path)
        return theirs.removeprefix("~") if theirs else None

    def _empty(self, value: list[Any], path: str) -> None:
        if not value:
            self.used.add(path)


def _level(writing: Writing, value: str, path: str, _pointer: str) -> int:
    writing.used.add(path)
    return LEVELS[value]


def _conduct(writing: Writing, value: list[str], path: str, _pointer: str) -> list[str]:
    found = [writing.word("conduct", word, f"{path}[{at}]") for at, word in enumerate(value)]
    return [word for word in dict.fromkeys(found) if word]


def _methods(writing: Writing, value: list[dict[str, Any]], path: str, _pointer: str) -> list[str]:
    found = [writing.word("method", each["method"], f"{path}[{at}].method") for at, each in enumerate(value)]
    return [word for word in dict.fromkeys(found) if word]


def _roles(writing: Writing, value: list[str], path: str, _pointer: str) -> list[str]:
    for at, role in enumerate(value):
        writing.word("role", role, f"{path}[{at}]")
    return writing.roles[path.removesuffix(".roles")]


def _first(writing: Writing, value: list[str], path: str, pointer: str) -> Any:
    return writing.copy(value[0], f"{path}[0]", pointer) if value else None


def _one(writing: Writing, value: str, path: str, pointer: str) -> list[Any]:
    return [writing.copy(value, path, f"{pointer}/0")]


def _integer(writing: Writing, value: str, path: str, _pointer: str) -> int | str:
    """Give a number where it is a port's; any other stays text, which the contract refuses."""
    writing.used.add(path)
    return int(value) if len(value) <= 6 else value


def _upload(writing: Writing, value: dict[str, Any], path: str, pointer: str) -> Any:
    """Take the address of an upload whose moment is known; without it the contract has no place."""
    if "at" not in value:
        return None
    if value.get("event") == "upload":
        writing.used.add(f"{path}.event")
    return writing.write("ip", value, path, pointer)


def _logins(writing: Writing, value: list[dict[str, Any]], path: str, pointer: str) -> list[Any] | None:
    logins = [(at, each) for at, each in enumerate(value) if each.get("event") == "login" and "at" in each]
    writing.used |= {f"{path}[{at}].event" for at, _ in logins}
    return [
        writing.write("ip", each, f"{path}[{at}]", f"{pointer}/{number}") for number, (at, each) in enumerate(logins)
    ] or None


def _exif(writing: Writing, value: list[dict[str, Any]], path: str, pointer: str) -> dict[str, str] | None:
    """Take the first value of each name; further ones of the same name, and other metadata, go in words."""
    tags: dict[str, str] = {}
    for at, metadata in enumerate(value):
        if metadata.get("type") != "exif":
            continue
        writing.used.add(f"{path}[{at}].type")
        for number, pair in enumerate(metadata["pairs"]):
            here = f"{path}[{at}].pairs[{number}]"
            name = writing.text(pair["name"], f"{here}.name")
            if name not in tags:
                writing.used |= {f"{here}.name", f"{here}.value"}
                tags[name] = writing.text(pair["value"], f"{here}.value")
                writing.places[f"{pointer}/{name}"] = f"{here}.value"
    return tags or None


def _postal(writing: Writing, value: dict[str, str], path: str, _pointer: str) -> str | None:
    parts = [name for name in ("street", "postal_code", "city", "us_state", "region", "country") if name in value]
    writing.used |= {f"{path}.{name}" for name in parts}
    return ", ".join(writing.text(value[name], f"{path}.{name}") for name in parts) or None


def _files(writing: Writing, value: list[str], path: str, _pointer: str) -> list[str] | None:
    """Give the digests of evidence items that are identity documents; ``rules`` refuses what names none."""
    writing.used |= {f"{path}[{at}]" for at, item in enumerate(value) if item in writing.files}
    return [writing.files[item] for item in value if item in writing.files] or None


CONVERTERS: Mapping[str, Callable[[Writing, Any, str, str], Any]] = {
    "level": _level,
    "conduct": _conduct,
    "methods": _methods,
    "roles": _roles,
    "first": _first,
    "one": _one,
    "integer": _integer,
    "upload": _upload,
    "logins": _logins,
    "exif": _exif,
    "postal": _postal,
    "files": _files,
}
