"""
NCMEC's answers: read from their bytes, and judged.

``responseCode`` decides, never the HTTP status alone. The description may echo report data: it stays in the sealed
exchange, and no reason given here holds anything of it but names of elements.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from lxml import etree

from adapters._http import Reply
from adapters.ncmec.outcomes import DOCUMENTED, Kind, meaning_of, outcome_of
from adapters.ncmec.tables import COMPLEX_TYPES
from reporter.authority import Answer, Outcome

#: What an upload of nothing answers with: MD5 of zero bytes.
MD5_OF_NOTHING = "d41d8cd98f00b204e9800998ecf8427e"

_CODE = re.compile(r"\d{1,9}")
_REPORT_ID = re.compile(r"\d{1,19}")  # xs:long
_FILE_ID = re.compile(r"[!-~]{1,255}")  # an opaque string; 32 hex digits so far
_HASH = re.compile(r"[0-9a-fA-F]{32}")
#: Words that are quoted, stand in a list or a path, or have a capital inside.
_WORD = re.compile(r"(?:(?<=['\"<{/])|(?<=, ))[A-Za-z0-9]+(?=['\">},/:\[])|[a-z]+[A-Z0-9][A-Za-z0-9]*")
_NAMES = {name for kind in COMPLEX_TYPES.values() for name in (*kind.children, *kind.attributes)}
_MAX_NAMED = 5


@dataclass(frozen=True, slots=True)
class Response:
    """What a ``reportResponse`` or ``reportDoneResponse`` says; absent or malformed ids are empty."""

    code: int
    report_id: str = ""
    file_id: str = ""
    md5: str = ""
    file_ids: tuple[str, ...] | None = None
    description: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Sent:
    """What the answer is held against: our ids, and the MD5 of the file just uploaded."""

    report_id: str = ""
    file_id: str = ""
    md5: str = ""
    file_ids: tuple[str, ...] = ()


def parse(body: bytes) -> Response | None:
    """
    Read an answer from its bytes; None where it is not one.

    The XML declaration decides the charset: NCMEC has answered UTF-8 under a header that said ISO-8859-1.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(body.lstrip(), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root.getroottree().docinfo.doctype or root.tag not in ("reportResponse", "reportDoneResponse"):
        return None
    codes = root.findall("responseCode")
    code = _matched(_CODE, codes[0].text) if len(codes) == 1 else ""
    if not code:
        return None
    files = root.find("files")
    return Response(
        code=int(code),
        report_id=_matched(_REPORT_ID, root.findtext("reportId")),
        file_id=_matched(_FILE_ID, root.findtext("fileId")),
        md5=_matched(_HASH, root.findtext("hash")).lower(),
        file_ids=None if files is None else tuple((found.text or "").strip() for found in files.findall("fileId")),
        description=root.findtext("responseDescription") or "",
    )


def _matched(pattern: re.Pattern[str], text: str | None) -> str:
    found = pattern.fullmatch((text or "").strip())
    return found[0] if found else ""


def judge(kind: Kind, reply: Reply, sent: Sent, item: str = "") -> Answer:
    """Say what a reply to a call of that kind comes to; a file's id is learnt as ``file_id:ITEM``."""
    response = parse(reply.body)
    verdict = _verdict(kind, reply.status, response, sent)
    return replace(
        verdict,
        ids={f"{name}:{item}" if item else name: value for name, value in verdict.ids.items()},
        code=str(response.code) if response else "",
        http_status=reply.status,
        request_id=reply.headers.get("Request-ID", "")[:128],
        retry_after=reply.retry_after,
        exchange=reply.exchange,
    )


def _verdict(kind: Kind, status: int, response: Response | None, sent: Sent) -> Answer:
    if status in (401, 403):
        return Answer(Outcome.UNAUTHORISED, reason=f"NCMEC refuses our credentials or rights (HTTP {status})")
    if response is None:
        if status == 429:
            return Answer(Outcome.RETRYABLE, reason="NCMEC asks us to wait (HTTP 429)")
        return Answer(Outcome.UNKNOWN, reason=f"no readable answer (HTTP {status})")
    outcome = outcome_of(response.code, kind)
    if outcome is Outcome.ACCEPTED:
        return _CHECKS[kind](response, sent)
    reference = sent.report_id if outcome is Outcome.ALREADY else ""
    unlisted = "" if response.code in DOCUMENTED else "NCMEC answers with a code that it does not document"
    return Answer(outcome, reason=_reason(response), reference=reference, discrepancy=unlisted)


def _reason(response: Response) -> str:
    reason = f"NCMEC answers {response.code}: {meaning_of(response.code)}"
    words = dict.fromkeys(word for word in _WORD.findall(response.description) if word in _NAMES)
    return f"{reason} (names {', '.join(list(words)[:_MAX_NAMED])})" if words else reason


def _unknown(reason: str) -> Answer:
    return Answer(Outcome.UNKNOWN, reason=reason)


def _opened(response: Response, sent: Sent) -> Answer:  # noqa: ARG001
    if not response.report_id:
        return _unknown("NCMEC accepted the report without giving it an id")
    return Answer(Outcome.ACCEPTED, ids={"report_id": response.report_id})


def _uploaded(response: Response, sent: Sent) -> Answer:
    if response.report_id not in ("", sent.report_id):
        return _unknown("NCMEC's answer names another report")
    if not response.file_id or not response.md5:
        return _unknown("NCMEC accepted the file without giving its id or its MD5")
    if response.file_id in sent.file_ids:
        return _unknown("NCMEC gave the file the id of another one")
    if response.md5 != sent.md5 or response.md5 == MD5_OF_NOTHING:
        return Answer(Outcome.MISMATCH, reason="NCMEC received other bytes than we sent: the MD5 differs")
    return Answer(Outcome.ACCEPTED, ids={"file_id": response.file_id})


def _echoed(response: Response, sent: Sent) -> Answer:
    if response.report_id not in ("", sent.report_id) or response.file_id not in ("", sent.file_id):
        return _unknown("NCMEC's answer names another report or file")
    return Answer(Outcome.ACCEPTED)


def _finished(response: Response, sent: Sent) -> Answer:
    discrepancies = []
    if response.report_id != sent.report_id:
        discrepancies.append("NCMEC's answer does not name our report")
    if response.file_ids is None:
        discrepancies.append("NCMEC's answer does not list the files")
    elif Counter(response.file_ids) != Counter(sent.file_ids):
        discrepancies.append(
            f"NCMEC lists {len(response.file_ids)} files of which not all are ours; we sent {len(sent.file_ids)}"
            if set(response.file_ids) - set(sent.file_ids)
            else f"NCMEC lists {len(response.file_ids)} files; we sent {len(sent.file_ids)}"
        )
    return Answer(Outcome.ACCEPTED, reference=sent.report_id, discrepancy="; ".join(discrepancies))


def _reached(response: Response, sent: Sent) -> Answer:  # noqa: ARG001
    return Answer(Outcome.ACCEPTED)


_CHECKS: dict[Kind, Callable[[Response, Sent], Answer]] = {
    Kind.OPEN: _opened,
    Kind.UPLOAD: _uploaded,
    Kind.DETAILS: _echoed,
    Kind.FINISH: _finished,
    Kind.RETRACT: _echoed,
    Kind.STATUS: _reached,
}
