"""
Fault scripts: trouble on demand for the doubles, one line for each fault.

    ENDPOINT[:WHICH] KIND[=VALUE] [processed]

``ENDPOINT`` is the double's name for a call, or ``*`` for any. ``WHICH`` counts the matching requests since the fault
was added: ``2`` the second, ``2-4``, ``2+`` the second and all after it; without it, every one.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from enum import StrEnum

from reporter.errors import UsageError


class Kind(StrEnum):
    """What goes wrong."""

    REFUSE = "refuse"  # connection refused
    DROP_BEFORE = "drop_before"  # connection lost, nothing processed
    STATUS = "status"  # =HTTP status, empty body
    HTML = "html"  # =HTTP status (502), a page of HTML
    CODE = "code"  # =a code of the authority, or code/HTTP status
    THROTTLE = "throttle"  # 429, =Retry-After in seconds (30)
    WRONG_DIGEST = "wrong_digest"  # processed; other bytes have arrived than were sent
    DROP_AFTER = "drop_after"  # processed; no answer
    CUT = "cut"  # processed; connection lost in the middle of the answer
    TRUNCATE = "truncate"  # processed; half of the body, as if it were all
    OVERSIZE = "oversize"  # processed; the body is padded to =bytes (2 MiB)
    DELAY = "delay"  # processed; the answer comes =seconds later
    DRIP = "drip"  # processed; the body comes 16 bytes at a time, =seconds apart


#: Kinds that answer in the place of the authority; ``processed`` makes the request take effect all the same.
REPLACING = frozenset({Kind.STATUS, Kind.HTML, Kind.CODE, Kind.THROTTLE})
_DEFAULTS = {Kind.STATUS: 503, Kind.HTML: 502, Kind.THROTTLE: 30, Kind.OVERSIZE: 2 << 20, Kind.DELAY: 1, Kind.DRIP: 0.1}
_HTTP_STATUSES = range(200, 600)
_LINE = re.compile(
    r"(?P<endpoint>\*|[a-z_]+)(?::(?P<first>\d+)(?:(?P<open>\+)|-(?P<last>\d+))?)?"
    r"\s+(?P<kind>[a-z_0-9]+)(?:=(?P<value>\d+(?:\.\d+)?)(?:/(?P<status>\d{3}))?)?(?P<processed>\s+processed)?"
)


@dataclass(slots=True)
class Fault:
    """One line of a script; ``seen`` counts the requests it matched by endpoint, ``fired`` those it hit."""

    text: str
    endpoint: str
    kind: Kind
    first: int = 1
    last: float = float("inf")
    value: float = 0
    status: int | None = None
    processed: bool = False
    seen: int = 0
    fired: int = 0

    def hits(self, endpoint: str) -> bool:
        """Count a request and say whether this fault falls on it."""
        if self.endpoint not in ("*", endpoint):
            return False
        self.seen += 1
        hit = self.first <= self.seen <= self.last
        self.fired += hit
        return hit


class FaultScript:
    """The faults of one double; safe for threads."""

    def __init__(self, text: str = "") -> None:
        self._lock = threading.Lock()
        self.faults: list[Fault] = []
        self.add(text)

    def add(self, text: str) -> None:
        """
        Add faults, one a line; they count requests from now on.

        Raises:
            UsageError: A line cannot be read; the text says which.

        """
        lines = [line.partition("#")[0].strip() for line in text.splitlines()]
        faults = [_read(number, line) for number, line in enumerate(lines, 1) if line]
        with self._lock:
            self.faults.extend(faults)

    def take(self, endpoint: str) -> list[Fault]:
        """Give the faults that fall on this request."""
        with self._lock:
            return [fault for fault in self.faults if fault.hits(endpoint)]

    @property
    def unfired(self) -> list[str]:
        """The lines that have not fired yet."""
        return [fault.text for fault in self.faults if not fault.fired]


def _read(number: int, line: str) -> Fault:
    found = _LINE.fullmatch(line)
    if found is None or found["kind"] not in set(Kind):
        raise _unreadable(number, "is not ENDPOINT[:WHICH] KIND[=VALUE] [processed], such as `finish:1 drop_after`")
    kind = Kind(found["kind"])
    first = int(found["first"] or 1)
    single = found["first"] and not found["open"] and not found["last"]
    fault = Fault(
        text=line,
        endpoint=found["endpoint"],
        kind=kind,
        first=first,
        last=first if single else float(found["last"] or "inf"),
        value=float(found["value"] or _DEFAULTS.get(kind, 0)),
        status=int(found["status"]) if found["status"] else None,
        processed=bool(found["processed"]),
    )
    if not 1 <= fault.first <= fault.last:
        raise _unreadable(number, "counts requests from 1 upwards")
    if kind is Kind.CODE and not found["value"]:
        raise _unreadable(number, "lacks its code, as in `code=1000`")
    if kind in (Kind.STATUS, Kind.HTML) and int(fault.value) not in _HTTP_STATUSES:
        raise _unreadable(number, "has no HTTP status from 200 to 599")
    if fault.processed and kind not in REPLACING:
        raise _unreadable(number, "has `processed`, which goes with status, html, code and throttle only")
    return fault


def _unreadable(number: int, why: str) -> UsageError:
    return UsageError(f"Line {number} of the fault script {why}.", next_step=f"Kinds: {', '.join(Kind)}.")
