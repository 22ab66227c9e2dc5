"""
Replays one schedule of the exploration and shows what happened, call by call.

    python tests/simulation/replay.py FILES "8=drop_after; 12=pause"
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from ncmec_subject import FILES, NCMEC

from reporter.testing.simulation.explore import Run, play
from reporter.testing.simulation.schedule import read, written
from reporter.testing.simulation.world import Template


def command(files: int, run: Run) -> str:
    """Give the command that replays a run."""
    return f'python tests/simulation/replay.py {files} "{written(run.schedule)}"'


def main() -> None:
    files, schedule = int(sys.argv[1]), read(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        template = Template.make(Path(folder), NCMEC, dict(list(FILES.items())[:files]))
        run = play(template, schedule)
    print(f"state: {run.state}")
    for number, moment in enumerate(run.trace):
        went_wrong = [injection.action for injection in schedule if injection.at == number]
        print(f"{number:>4}  {moment:<14} {' '.join(went_wrong)}")
    for call in run.calls:
        print(f"attempt {call.attempt}  {call.step:<12} {call.outcome} {call.code}")
    print("\n".join(run.broken) or "every invariant holds")


if __name__ == "__main__":
    main()
