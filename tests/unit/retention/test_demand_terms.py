"""What a demand must say, and how long it holds by the rules that are shipped."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.errors import DocumentError
from reporter.retention.demand import DemandKind
from reporter.retention.demands import read
from reporter.retention.terms import Term, renewed, term
from reporter.rules.reading import shipped

RULES = shipped()
SERVED = datetime(2026, 11, 20, 14, tzinfo=UTC)
LETTER = DemandKind.PRESERVATION_LETTER
MOMENTS = st.integers(1_000_000_000, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "destruction_request", "scope": {"dates": [{"since": "2026-11-01T00:00:00Z"}]}},
        {"scope": {}},
        {"scope": {"dates": [{}]}},
        {"scope": {"dates": [{"since": "2026-11-02T00:00:00Z", "until": "2026-11-01T00:00:00Z"}]}},
        {"scope": {"subjects": [{"kind": "email", "value": ""}]}},
        {"requester": "somebody"},
        {"served_at": "yesterday"},
        {"note": None},
        {"verified": True},
    ],
)
def test_a_demand_that_says_too_little_or_too_much_is_refused(changes: dict[str, Any]) -> None:
    document = {
        "demand_version": 1,
        "kind": "subpoena",
        "requester": "federal",
        "authority": {"name": "Example Agency"},
        "served_at": "2026-11-20T09:00:00-05:00",
        "scope": {"cases": ["TEST-000001"]},
    }
    read(json.dumps(document).encode())
    with pytest.raises(DocumentError) as refused:
        read(json.dumps({**document, **changes}).encode())
    assert "Example Agency" not in refused.value.diagnostics()


@pytest.mark.parametrize("kind", sorted(set(DemandKind) - {LETTER}))
def test_what_no_law_that_was_read_ends_holds_until_it_is_released(kind: DemandKind) -> None:
    assert term(RULES, kind, SERVED).ends is None


def test_an_unverified_length_only_advises() -> None:
    order = term(RULES, DemandKind.EU_PRESERVATION_ORDER, SERVED)
    assert (order.ends, order.advised) == (None, SERVED + timedelta(days=60))
    later = renewed(RULES, DemandKind.EU_PRESERVATION_ORDER, order, SERVED)
    assert (later.ends, later.advised) == (None, SERVED + timedelta(days=90))


@given(MOMENTS, st.lists(MOMENTS, max_size=6))
def test_renewals_never_shorten_and_each_adds_at_least_its_length(served: datetime, renewals: list[datetime]) -> None:
    standing: Term = term(RULES, LETTER, served)
    assert standing.ends == served + timedelta(days=90)
    for at in renewals:
        later = renewed(RULES, LETTER, standing, at)
        assert standing.ends is not None and later.ends is not None
        assert later.ends >= max(standing.ends, at) + timedelta(days=90)
        standing = later
