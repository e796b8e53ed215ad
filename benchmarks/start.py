"""What help costs before anything is done: processor time of commands that only print, in a fresh process each.

The peer is what every command would cost if it loaded torch first.

    python benchmarks/start.py
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys

from _environment import write_result

from reseed.cli._main import COMMANDS

REPETITIONS = 7
CODE = "import sys; from reseed.cli import main; main(sys.argv[1:])"


def processor_seconds(code: str, *words: str) -> float:
    """Return what a fresh interpreter takes for a line of code, with these words as its arguments."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code, *words], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> None:
    """Time all commands in turns, so that what else the machine does falls on all of them; write the raw numbers."""
    work = {
        "reseed --help": (CODE, "--help"),
        "reseed --version": (CODE, "--version"),
        **{f"reseed {name} --help": (CODE, name, "--help") for name in COMMANDS},
        "reseed --completion bash": (CODE, "--completion", "bash"),
        "import reseed": ("import reseed",),
        "import torch": ("import torch",),
    }
    for arguments in work.values():
        processor_seconds(*arguments)  # the first time writes byte code
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(REPETITIONS):
        for name, arguments in work.items():
            seconds[name].append(processor_seconds(*arguments))
    medians = {name: statistics.median(taken) for name, taken in seconds.items()}
    print(json.dumps(medians, indent=2))
    write_result("start", {"repetitions": REPETITIONS, "processor_s": seconds, "median_s": medians})


if __name__ == "__main__":
    main()
