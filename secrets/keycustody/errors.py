"""
Every error of key custody, in one tree of its own.

    KeyCustodyError
    ├── StorageError            a folder or file of keys cannot be read or written, or others may read it
    ├── MissingKeyError         no such key, wrap or secret: destroyed, never there, or kept elsewhere
    ├── KeyExistsError          the name is taken, and keys are never overwritten
    ├── SealError               what was sealed does not open: altered, cut short, swapped, or another key's
    └── WrongEnvironmentError   a credential of one environment was asked for in another

The text names ids and files, never a key, a secret or a sealed value.
"""

from __future__ import annotations


class KeyCustodyError(Exception):
    """Root of the tree."""


class StorageError(KeyCustodyError):
    """A folder or file of keys cannot be read or written, or others may read it."""


class MissingKeyError(KeyCustodyError):
    """There is no such key, wrap or secret here."""


class KeyExistsError(KeyCustodyError):
    """The name is taken; keys are never overwritten."""


class SealError(KeyCustodyError):
    """What was sealed does not open: altered, cut short, swapped, or sealed under another key."""


class WrongEnvironmentError(KeyCustodyError):
    """The credential belongs to another environment."""
