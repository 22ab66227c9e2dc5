"""What a connection does and does not do, call by call."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator

import pytest

from reporter.authority import Answer, Outcome
from reporter.delivery.model import LeaseLostError
from reporter.errors import AuthorityTroubleError, CustodyError
from reporter.testing.bench import chunks
from reporter.testing.clock import FakeClock
from reporter.testing.contract.subject import FILES, PASSWORD, USERNAME, AdapterSubject

_ONE = {"e1": FILES["e1"]}
_LARGE = 5 << 20
_BASIC = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode())


def require_no_secret(answers: list[Answer]) -> None:
    """Hold that what is kept of calls has neither credentials nor an Authorization header (law 5)."""
    for answer in answers:
        assert answer.exchange is not None, "a call keeps what went over the wire"
        kept = answer.exchange.request + answer.exchange.response
        assert b"authorization:" not in answer.exchange.request.lower()
        assert PASSWORD.encode() not in kept
        assert _BASIC not in kept


class ConnectionContract(AdapterSubject):
    """Every step of the plan against the double, without the engine."""

    @pytest.mark.parametrize("count", [0, 1, 2])
    def test_the_plan_files_one_report_with_equal_files(self, count: int) -> None:
        files = dict(list(FILES.items())[:count])
        double = self.double(FakeClock())
        walk = self.walk(double, files)
        answer = walk.to_the_end()
        (report,) = self.filed(double)
        assert sorted(report.files) == sorted(files.values())
        assert answer.reference == report.reference != ""
        assert answer.discrepancy == ""
        assert len(double.requests) == len(walk.plan.steps), "a step is one call"

    def test_an_exchange_is_kept_without_secrets_and_without_evidence(self) -> None:
        walk = self.walk(self.double(FakeClock()), FILES)
        walk.to_the_end()
        require_no_secret(walk.answers)
        kept = b"".join(answer.exchange.request for answer in walk.answers if answer.exchange)
        for content in FILES.values():
            assert content not in kept, "an upload is kept as its envelope"
            assert hashlib.sha256(content).hexdigest().encode() in kept, "the envelope names the digest of the item"

    def test_a_probe_touches_no_report(self) -> None:
        double = self.double(FakeClock())
        answer = self.connect(double).probe()
        assert answer.outcome is Outcome.ACCEPTED
        assert list(self.held(double)) == []
        require_no_secret([answer])

    def test_the_authoritys_schema_if_it_has_one_takes_the_package(self) -> None:
        try:
            schema = self.connect(self.double(FakeClock())).fetch_schema()
        except AuthorityTroubleError:
            return
        assert list(self.adapter.validate(self.package(FILES), schema)) == []

    def test_wrong_credentials_are_called_so_at_every_step_and_change_nothing(self) -> None:
        double = self.double(FakeClock())
        walk, stranger = self.walk(double, _ONE), self.connect(double, password="another")  # noqa: S106
        assert stranger.probe().outcome is Outcome.UNAUTHORISED
        withdraw, find = walk.plan.abandon, walk.plan.look_up
        for step in walk.plan.steps:
            assert walk.perform(step, stranger).outcome is Outcome.UNAUTHORISED, step.key
            if withdraw is not None and (walk.plan.draft_key or "") in walk.ids:
                assert walk.perform(withdraw, stranger).outcome is Outcome.UNAUTHORISED, withdraw.key
            assert walk.perform(step).outcome is Outcome.ACCEPTED, step.key
        if find is not None:
            assert walk.perform(find, stranger).outcome is Outcome.UNAUTHORISED, find.key
        assert [report.files for report in self.filed(double)] == [tuple(_ONE.values())]

    @pytest.mark.parametrize(
        "unseal",
        [
            lambda content: content[:-1] + b"?",
            lambda content: content[:-1],
            lambda content: content + b"more",
            lambda _content: b"",
        ],
        ids=["other bytes", "too short", "too long", "nothing"],
    )
    def test_evidence_that_unseals_to_other_bytes_is_never_complete_there(
        self, unseal: Callable[[bytes], bytes]
    ) -> None:
        self._breaks(lambda item: chunks(unseal(_ONE[item])))

    def test_a_seal_that_breaks_while_it_is_read_stops_the_upload(self) -> None:
        def broken(item: str) -> Iterator[bytes]:
            yield _ONE[item]
            raise CustodyError(f"Evidence {item} does not open.")

        self._breaks(broken)

    def test_the_lease_is_kept_during_a_long_upload(self) -> None:
        walk = self.walk(self.double(FakeClock()), {"e1": bytes(_LARGE)})
        walk.to_the_end()
        assert walk.beats >= _LARGE >> 20, "the heartbeat comes at least once a MiB"

    def test_a_lost_lease_stops_the_upload(self) -> None:
        def lost() -> None:
            raise LeaseLostError

        double = self.double(FakeClock())
        walk = self.walk(double, _ONE)
        walk.heartbeat = lost
        with pytest.raises(LeaseLostError):
            walk.to_the_end()
        assert _files_in(self, double) == []

    def _breaks(self, open_item: Callable[[str], Iterator[bytes]]) -> None:
        double = self.double(FakeClock())
        walk = self.walk(double, _ONE)
        walk.open_item = open_item
        with pytest.raises(CustodyError):
            walk.to_the_end()
        assert self.filed(double) == []
        assert _files_in(self, double) == []


def _files_in(subject: AdapterSubject, double: object) -> list[bytes]:
    return [content for report in subject.held(double) for content in report.files]
