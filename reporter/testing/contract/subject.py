"""What a subclass says of its adapter, and what the suites make of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from pydantic import SecretStr

from reporter.abilities import Handoff
from reporter.authority import (
    Adapter,
    Answer,
    Call,
    Connection,
    Endpoint,
    Environment,
    EvidenceFacts,
    Outcome,
    Package,
    Packaging,
    Step,
)
from reporter.cases.model import Case, Email
from reporter.organisation import Contact, Organisation
from reporter.submissions.frozen import freeze, thaw
from reporter.testing.bench import chunks
from reporter.testing.clock import FakeClock
from reporter.testing.documents import case_document

USERNAME, PASSWORD = "contract-user", "contract-Pa55word"
#: Harmless files by item; the ids are those that an import gives again.
FILES = {"e1": b"harmless contents of the first", "e2": b"harmless contents of the second" * 4000}


#: One of each kind of trouble that needs no knowledge of the authority, as the doubles' fault scripts write it.
GENERIC_FAULTS = (
    "refuse",
    "drop_before",
    "drop_after",
    "cut",
    "truncate",
    "oversize",
    "delay=20",
    "delay=40",
    "drip=0.01",
    "drip=40",
    "html",
    "html=200",
    "html=200 processed",
    "status=500",
    "status=503 processed",
    "status=204",
    "throttle=60",
    "wrong_digest",
)


@dataclass(frozen=True, slots=True)
class Held:
    """
    A report as the double holds it: filed or still a draft, with the bytes of its files.

    ``gone`` is a draft that was withdrawn or has expired and can never be filed any more. ``in_order`` says whether
    what belongs to the files besides their bytes is there and right.
    """

    reference: str
    filed: bool
    files: tuple[bytes, ...] = field(repr=False)
    gone: bool = False
    in_order: bool = True


class Faults(Protocol):
    """The double's fault script; ``adapters._faults.FaultScript`` is one."""

    @property
    def unfired(self) -> Sequence[str]:
        """The lines that have not fired yet."""
        ...


class Seen(Protocol):
    """One request in the double's journal."""

    @property
    def endpoint(self) -> str:
        """The double's name for the call, as fault scripts use it."""
        ...


class Double(Protocol):
    """What the suites use of a double; ``adapters._double.Double`` has it all."""

    @property
    def faults(self) -> Faults: ...
    @property
    def requests(self) -> Sequence[Seen]: ...
    def transport(self) -> Any:
        """Give what takes the place of the network."""
        ...


class FormatSubject:
    """
    What is under test, be it an adapter that calls its authority or one of an authority that people tell.

    ``changes`` replace top-level fields of the case document where the default one (one suspect, some text files) is
    not ready for the authority.
    """

    adapter: Adapter | Handoff
    settings: Mapping[str, Any] = {}
    changes: Mapping[str, Any] = {}
    organisation = Organisation(
        name="Example Forum Ltd",
        reporting_person=Contact(
            first_name="Alex", last_name="Example", emails=(Email(address="safety@forum.example"),)
        ),
    )

    def case(self, files: Mapping[str, bytes], **changes: Any) -> Case:
        """Give a case with these files."""
        return Case.model_validate(case_document("CONTRACT-01", files=files, **{**self.changes, **changes}))

    def packaging(
        self,
        case: Case,
        files: Mapping[str, bytes],
        later: timedelta = timedelta(0),
        environment: Environment = Environment.SANDBOX,
    ) -> Packaging:
        """Give what the house adds to a case whose files are sealed."""
        facts = {item.id: _facts(item.id, files.get(item.id, b"harmless")) for item in case.evidence or ()}
        now = FakeClock().now() + later
        return Packaging(self.organisation, environment, facts, now, settings=self.settings)

    def package(self, files: Mapping[str, bytes]) -> Package:
        """Build a package, frozen and thawed as on its way to delivery."""
        case = self.case(files)
        built = self.adapter.build(case, self.packaging(case, files))
        return thaw(freeze(built, reference=case.reference, revision=1, environment=Environment.SANDBOX).content)


