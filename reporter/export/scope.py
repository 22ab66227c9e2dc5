"""Reading a scope, and holding it against what there is: one that meets nothing, or everything, is refused."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from reporter.errors import DocumentError, Finding, PolicyError, UsageError
from reporter.export import redaction
from reporter.export.model import Scope

#: No scope comes near.
_LONGEST: Final = 1_000_000


def read(file: Path) -> Scope:
    """
    Read a scope from a TOML file.

    Raises:
        UsageError: There is no such file.
        DocumentError: It is no scope; the findings name the keys.
    """
    try:
        with file.open("rb") as opened:
            text = opened.read(_LONGEST + 1)
        if len(text) > _LONGEST:
            raise UsageError(f"{file} is longer than any scope.")
        return parse(tomllib.loads(text.decode()))
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise DocumentError(f"{file} is not TOML in UTF-8.") from None


def parse(data: Mapping[str, Any]) -> Scope:
    """
    Give the scope that ``data`` describes.

    Raises:
        DocumentError: It is none.
    """
    try:
        return Scope.model_validate(data, strict=False)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        findings = [Finding(".".join(map(str, each["loc"])), each["type"], each["msg"]) for each in problems]
        raise DocumentError("The scope cannot be taken:", findings) from None


def check(
    scope: Scope,
    document: Mapping[str, Any],
    *,
    items: Collection[str],
    named: Collection[str],
    submissions: Collection[str],
) -> None:
    """
    Hold a scope against a case: its document, the ids of the items kept, those that were named, and who was told.

    Raises:
        DocumentError: It names nothing, or something that is not there.
        PolicyError: It takes all there is, and does not say why.
    """
    if not (scope.content or scope.fields or scope.submissions):
        raise DocumentError("The scope takes nothing: it needs content, fields or submissions.")
    findings = redaction.unmatched(document, scope.fields, "fields")
    findings += redaction.unmatched(document, [each.path for each in scope.redact], "redact")
    findings += _not_among(scope.submissions, submissions, "submissions", "no such submission is on record")
    if "people" in scope.fields and not scope.whole_case.strip() and _names_a_notifier(document):
        words = "would name somebody who told us: name people one by one, as people[0]"
        findings.append(Finding("fields", "notifier", words))
    if findings:
        raise DocumentError("The scope does not fit the case:", findings)
    whole = {key for key in document if key not in redaction.ALWAYS} <= set(scope.fields)
    everything = set(items) <= set(named) and whole and set(submissions) <= set(scope.submissions)
    if everything and not scope.redact and not scope.withhold and not scope.whole_case.strip():
        raise PolicyError(
            "The scope takes all there is of the case.",
            next_step="Narrow it to what the demand reaches, or say in whole_case why it reaches everything.",
        )


def check_documents(scope: Scope, document: Mapping[str, Any], sent: Mapping[str, bytes]) -> None:
    """
    Hold a scope against the documents as sent that it takes: what it withholds leaves, what it redacts does not.

    Raises:
        DocumentError: A document to be withheld is none of them, or one repeats what is redacted in the case.
    """
    findings = _not_among([each.document for each in scope.withhold], sent, "withhold", "no document is called that")
    withheld = {each.document for each in scope.withhold}
    left = {path: content for path, content in sent.items() if path not in withheld}
    findings += redaction.repeated(document, scope.fields, scope.redact, left)
    if findings:
        raise DocumentError("The scope does not fit the case:", findings)


def _names_a_notifier(document: Mapping[str, Any]) -> bool:
    """Whether somebody in the case told us of it; whoever did is named on purpose or not at all."""
    return any("notifier" in person.get("roles", ()) for person in document.get("people") or ())


def _not_among(given: Sequence[str], known: Collection[str], rule: str, message: str) -> list[Finding]:
    return [
        Finding(f"{rule}[{number}]", "unmatched", message) for number, name in enumerate(given) if name not in known
    ]
