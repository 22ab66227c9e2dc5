"""Writes docs/reference/roles.csv from the table that the program goes by: ``make docs``."""

import csv
import io
from pathlib import Path

from reporter.actors.model import Role
from reporter.actors.policy import FREE, RULES

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "roles.csv"


def render() -> str:
    """Give the table: one row for each command, one column for each role."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["command", *Role, "a token is enough", "needs nobody, because it"])
    for verb in sorted(RULES | FREE):
        if verb in FREE:
            rows.writerow([verb, *("" for _ in Role), "", FREE[verb]])
            continue
        rule = RULES[verb]
        rows.writerow([verb, *("yes" if role in rule.roles else "" for role in Role), "yes" if rule.token else "", ""])
    return text.getvalue()


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
