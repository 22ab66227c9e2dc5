"""Several at once: every item once, errors in their place, nothing left running."""

import threading
from collections.abc import Iterator

import pytest

from reporter.evidence.parallel import AT_ONCE, each


class BrokenError(Exception):
    """What a piece of work fails with."""


@pytest.mark.parametrize("count", [0, 1, 3, 1000])
def test_every_item_is_done_once(count: int) -> None:
    done: list[int] = []
    each(done.append, range(count))
    assert sorted(done) == list(range(count))


def test_as_many_as_promised_are_under_way_at_once() -> None:
    meeting = threading.Barrier(AT_ONCE, timeout=30)
    each(lambda _item: [None for _ in [meeting.wait()]] and None, range(AT_ONCE))


def test_what_is_done_alone_has_nothing_beside_it() -> None:
    running: list[int] = []
    seen: list[tuple[int, int, bool]] = []

    def work(item: int) -> None:
        running.append(item)
        seen.append((item, len(running), threading.current_thread() is threading.main_thread()))
        running.remove(item)

    each(work, range(50), alone=lambda item: item % 10 == 5)
    assert [(count, main) for item, count, main in seen if item % 10 == 5] == [(1, True)] * 5
    assert not any(main for item, _, main in seen if item % 10 != 5)


@pytest.mark.parametrize("kind", [BrokenError, KeyboardInterrupt])
def test_an_error_comes_out_once_nothing_runs_any_more(kind: type[BaseException]) -> None:
    begun: list[int] = []
    before = threading.active_count()

    def work(item: int) -> None:
        begun.append(item)
        if item == 3:
            raise kind(item)

    with pytest.raises(kind, match="3"):
        each(work, range(10_000))
    assert threading.active_count() == before
    assert len(begun) < 100, "what had not begun never does"


def test_items_are_drawn_as_they_are_needed() -> None:
    drawn = done = most = 0

    def items() -> Iterator[int]:
        nonlocal drawn
        for item in range(2000):
            drawn += 1
            yield item

    def work(_item: int) -> None:
        nonlocal done, most
        most, done = max(most, drawn - done), done + 1

    each(work, items())
    assert done == 2000
    assert most <= 5 * AT_ONCE
