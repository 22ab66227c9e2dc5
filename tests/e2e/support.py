"""What a run of the command line came to, and what is in a home; every run is held against what must hold of all."""

import base64
import hashlib
import json
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DATABASE = "reporter.sqlite3"
URL_VARIABLE = "REPORTER_AUTHORITY__NCMEC__BASE_URL"
#: Stands in whatever a message must never repeat: case text, account names, evidence, secrets.
MARKER = "Quixotic-Marker"
#: Of every key in these tests; stands nowhere but in its file.
PASSPHRASE = "Quixotic-Marker and three words more"
PROGRAM = Path(sys.executable).with_name("reporter")


@dataclass(frozen=True)
class Ran:
    """What one run of the program came to."""

    code: int
    out: bytes = field(repr=False)
    err: str

    def __post_init__(self) -> None:
        assert "Traceback" not in self.err, self.err
        assert "internal fault" not in self.err, self.err
        assert MARKER not in self.err, self.err

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Home:
    """A home on disk, and what is in it."""

    folder: Path

    @property
    def toml(self) -> Path:
        return self.folder / "reporter.toml"

    def configure(self, before: str, after: str) -> None:
        """Replace a piece of reporter.toml."""
        text = self.toml.read_text(encoding="utf-8")
        assert before in text
        self.toml.write_text(text.replace(before, after), encoding="utf-8")

    def listing(self) -> dict[str, str]:
        """Give every file with its digest; of the database, what it says."""
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        shown = {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
            if not path.name.startswith(DATABASE)
        }
        return shown | {DATABASE: "\n".join(self.rows())}

    def rows(self) -> list[str]:
        """Give what the database says, as SQL; but for the custody log, which also tells of other configurations."""
        with closing(sqlite3.connect(self.folder / DATABASE)) as connection:
            return [row for row in connection.iterdump() if not row.startswith(_CUSTODY)]


_CUSTODY = ('INSERT INTO "custody_', 'INSERT INTO "settings_seen"')
Run = Callable[..., Ran]


def plaintext_in(home: Home, *markers: str) -> list[str]:
    """Give the files of a home that hold a marker: as it is, in UTF-16, in base64 or in hex, or in their name."""
    found = []
    for path in home.folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        for marker in markers:
            plain = marker.encode()
            shapes = [plain, marker.encode("utf-16-le"), plain.hex().encode()]
            shapes += [base64.b64encode(bytes(shift) + plain)[4:-4] for shift in range(3)]
            if marker in path.name or any(shape in content for shape in shapes):
                found.append(f"{marker} in {path.relative_to(home.folder)}")
    return found


def spare(reporter: Run, reference: str) -> None:
    """Have two people say that no authority needs to be told of a case."""
    for task in reporter("task", "list", "--of", reference, "--json").json["tasks"]:
        said = ("task", "done", str(task["id"]), "--not-needed", "--reason", "Synthetic.", "--as")
        assert [reporter(*said, who).code for who in ("ann", "bob")] == [0, 0]
