"""
What this adapter assumes of NCMEC without a public record, as questions that its test system can answer.

Reports opened here hold harmless words and bytes. Some are finished, which is what a test system is for; all others are
withdrawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.ncmec import payload
from reporter.abilities import Observation
from reporter.authority import (
    Answer,
    Call,
    Connection,
    Environment,
    EvidenceFacts,
    Lost,
    Outcome,
    Package,
    Packaging,
    Step,
)
from reporter.cases.model import Case
from reporter.errors import AuthorityTroubleError
from reporter.organisation import Organisation

_BYTES = b"Harmless bytes that ask how this interface behaves.\n"
_UNKNOWN_REPORT = "1"


@dataclass(frozen=True, slots=True)
class Prober:
    """Asks, one report for each question."""

    connection: Connection
    organisation: Organisation
    now: datetime

    def observations(self) -> Iterator[Observation]:
        """Ask every question."""
        finished = self._open()
        self._expect("finish", finished)
        yield self._observe("a second /finish", "already 5102", "finish", finished)
        yield self._observe("/retract after /finish", "already 5102", "retract", finished)
        yield self._observe("/finish after both of these", "already 5102", "finish", finished)
        retracted = self._open()
        self._expect("retract", retracted)
        yield self._observe("a second /retract", "gone 5101", "retract", retracted)
        yield self._observe("/finish after /retract", "gone 5101", "finish", retracted)
        unknown = {"report_id": _UNKNOWN_REPORT}
        yield self._observe("/finish of a report that never was", "missing 5001", "finish", unknown)
        yield self._observe("/retract of a report that never was", "missing 5001", "retract", unknown)
        yield from self._files()

    def _files(self) -> Iterator[Observation]:
        draft = self._open()
        try:
            first = self._call("upload:e1", draft)
            second = self._call("upload:e1", draft)
            differ = first.ids.get("file_id:e1") != second.ids.get("file_id:e1")
            seen = f"{_said(second)}, {'another' if differ else 'the same'} file id"
            yield Observation("the same file uploaded twice", "accepted 0, another file id", seen)
            described = {**draft, **first.ids}
            self._expect("details:e1", described)
            yield self._observe("a second /fileinfo for one file", "rejected 4000", "details:e1", described)
            yield self._observe(
                "/fileinfo of an unknown file", "mismatch 5002", "details:e1", {**draft, "file_id:e1": "0" * 32}
            )
        finally:
            self._call("retract", draft)

    def _open(self) -> dict[str, str]:
        answer = self._call("open", {})
        if answer.outcome is not Outcome.ACCEPTED:
            raise AuthorityTroubleError(f"NCMEC opens no report to ask with: {answer.reason or _said(answer)}.")
        return dict(answer.ids)

    def _expect(self, step: str, ids: Mapping[str, str]) -> None:
        answer = self._call(step, ids)
        if answer.outcome is not Outcome.ACCEPTED:
            raise AuthorityTroubleError(f"NCMEC answers a sound {step.partition(':')[0]} with {_said(answer)}.")

    def _observe(self, question: str, assumed: str, step: str, ids: Mapping[str, str]) -> Observation:
        return Observation(question, assumed, _said(self._call(step, ids)))

    def _call(self, key: str, ids: Mapping[str, str]) -> Answer:
        package = _package(self.organisation, self.now, with_file=key.startswith(("upload", "details")))
        return self.connection.perform(Call(Step(key, Lost.REPEAT), package, ids, lambda _item: [_BYTES]))


def _said(answer: Answer) -> str:
    return f"{answer.outcome.value} {answer.code or answer.http_status or ''}".strip()


def _package(organisation: Organisation, now: datetime, *, with_file: bool) -> Package:
    sha256, md5 = hashlib.sha256(_BYTES).hexdigest(), hashlib.md5(_BYTES, usedforsecurity=False).hexdigest()
    moment = (now - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    evidence = [{"id": "e1", "path": "probe.txt", "sha256": sha256, "original_name": "probe.txt"}] if with_file else []
    case = Case.model_validate(
        {
            "case_version": 1,
            "reference": "INTERFACE-PROBE",
            "detected_at": moment,
            "confirmation": {"decision": "confirmed", "by": "probe", "at": moment, "basis": "Interface probe."},
            "incident": {
                "type": "csam",
                "occurred_at": moment,
                "summary": "TEST of the interface; harmless.",
            },
            "evidence": evidence,
        }
    )
    facts = {"e1": EvidenceFacts("e1", sha256, md5, len(_BYTES))} if with_file else {}
    return payload.build(case, Packaging(organisation, Environment.TEST, facts, now))
