"""What was done to a log, from what is left: the record, the leaf and the nodes above it bear witness to each other."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, select

from reporter.audit.faults import Fault, Wrong
from reporter.audit.merkle import Place, node_hash
from reporter.audit.tables import Record
from reporter.audit.tree import NODE

_PAGE = 4096
_POSITION = Record.__table__.c.position  # type: ignore[attr-defined]


def leaf_and_record(connection: Connection, position: int, by_record: bytes) -> Fault:
    """Say which of a leaf and its record, that do not belong together, is not what was logged."""
    other = next((at for at, value in leaves(connection) if value == by_record and at != position), None)
    if other is not None:
        return Fault(Wrong.ORDER_CHANGED, position, f"The record of position {other} stands at {position}.")
    parent, sibling = node(connection, Place(1, position >> 1)), node(connection, Place(0, position ^ 1))
    if parent and sibling and parent == _above(position, by_record, sibling):
        return Fault(Wrong.LEAF_ALTERED, position, f"The leaf at {position} is not the one of its record and its tree.")
    return Fault(Wrong.RECORD_ALTERED, position, f"The record at {position} is not the one that was logged.")


def inner_node(connection: Connection, place: Place, stored: bytes | None) -> Fault:
    """Say whether a node was altered that is not the hash of what is under it, or what is under it was."""
    first = place.position << place.level
    what = f"node {place.position} of level {place.level}"
    if stored is None:
        return Fault(Wrong.NODE_ALTERED, first, f"The tree lacks {what}, above position {first}.")
    parent = node(connection, Place(place.level + 1, place.position >> 1))
    sibling = node(connection, Place(place.level, place.position ^ 1))
    vouched = parent and sibling and parent == _above(place.position, stored, sibling)
    if not vouched:
        return Fault(
            Wrong.NODE_ALTERED, first, f"In the tree {what}, above position {first}, is not the hash of its two."
        )
    if place.level > 1:
        return Fault(Wrong.LEAF_ALTERED, first, f"Leaves from {first} on are not those that {what} was made of.")
    return _pair(connection, first, stored)


def _pair(connection: Connection, first: int, parent: bytes) -> Fault:
    """Say which of two leaves is not the one that their node was made of; they may have changed places with others."""
    left, right = node(connection, Place(0, first)) or b"", node(connection, Place(0, first + 1)) or b""
    if node_hash(right, left) == parent:
        return Fault(Wrong.ORDER_CHANGED, first, f"The entries at {first} and {first + 1} changed places.")
    for at, value in leaves(connection):
        for position, made in ((first, node_hash(value, right)), (first + 1, node_hash(left, value))):
            if made == parent:
                return Fault(Wrong.ORDER_CHANGED, position, f"The entry of position {position} stands at {at}.")
    bare = next((at for at in (first, first + 1) if not _has_record(connection, at)), first)  # the other one has proof
    return Fault(Wrong.LEAF_ALTERED, bare, f"The leaf at {bare} was replaced: the node above {first} knows another.")


def _has_record(connection: Connection, position: int) -> bool:
    return connection.execute(select(_POSITION).where(position == _POSITION)).first() is not None


def leaves(connection: Connection) -> Iterator[tuple[int, bytes]]:
    """Give every leaf with its position, page by page."""
    query = select(NODE.c.position, NODE.c.hash).where(NODE.c.level == 0).order_by(NODE.c.position).limit(_PAGE)
    after = -1
    while page := connection.execute(query.where(NODE.c.position > after)).all():
        yield from ((row.position, bytes(row.hash)) for row in page)
        after = page[-1].position


def node(connection: Connection, place: Place) -> bytes | None:
    """Give one stored node."""
    query = select(NODE.c.hash).where(NODE.c.level == place.level, NODE.c.position == place.position)
    found = connection.execute(query).scalar()
    return None if found is None else bytes(found)


def _above(position: int, own: bytes, sibling: bytes) -> bytes:
    return node_hash(sibling, own) if position & 1 else node_hash(own, sibling)
