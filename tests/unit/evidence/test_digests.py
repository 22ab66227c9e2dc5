"""Digests of streams short and long: the same answers, threads that end, memory that stays."""

import hashlib
import threading
from collections.abc import Iterator

import pytest

from reporter.evidence import digests
from reporter.evidence.digests import LONG, Digests

NAMES = ("md5", "sha1", "sha256")
BLOCK = 1 << 20


def blocks(size: int) -> Iterator[bytes]:
    for start in range(0, size, BLOCK):
        yield bytes([start // BLOCK % 251]) * min(BLOCK, size - start)


@pytest.mark.parametrize("size", [0, 1, LONG - 1, LONG, LONG + 1, LONG + 9 * BLOCK + 7])
def test_digests_and_size_are_those_of_the_whole_stream(size: int) -> None:
    taken = Digests(*NAMES)
    content = b"".join(taken.of(blocks(size)))
    assert content == b"".join(blocks(size))
    assert taken.size == size
    assert [taken[name] for name in NAMES] == [hashlib.new(name, content).hexdigest() for name in NAMES]


def test_a_short_stream_starts_no_thread() -> None:
    before = threading.active_count()
    assert all(threading.active_count() == before for _ in Digests(*NAMES).of(blocks(LONG)))


@pytest.mark.parametrize("end", ["whole", "abandoned", "source fails", "reader fails"])
def test_no_thread_outlives_the_stream(end: str) -> None:
    class BrokenError(Exception):
        """What comes out must be this."""

    def source() -> Iterator[bytes]:
        yield from blocks(LONG + 4 * BLOCK)
        if end == "source fails":
            raise BrokenError

    def read() -> None:
        stream = Digests(*NAMES).of(source())
        for number, _ in enumerate(stream):
            if number == 6 and end == "abandoned":
                stream.close()
            elif number == 6 and end == "reader fails":
                raise BrokenError

    before = threading.active_count()
    if end in ("source fails", "reader fails"):
        with pytest.raises(BrokenError):
            read()
    else:
        read()
    assert threading.active_count() == before


def test_a_slow_digest_holds_the_stream_back(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = done = most = 0

    class Slow:
        def update(self, _piece: bytes) -> None:
            nonlocal done, most
            most, done = max(most, drawn - done), done + 1

    def source() -> Iterator[bytes]:
        nonlocal drawn
        for block in blocks(LONG + 100 * BLOCK):
            drawn += 1
            yield block

    monkeypatch.setattr(digests.hashlib, "new", lambda *_args, **_kwargs: Slow())
    for _ in Digests("md5").of(source()):
        pass
    assert done == drawn == LONG // BLOCK + 100
    assert most <= 6, "what waits, what is being digested and what has just been drawn"
