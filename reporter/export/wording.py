"""The words of a bundle: what its recipient reads first, how to check it, what a qualified person signs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from string import Template
from typing import Final

from reporter.authority import Environment
from reporter.export.bag import Payload

_CONTENT: Final = (
    "This bundle holds evidence of crimes against children. Having it is a crime but for those whom the law allows."
)
_RECORDS: Final = "This bundle holds personal data of a criminal case, and none of the evidence itself."


def trial(environment: str) -> str:
    """Say what sandbox and test are, so that nothing made there is taken for more."""
    if environment == Environment.PRODUCTION:
        return ""
    return f"\nA TRIAL. This was made in the {environment} environment. It is evidence of nothing.\n"


def warning(content: bool) -> str:
    """Say what whoever opens a bundle must know before."""
    return _CONTENT if content else _RECORDS


def table(payload: Sequence[Payload]) -> str:
    """Give the files of the payload with their digests, a line each."""
    return "\n".join(f"   {file.sha256}  {file.size:>12}  {file.path}" for file in payload)


def text(name: str, about: Mapping[str, object]) -> bytes:
    """Give the text of that name, filled in."""
    source = files("reporter.export").joinpath("texts", name).read_text(encoding="utf-8")
    return Template(source).substitute(about).encode()
