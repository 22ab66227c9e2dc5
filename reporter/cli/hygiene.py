"""What the process keeps to itself: no core file holds its keys and plaintext, and no neighbour looks in."""

from __future__ import annotations

import ctypes
import os
import resource
import sys

#: linux/prctl.h; not dumpable also gives /proc/PID/environ and mem to root alone (man 5 proc).
_PR_SET_DUMPABLE = 4


def harden() -> None:
    """Leave no core dumps, let nobody else of this user look in, and make every new file private."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
