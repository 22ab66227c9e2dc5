"""The double's response codes: their texts, the HTTP status each comes on, and the refusal that carries one."""

from __future__ import annotations

from reporter.errors import ReporterError

#: CyberTipline Reporting API Technical Documentation (2025-06-11), Appendix D.
TEXTS = {
    0: "Success",
    1000: "Server error",
    1100: "Save failed",
    1110: "Upload failed",
    1111: "File upload failed",
    1210: "Resource not found",
    1300: "Update failed",
    2000: "Authentication required",
    3000: "Not authorized for this action",
    3100: "No authorization to make submissions",
    3300: "No authorization to make updates",
    4000: "Invalid request",
    4100: "Validation failed",
    4110: "Malformed XML submittal",
    4200: "Malformed file submittal",
    5001: "Report does not exist",
    5002: "File does not exist",
    5101: "Report already retracted",
    5102: "Report already finished",
}
#: Documented or recorded: 0 on 200, 4100 on 400, credentials on 401. The other families are assumed.
_STATUSES = {0: 200, 1210: 404}
_STATUSES_BY_FAMILY = {1: 500, 2: 401, 3: 403, 4: 400, 5: 400}


def text_of_code(code: int) -> str:
    """Give the documentation's text for a code."""
    return TEXTS.get(code, "Undocumented")


def status_of_code(code: int) -> int:
    """Give the HTTP status that a code comes on."""
    return _STATUSES.get(code) or _STATUSES_BY_FAMILY.get(code // 1000, 500)


class RefusedError(ReporterError):
    """The double answers with a code instead of carrying out the call; ``details`` name elements only."""

    def __init__(self, code: int, *details: str, status: int | None = None) -> None:
        super().__init__("\n".join([text_of_code(code), *details]))
        self.code = code
        self.status = status or status_of_code(code)
