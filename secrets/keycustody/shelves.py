"""Where sealed credentials lie, by name: a folder of one machine's, or a database that many share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from keycustody import files

_SUFFIX = ".secret"
_READING, _WRITING = "The credential store cannot be read", "The credential store cannot be written"


class Shelf(Protocol):
    """Short sealed texts by name. Processes and threads may share one. Trouble of any kind is a ``StorageError``."""

    def names(self) -> list[str]:
        """Give every name, in order."""
        ...

    def read(self, name: str) -> bytes | None:
        """Give what is kept under a name, if anything is."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Keep ``content`` under a name, in place of what was there; it survives a power cut."""
        ...

    def swap(self, name: str, old: bytes, new: bytes) -> bool:
        """Put ``new`` in the place of ``old``; False, and nothing done, where ``old`` was changed or removed."""
        ...

    def delete(self, name: str) -> None:
        """Remove what is kept under a name; what is gone already is no error."""
        ...


@dataclass(frozen=True, slots=True)
class FolderShelf:
    """A private folder with one file for each name."""

    folder: Path

    def names(self) -> list[str]:
        """Give every name, as ``Shelf.names``."""
        with files.trouble(_READING):
            return sorted(path.stem for path in self.folder.iterdir() if path.suffix == _SUFFIX)

    def read(self, name: str) -> bytes | None:
        """Give what is kept, as ``Shelf.read``; a folder that others may read is refused."""
        with files.trouble(_READING):
            files.require_private(self.folder)
            try:
                with files.read(self._path(name)) as file:
                    return file.read()
            except FileNotFoundError:
                return None

    def write(self, name: str, content: bytes) -> None:
        """Keep something, as ``Shelf.write``; a folder that others may read is refused."""
        with files.trouble(_WRITING):
            files.require_private(self.folder)
            with files.held(self.folder):
                files.replace(self._path(name), content)

    def swap(self, name: str, old: bytes, new: bytes) -> bool:
        """Replace something, as ``Shelf.swap``."""
        with files.trouble(_WRITING), files.held(self.folder):
            if self.read(name) != old:
                return False
            files.replace(self._path(name), new)
        return True

    def delete(self, name: str) -> None:
        """Remove something, as ``Shelf.delete``."""
        with files.trouble(_WRITING), files.held(self.folder):
            files.remove(self._path(name))

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}{_SUFFIX}"
