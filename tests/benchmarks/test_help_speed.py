"""How long a person waits for help: a process of its own, warm; prints a figure and gates nothing (`make bench`)."""

import subprocess
import sys
import time
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("reporter")
RUNS = 10


def test_help() -> None:
    subprocess.run([PROGRAM, "--help"], check=True, capture_output=True)
    took = []
    for _ in range(RUNS):
        began = time.perf_counter()
        subprocess.run([PROGRAM, "--help"], check=True, capture_output=True)
        took.append(time.perf_counter() - began)
    print(f"\nreporter --help, warm: {sorted(took)[RUNS // 2]:.2f} s (wanted: at most 0.4 s)")
