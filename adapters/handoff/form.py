"""
One authority's form as data: its fields in its order, what fills each, and where all this was read.

What no source says is marked unverified, and is shown as such to whoever fills it in.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from adapters.handoff.paths import parse

#: Who told us, and what we think among ourselves, fills no field of any form (law 8).
NEVER = ("detected_by", "confirmation", "evidence[].received_from", "evidence[].path", "people[].role_decision")
#: Roles of people whom a form may name.
NAMED = frozenset({"suspect", "victim", "intended_recipient", "uploader", "creator", "sharer", "recipient"})
Path = Annotated[str, Field(pattern=r"^[a-z_0-9.\[\]|{},]+$")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Data):
    """Where the form was read: the text, the section, how near to the authority's own words, and when."""

    text: str
    section: str
    mark: Literal["law", "quoted", "authority", "summary", "background"]
    checked: date

    @property
    def verified(self) -> bool:
        """Whether it is the law's or the authority's own words."""
        return self.mark in ("law", "quoted", "authority")


class Blank(_Data):
    """
    One field of the form. ``label`` is in the form's language, ``english`` says it in ours.

    ``fill`` are paths into the case document, ``organisation`` or ``settings``; ``words`` put its codes into the form's
    words. ``addresses``: it takes Internet addresses and refuses everything else.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    label: str
    english: str = ""
    unverified: bool = False
    fill: tuple[Path, ...] = Field(min_length=1)
    words: Mapping[str, str] = {}
    required: bool = False
    addresses: bool = False
    max_chars: int | None = Field(default=None, ge=1)
    max_entries: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _fillable(self) -> Blank:
        for path in self.fill:
            steps, names = parse(path)
            plain = ".".join(step.name + ("" if step.chosen is None else "[]") for step in steps)
            taken = [f"{plain}.{name}" for name in names] or [plain]
            if any(one == never or one.startswith(f"{never}.") for one in taken for never in NEVER):
                raise ValueError(f"{path} fills no field of any form")
            if not names and plain in ("people[]", "evidence[]"):
                raise ValueError(f"{path} takes too much at once: name what the form asks for")
            if steps[0].name == "people" and not (steps[0].chosen and steps[0].chosen <= NAMED):
                raise ValueError(f"{path} must say in which roles people are named")
        return self


class Form(_Data):
    """One authority that is told by people."""

    name: Name
    title: str
    means: Literal["portal", "form", "writing"]
    where: str
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")]
    emergency: str = ""
    receipt: str
    notes: tuple[str, ...] = ()
    settings: Mapping[Annotated[str, Field(pattern=r"^[a-z_]+$")], str] = {}
    source: Source
    fields: tuple[Blank, ...] = Field(min_length=1, alias="field")

    @model_validator(mode="after")
    def _whole(self) -> Form:
        if len({blank.id for blank in self.fields}) < len(self.fields):
            raise ValueError("two fields have the same id")
        for blank in self.fields:
            for path in blank.fill:
                if path.startswith("settings.") and path.removeprefix("settings.") not in self.settings:
                    raise ValueError(f"{path} is no setting of this form")
        return self

    @property
    def names(self) -> frozenset[str]:
        """The roles in which it names people."""
        steps = (step for blank in self.fields for path in blank.fill for step in parse(path)[0][:1])
        return frozenset[str]().union(*(step.chosen or () for step in steps if step.name == "people"))


def shipped_forms() -> Iterator[Form]:
    """Give the forms that come with the program, by name."""
    folder = files("adapters.handoff").joinpath("forms")
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            yield Form.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
