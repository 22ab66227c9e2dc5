"""How the case commands answer: as JSON, and in plain lines for a person."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import typer

from reporter.abilities import Adapters, Importing
from reporter.authority import Check
from reporter.cases.intake import shown as path_text
from reporter.cases.records import CaseDescription, CaseSummary, Outcome, Taken
from reporter.cli.output import finding, print_json, say
from reporter.errors import FindingsError, ReporterError, UsageError


def importing(adapters: Adapters, authority: str | None) -> Importing:
    """
    Choose the adapter that is named, or the one there is, among those that can read their authority's documents.

    Raises:
        UsageError: None of that name can, or there are several to choose from.

    """
    readers = {name: adapter for name, adapter in adapters.items() if isinstance(adapter, Importing)}
    known = ", ".join(sorted(readers)) or "none"
    if authority is None and len(readers) == 1:
        return next(iter(readers.values()))
    if authority is None:
        raise UsageError(f"Say whose format it is with --from ({known}).")
    if authority not in readers:
        raise UsageError(f"No adapter of that name imports documents (those that do: {known}).")
    return readers[authority]


# --- as JSON ----------------------------------------------------------------------------------------------------


def taken(result: Taken) -> dict[str, Any]:
    """Give what became of a document."""
    return {
        "reference": result.reference,
        "outcome": result.outcome.value,
        "state": result.state.value,
        "revision": result.revision,
        "files_sealed": result.sealed,
        "views_added": result.views,
        "sources_left": result.sources,
        "sources_removed": result.removed,
        "files_awaited": list(result.waiting),
        "notes": [finding(note) for note in result.notes],
    }


def refused(path: Path, outcome: str, error: ReporterError) -> dict[str, Any]:
    """Give why a path was not taken."""
    findings = error.findings if isinstance(error, FindingsError) else ()
    return {
        "path": str(path),
        "outcome": outcome,
        "message": error.message,
        "next_step": error.next_step,
        "findings": [finding(entry) for entry in findings],
    }


def summary(entry: CaseSummary) -> dict[str, Any]:
    """Give a line of the list of cases."""
    return {
        "reference": entry.reference,
        "state": entry.state.value,
        "revision": entry.revision,
        "created_at": _instant(entry.created_at),
    }


def shown(description: CaseDescription, submissions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Give where a case stands: references, digests and states, and nothing of what the case says."""
    stored = description.stored
    return {
        "reference": stored.reference,
        "state": stored.state.value,
        "revision": stored.revision,
        "created_at": _instant(stored.created_at),
        "prepared_by": stored.prepared_by,
        "digest": stored.digest,
        "revisions": [
            {
                "revision": revision.number,
                "state": revision.state.value,
                "digest": revision.digest,
                "actor": revision.actor,
                "at": _instant(revision.at),
            }
            for revision in description.revisions
        ],
        "evidence": [_evidence(description, item.id, item.sha256) for item in stored.case.evidence or []],
        "submissions": list(submissions),
    }


def checks(found: Mapping[str, Check]) -> dict[str, Any]:
    """Give what each authority lacks."""
    return {
        name: {
            "ready": not check.needs,
            "needs": [finding(need) for need in check.needs],
            "notes": [finding(note) for note in check.notes],
        }
        for name, check in found.items()
    }


def _evidence(description: CaseDescription, item: str, sha256: str | None) -> dict[str, Any]:
    facts = description.facts.get(item)
    views = description.views.get(item, ())
    return {
        "id": item,
        "sha256": facts.sha256 if facts else sha256,
        "md5": facts.md5 if facts else None,
        "size": facts.size if facts else None,
        "sealed": facts is not None,
        "viewed_entire": facts.viewed_entire if facts else False,
        "views": [{name: value for name, value in asdict(look).items() if value != ""} for look in views],
        "claims": dict(description.claims.get(item, {})),
        "destroyed": description.destroyed.get(item),
    }


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


# --- in lines ---------------------------------------------------------------------------------------------------


def answer(result: Mapping[str, Any], as_json: bool) -> None:
    """Say what became of one document."""
    if as_json:
        print_json(result)
    else:
        say_added(result)
        say_next([result])
    if kept_source(result):
        raise typer.Exit(1)


def kept_source(result: Mapping[str, Any]) -> bool:
    """Whether a source was to be removed and could not be: somebody has to look."""
    return bool(result["sources_left"] and result["notes"])


def say_added(result: Mapping[str, Any]) -> None:
    """Say what became of one path; refusals go to standard error."""
    if "reference" not in result:
        say(f"{path_text(Path(result['path']))}: {result['outcome']}. {result['message']}", stderr=True)
        for entry in result["findings"]:
            say(f"  {_line(entry)}", stderr=True)
        if result["next_step"]:
            say(f"  {result['next_step']}", stderr=True)
        return
    said = [_OUTCOMES[result["outcome"]].format(**result)]
    if result["outcome"] in (Outcome.ADDED, Outcome.REVISED):
        said.append(_STATES[result["state"]])
    if count := result["files_sealed"]:
        said.append(f"{_files(count)} sealed")
    if count := result["files_awaited"]:
        said.append(f"no file yet for {', '.join(result['files_awaited'])}")
    say(f"{result['reference']}: {'; '.join(said)}.")
    if count := result["sources_removed"]:
        say(f"  The source of {_files(count)} is removed; the seal was read back first.")
    if count := result["sources_left"]:
        say(f"  The source of {_files(count)} is still where it was.")
    for entry in result["notes"]:
        say(f"  note: {_line(entry)}")


