"""
The form in print, made from its JSON. The page (HTML) is what was approved; this is a copy of it on paper.

Needs the extra ``pdf``. A character that no font here can draw stands as its number, so that nothing is lost.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from adapters.handoff.text import number, visible
from adapters.handoff.words import NOTHING
from reporter.errors import ConfigurationError

if TYPE_CHECKING:
    from fpdf import FPDF

#: Every page says when it was made, and the same form must give the same bytes.
_NO_TIME: Final = datetime(1980, 1, 1, tzinfo=UTC)
_BODY, _SMALL, _HEAD, _TITLE = 9, 7.5, 10.5, 15  # points
_LINE: Final = 1.25
#: What the fonts draw that every reader of PDF brings (ISO 32000-1, annex D: WinAnsiEncoding).
_ENCODING: Final = "windows-1252"
_MILLIMETRES: Final = 25.4 / 72
#: From where on scripts need shaping or run from right to left (Unicode blocks from Hebrew on).
_SIMPLE_UNTIL: Final = 0x0590


def installed() -> bool:
    """Whether the library is here."""
    try:
        import fpdf  # noqa: F401
    except ModuleNotFoundError:
        return False
    return True


def printed(data: bytes, font: str | None) -> tuple[bytes, bool]:
    """
    Give the form in print, and whether every character of it could be drawn.

    Args:
        data: The form as JSON.
        font: A TrueType file that draws more than Western European letters, if there is one.

    Raises:
        ConfigurationError: The font cannot be used.
    """
    form = json.loads(data)
    sheet = _Sheet(font)
    sheet.begin(form)
    for count, field in enumerate(form["fields"], start=1):
        sheet.field(count, field)
    sheet.end(form)
    return sheet.output(), sheet.whole


class _Sheet:
    """The pages, line by line."""

    def __init__(self, font: str | None) -> None:
        from fpdf import FPDF

        self._pdf: FPDF = FPDF(format="A4")
        self._pdf.set_creation_date(_NO_TIME)
        self._pdf.core_fonts_encoding = _ENCODING
        self._pdf.set_auto_page_break(True, margin=18)
        self._family, self._draws = _font(self._pdf, font)
        self.whole = True
        self._pdf.add_page()

    def begin(self, form: dict[str, Any]) -> None:
        """Write what stands above the fields."""
        self._pdf.set_lang(form["language"])
        self._pdf.set_title(f"{form['authority']} {form['reference']}")
        if form["warning"]:
            self._line(form["warning"], _HEAD, grey=0, gap=2)
        self._line(form["title"], _TITLE, gap=1)
        self._line(f"Reference of the sender: {form['reference']}", _HEAD, gap=1)
        if form["adds_to"]:
            self._line(form["adds_to"], _HEAD, gap=1)
        for line in form["directions"]:
            self._line(line, _SMALL, grey=70)

    def field(self, count: int, field: dict[str, Any]) -> None:
        """Write one field with what stands in it."""
        english = f" ({field['english']})" if field["english"] else ""
        mark = " [unverified]" if field["unverified"] else ""
        self._pdf.ln(2.5)
        self._line(f"{count}. {field['label']}{english}{mark}", _HEAD)
        many = len(field["entries"]) > 1
        for place, entry in enumerate(field["entries"], start=1):
            parts = [f"{part['name']}: {part['value']}" if part["name"] else part["value"] for part in entry["parts"]]
            self._line((f"{place})  " if many else "") + "; ".join(parts), _BODY)
        if not field["entries"]:
            self._line(NOTHING, _BODY, grey=70)

    def end(self, form: dict[str, Any]) -> None:
        """Write what stands below the fields."""
        self._pdf.ln(3)
        for line in (form["source"], *form["notes"]):
            self._line(line, _SMALL, grey=70)
        if not self.whole:
            self._line("Characters that no font here can draw stand as their numbers; the page shows them.", _SMALL)

    def output(self) -> bytes:
        """Give the document."""
        return bytes(self._pdf.output())

    def _line(self, text: str, size: float, *, grey: int = 0, gap: float = 0) -> None:
        self._pdf.set_font(self._family, size=size)
        self._pdf.set_text_color(grey)
        height = size * _MILLIMETRES * _LINE
        self._pdf.multi_cell(
            0, height, self._drawn(visible(text).replace("\t", "    ")), align="L", new_x="LMARGIN", new_y="NEXT"
        )
        if gap:
            self._pdf.ln(gap)

    def _drawn(self, text: str) -> str:
        if all(self._draws(character) for character in text):
            return text
        marks = {"\u27e6": "[", "\u27e7": "]"}  # of characters that stand as their numbers already
        self.whole = self.whole and all(self._draws(each) or each in marks for each in text)
        return "".join(each if self._draws(each) else marks.get(each) or _undrawn(each) for each in text)


def _undrawn(character: str) -> str:
    return f"[{number(character)[1:-1]}]"


def _font(pdf: FPDF, file: str | None) -> tuple[str, Callable[[str], bool]]:
    """Give the family to use, and what says whether it draws a character."""
    if file is None:
        return "Helvetica", _in_the_plain_font
    try:
        pdf.add_font("form", fname=file)
        known = set(pdf.fonts["form"].cmap)  # type: ignore[union-attr]
    except Exception as error:
        raise ConfigurationError("The font that is configured is no TrueType font that can be used.") from error
    return "form", lambda character: character in "\n\t" or (ord(character) in known and _is_simple(character))


def _in_the_plain_font(character: str) -> bool:
    """Whether the fonts draw it that every reader of PDF brings."""
    try:
        character.encode(_ENCODING)
    except UnicodeEncodeError:
        return False
    return True


def _is_simple(character: str) -> bool:
    return ord(character) < _SIMPLE_UNTIL or "\u1e00" <= character <= "\u27ff"
