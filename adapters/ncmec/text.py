"""What text XML 1.0 can carry, and what stands in for the rest."""

from __future__ import annotations

import re

#: The complement of ``Char`` in XML 1.0, section 2.2.
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
REPLACEMENT = "\ufffd"


def for_xml(text: str) -> tuple[str, bool]:
    """Give ``text`` with U+FFFD for each character that XML cannot carry, and whether there was one."""
    sent, count = _NOT_IN_XML.subn(REPLACEMENT, text)
    return sent, count > 0
