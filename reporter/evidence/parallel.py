"""Small pieces of work several at once: most of the time of each is waiting for the disk or a store to keep it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

AT_ONCE = 8
#: Pieces that are begun or waiting, so that a hundred thousand never stand in memory.
_BEGUN = 4 * AT_ONCE

_Item = TypeVar("_Item")


def each(
    work: Callable[[_Item], None], items: Iterable[_Item], alone: Callable[[_Item], bool] = lambda _: False
) -> None:
    """
    Do ``work`` on every item; on those to be done ``alone`` in this thread, with nothing beside it.

    The error of the earliest item that fails is raised. By then nothing runs any more, and what had not begun never
    does.
    """
    begun: deque[Future[None]] = deque()
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="each") as pool:
        try:
            for item in items:
                by_itself = alone(item)
                while begun and (by_itself or len(begun) >= _BEGUN):
                    begun.popleft().result()
                if by_itself:
                    work(item)
                else:
                    begun.append(pool.submit(work, item))
            while begun:
                begun.popleft().result()
        finally:
            for waiting in begun:
                waiting.cancel()
