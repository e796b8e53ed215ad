"""What `import reseed` costs, and the names it offers."""

import inspect
import subprocess
import sys

import pytest

import reseed


def _is_loaded(module, statement):
    """Whether a fresh interpreter has loaded the module after the statement."""
    code = f"import sys\n{statement}\nsys.exit({module!r} in sys.modules)"
    return bool(subprocess.run([sys.executable, "-c", code], check=False).returncode)


@pytest.mark.parametrize(
    "module",
    [
        "transformers",
        "datasets",
        "plotly",
        "ray",
        "obstore",
        "platformdirs",
        "accelerate",
        "lightning",
        "mlflow",
        "tensorboard",
        "wandb",
    ],
)
def test_import_loads_no_heavy_library(module):
    """Libraries that only some features need are not loaded by `import reseed`."""
    assert not _is_loaded(module, "import reseed")


def test_the_import_test_can_fail():
    """The check above notices a library that is loaded."""
    assert _is_loaded("plotly", "import reseed, plotly")


@pytest.mark.parametrize("name", reseed.__all__)
def test_public_names_are_documented(name):
    """Every public name can be imported and has a docstring of its own."""
    found = getattr(reseed, name)
    assert inspect.getdoc(found)
    assert found.__doc__, "only inherited"


@pytest.mark.parametrize("name", reseed.__all__)
def test_public_functions_document_their_arguments(name):
    """Every argument of a public function stands in its docstring."""
    found = getattr(reseed, name)
    if not inspect.isfunction(found):
        assert inspect.isclass(found)
        return
    described = inspect.getdoc(found)
    arguments = [item for item in inspect.signature(found).parameters if item != "study"]
    assert [item for item in arguments if f"{item}:" not in described] == []


def test_public_names_are_sorted_and_unique():
    """The public list is in order, without repetition."""
    assert sorted(set(reseed.__all__)) == reseed.__all__


def test_errors_have_one_base():
    """Everything that reseed raises on purpose is caught by `except ReseedError`."""
    errors = [item for name in reseed.__all__ if name.endswith("Error") for item in [getattr(reseed, name)]]
    assert len(errors) >= 10
    assert all(issubclass(error, reseed.ReseedError) for error in errors)


def test_bad_input_is_a_value_error():
    """Errors about arguments are also the standard library's ValueError."""
    with pytest.raises(ValueError, match="runs must be 1 or more"):
        reseed.measure("digits", runs=0)
