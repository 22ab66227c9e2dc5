"""Preservation records and the view log: written at intake, and read where "viewed by us" is decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime

from sqlalchemy import Connection, bindparam, exists, insert, select
from sqlmodel import col

from reporter.authority import EvidenceFacts
from reporter.cases.model import Case
from reporter.errors import CustodyError, NotFoundError, UsageError
from reporter.evidence.model import Look, SealedItem
from reporter.evidence.tables import Destruction, EvidenceItem, ViewClaim, ViewRecord

_RECORD = [col(getattr(EvidenceItem, each.name)) for each in fields(SealedItem)]
_DECIDED = exists().where(
    col(Destruction.evidence_id) == col(EvidenceItem.id), col(Destruction.decided_at).is_not(None)
)
_ONE = select(*_RECORD).where(
    col(EvidenceItem.reference) == bindparam("of"),
    col(EvidenceItem.item) == bindparam("item"),
    col(EvidenceItem.sha256) == bindparam("sha256"),
)
_VIEW = ("evidence_id", "by_actor", "at", "extent", "metadata_viewed")
_VIEW_COLUMNS = [col(getattr(ViewRecord, name)) for name in _VIEW]


def record_items(connection: Connection, items: Iterable[SealedItem]) -> None:
    """Write the preservation records of freshly sealed items."""
    rows = [asdict(item) for item in items]
    if rows:
        connection.execute(insert(EvidenceItem), rows)


def sealed_items(connection: Connection, reference: str, *, kept_only: bool = False) -> Sequence[SealedItem]:
    """Give the preservation records of a case: of every file that any revision of it named, or of what is kept yet."""
    query = select(*_RECORD).where(col(EvidenceItem.reference) == reference)
    if kept_only:
        query = query.where(~_DECIDED)
    return [SealedItem(**row) for row in connection.execute(query).mappings()]


def item_of(connection: Connection, evidence_id: str) -> SealedItem | None:
    """Give a preservation record by its own id."""
    row = connection.execute(select(*_RECORD).where(col(EvidenceItem.id) == evidence_id)).mappings().one_or_none()
    return SealedItem(**row) if row else None


def find_item(connection: Connection, reference: str, name: str) -> SealedItem:
    """
    Give the preservation record that a person means by the document's name of an item, or by the record's own id.

    Raises:
        NotFoundError: There is none.
        UsageError: Revisions replaced the file, so that the name means several.

    """
    found = [record for record in sealed_items(connection, reference) if name in (record.item, record.id)]
    if not found:
        raise NotFoundError(
            f"Case {reference} has no sealed item of that name.", next_step=f"See: reporter evidence list {reference}"
        )
    if len(found) > 1:
        ids = ", ".join(f"{record.id} (sha256 {record.sha256[:12]}…)" for record in found)
        raise UsageError(f"Revisions replaced that file. Name the one you mean by its id: {ids}.")
    return found[0]


def sealed_item(connection: Connection, reference: str, item: str, sha256: str) -> SealedItem:
    """
    Give the preservation record of one file.

    Raises:
        CustodyError: It was never sealed here.

    """
    row = connection.execute(_ONE, {"of": reference, "item": item, "sha256": sha256}).mappings().one_or_none()
    if row is None:
        raise CustodyError(f"Evidence {item} of case {reference} is not on record with that digest.")
    return SealedItem(**row)


def destroyed(connection: Connection, reference: str) -> dict[str, str]:
    """Give the destroyed items of a case: the id of the preservation record, and of the certificate."""
    query = select(col(Destruction.evidence_id), col(Destruction.id)).where(
        col(Destruction.reference) == reference, col(Destruction.decided_at).is_not(None)
    )
    return {row.evidence_id: row.id for row in connection.execute(query)}


def destroyed_of(connection: Connection, reference: str, case: Case) -> dict[str, str]:
    """Give the destroyed items of this document, each with the id of its certificate."""
    gone = destroyed(connection, reference)
    if not gone:
        return {}
    return {item: gone[record.id] for item, record in _named(connection, reference, case) if record.id in gone}


def facts(connection: Connection, reference: str, case: Case) -> dict[str, EvidenceFacts]:
    """
    Say of every sealed item of the document, by its id, what is on record; viewed means by a view record alone.

    What was destroyed is not there any more: nothing can be sent of it.
    """
    records = dict(_named(connection, reference, case, kept_only=True))
    query = select(*_VIEW_COLUMNS).join(EvidenceItem, col(EvidenceItem.id) == col(ViewRecord.evidence_id))
    views = connection.execute(query.where(col(EvidenceItem.reference) == reference)).all()
    entire = {view.evidence_id for view in views if view.extent == "entire"}
    metadata = {view.evidence_id for view in views if view.extent == "entire" and view.metadata_viewed}
    return {
        item: EvidenceFacts(
            id=item,
            sha256=record.sha256,
            md5=record.md5 or "",
            size=record.size,
            viewed_entire=record.id in entire,
            metadata_viewed=record.id in metadata,
        )
        for item, record in records.items()
    }


def views_of(connection: Connection, reference: str, case: Case) -> dict[str, list[Look]]:
    """Give the view records of every sealed item of the document, by its id, oldest record first."""
    items = {record.id: item for item, record in _named(connection, reference, case)}
    views: dict[str, list[Look]] = {item: [] for item in items.values()}
    for evidence_id, look in looks(connection, reference):
        if evidence_id in items:
            views[items[evidence_id]].append(look)
    return views


def looks(connection: Connection, reference: str) -> list[tuple[str, Look]]:
    """Give every view record of a case with the id of its preservation record, oldest first."""
    query = (
        select(*_VIEW_COLUMNS, col(ViewRecord.purpose), col(ViewRecord.via))
        .join(EvidenceItem, col(EvidenceItem.id) == col(ViewRecord.evidence_id))
        .where(col(EvidenceItem.reference) == reference)
        .order_by(col(ViewRecord.id))
    )
    return [
        (row.evidence_id, Look(row.by_actor, row.at, row.extent, row.metadata_viewed, row.purpose, row.via))
        for row in connection.execute(query)
    ]


def record_look(connection: Connection, evidence_id: str, look: Look, at: datetime) -> bool:
    """Add one look to the view log, unless it is there already; give whether it was new."""
    told = (evidence_id, look.by, look.at, look.extent, look.metadata_viewed)
    same = [column == value for column, value in zip(_VIEW_COLUMNS, told, strict=True)]
    if connection.execute(select(col(ViewRecord.id)).where(*same)).first() is not None:
        return False
    row = dict(zip(_VIEW, told, strict=True))
    connection.execute(insert(ViewRecord).values(**row, recorded_at=at, purpose=look.purpose, via=look.via))
    return True


def record_views(connection: Connection, reference: str, case: Case, at: datetime) -> int:
    """Add the document's views of its sealed items to the view log, but for those already there; give how many."""
    records = dict(_named(connection, reference, case))
    told = [
        (records[item.id].id, view.by, view.at, view.extent, bool(view.metadata_viewed))
        for item in case.evidence or []
        for view in item.views or []
        if item.id in records
    ]
    query = select(*_VIEW_COLUMNS).where(col(ViewRecord.evidence_id).in_([record.id for record in records.values()]))
    known = {tuple(row) for row in connection.execute(query)}
    new = dict.fromkeys(view for view in told if view not in known)
    if new:
        connection.execute(
            insert(ViewRecord), [{**dict(zip(_VIEW, view, strict=True)), "recorded_at": at} for view in new]
        )
    return len(new)


