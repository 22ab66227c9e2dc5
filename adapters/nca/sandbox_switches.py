"""
The mock's own switches under ``/__mock``, for tests of other clients: off unless asked for, no part of the contract.

    POST   /__mock/clock    {"now": "2026-11-21T22:00:00Z"}
    POST   /__mock/next     {"answer": "503"}     400 401 409 429 500 503 stored_but_answer_lost slow
    POST   /__mock/question {"referralId": "...", "text": "..."}
    GET    /__mock/reports
    DELETE /__mock/all
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from adapters._double import Request
from adapters.nca.sandbox_codes import RefusedError

if TYPE_CHECKING:
    from adapters.nca.sandbox import MockEndpoint

#: What the next report is answered with, as a line of the fault script.
NEXT = {
    **{status: f"reports:1 code={status}" for status in ("400", "401", "409", "429", "500", "503")},
    "stored_but_answer_lost": "reports:1 drop_after",
    "slow": "reports:1 delay=90",
}


def turn(mock: MockEndpoint, request: Request) -> dict[str, Any]:
    """
    Turn a switch and say what holds now.

    Raises:
        RefusedError: There is no such switch, or it cannot be read.
    """
    match request.method, request.path.removeprefix("/__mock/"):
        case "GET", "reports":
            return {"items": [report.receipt for report in mock.store.reports.values()]}
        case "DELETE", "all":
            mock.store.wipe()
            return {}
        case "POST", "clock":
            mock.shift = _moment(_read(request, "now")) - mock.clock.now()
            return {"now": mock.now().isoformat()}
        case "POST", "next":
            mock.faults.add(_line(_read(request, "answer")))
            return {}
        case "POST", "question":
            body = _read_all(request)
            question = mock.store.ask(str(body.get("referralId")), str(body.get("text")), mock.now())
            return question.shown()
    raise RefusedError("not_found")


def _line(answer: str) -> str:
    if answer not in NEXT:
        raise RefusedError("malformed")
    return NEXT[answer]


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise RefusedError("malformed")
    return moment


def _read(request: Request, name: str) -> str:
    return str(_read_all(request).get(name, ""))


def _read_all(request: Request) -> dict[str, Any]:
    try:
        read = json.loads(b"".join(request.body) or b"{}")
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise RefusedError("malformed")
    return read
