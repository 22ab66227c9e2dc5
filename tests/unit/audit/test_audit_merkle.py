"""The tree against the words of RFC 6962, section 2.1, written down again as they stand there: recursively."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.audit import merkle
from reporter.audit.merkle import Frontier, Place, Span

LEAVES = [bytes([number % 256, number // 256]) for number in range(300)]


def split(size: int) -> int:
    k = 1
    while k * 2 < size:
        k *= 2
    return k


def mth(data: Sequence[bytes]) -> bytes:
    if not data:
        return hashlib.sha256(b"").digest()
    if len(data) == 1:
        return hashlib.sha256(b"\x00" + data[0]).digest()
    k = split(len(data))
    return hashlib.sha256(b"\x01" + mth(data[:k]) + mth(data[k:])).digest()


def path(m: int, data: Sequence[bytes]) -> list[bytes]:
    if len(data) == 1:
        return []
    k = split(len(data))
    return [*path(m, data[:k]), mth(data[k:])] if m < k else [*path(m - k, data[k:]), mth(data[:k])]


def subproof(m: int, data: Sequence[bytes], whole: bool) -> list[bytes]:
    if m == len(data):
        return [] if whole else [mth(data)]
    k = split(len(data))
    if m <= k:
        return [*subproof(m, data[:k], whole), mth(data[k:])]
    return [*subproof(m - k, data[k:], False), mth(data[:k])]


def grown(size: int) -> tuple[Frontier, dict[Place, bytes]]:
    frontier, nodes = Frontier(), {}
    for leaf in LEAVES[:size]:
        nodes.update(frontier.append(merkle.leaf_hash(leaf)))
    return frontier, nodes


NODES = grown(len(LEAVES))[1]


def hashes(spans: list[Span]) -> list[bytes]:
    """What the stored tree answers: subtrees, folded."""
    return [merkle.fold([NODES[place] for place in merkle.places(span)]) for span in spans]


@pytest.mark.parametrize("size", [*range(40), 127, 128, 129, 300])
def test_a_growing_tree_has_the_root_of_the_definition(size: int) -> None:
    frontier, nodes = grown(size)
    assert frontier.root == mth(LEAVES[:size])
    assert len(nodes) == 2 * size - size.bit_count()
    for (level, index), value in nodes.items():
        assert value == mth(LEAVES[index << level : (index + 1) << level])
    again = Frontier(size, [nodes[place] for place in merkle.places(Span(0, size))])
    assert again.root == frontier.root


def test_a_frontier_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError):
        Frontier(3, [b"x"])


SIZES = st.integers(1, len(LEAVES))


@given(SIZES, st.data())
def test_inclusion_proofs(size: int, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, size - 1))
    proof = hashes(merkle.inclusion(position, size))
    assert proof == path(position, LEAVES[:size])
    leaf, root = merkle.leaf_hash(LEAVES[position]), mth(LEAVES[:size])
    assert merkle.includes(leaf, position, size, proof, root)
    other = data.draw(st.integers(-1, size + 1).filter(lambda at: at != position))
    assert not merkle.includes(leaf, other, size, proof, root)
    assert not merkle.includes(merkle.leaf_hash(b"other"), position, size, proof, root)
    assert not merkle.includes(leaf, position, size, proof, merkle.EMPTY_ROOT)
    assert not merkle.includes(leaf, position, size, [*proof, root], root)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        assert not merkle.includes(leaf, position, size, proof[:at] + proof[at + 1 :], root)
        assert not merkle.includes(leaf, position, size, [*proof[:at], b"\x00" * 32, *proof[at + 1 :]], root)


@given(SIZES, st.data())
def test_consistency_proofs(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(0, new))
    proof = hashes(merkle.consistency(old, new))
    assert proof == (subproof(old, LEAVES[:new], True) if old else [])
    before, after = mth(LEAVES[:old]), mth(LEAVES[:new])
    assert merkle.extends(old, before, new, after, proof)
    assert not merkle.extends(old, mth([b"other"]), new, after, proof)
    assert not merkle.extends(old, before, new, after, [*proof, after])
    if old:
        assert not merkle.extends(old, before, new, mth([b"other"]), proof)
    for at in range(len(proof)):
        assert not merkle.extends(old, before, new, after, proof[:at] + proof[at + 1 :])
        assert not merkle.extends(old, before, new, after, [*proof[:at], b"\x00" * 32, *proof[at + 1 :]])


def test_what_no_tree_has_is_refused() -> None:
    for position, size in ((0, 0), (3, 3), (-1, 3)):
        with pytest.raises(ValueError):
            merkle.inclusion(position, size)
    with pytest.raises(ValueError):
        merkle.consistency(4, 3)
    assert not merkle.extends(4, mth(LEAVES[:4]), 3, mth(LEAVES[:3]), [])
    assert not merkle.extends(4, mth(LEAVES[:4]), 6, mth(LEAVES[:6]), [])


@given(st.integers(0, 10**9))
def test_proofs_are_short(size: int) -> None:
    assert len(merkle.places(Span(0, size))) == size.bit_count()
    if size:
        assert len(merkle.inclusion(size // 3, size)) <= size.bit_length()
        assert len(merkle.consistency(size // 3, size)) <= size.bit_length() + 1