def record_claims(connection: Connection, reference: str, claims: Mapping[str, Mapping[str, bool]]) -> None:
    """Keep what an imported report claims of views (``file_viewed``, ``exif_viewed``) by item; the first word stays."""
    known = claims_of(connection, reference)
    rows = [
        {
            "reference": reference,
            "item": item,
            "file_viewed": claim.get("file_viewed"),
            "exif_viewed": claim.get("exif_viewed"),
        }
        for item, claim in claims.items()
        if item not in known
    ]
    if rows:
        connection.execute(insert(ViewClaim), rows)


def claims_of(connection: Connection, reference: str) -> dict[str, dict[str, bool]]:
    """Give what an imported report claimed of views, by item: to be shown, never sent."""
    query = select(col(ViewClaim.item), col(ViewClaim.file_viewed), col(ViewClaim.exif_viewed))
    return {
        row["item"]: {name: row[name] for name in ("file_viewed", "exif_viewed") if row[name] is not None}
        for row in connection.execute(query.where(col(ViewClaim.reference) == reference)).mappings()
    }


def _named(
    connection: Connection, reference: str, case: Case, *, kept_only: bool = False
) -> Iterator[tuple[str, SealedItem]]:
    """Pair the items of this document with the records of the very files it names."""
    items = sealed_items(connection, reference, kept_only=kept_only)
    records = {(record.item, record.sha256): record for record in items}
    for item in case.evidence or []:
        if item.sha256 is not None and (item.id, item.sha256) in records:
            yield item.id, records[item.id, item.sha256]