class AdapterSubject(FormatSubject):
    """
    The adapter under test. A subclass sets ``adapter`` and writes ``held``; the rest has defaults.

    ``mocked`` is true for one whose authority's interface is not public, so that only the sandbox can be reached.

    ``own_faults`` are lines of the double's fault script without the endpoint, in the dialect of this authority; they
    are tried as ``GENERIC_FAULTS`` are. Of these, ``lies`` state as fact what is not so, and go wrong alone: no client
    can be right where it is lied to twice. ``own_classes`` holds one for each outcome that no generic fault brings
    about, such as a refusal. ``expiry`` is longer than any draft lives.
    """

    adapter: Adapter
    mocked: bool = False
    own_faults: tuple[str, ...] = ()
    own_classes: tuple[str, ...] = ()
    lies: frozenset[str] = frozenset()
    expiry: timedelta = timedelta(hours=25)

    def held(self, double: Any) -> Iterable[Held]:
        """Give every report that the double holds, drafts too; a file outside any report counts as a draft's."""
        raise NotImplementedError

    # --- what the suites make of it -------------------------------------------------------------------------

    def double(self, clock: FakeClock, faults: str = "") -> Any:
        """Give a fresh double that takes our credentials."""
        return self.adapter.double(clock, faults, username=USERNAME, password=PASSWORD)

    def connect(self, double: Double, password: str = PASSWORD) -> Connection:
        """Connect to a double inside the process."""
        url = self.adapter.endpoint_url(Environment.SANDBOX, None)
        endpoint = Endpoint(Environment.SANDBOX, url, USERNAME, SecretStr(password), timeout_seconds=30.0)
        return self.adapter.connect(endpoint, double.transport())

    def walk(self, double: Double, files: Mapping[str, bytes]) -> Walk:
        """Give a walk through the plan of a package with these files, on a connection of its own."""
        return Walk(self.adapter, self.connect(double), self.package(files), files)

    @property
    def faults(self) -> tuple[str, ...]:
        """Everything that can go wrong with a call."""
        return tuple(dict.fromkeys((*GENERIC_FAULTS, *self.own_faults)))

    @property
    def classes(self) -> tuple[str, ...]:
        """
        Give one fault for each outcome that the engine can tell apart: it sees nothing else of an answer.

        They are: not sent, unknown with nothing done and with the work done, retryable, other bytes, credentials
        refused, and the authority's own.
        """
        return ("refuse", "drop_before", "drop_after", "throttle=60", "wrong_digest", "status=401", *self.own_classes)

    def filed(self, double: Any) -> list[Held]:
        """Give the reports that are filed."""
        return [report for report in self.held(double) if report.filed]


class Walk:
    """Performs the steps of a plan one by one: what one call taught is there for the next."""

    def __init__(self, adapter: Adapter, connection: Connection, package: Package, files: Mapping[str, bytes]) -> None:
        self.connection, self.package, self.files = connection, package, files
        self.plan = adapter.plan(package)
        self.ids: dict[str, str] = {}
        self.answers: list[Answer] = []
        self.beats = 0
        self.open_item: Callable[[str], Any] = lambda item: chunks(self.files[item])
        self.heartbeat = self._beat

    def perform(self, step: Step, connection: Connection | None = None) -> Answer:
        """Make the call of one step, on another connection if one is given."""
        call = Call(step, self.package, dict(self.ids), self.open_item, self.heartbeat)
        answer = (connection or self.connection).perform(call)
        self.answers.append(answer)
        self.ids.update(answer.ids)
        return answer

    def to_the_end(self) -> Answer:
        """Perform every step; each must be accepted."""
        for step in self.plan.steps:
            answer = self.perform(step)
            assert answer.outcome is Outcome.ACCEPTED, f"{step.key}: {answer}"
        return answer

    def _beat(self) -> None:
        self.beats += 1


def _facts(item: str, content: bytes) -> EvidenceFacts:
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return EvidenceFacts(item, hashlib.sha256(content).hexdigest(), md5, len(content))
