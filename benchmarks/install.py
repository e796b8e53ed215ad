"""What installing takes: time and disk of a fresh environment at the pinned versions, and the time of the demo in it.

The same commands as those of the Makefile, in an empty folder: reseed alone, the demo, then what the tests need beside
it. Time is by the clock and depends on the network, the package cache and what else the machine does.

    python benchmarks/install.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from _environment import write_result

ROOT = Path(__file__).parents[1]
PINNED = ("--constraint", "constraints.txt", "--build-constraint", "constraints.txt", "--editable")


def seconds(*words: str | Path) -> float:
    """Run a command in the project's folder, and return how long it took."""
    begun = time.perf_counter()
    subprocess.run([str(word) for word in words], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def sizes(folder: Path) -> Iterator[int]:
    """Yield the bytes on disk of each file below a folder."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield path.stat().st_blocks * 512


def main() -> None:
    """Install, run the demo and install the rest; write what each took."""
    with TemporaryDirectory() as place:
        home = Path(place) / "environment"
        python = home / "bin" / "python"
        seconds(sys.executable, "-m", "venv", home)
        pip = (python, "-m", "pip", "install", "--quiet")
        core = seconds(*pip, *PINNED[:2], "--upgrade", "pip") + seconds(*pip, *PINNED, ".")
        core_bytes = sum(sizes(home))
        torch_bytes = sum(sum(sizes(folder)) for folder in home.glob("lib/*/site-packages/torch"))
        demo = seconds(home / "bin" / "reseed", "measure", "digits", "--runs", "50", "--out", Path(place) / "demo")
        rest = seconds(*pip, *PINNED, ".[text,cluster,onnx,attacks]", "--group", "dev")
        result = {
            "core": {"seconds": core, "bytes": core_bytes, "bytes_of_torch": torch_bytes},
            "demo": {"seconds": demo},
            "tests": {"seconds": rest, "bytes": sum(sizes(home))},
            "load_average": os.getloadavg()[0],
        }
    write_result("install", result)
    print(result)


if __name__ == "__main__":
    main()
