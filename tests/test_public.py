"""What `import reseed` costs, and the names it offers."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import reseed

HEAVY = {
    "accelerate",
    "datasets",
    "lightning",
    "mlflow",
    "obstore",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "platformdirs",
    "ray",
    "tensorboard",
    "transformers",
    "wandb",
}


def _loaded(*statements):
    """The top-level modules that a fresh interpreter holds after each of the statements."""
    code = "import sys\n" + "".join(
        f"{one}\nprint(*{{name.partition('.')[0] for name in sys.modules}})\n" for one in statements
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return [set(line.split()) for line in done.stdout.splitlines()]


def test_import_loads_what_is_asked_for():
    """`import reseed` loads nothing that takes long, all public names nothing that only some features need."""
    first, error, names, last = _loaded(
        "import reseed",
        "reseed.InputError",
        "from reseed import *",
        "import platformdirs",  # the last: that it can be seen
    )
    assert not first & {"torch", "scipy", "numpy"} | error & {"torch"}
    assert not names & HEAVY
    assert "torch" in names
    assert "platformdirs" in last


def test_names_are_where_the_public_list_says():
    """What type checkers see, what is loaded when asked for and the public list are the same, in the same order."""
    tree = ast.parse(Path(reseed.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = [(node.module, tuple(item.name for item in node.names)) for node in block.body]
    assert dict(home for home in seen if home[0] != "reseed") == reseed._HOMES
    assert sum((names for module, names in seen if module == "reseed"), ()) == reseed._ROOMS
    assert sorted(reseed._HOME_OF) == reseed.__all__
    assert {*reseed.__all__, *reseed._ROOMS} <= set(dir(reseed))
    assert all(inspect.ismodule(getattr(reseed, room)) for room in reseed._ROOMS)
    with pytest.raises(AttributeError, match="module 'reseed' has no attribute 'nothing'"):
        _ = reseed.nothing


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
