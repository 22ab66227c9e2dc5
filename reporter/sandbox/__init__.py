"""The built-in authorities, served over HTTP."""
