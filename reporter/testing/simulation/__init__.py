"""
Deterministic exploration of deliveries: the real engine and ledger, an authority's double, a clock that stands still.

One thread, no sleeping. A schedule says at which moments of a run what goes wrong; ``explore`` runs all of them within
a bound and holds the end of each against the invariants of exactly-once.
"""
