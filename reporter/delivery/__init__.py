"""The plan, the ledger, the engine, the worker: how exactly once is reached."""
