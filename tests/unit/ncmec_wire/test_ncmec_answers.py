"""What is read from NCMEC's bytes, and what an answer that contradicts itself comes to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters._http import Reply
from adapters.ncmec.outcomes import Kind
from adapters.ncmec.responses import MD5_OF_NOTHING, Response, Sent, judge, parse
from reporter.authority import Exchange, Outcome

MD5 = "fafa5efeaf3cbe3b23b2748d13e629a1"
FILE_ID = "b0754af766b426f2928a02c651ed4b99"
SENT = Sent("4564654", file_id=FILE_ID, md5=MD5)


def reply(body: str | bytes, status: int = 200, **headers: str) -> Reply:
    content = body.encode() if isinstance(body, str) else body
    return Reply(
        status, {name.replace("_", "-"): value for name, value in headers.items()}, content, Exchange(b"", b"")
    )


def response(inner: str, root: str = "reportResponse") -> Reply:
    return reply(
        f"<{root}><responseCode>0</responseCode><responseDescription>Success</responseDescription>{inner}</{root}>"
    )


def done(inner: str) -> Reply:
    return reply(f"<reportDoneResponse><responseCode>0</responseCode>{inner}</reportDoneResponse>")


def test_documented_shapes_are_read() -> None:
    upload = b"""<?xml version="1.0" encoding="UTF-8"?>
<!-- a comment -->
<reportResponse>
    <responseCode>0</responseCode>
    <responseDescription>Success</responseDescription>
    <reportId>4564654</reportId>
    <fileId> b0754af766b426f2928a02c651ed4b99 </fileId>
    <hash>
      FAFA5EFEAF3CBE3B23B2748D13E629A1</hash>
</reportResponse>"""
    assert parse(upload) == Response(0, "4564654", FILE_ID, MD5, None, "Success")
    finish = f"""
