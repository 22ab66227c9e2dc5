"""
The contract that every adapter fulfils.

An adapter turns a case into a package, declares the plan by which that package is delivered, and performs one step
of the plan at a time. It never decides what happens next: that is the engine's work, from the outcome of each call
and from what the plan says a lost answer means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from pydantic import SecretStr

from reporter.cases.model import Case, Evidence
from reporter.errors import Finding, UsageError
from reporter.organisation import Organisation


class Environment(StrEnum):
    """Where a submission goes; part of the credential, the submission, the receipt and every list."""

    SANDBOX = "sandbox"
    TEST = "test"
    PRODUCTION = "production"


# --- what a package is built from -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EvidenceFacts:
    """What the preservation record and the view log say about one evidence item of the case."""

    id: str
    sha256: str
    md5: str
    size: int
    viewed_entire: bool = False
    metadata_viewed: bool = False


@dataclass(frozen=True, slots=True)
class Earlier:
    """A report that was accepted: its reference, and the remote ids that were learnt while it was delivered."""

    reference: str
    ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Supplement:
    """
    What a further report adds to: the accepted ones, oldest first, and the case as it was when the last was sent.

    ``adds_to`` is the house's own name of the one it adds to.
    """

    earlier: tuple[Earlier, ...]
    sent: Case = field(repr=False)
    adds_to: str = ""

    def has(self, evidence: Evidence) -> bool:
        """Whether an evidence item went to the authority before, and all that is known of it now but who looked."""
        alike = (item for item in self.sent.evidence or [] if item.sha256 == evidence.sha256 is not None)
        return any(_told(item) == _told(evidence) for item in alike)


def _told(evidence: Evidence) -> Evidence:
    return evidence.model_copy(update={"path": None, "views": None})


@dataclass(frozen=True, slots=True)
class Packaging:
    """Everything besides the case document that a package is built from."""

    organisation: Organisation
    environment: Environment
    evidence: Mapping[str, EvidenceFacts]
    now: datetime
    settings: Mapping[str, Any] = field(default_factory=dict)
    schema: bytes | None = None
    supplement: Supplement | None = None


# --- what it becomes --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Check:
    """What an authority's format and rules say about a case: ``needs`` stop approval, ``notes`` are only shown."""

    needs: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a package; ids that the authority gives later stand in it as ``{{report_id}}``."""

    name: str
    media_type: str
    body: bytes = field(repr=False)
    item: str | None = None


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """One evidence file of a package, by reference; its bytes stay sealed until they are sent."""

    item: str
    file_name: str = field(repr=False)
    media_type: str
    size: int
    md5: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Package:
    """
    A case in one authority's format, complete but for the ids given by the authority.

    ``mode`` is the adapter's own word for how this package is delivered: a plan never changes under its deliveries.
    """

    authority: str
    documents: tuple[Document, ...]
    files: tuple[PackagedFile, ...] = ()
    urgent: bool = False
    mode: str = ""

    def document(self, name: str) -> Document:
        """Give the document of that name."""
        return next(document for document in self.documents if document.name == name)

    def file(self, item: str) -> PackagedFile:
        """Give the file of that evidence item."""
        return next(file for file in self.files if file.item == item)


# --- how it is delivered ----------------------------------------------------------------------------------------


class Lost(StrEnum):
    """What a lost answer to a step means."""

    REPEAT = "repeat"  # the same call again is harmless
    RESTART = "restart"  # abandon the remote draft, confirm that it is gone, begin a new attempt
    LOOK_UP = "look_up"  # ask the authority whether it arrived
    ASK = "ask"  # nobody can know: a person decides


class Outcome(StrEnum):
    """What one call came to. Only ``UNKNOWN`` leaves open whether the authority acted."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"  # the content is refused; a person must mend it
    RETRYABLE = "retryable"  # a definite no that may become a yes; nothing happened there
    NOT_SENT = "not_sent"  # the request never left: DNS, connect, pool
    UNKNOWN = "unknown"  # the answer was lost or cannot be trusted
    UNAUTHORISED = "unauthorised"  # credentials or rights; pause the queue and alarm
    MISMATCH = "mismatch"  # the authority holds other bytes than we sent
    GONE = "gone"  # the remote draft was withdrawn or expired; certainly not filed
    MISSING = "missing"  # the authority knows no such draft; it may have been filed and forgotten
    ALREADY = "already"  # the authority says it was filed before


