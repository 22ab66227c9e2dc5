"""How one field of the case becomes an element or attribute, and comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lxml import etree

from adapters.ncmec.node import Node
from adapters.ncmec.simple import SIMPLE_TYPES
from adapters.ncmec.structure import elements, name_of
from adapters.ncmec.text import for_xml

if TYPE_CHECKING:
    from adapters.ncmec.codec import Codec, Item


@dataclass(slots=True)
class Writing:
    """
    What a package is written with, and what was noticed while writing it.

    ``omitted`` are elements (by type and name) that may not be sent now, ``given`` those that do not come from the
    case. ``left_out`` collects (path, type, name) of omitted ones the case has a value for, ``replaced`` the paths of
    texts that XML cannot carry, ``unsent`` the paths of fields without a place in this format.
    """

    omitted: frozenset[tuple[str, str]] = frozenset()
    given: Mapping[str, Node] = field(default_factory=dict)
    left_out: list[tuple[str, str, str]] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    unsent: list[str] = field(default_factory=list)


class Reading:
    """Where in the documents each part of the case document came from, and what could not be read."""

    def __init__(self) -> None:
        self.places: dict[str, tuple[etree._Element, str]] = {}
        self.refused: list[tuple[etree._Element, str, str]] = []

    def refuse(self, element: etree._Element, rule: str, message: str) -> None:
        """Note an element that the case document cannot carry."""
        self.refused.append((element, rule, message))


class Converter:
    """``whole`` converters take a list as one value; the others take its entries one by one."""

    whole = False

    def write(self, value: Any, path: str, item: Item, parent: Node, writing: Writing) -> None:
        """Add what ``value`` becomes to ``parent``."""
        raise NotImplementedError

    def write_absent(self, path: str, item: Item, parent: Node) -> None:
        """Add what stands for a field that is absent: nothing, but where a converter says otherwise."""

    def read(self, element: etree._Element, text: str, path: str, reading: Reading) -> Any:
        """Give the case document's value for ``element``, or for an attribute of it, whose text is given."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Scalar(Converter):
    """A value that is written as one text; ``suffix`` names the part of the value it stands for."""

    to_text: Callable[[Any], str | None]
    from_text: Callable[[str], Any]
    suffix: str = ""

    def write(self, value: Any, path: str, item: Item, parent: Node, writing: Writing) -> None:
        """Add the text, unless the value has none."""
        written = self.to_text(value)
        if written is None:
            return
        path += self.suffix
        text, replaced = for_xml(written)
        if replaced:
            writing.replaced.append(path)
        if item.name == "#text":
            parent.text, parent.text_path = text, path
        elif item.name.startswith("@"):
            parent.attributes.append(Node(item.name[1:], item.type, path, text))
        else:
            parent.children.append(Node(item.name, item.type, path, text))

    def read(self, element: etree._Element, text: str, path: str, reading: Reading) -> Any:
        """Read the text."""
        return self.from_text(text)


def _same(text: str) -> str:
    return text


def _stripped(text: str) -> str:
    return text.strip(" \t\n\r")


def text_of_type(type_name: str) -> Scalar:
    """Keep text as written; white space around it goes where the type gives it no meaning."""
    return Scalar(_same, _stripped if SIMPLE_TYPES[type_name].collapses else _same)


def words(table: Mapping[str, str]) -> Scalar:
    """Translate by a table of words."""
    back = {theirs: ours for ours, theirs in table.items()}
    return Scalar(table.__getitem__, back.__getitem__)


BOOLEAN = Scalar(lambda value: "true" if value else "false", lambda text: _stripped(text) in {"true", "1"})
#: Reports to other authorities mean nothing to NCMEC.
PRIOR = Scalar(
    lambda prior: prior.reference if prior.authority == "ncmec" else None,
    lambda text: {"authority": "ncmec", "reference": _stripped(text)},
    ".reference",
)
#: The presence of the element escalates, so only a person's immediate urgency, with a reason, writes it.
ESCALATION = Scalar(
    lambda urgency: urgency.reason if urgency.level == "immediate" and (urgency.reason or "").strip() else None,
    lambda text: {"level": "immediate", "reason": text},
    ".reason",
)


