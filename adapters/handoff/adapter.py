"""The adapter of every authority that is told by people: one class, and a file of data for each."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.handoff import checking, data, html, pdf
from adapters.handoff.filling import fill
from adapters.handoff.form import Form, shipped_forms
from reporter.abilities import Printed
from reporter.authority import Check, Document, Package, Packaging
from reporter.cases.model import Case

_NO_PDF = "there is no PDF, for its library is not installed (pip install 'reporter[pdf]'); the page prints the same"
_NUMBERS = "in the PDF, characters that no font here can draw stand as their numbers; the page shows them"


class HandoffAdapter:
    """Fills in one authority's form."""

    digests = frozenset[str]()

    def __init__(self, form: Form) -> None:
        self._form = form
        self.name, self.title, self.means = form.name, form.title, form.means
        self.setting_keys = frozenset(form.settings)

    def check(self, case: Case, packaging: Packaging) -> Check:
        """Hold the case against the form; what the form does not ask for is told, and never sent."""
        filled = fill(self._form, case, packaging)
        return Check(tuple(checking.needs(filled, case)), tuple(checking.notes(filled)))

    def build(self, case: Case, packaging: Packaging) -> Package:
        """Fill in the form: a page to read, the same for programs, and no file of the case."""
        filled = fill(self._form, case, packaging)
        about = (filled, case.reference, packaging.environment)
        urgency = case.incident.urgency
        return Package(
            self.name,
            (
                Document("form", "text/html", html.page(*about)),
                Document("data", "application/json", data.as_json(*about)),
                Document("table", "text/csv", data.as_csv(*about)),
            ),
            urgent=urgency is not None and urgency.level == "immediate",
        )

    def printed(self, package: Package, font: str | None = None) -> Printed:
        """
        Give the approved form as PDF, where the library is here.

        Raises:
            ConfigurationError: The font cannot be used.
        """
        if not pdf.installed():
            return Printed((), (_NO_PDF,))
        content, whole = pdf.printed(package.document("data").body, font)
        return Printed((Document("print", "application/pdf", content),), () if whole else (_NUMBERS,))


def shipped() -> Sequence[HandoffAdapter]:
    """Give the adapter of each form that comes with the program."""
    return [HandoffAdapter(form) for form in shipped_forms()]
