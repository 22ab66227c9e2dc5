"""
Handing an approved submission to a person, who tells its authority by portal, form or in writing.

No worker ever claims it. What takes a call's place is a person's word that it was told, so a hand-out counts as a call
that may have filed: it is on record, and in the object store, before the first byte leaves; a revision of the case does
not touch it any more; and it is not begun anew before people say that it was not filed.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, update
from sqlmodel import col

from reporter.abilities import Handoff
from reporter.audit import service as audit
from reporter.authority import Environment, Package
from reporter.cases.service import CaseService
from reporter.clock import Clock
from reporter.db.engine import reading, transaction
from reporter.delivery import forgotten
from reporter.delivery.markers import Markers, series_of
from reporter.delivery.model import Marker, forgetting, lane_name
from reporter.delivery.queue import Queue
from reporter.delivery.tables import HandOut
from reporter.errors import NeedsPersonError, NotFoundError, PolicyError
from reporter.evidence.bodies import BodyVault
from reporter.export.tar import Member, archive
from reporter.handouts.settings import file_of, recipient_key
from reporter.submissions import by_hand
from reporter.submissions.model import State
from reporter.submissions.packaging import Desk
from reporter.submissions.service import SubmissionService
from reporter.submissions.tables import Submission

_SUFFIXES = {"text/html": "html", "application/pdf": "pdf", "application/json": "json", "text/csv": "csv"}


@dataclass(frozen=True, slots=True)
class HandedOut:
    """
    What a person is given: ``files`` by name, or where a recipient's key is configured the one file sealed to it.

    ``archive`` is all of it as one file, called ``name``. ``digest`` is what people approved. ``sealed_to`` is the
    fingerprint of the recipient's key, empty where it leaves in the clear. ``notes`` say what to know of it.
    """

    authority: str
    environment: Environment
    means: str
    digest: str
    files: Mapping[str, bytes] = field(repr=False)
    name: str
    archive: bytes = field(repr=False)
    sealed_to: str
    notes: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """Give the digest of the archive."""
        return hashlib.sha256(self.archive).hexdigest()


class HandOuts:
    """The use case of handing out; ``home`` is where relative paths of the configuration begin."""

    def __init__(
        self,
        database: Engine,
        clock: Clock,
        home: Path,
        cases: CaseService,
        submissions: SubmissionService,
        queue: Queue,
        bodies: BodyVault,
        desks: Mapping[str, Desk],
        markers: Markers,
    ) -> None:
        self._database, self._clock, self._home, self._cases = database, clock, home, cases
        self._submissions, self._queue, self._bodies, self._desks = submissions, queue, bodies, desks
        self._markers = markers

    def hand_out(self, reference: str, authority: str, actor: str, *, again: bool = False) -> HandedOut:
        """
        Put on record that a person is handed an approved submission, and give it to them.

        Raises:
            NotFoundError: The authority is not configured.
            PolicyError: It is delivered by a worker, is not approved, was handed out before, or deliveries stand still.
            NeedsPersonError: The object store remembers a filing that this database has forgotten.
            ConfigurationError: The font or the recipient's key cannot be used.
            EnvironmentTroubleError: The object store does not work.
        """
        desk, adapter = self._desk(authority)
        with reading(self._database) as connection:
            row = self._submissions.latest(connection, reference, authority, desk.environment)
        row = _require(row, reference, desk, again=again)
        frozen = self._submissions.frozen_package(row.id)
        if frozen.missing:
            raise PolicyError(f"{reference} for {authority} was approved by no signature that holds.")
        if frozen.protected:
            raise PolicyError(
                f"{reference} for {authority} names a contact of ours whom nobody knew as one when it was approved.",
                next_step="Withdraw it, look at everyone it names, and approve it anew.",
            )
        out, plain = self._given(reference, desk, adapter, frozen.package, row.digest)
        marker = self._record(desk, row, out, plain, actor, again=again)
        self._markers.append(series_of(marker.lane, reference), marker)
        return out

    def _given(
        self, reference: str, desk: Desk, adapter: Handoff, package: Package, digest: str
    ) -> tuple[HandedOut, bytes]:
        """Give what leaves, and its archive before it was encrypted."""
        font, key = (
            file_of(desk.settings, "font", self._home),
            recipient_key(desk.settings, self._home, self._clock.now()),
        )
        printed = adapter.printed(package, str(font) if font else None)
        stem = f"{reference}-{package.authority}"
        files = {
            f"{stem}.{_SUFFIXES.get(document.media_type, document.name)}": document.body
            for document in (*package.documents, *printed.documents)
        }
        members = (Member(name, len(content), [content]) for name, content in sorted(files.items()))
        plain = b"".join(archive(members, 0))
        name, sealed = f"{stem}.tar", plain
        if key is not None:
            name, sealed = f"{stem}{key.suffix}", b"".join(key.encrypt(iter([plain])))
            files = {name: sealed}
        fingerprint = key.fingerprint if key else ""
        out = HandedOut(
            package.authority, desk.environment, adapter.means, digest, files, name, sealed, fingerprint, printed.notes
        )
        return out, plain

    def _record(self, desk: Desk, seen: Submission, out: HandedOut, plain: bytes, actor: str, *, again: bool) -> Marker:
        """Put it on record, unless something stands against it that was not seen before; give its marker."""
        now, reference = self._clock.now(), seen.reference
        lane = lane_name(out.authority, desk.environment)
        marker = Marker(uuid.uuid4().hex, lane, seen.id, 0, "", now)
        with transaction(self._database) as connection:
            self._cases.current_revision(connection, reference)
            self._queue.hold(connection, reference)
            if forgotten.standing(connection) is not None:
                raise PolicyError("Deliveries are quarantined, and so is this.", next_step="See: reporter db status")
            row = self._submissions.latest(connection, reference, out.authority, desk.environment)
            row = _require(row, reference, desk, again=again)
            if (row.id, row.digest) != (seen.id, seen.digest):
                raise PolicyError(f"{reference} was changed meanwhile.", next_step="Look at it again.")
            marked = forgotten.unremembered(connection, self._markers.of(series_of(lane, reference)))
            if marked:
                self._doubt(connection, row, marked, actor)
            else:
                self._hand_over(connection, row, out, plain, marker, actor)
        if marked:
            raise NeedsPersonError(forgetting(marked), next_step="Ask the authority; then: reporter delivery resolve")
        return marker

    def _hand_over(
        self, connection: Connection, row: Submission, out: HandedOut, plain: bytes, marker: Marker, actor: str
    ) -> None:
        now = marker.at
        connection.execute(
            insert(HandOut).values(
                submission_id=row.id,
                at=now,
                actor=actor,
                sealed_to=out.sealed_to,
                sha256=out.sha256,
                size=len(out.archive),
                body=self._bodies.seal(connection, row.reference, "handed_out", plain, now),
                marker=marker.entry,
            )
        )
        how = f"sealed to {out.sealed_to}" if out.sealed_to else "in the clear"
        self._tell(connection, row, actor, "submission_handed_out", f"sha256:{out.sha256} {how}")
        if row.state == State.APPROVED:
            reason = f"Handed to {actor}, who tells the authority; the receipt is awaited."
            self._move(connection, row, State.DELIVERING, reason, actor)

    def _doubt(self, connection: Connection, row: Submission, marked: list[Marker], actor: str) -> None:
        forgotten.remember(connection, row.id, marked, self._clock.now())
        self._move(connection, row, State.IN_DOUBT, forgetting(marked), actor)
        self._tell(connection, row, actor, f"submission_{State.IN_DOUBT}")

    def _move(self, connection: Connection, row: Submission, state: State, reason: str, actor: str) -> None:
        connection.execute(update(Submission).where(col(Submission.id) == row.id).values(state=state, reason=reason))
        by_hand.keep(connection, self._clock.now(), row, state, actor)

    def _tell(self, connection: Connection, row: Submission, actor: str, kind: str, more: str = "") -> None:
        audit.record(
            connection, at=self._clock.now(), actor=actor, kind=kind, reference=row.reference, item=row.id,
            detail=f"{row.authority} {row.environment} {more}".strip(),
        )  # fmt: skip

    def _desk(self, authority: str) -> tuple[Desk, Handoff]:
        if authority not in self._desks:
            raise NotFoundError(f"Authority {authority} is not configured.")
        desk = self._desks[authority]
        if not isinstance(desk.adapter, Handoff):
            raise PolicyError(f"{authority} is told by a worker, never by hand.", next_step="Run: reporter deliver")
        return desk, desk.adapter


def _require(row: Submission | None, reference: str, desk: Desk, *, again: bool) -> Submission:
    """Give a submission that may be handed out now."""
    where = f"{reference} for {desk.adapter.name} ({desk.environment})"
    if row is not None and (row.state == State.APPROVED or (row.state == State.DELIVERING and again)):
        return row
    if row is not None and row.state == State.DELIVERING:
        raise PolicyError(
            f"{where} was handed out already, and may have been filed: {row.reason}",
            next_step="Give --again to be handed the same once more, or record its receipt.",
        )
    state = row.state.replace("_", " ") if row else "not approved yet"
    raise PolicyError(f"{where} is {state}: only what is approved leaves (law 1).")
