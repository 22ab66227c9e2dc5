"""One package for each authority; found by the entry point group ``reporter.adapters``."""
