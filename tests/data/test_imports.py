"""What importing `reseed.data` costs, and which names it offers."""

import subprocess
import sys

import pytest

import reseed.data


def test_public_names_exist_and_are_documented():
    """Every name in the public list can be imported, and says what it is."""
    assert all(hasattr(reseed.data, name) for name in reseed.data.__all__)
    for name in ("DataConfig", "Dataset", "Splits", "load", "preview", "previews"):
        assert getattr(reseed.data, name).__doc__


@pytest.mark.parametrize("module", ["transformers", "datasets", "sklearn", "pyarrow", "PIL"])
def test_import_loads_no_heavy_library(module):
    """Libraries for one kind of data are loaded when that kind is, not before."""
    code = f"import sys, reseed.data; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_import_test_can_fail():
    """The check above notices a library that is loaded."""
    code = "import sys, reseed.data, pyarrow; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 1
