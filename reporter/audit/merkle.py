"""
The Merkle tree of RFC 6962, section 2.1, as arithmetic on positions and hashes; it stores and reads nothing.

A complete subtree of 2^level leaves is named ``(level, position)`` and covers the leaves from position * 2^level on.
Any range of leaves that begins where such subtrees may begin is a handful of them, folded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple


class Place(NamedTuple):
    """Where a complete subtree stands."""

    level: int
    position: int


class Span(NamedTuple):
    """The leaves from ``begin`` up to, not including, ``end``."""

    begin: int
    end: int


#: MTH({}) = SHA-256().
EMPTY_ROOT = sha256().digest()


def leaf_hash(data: bytes) -> bytes:
    """Give MTH({d}) = SHA-256(0x00 || d)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Give SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def fold(subtrees: Sequence[bytes]) -> bytes:
    """Give the root above complete subtrees, largest first, as ``places`` gives them."""
    if not subtrees:
        return EMPTY_ROOT
    root = subtrees[-1]
    for left in reversed(subtrees[:-1]):
        root = node_hash(left, root)
    return root


def places(span: Span) -> list[Place]:
    """Give the complete subtrees, left to right, that ``fold`` makes MTH(D[begin:end]) of; O(log n) of them."""
    found, begin = [], span.begin
    while begin < span.end:
        level = (span.end - begin).bit_length() - 1
        found.append(Place(level, begin >> level))
        begin += 1 << level
    return found


def inclusion(position: int, size: int) -> list[Span]:
    """
    Give the spans whose roots are PATH(position, D[size]), section 2.1.1: from the leaf's sibling upwards.

    Raises:
        ValueError: There is no such leaf in a tree of that size.
    """
    if not 0 <= position < size:
        raise ValueError("the tree of that size has no such leaf")
    path, (begin, end) = [], (0, size)
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if position < middle:
            path.append(Span(middle, end))
            end = middle
        else:
            path.append(Span(begin, middle))
            begin = middle
    return path[::-1]


def consistency(old: int, new: int) -> list[Span]:
    """
    Give the spans whose roots are PROOF(old, D[new]), section 2.1.2; none where either tree is empty or both are one.

    Raises:
        ValueError: The tree did not grow from ``old`` to ``new``.
    """
    if not 0 <= old <= new:
        raise ValueError("a tree only grows")
    if old in (0, new):
        return []
    path, (begin, end), whole = [], (0, new), True
    while old < end:
        middle = begin + _split(end - begin)
        if old <= middle:
            path.append(Span(middle, end))
            end = middle
        else:
            path.append(Span(begin, middle))
            begin, whole = middle, False
    return [*([] if whole else [Span(begin, end)]), *path[::-1]]


def includes(leaf: bytes, position: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether ``path`` proves that the leaf of that hash stands at ``position`` under ``root`` (RFC 9162, 2.1.3.2)."""
    if not 0 <= position < size:
        return False
    at, last, found = position, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(sibling, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def extends(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether ``path`` proves that the tree of ``new`` leaves begins with that of ``old`` ones (RFC 9162, 2.1.4.2)."""
    if old == new:
        return not path and old_root == new_root
    if old == 0:
        return not path and old_root == EMPTY_ROOT
    if not 0 < old < new:
        return False
    proof = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not proof:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = proof[0]
    for sibling in proof[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


class Frontier:
    """The right edge of a growing tree: all that is needed to append and to know the root."""

    def __init__(self, size: int = 0, subtrees: Iterable[bytes] = ()) -> None:
        self.size, self._subtrees = size, list(subtrees)
        if len(self._subtrees) != size.bit_count():
            raise ValueError("these are not the subtrees of a tree of that size")

    @property
    def root(self) -> bytes:
        """The root of the tree as it is now."""
        return fold(self._subtrees)

    def append(self, leaf: bytes) -> list[tuple[Place, bytes]]:
        """Append the hash of a leaf; give every subtree that it completes, itself first."""
        done = [(Place(0, self.size), leaf)]
        at = self.size
        while at & 1:
            leaf = node_hash(self._subtrees.pop(), leaf)
            at >>= 1
            done.append((Place(len(done), at), leaf))
        self._subtrees.append(leaf)
        self.size += 1
        return done


def _split(size: int) -> int:
    """Give the largest power of two that is smaller than ``size``."""
    return 1 << ((size - 1).bit_length() - 1)
