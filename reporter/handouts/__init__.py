"""Approved submissions handed to people, who tell an authority that no machine can call."""