@dataclass(frozen=True, slots=True)
class Nested(Converter):
    """A part that becomes an element of its own."""

    codec: Callable[[], Codec]

    def write(self, value: Any, path: str, item: Item, parent: Node, writing: Writing) -> None:
        """Add the element."""
        parent.children.append(self.codec().write(value, path, item.name, writing))

    def read(self, element: etree._Element, text: str, path: str, reading: Reading) -> Any:
        """Read the element."""
        return self.codec().read(element, path, reading)


@dataclass(frozen=True, slots=True)
class Human(Nested):
    """A person, whose element is left out where only the fact about all e-mail addresses is known."""

    def write(self, value: Any, path: str, item: Item, parent: Node, writing: Writing) -> None:
        """Add the element where it is required or has something to say."""
        known = {name for name in value.model_fields_set if getattr(value, name) is not None}
        if item.required or known != {"all_emails_reported"}:
            Nested.write(self, value, path, item, parent, writing)

    def write_absent(self, path: str, item: Item, parent: Node) -> None:
        """Add the empty element where it is required."""
        if item.required:
            parent.children.append(Node(item.name, item.type, path))


@dataclass(frozen=True, slots=True)
class Involved(Nested):
    """The people of one role."""

    role: str

    def write(self, value: Any, path: str, item: Item, parent: Node, writing: Writing) -> None:
        """Add the element of a person who has the role."""
        if self.role in value.roles:
            Nested.write(self, value, path, item, parent, writing)

    def read(self, element: etree._Element, text: str, path: str, reading: Reading) -> Any:
        """Read a person, who is given a number and this one role."""
        number = int(path[path.rindex("[") + 1 : -1]) + 1
        known = self.codec().read(element, path, reading)
        if (
            known.get("person", {}).keys() == {"all_emails_reported"}
            and element.find(f"{name_of(element)}Person") is not None
        ):
            known["person"]["emails"] = []  # an empty element is content of its own
        return {"id": f"p{number}", "roles": [self.role], **known}


@dataclass(frozen=True, slots=True)
class Flags(Converter):
    """A list of words, each an empty element."""

    table: Mapping[str, str]
    whole = True

    def write(self, value: Any, path: str, item: Item, parent: Node, writing: Writing) -> None:
        """Add the list's element, however empty, with its words in the list's order."""
        node = Node(item.name, item.type, path)
        for index, word in enumerate(value):
            name = self.table[word]
            if (item.type, name) in writing.omitted:
                writing.left_out.append((f"{path}[{index}]", item.type, name))
            else:
                node.children.append(Node(name, "flag", f"{path}[{index}]"))
        parent.children.append(node)

    def read(self, element: etree._Element, text: str, path: str, reading: Reading) -> Any:
        """Read the words."""
        back = {theirs: ours for ours, theirs in self.table.items()}
        for child in elements(element):
            if name_of(child) not in back:
                reading.refuse(child, "not_carried", "the case document has no word for it")
        return [back[name_of(child)] for child in elements(element) if name_of(child) in back]


@dataclass(frozen=True, slots=True)
class OneOf(Converter):
    """A part that becomes one of several elements, by its ``kind``."""

    names: Mapping[str, str]
    codec: Callable[[str], Codec]

    def write(self, value: Any, path: str, item: Item, parent: Node, writing: Writing) -> None:
        """Add the element with its one choice."""
        name = self.names[value.kind]
        choice = self.codec(name).write(value, path, name, writing)
        parent.children.append(Node(item.name, item.type, path, children=[choice]))

    def read(self, element: etree._Element, text: str, path: str, reading: Reading) -> Any:
        """Read the one choice."""
        (choice,) = elements(element)
        kind = next(kind for kind, name in self.names.items() if name == name_of(choice))
        return {"kind": kind, **self.codec(name_of(choice)).read(choice, path, reading)}
