"""The custody log."""
