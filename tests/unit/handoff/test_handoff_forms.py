"""The data of every form: what fills it exists, and what it says of its source agrees with the rules."""

from __future__ import annotations

import types
import typing
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from adapters.handoff.form import Blank, Form, shipped_forms
from adapters.handoff.paths import parse
from reporter.cases.model import Case
from reporter.organisation import Organisation
from reporter.rules.model import Means
from reporter.rules.reading import shipped

FORMS = {form.name: form for form in shipped_forms()}
#: What the house adds to the case document.
FACTS = frozenset({"size"})


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Give the models that a type may hold, through lists, tuples, unions and annotations."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if typing.get_origin(annotation) in (list, tuple, typing.Union, types.UnionType, typing.Annotated):
        return [model for inner in typing.get_args(annotation) for model in _models(inner)]
    return []


def _exists(path: str) -> bool:
    steps, picked = parse(path)
    models: list[type[BaseModel]] = [Case]
    if steps[0].name == "organisation":
        models, steps = [Organisation], steps[1:]
    for step in steps:
        held = [model.model_fields[step.name] for model in models if step.name in model.model_fields]
        if not held:
            return False
        models = [model for field in held for model in _models(field.annotation)]
    return all(any(name in model.model_fields for model in models) or name in FACTS for name in picked)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_everything_that_fills_a_form_exists(form: Form) -> None:
    paths = [path for blank in form.fields for path in blank.fill if not path.startswith("settings.")]
    assert [path for path in paths if not _exists(path)] == []


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_form_and_the_rules_mean_the_same_authority_and_way(form: Form) -> None:
    told = [rule for rule in shipped() if rule.authority == form.name and rule.means is not Means.NONE]
    assert told, f"no rule sends anything to {form.name}"
    assert {rule.means.value for rule in told} == {form.means}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_what_no_source_says_is_marked(form: Form) -> None:
    if form.source.mark in ("summary", "background"):
        assert all(blank.unverified for blank in form.fields), "a field is verified, and its source is not"


def test_canada_takes_addresses_and_nothing_else() -> None:
    form = FORMS["ca-cybertip"]
    assert [blank.id for blank in form.fields if not blank.addresses] == ["provider"]
    assert form.names == frozenset()


def test_the_21_days_and_the_duty_to_destroy_stand_in_the_rules() -> None:
    (rule,) = (rule for rule in shipped() if rule.id == "ca-mra-3" and rule.version == 1)
    lengths = {each.kind: each.length.days for each in rule.retentions if each.length}
    assert lengths == {"floor": 21, "cap": 21}
    assert rule.source.mark.verified


@pytest.mark.parametrize(
    "fill",
    ["people[notifier].account", "people[].account", "people[suspect]", "detected_by", "confirmation.by",
     "evidence[].received_from", "evidence[].{sha256,received_from}", "evidence[]", "people[suspect].role_decision"],
)  # fmt: skip
def test_no_form_can_name_who_told_us(fill: str) -> None:
    with pytest.raises(ValidationError):
        Blank(id="x", label="X", fill=(fill,))


@pytest.mark.parametrize("change", [{"fill": ()}, {}, {"fill": ("a..b",)}])
def test_a_field_is_filled_by_paths(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Blank(id="x", label="X", **change)
