"""Workers keep freed memory: a block that comes and goes costs no new pages."""

import subprocess
import sys

import pytest

CODE = """
import resource, sys
import torch
from reseed.engines._allocator import keep_freed_memory

def step():
    return [torch.ones(4, 2**20) for _ in range(4)]  # activations of 16 MiB, all alive at once

if sys.argv[1] == "kept":
    keep_freed_memory()
for _ in range(3):
    step()
found = []
for _ in range(3):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        step()
    found.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(min(found))  # a small object that comes to lie between two blocks makes a heap grow once more
"""


def new_pages(words, **environment):
    """Return how many pages ten steps ask of the system, the fewest of three tens."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, words], capture_output=True, text=True, check=True, env=environment
    )
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="a setting of glibc")
def test_a_step_finds_the_memory_of_the_one_before():
    """Ten steps ask for next to no page where memory is kept; the environment's word goes before ours."""
    assert new_pages("kept") < 1000
    assert new_pages("kept", MALLOC_TRIM_THRESHOLD_="131072") > 10_000
