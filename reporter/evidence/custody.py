"""Where key custody's errors become the program's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from keycustody.errors import KeyCustodyError, StorageError, WrongEnvironmentError
from reporter.errors import CustodyError, EnvironmentTroubleError, PolicyError


@contextmanager
def custody_errors(about: str = "", next_step: str = "") -> Iterator[None]:
    """
    Run a block that uses keys; ``about`` opens the text of what it raises, ``next_step`` mends what is no disk trouble.

    Raises:
        EnvironmentTroubleError: Keys or objects cannot be read or written.
        PolicyError: A credential was asked for in another environment than its own.
        CustodyError: A key is missing, or what it sealed does not open.

    """
    try:
        yield
    except StorageError as error:
        raise EnvironmentTroubleError(f"{about}{error}") from error
    except WrongEnvironmentError as error:
        raise PolicyError(f"{about}{error}", next_step=next_step) from error
    except KeyCustodyError as error:
        raise CustodyError(f"{about}{error}", next_step=next_step) from error
