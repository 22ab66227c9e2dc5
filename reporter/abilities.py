"""What some adapters are besides: told by people, able to import or to probe, looked at in a check-up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol, runtime_checkable

from reporter.authority import Adapter, Connection, Document, Format, Imported, Package
from reporter.errors import UsageError
from reporter.organisation import Organisation


@dataclass(frozen=True, slots=True)
class Printed:
    """What a person is handed besides the documents of a package, made from them; ``notes`` say what to know of it."""

    documents: tuple[Document, ...] = ()
    notes: tuple[str, ...] = ()


@runtime_checkable
class Handoff(Format, Protocol):
    """
    Our code for an authority that people tell: there is no plan and nothing to connect to.

    Found by the entry point group ``reporter.handoffs``, whose entries each give any number of them. What it builds
    holds no file of the case, and every document that it gives says where it is not production.
    """

    #: How people tell it: portal, form or writing.
    means: str

    def printed(self, package: Package, font: str | None = None) -> Printed:
        """
        Give the documents of an approved package in other forms, the same bytes each time on one machine.

        Raises:
            ConfigurationError: The font cannot be used.

        """
        ...


#: By name, whoever tells the authority.
Adapters = Mapping[str, Adapter | Handoff]


def machine(adapter: Adapter | Handoff) -> Adapter:
    """
    Give an adapter that calls its authority.

    Raises:
        UsageError: People tell this authority.
    """
    if isinstance(adapter, Handoff):
        raise UsageError(
            f"{adapter.name} is told by people: there is nothing to call.",
            next_step=f"See: reporter submission hand-out --help, and docs/authorities/{adapter.name}.md",
        )
    return adapter


@runtime_checkable
class Importing(Protocol):
    """An adapter that can read its authority's own documents back into a case."""

    name: str

    def read(self, documents: Sequence[bytes], reference: str, now: datetime, actor: str) -> Imported:
        """
        Read documents of the authority's own format into a case document (``confirmation`` pending).

        Raises:
            DocumentError: They are malformed, or hold what the case document cannot carry, named by element path.

        """
        ...


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing that an adapter assumes of its authority, and what the authority did."""

    question: str
    assumed: str
    observed: str

    @property
    def agrees(self) -> bool:
        """Whether the authority did what is assumed."""
        return self.assumed == self.observed


@runtime_checkable
class Probing(Protocol):
    """An adapter that can ask its authority's test system about what it only assumes."""

    def probe_assumptions(
        self, connection: Connection, organisation: Organisation, now: datetime
    ) -> Sequence[Observation]:
        """
        Try with harmless documents what no documentation says; drafts that stay open are withdrawn.

        Raises:
            AuthorityTroubleError: The authority cannot be asked.
        """
        ...


@runtime_checkable
class Examined(Protocol):
    """An adapter with more to look at in a check-up than its endpoint; it brings its schema, and none is fetched."""

    def examine(
        self, settings: Mapping[str, Any], organisation: Organisation, today: date
    ) -> Iterator[tuple[str, str, str]]:
        """Give what was looked at: its name, ok, warn or fail, and in words what to do."""
        ...