<reportDoneResponse><responseCode> 0 </responseCode><reportId>4564654</reportId>
  <files><fileId>{FILE_ID}</fileId></files></reportDoneResponse>"""
    assert parse(finish.encode()) == Response(0, "4564654", file_ids=(FILE_ID,))
    assert parse(b"<reportDoneResponse><responseCode>0</responseCode><files/></reportDoneResponse>") == Response(
        0, file_ids=()
    )


def test_file_id_that_looks_like_a_number_stays_text() -> None:
    parsed = parse(b"<reportResponse><responseCode>0</responseCode><fileId>00123e45</fileId></reportResponse>")
    assert parsed is not None
    assert parsed.file_id == "00123e45"


def test_xml_declaration_decides_the_charset_not_the_header() -> None:
    text = (
        '<?xml version="1.0" encoding="{}"?><reportResponse><responseCode>4100</responseCode>'
        "<responseDescription>é</responseDescription></reportResponse>"
    )
    for charset in ("UTF-8", "ISO-8859-1", "UTF-16"):
        body = text.format(charset).encode(charset)
        parsed = parse(body)
        assert parsed is not None
        assert parsed.description == "é"
    answer = judge(Kind.OPEN, reply(text.format("UTF-8"), 400, content_type="application/xml;charset=ISO-8859-1"), SENT)
    assert answer.outcome is Outcome.REJECTED


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"OK",
        b"<html><body>Bad Gateway</body></html>",
        b"<reportResponse/>",
        b"<reportResponse><responseCode/></reportResponse>",
        b"<reportResponse><responseCode>zero</responseCode></reportResponse>",
        b"<reportResponse><responseCode>0x0</responseCode></reportResponse>",
        b"<reportResponse><responseCode>0</responseCode><responseCode>5102</responseCode></reportResponse>",
        b"<reportResponse><responseCode>0</responseCode>",
        b"<reportResponse xmlns='urn:x'><responseCode>0</responseCode></reportResponse>",
        b"<other><reportResponse><responseCode>0</responseCode></reportResponse></other>",
        b"\x00\xff\xfe" * 20,
        b'{"responseCode": 0}',
        b"<!DOCTYPE reportResponse><reportResponse><responseCode>0</responseCode></reportResponse>",
        b'<!DOCTYPE r [<!ENTITY z "0">]><reportResponse><responseCode>&z;</responseCode></reportResponse>',
        b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]><reportResponse><responseCode>0</responseCode>'
        b"<responseDescription>&x;</responseDescription></reportResponse>",
    ],
)
@pytest.mark.parametrize("kind", list(Kind))
def test_garbage_is_unknown_on_every_step(body: bytes, kind: Kind) -> None:
    assert parse(body) is None
    answer = judge(kind, reply(body), SENT)
    assert (answer.outcome, answer.code, answer.http_status) == (Outcome.UNKNOWN, "", 200)


def test_only_429_without_a_readable_body_is_retryable() -> None:
    for status in (200, 302, 404, 500, 502, 503):
        assert judge(Kind.FINISH, reply(b"", status, retry_after="7"), SENT).outcome is Outcome.UNKNOWN
    answer = judge(Kind.FINISH, reply(b"", 429, retry_after="7"), SENT)
    assert (answer.outcome, answer.retry_after) == (Outcome.RETRYABLE, timedelta(seconds=7))


@pytest.mark.parametrize(
    ("kind", "inner", "outcome"),
    [
        (Kind.OPEN, "", Outcome.UNKNOWN),
        (Kind.OPEN, "<reportId>ABC</reportId>", Outcome.UNKNOWN),
        (Kind.OPEN, "<reportId>9</reportId>", Outcome.ACCEPTED),
        (Kind.UPLOAD, f"<fileId>{FILE_ID}</fileId><hash>{MD5}</hash>", Outcome.ACCEPTED),
        (Kind.UPLOAD, f"<reportId>1</reportId><fileId>{FILE_ID}</fileId><hash>{MD5}</hash>", Outcome.UNKNOWN),
        (Kind.UPLOAD, f"<hash>{MD5}</hash>", Outcome.UNKNOWN),
        (Kind.UPLOAD, f"<fileId>{FILE_ID}</fileId>", Outcome.UNKNOWN),
        (Kind.UPLOAD, f"<fileId>{FILE_ID}</fileId><hash>short</hash>", Outcome.UNKNOWN),
        (Kind.UPLOAD, f"<fileId>{FILE_ID}</fileId><hash>{'0' * 32}</hash>", Outcome.MISMATCH),
        (Kind.UPLOAD, f"<fileId>{FILE_ID}</fileId><hash>{MD5.upper()}</hash>", Outcome.ACCEPTED),
        (Kind.DETAILS, "<reportId>4564654</reportId>", Outcome.ACCEPTED),
        (Kind.DETAILS, "", Outcome.ACCEPTED),
        (Kind.DETAILS, "<reportId>1</reportId>", Outcome.UNKNOWN),
        (Kind.DETAILS, "<reportId>4564654</reportId><fileId>another</fileId>", Outcome.UNKNOWN),
        (Kind.RETRACT, "<reportId>4564654</reportId>", Outcome.ACCEPTED),
        (Kind.RETRACT, "<reportId>1</reportId>", Outcome.UNKNOWN),
        (Kind.STATUS, "", Outcome.ACCEPTED),
    ],
)
def test_success_must_fit_what_was_sent(kind: Kind, inner: str, outcome: Outcome) -> None:
    assert judge(kind, response(inner), SENT).outcome is outcome


def test_upload_of_nothing_never_passes() -> None:
    answer = judge(
        Kind.UPLOAD,
        response(f"<fileId>{FILE_ID}</fileId><hash>{MD5_OF_NOTHING}</hash>"),
        Sent("4564654", md5=MD5_OF_NOTHING),
    )
    assert answer.outcome is Outcome.MISMATCH


def test_upload_that_gets_another_files_id_is_unknown() -> None:
    answer = judge(
        Kind.UPLOAD,
        response(f"<fileId>{FILE_ID}</fileId><hash>{MD5}</hash>"),
        Sent("4564654", md5=MD5, file_ids=(FILE_ID,)),
    )
    assert answer.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("inner", "sound"),
    [
        ("<reportId>4564654</reportId><files><fileId>a</fileId><fileId>b</fileId></files>", True),
        ("<reportId>4564654</reportId><files><fileId>b</fileId><fileId>a</fileId></files>", True),
        ("<reportId>4564654</reportId><files><fileId>a</fileId></files>", False),
        ("<reportId>4564654</reportId><files><fileId>a</fileId><fileId>c</fileId></files>", False),
        ("<reportId>4564654</reportId><files><fileId>a</fileId><fileId>b</fileId><fileId>b</fileId></files>", False),
        ("<reportId>4564654</reportId><files/>", False),
        ("<reportId>4564654</reportId>", False),
        ("<reportId>1</reportId><files><fileId>a</fileId><fileId>b</fileId></files>", False),
        ("<files><fileId>a</fileId><fileId>b</fileId></files>", False),
    ],
)
def test_finish_is_accepted_but_what_differs_is_told(inner: str, sound: bool) -> None:
    answer = judge(Kind.FINISH, done(inner), Sent("4564654", file_ids=("a", "b")))
    assert (answer.outcome, answer.reference) == (Outcome.ACCEPTED, "4564654")
    assert (answer.discrepancy == "") is sound


def test_description_gives_element_names_and_nothing_else() -> None:
    description = (
        "Validation failed\n[1,2] - cvc-complex-type.2.4.a: Invalid content was found starting with element "
        "'ipCaptureEvent'. One of '{details, additionalInfo}' is expected. incidentDateTime must be a past date: "
        "suspect@mail.example said 'secretWord' at 192.0.2.9"
    )
    body = (
        f"<reportResponse><responseCode>4100</responseCode><responseDescription>{description}</responseDescription>"
        "</reportResponse>"
    )
    answer = judge(Kind.DETAILS, reply(body, 400), SENT)
    assert answer.reason == (
        "NCMEC answers 4100: validation failed (names ipCaptureEvent, details, additionalInfo, incidentDateTime)"
    )
    assert "suspect" not in repr(answer)
    assert "secretWord" not in repr(parse(body.encode()))
