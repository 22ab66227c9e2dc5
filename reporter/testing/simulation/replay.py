"""
Replays one schedule of the exploration and shows what happened, moment by moment and call by call.

    python -m reporter.testing.simulation.replay tests/contract/test_example_adapter.py:TestExample 1 "8=drop_after"

The subject is a class in a file or in a module, then come the number of files and the schedule.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import sys
import tempfile
from pathlib import Path

from reporter.errors import UsageError
from reporter.testing.contract.subject import AdapterSubject
from reporter.testing.simulation.explore import Run, play
from reporter.testing.simulation.schedule import read, written
from reporter.testing.simulation.world import Template

#: The files of explored submissions, as many as asked for.
FILES = {"e1": b"harmless one", "e2": b"harmless two"}


def first_files(count: int) -> dict[str, bytes]:
    """Give so many of the files."""
    return dict(list(FILES.items())[:count])


def command(subject: AdapterSubject, files: int, run: Run) -> str:
    """Give the command that replays a run."""
    kind = type(subject)
    where = os.path.relpath(inspect.getfile(kind))
    return f'python -m reporter.testing.simulation.replay {where}:{kind.__qualname__} {files} "{written(run.schedule)}"'


def find(name: str) -> AdapterSubject:
    """
    Give the subject of that name, ``FILE.py:CLASS`` or ``MODULE:CLASS``.

    Raises:
        UsageError: There is none.
    """
    where, _, kind = name.rpartition(":")
    if where.endswith(".py"):
        spec = importlib.util.spec_from_file_location(Path(where).stem, where)
        if spec is None or spec.loader is None or not Path(where).is_file():
            raise UsageError(f"There is no file {where}.")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(where)
    subject = getattr(module, kind, None)
    if not (isinstance(subject, type) and issubclass(subject, AdapterSubject)):
        raise UsageError(f"{where} has no subject {kind}.")
    return subject()


def main(arguments: list[str]) -> int:
    """Replay and print; give 1 when an invariant is broken."""
    if len(arguments) != 3:
        raise SystemExit(__doc__)
    name, files, schedule = arguments[0], int(arguments[1]), read(arguments[2])
    with tempfile.TemporaryDirectory() as folder:
        run = play(Template.make(Path(folder), find(name), first_files(files)), schedule)
    print(f"state: {run.state}")
    for number, moment in enumerate(run.trace):
        went_wrong = [injection.action for injection in schedule if injection.at == number]
        print(f"{number:>4}  {moment:<14} {' '.join(went_wrong)}")
    for call in run.calls:
        print(f"attempt {call.attempt}  {call.step:<12} {call.outcome} {call.code}")
    print("\n".join(run.broken) or "every invariant holds")
    return 1 if run.broken else 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    sys.exit(main(sys.argv[1:]))
