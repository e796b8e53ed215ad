"""Workers that loky replaces while there is work left, as it does with those whose memory has grown."""

import subprocess
import sys

LEAKY = """
import time
from reseed.engines import RunReport

kept = []

def task(group):
    kept.append(bytearray(b"x") * (350 << 20))  # more than loky lets a worker gain after its first run
    time.sleep(1.1)  # it looks once a second
    return [RunReport(run, "complete") for run in group]
"""
SCRIPT = """
import leaky
from reseed.engines._processes import ProcessesEngine

if __name__ == "__main__":
    groups = [(run,) for run in range(6)]
    print(sorted(report.run for report in ProcessesEngine(2).map(leaky.task, groups)))
"""


def test_work_goes_on_where_warnings_are_errors(tmp_path):
    """The warning that it gives then must not end the thread that hands out the work."""
    (tmp_path / "leaky.py").write_text(LEAKY)
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "-W", "error", "script.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[0, 1, 2, 3, 4, 5]"
