"""Forms: what is written is read back, in whatever pieces it comes; other clients' dialects are read too."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters._forms import MAX_FIELD, collect, read_form
from adapters._multipart import FileForm, escaped, form
from reporter.authority import PackagedFile
from reporter.errors import DocumentError


def upload(content: bytes, name: str = "a.bin", media_type: str = "image/png") -> FileForm:
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    file = PackagedFile("e1", name, media_type, len(content), md5, hashlib.sha256(content).hexdigest())
    return FileForm({"id": "77"}, "file", file, lambda item: [content] if content else [], lambda: None)


def pieces(body: bytes, size: int) -> Iterator[bytes]:
    return (body[at : at + size] for at in range(0, len(body), size))


def read(content_type: str, body: bytes, size: int = 7) -> list[tuple[str, str | None, bytes]]:
    return [(part.name, part.file_name, b"".join(part.data)) for part in read_form(content_type, pieces(body, size))]


@given(st.binary(max_size=300) | st.sampled_from([b"\r\n--", b"--\r\n\r\n--", b"\r\n" * 40]), st.integers(1, 90))
def test_what_is_written_is_read_in_any_pieces(content: bytes, size: int) -> None:
    written = upload(content)
    body = b"".join(written)
    assert len(body) == written.content_length
    assert read(written.content_type, body, size) == [("id", None, b"77"), ("file", "a.bin", content)]


@given(st.text(max_size=40))
def test_any_name_stays_inside_its_quotes(name: str) -> None:
    line = escaped(name)
    assert not set(line) & set(b'"\r\n\x00')
    written = upload(b"x", name)
    [_, (_, read_name, content)] = read(written.content_type, b"".join(written))
    assert content == b"x"
    if not any(char < " " or char in "\\%\x7f" for char in name):
        assert read_name == name.encode("utf-8", "replace").decode()


def test_head_of_a_file_follows_the_whatwg_rules() -> None:
    body = b"".join(upload(b"x", 'a"b\r\nX: y.png'))
    assert b'name="file"; filename="a%22b%0D%0AX: y.png"\r\nContent-Type: image/png\r\n\r\nx' in body
    assert b"\r\nContent-Type: application/octet-stream\r\n\r\n" in b"".join(upload(b"x", media_type="x\r\nY: z/q"))


def test_small_form_is_read_in_both_encodings() -> None:
    assert read(*form({"id": "4564654"})) == [("id", None, b"4564654")]
    assert read("application/x-www-form-urlencoded; charset=utf-8", b"id=45%36&x=") == [
        ("id", None, b"456"),
        ("x", None, b""),
    ]


def test_dialects_of_other_clients() -> None:
    body = (
        b"preamble is ignored\r\n--b\r\ncontent-disposition: form-data; name=id\r\n\r\n1\r\n"
        b'--b  \r\nContent-Disposition: form-data; name="file"; filename="a\\"b"\r\nX-Other: y\r\n\r\nxyz\r\n'
        b'--b\r\nContent-Disposition: form-data; name="other"; filename="_"; filename*=utf-8\'\'%C3%A9\r\n\r\n\r\n--b--'
    )
    for size in range(1, 30):
        assert read('multipart/form-data; boundary="b"', body, size) == [
            ("id", None, b"1"),
            ("file", 'a"b', b"xyz"),
            ("other", "é", b""),
        ]


def test_parts_nobody_reads_are_skipped() -> None:
    written = upload(b"harmless" * 1000)
    assert [part.name for part in read_form(written.content_type, iter(written))] == ["id", "file"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("", b"id=1"),
        ("text/plain", b"id=1"),
        ("multipart/form-data", b"--b\r\n"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=id\r\n\r\n1"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b", b"--b\r\n" + b"X: y\r\n" * 10000),
        ("multipart/form-data; boundary=b", b"--bogus\r\n\r\n\r\n--b--"),
        ("application/x-www-form-urlencoded", b"id=" + b"1" * MAX_FIELD),
    ],
)
def test_malformed_forms_are_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(DocumentError):
        read(content_type, body, 4096)


def test_collect_is_bounded() -> None:
    assert collect([b"ab", b"c"], 3) == b"abc"
    with pytest.raises(DocumentError):
        collect([b"ab", b"cd"], 3)