@dataclass(frozen=True, slots=True)
class Step:
    """One remote call of a plan, its key unique in the plan."""

    key: str
    lost: Lost
    item: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """
    The ordered calls of one attempt.

    ``steps[-1]`` is the one that files. ``abandon`` withdraws the remote draft, ``look_up`` asks whether it arrived.
    ``draft_key`` names the remote id without which there is nothing to abandon. ``draft_lifetime`` is how long an
    unfinished draft lives at least; one older than ``stale_after`` is restarted rather than trusted. A call whose
    answer was lost may still be under way there: "not found" settles it only once ``arrives_within`` has passed.

    Raises:
        UsageError: The plan cannot be acted on; the text says why.

    """

    steps: tuple[Step, ...]
    abandon: Step | None = None
    look_up: Step | None = None
    draft_key: str | None = None
    draft_lifetime: timedelta = timedelta(0)
    stale_after: timedelta | None = None
    arrives_within: timedelta = timedelta(minutes=5)  # longer than gateways commonly hold a request

    def __post_init__(self) -> None:
        if fault := next(self._faults(), ""):
            raise UsageError(f"This plan cannot be acted on: {fault}.", next_step="Mend the adapter's plan.")

    def _faults(self) -> Iterator[str]:
        remedies = [step for step in (self.abandon, self.look_up) if step is not None]
        keys = [step.key for step in (*self.steps, *remedies)]
        if not self.steps:
            yield "it has no step"
        if len(set(keys)) < len(keys):
            yield "two steps have the same key"
        for step in self.steps:
            if step.lost is Lost.LOOK_UP and self.look_up is None:
                yield f"{step.key} is to be looked up, and no step looks up"
            if step.lost is Lost.LOOK_UP and step != self.final:
                yield f"{step.key} files nothing, and a look-up finds only what was filed"
            if step.lost is Lost.RESTART and step == self.final and self.abandon is None:
                yield f"{step.key} may have filed, and no step takes it back"
        if self.draft_key is not None and self.abandon is None:
            yield "a draft has a key, and no step abandons it"
        for step in remedies:
            if step.lost is not Lost.REPEAT:
                yield f"{step.key} must be harmless to repeat"
        if self.stale_after is not None and self.stale_after > self.draft_lifetime:
            yield "a draft is dead before it is stale"

    @property
    def final(self) -> Step:
        """The step that files the report."""
        return self.steps[-1]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its response, as they went over the wire; never with the Authorization header."""

    request: bytes = field(repr=False)
    response: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What came of one call.

    ``ids`` are remote ids learnt (kept in the ledger, so never personal data), ``reason`` is text of ours for a
    person, ``discrepancy`` marks an answer that is accepted and yet not what it should be.
    """

    outcome: Outcome
    code: str = ""
    http_status: int | None = None
    request_id: str = ""
    reason: str = ""
    ids: Mapping[str, str] = field(default_factory=dict)
    reference: str = ""
    discrepancy: str = ""
    retry_after: timedelta | None = None
    exchange: Exchange | None = None


class ItemStream(Protocol):
    """The plaintext of one sealed item, verified to its last byte before the iteration ends."""

    def __iter__(self) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class Call:
    """All that an adapter needs to perform one step."""

    step: Step
    package: Package
    ids: Mapping[str, str]
    open_item: Callable[[str], ItemStream]
    heartbeat: Callable[[], None] = lambda: None


class Connection(AbstractContextManager["Connection"], Protocol):
    """An open channel to one authority in one environment."""

    def perform(self, call: Call) -> Answer:
        """Make one remote call. Trouble is an outcome; only a broken seal or a lost lease raises."""
        ...

    def probe(self) -> Answer:
        """Ask whether the authority is there and knows our credentials, without touching any report."""
        ...

    def fetch_schema(self) -> bytes:
        """
        Fetch the authority's own schema.

        Raises:
            AuthorityTroubleError: It could not be had; the text says why.

        """
        ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and as whom to connect, bound to its environment."""

    environment: Environment
    base_url: str
    username: str
    password: SecretStr
    timeout_seconds: float = 60.0
    proxy: str | None = None
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """A case document read from an authority's own format, and what it claims of views without a view record."""

    document: dict[str, Any]
    claims: Mapping[str, Mapping[str, bool]]
    notes: tuple[Finding, ...] = ()


class Format(Protocol):
    """What every authority has: a name, and the way from a case to its package."""

    name: str
    title: str
    #: Digests besides SHA-256 that the authority answers with or its format asks for.
    digests: frozenset[str]
    #: Keys allowed in ``[authority.NAME]`` besides environment, base_url, username and password.
    setting_keys: frozenset[str]

    def check(self, case: Case, packaging: Packaging) -> Check:
        """Hold the case against the authority's format, documented rules and (where fetched) own schema."""
        ...

    def build(self, case: Case, packaging: Packaging) -> Package:
        """Build the package of any case, ready or not, so that it can be previewed; ``check`` says what it lacks."""
        ...


class Adapter(Format, Protocol):
    """Our code for an authority that a machine calls; found by the entry point group ``reporter.adapters``."""

    def endpoint_url(self, environment: Environment, base_url: str | None) -> str:
        """
        Give the base URL for that environment; test and production are pinned here.

        Raises:
            ConfigurationError: The configured URL does not belong to that environment.

        """
        ...

    def validate(self, package: Package, schema: bytes) -> Sequence[Finding]:
        """Hold the exact documents of a frozen package against the authority's schema."""
        ...

    def plan(self, package: Package) -> Plan:
        """Give the calls that deliver this package."""
        ...

    def connect(self, endpoint: Endpoint, transport: Any = None) -> Connection:
        """Open a channel; ``transport`` replaces the network (the double, in tests)."""
        ...

    def double(self, clock: Any, faults: str = "", **behaviour: Any) -> Any:
        """
        Give the authority's double for the sandbox (``reporter.sandbox.server.Double``).

        ``behaviour`` includes at least ``username`` and ``password``.
        """
        ...
