"""The case document: the versioned intake contract, its checks, and idempotent intake."""
