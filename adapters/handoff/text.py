"""Foreign text where people read it: nothing in it may steer, hide or reorder what stands around it."""

from __future__ import annotations

import re
import unicodedata

#: Characters that are not drawn but act, and the bracket by which they are shown.
_ACTING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SHOWN = "\u27e6"
_SPOT = re.compile(r"[^ -~\n\t\u00a1-\u00ac\u00ae-\u02ff]")


def visible(text: str) -> str:
    """Give text in which every acting character stands as its number, such as ``⟦U+202E⟧``; lines stay lines."""
    return _SPOT.sub(lambda match: _shown(match[0]), text.replace("\r\n", "\n"))


def number(character: str) -> str:
    """Give a character as its number."""
    return f"\u27e6U+{ord(character):04X}\u27e7"


def _shown(character: str) -> str:
    acts = character == _SHOWN or unicodedata.category(character) in _ACTING
    return number(character) if acts else character