def say_next(results: Sequence[Mapping[str, Any]]) -> None:
    """Say what to do next, once for all."""
    done = [result for result in results if "reference" in result]
    if any(result["sources_left"] and not result["sources_removed"] and not result["notes"] for result in done):
        say("Remove sources, after their seal is verified, with the same command and --remove-source.")
    for result in done:
        if result["outcome"] != Outcome.UNCHANGED and (step := _next_step(result)):
            say(f"Next: {step}")
            return


def _next_step(result: Mapping[str, Any]) -> str:
    reference = result["reference"]
    if result["files_awaited"]:
        return (
            f"reporter case show {reference} --document > case.json; name the files in it, with their sha256; then: "
            f"reporter case revise {reference} case.json"
        )
    return {
        "pending": f"judge it, and then: reporter case confirm {reference} --basis TEXT",
        "confirmed": f"reporter case check {reference}",
    }.get(result["state"], "")


def say_shown(case: Mapping[str, Any]) -> None:
    """Say where a case stands."""
    say(f"Case {case['reference']}: {_STATES[case['state']]}; revision {case['revision']}")
    say(f"  prepared by {case['prepared_by']}; on record since {case['created_at']}")
    say(f"Evidence: {_files(len(case['evidence']))}")
    for item in case["evidence"]:
        state = f"sealed, {item['size']:,} bytes" if item["sealed"] else "no file yet"
        state = f"destroyed, certificate {item['destroyed']}" if item["destroyed"] else state
        say(f"  {item['id']}  {state}  {'viewed entirely' if item['viewed_entire'] else 'not viewed entirely'}")
        if item["sha256"]:
            say(f"      sha256 {item['sha256']}")
        for view in item["views"]:
            metadata = ", metadata too" if view["metadata_viewed"] and view["extent"] != "metadata" else ""
            purpose = f", to {view['purpose']}" if "purpose" in view else ""
            say(f"      looked at by {view['by']}, {view['at']}, {view['extent']}{metadata}{purpose}")
        for name, value in item["claims"].items():
            say(f"      claimed by the imported report, not sent: {name} = {str(value).lower()}")
    say("Submissions:" if case["submissions"] else "Submissions: none")
    for entry in case["submissions"]:
        receipt = entry["receipt"]
        line = f"  {entry['authority']} ({entry['environment']}): {entry['state'].replace('_', ' ')}"
        line += f", version {entry['version']} in place of {entry['supersedes']}" if entry["supersedes"] else ""
        line += f", a supplement to version {entry['supplements']}" if entry["supplements"] else ""
        line += f", {entry['attempts']} attempts" if entry["attempts"] > 1 else ""
        line += f", {receipt['kind']} receipt {receipt['reference']} at {receipt['at']}" if receipt else ""
        say(line)
        if entry["reason"]:
            say(f"      {entry['reason']}")
        if entry["viewed_since"]:
            say(f"      frozen with other facts: the view log has more since of {', '.join(entry['viewed_since'])}")
        for need in entry["needs"]:
            say(f"      needs {_line(need)}")


def say_checks(reference: str, found: Mapping[str, Check]) -> None:
    """Say, for each authority, what is missing or wrong."""
    for name, check in found.items():
        count = len(check.needs)
        lacks = f"{count} thing{'' if count == 1 else 's'} needed"
        say(f"{name}: {lacks if count else 'ready'}")
        for need in check.needs:
            say(f"  {need}")
        for note in check.notes:
            say(f"  note: {note}")
    ready = [name for name, check in found.items() if not check.needs]
    if ready:
        say(f"Next: reporter submission preview {reference} --to {ready[0]}")


def say_document(document: bytes) -> None:
    """Print a case document as it is kept."""
    sys.stdout.flush()
    sys.stdout.buffer.write(document)
    sys.stdout.buffer.flush()


_OUTCOMES = {
    Outcome.ADDED.value: "added",
    Outcome.UNCHANGED.value: "unchanged, it is on record already",
    Outcome.VIEWS_ADDED.value: "views added to the record ({views_added}); approvals stand",
    Outcome.CONFIRMED.value: "confirmed, as revision {revision}",
    Outcome.REVISED.value: "revision {revision}, so earlier approvals are void",
}
_STATES = {
    "confirmed": "confirmed",
    "pending": "pending, so not sent until it is confirmed",
    "not_confirmed": "not confirmed: kept with its reason, never sent",
    "closed": "closed",
}


def _files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"


def _line(entry: Mapping[str, str]) -> str:
    return f"{entry['path']}: {entry['message']}" if entry["path"] else entry["message"]
