"""The user's own factories."""

import importlib
import sys
from functools import partial

import pytest
import torch
from torch import nn

from reseed._errors import ModelError
from reseed.models import ModelConfig, architecture, draw_model, named_model, parameter_origins

FACTORIES = """
import torch
from torch import nn

def good(input_shape, num_classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(input_shape[0], num_classes))

SHARED = nn.Linear(4, 3)

def same_instance(input_shape, num_classes):
    return SHARED

def shared_layer(input_shape, num_classes):
    return nn.Sequential(SHARED, nn.Linear(3, num_classes))

def raises(input_shape, num_classes):
    raise RuntimeError("no such layer")

def no_module(input_shape, num_classes):
    return lambda x: x

SIZES = iter(range(1, 100))

def other_size(input_shape, num_classes):
    return nn.Linear(4, next(SIZES))

PRETRAINED = torch.arange(16.0).reshape(4, 4)

def pretrained(input_shape, num_classes):
    body = nn.Linear(4, 4)
    body.weight.data = PRETRAINED.clone()
    return nn.Sequential(body, nn.Linear(4, num_classes))

answer = 42
"""


@pytest.fixture(autouse=True)
def _factories(tmp_path, monkeypatch):
    (tmp_path / "own_factories.py").write_text(FACTORIES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own_factories", raising=False)


def own(function):
    """The architecture of one of the factories above."""
    return architecture(ModelConfig(f"own_factories:{function}"))


def test_a_factory_beside_the_user_is_found():
    """MODULE:FUNCTION is imported from the current folder and drawn from the seed."""
    one, same, other = (draw_model(own("good"), (4,), 3, word) for word in (1, 1, 2))
    assert isinstance(one, nn.Module)
    assert torch.equal(one[1].weight, same[1].weight)
    assert not torch.equal(one[1].weight, other[1].weight)
    assert not own("good").is_native


@pytest.mark.parametrize("function", ["same_instance", "shared_layer"])
def test_shared_instances_are_refused(function):
    """A factory that hands out the same parameters twice is refused, naming one."""
    with pytest.raises(ModelError, match=r"returned a shared instance: parameter '.*weight' is the same tensor"):
        parameter_origins(own(function), (4,), 3)


def test_pretrained_weights_are_told_apart():
    """Weights that are equal in all runs without being constant are reported as shared."""
    origins = parameter_origins(own("pretrained"), (4,), 3)
    assert origins.shared == ("0.weight",)
    assert origins.shared_count == 16
    assert set(origins.redrawn) == {"0.bias", "1.weight", "1.bias"}


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("raises", r"called with input_shape=\(4,\) and num_classes=3, raised RuntimeError: no such layer"),
        ("no_module", "must return a torch.nn.Module, got function"),
        ("other_size", "is not the same model twice: parameter 'weight' differs in shape"),
        ("missing", "cannot import the model factory 'own_factories:missing'"),
        ("answer", "model factory 'own_factories:answer' is a int, not a function"),
    ],
)
def test_bad_factories_say_what_is_wrong(function, message):
    """Every way to get a factory wrong has its own message."""
    with pytest.raises(ModelError, match=message):
        parameter_origins(own(function), (4,), 3)


def test_missing_module_is_named():
    """A module that cannot be imported is an error about the model's name."""
    with pytest.raises(ModelError, match=r"cannot import the model factory 'nowhere:f'.*Write MODULE:FUNCTION"):
        draw_model(architecture(ModelConfig("nowhere:f")), (4,), 3, 0)


def test_a_file_is_named_by_its_path(tmp_path, monkeypatch):
    """FILE.py:FUNCTION is imported from where it is, with what stands beside it, and once."""
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "beside_it.py").write_text("WIDTH = 5\n")
    text = "from torch import nn\nfrom beside_it import WIDTH\nMADE = []\n"
    text += "def small(input_shape, num_classes):\n    MADE.append(1)\n    return nn.Linear(WIDTH, num_classes)\n"
    (tmp_path / "nets" / "mine.py").write_text(text)
    for name in ("nets/mine.py:small", str(tmp_path / "nets" / "mine.py") + ":small"):
        assert architecture(ModelConfig(name)).build((5,), 3).out_features == 3
    factory = architecture(ModelConfig("nets/mine.py:small"))._factory
    assert sum(factory.__globals__["MADE"]) == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.py:small", "FileNotFoundError"),
        ("own_factories.py:missing", "has no attribute 'missing'"),
        ("broken.py:small", "SyntaxError"),
    ],
)
def test_a_file_that_gives_no_factory_is_told(tmp_path, name, message):
    """A file that is not there, lacks the function or cannot be run."""
    (tmp_path / "broken.py").write_text("def small(:\n")
    with pytest.raises(ModelError, match=message):
        architecture(ModelConfig(name))


def test_a_file_needs_the_same_trust_as_a_module(tmp_path):
    """What a recipe file names is not imported without leave."""
    with pytest.raises(ModelError, match=r"names code to run as its model, 'own_factories\.py:good'"):
        architecture(ModelConfig("own_factories.py:good", is_trusted=False))


def test_functions_get_a_name():
    """Importable ones that of their module, others one that tells their code from other code."""
    own_factories = importlib.import_module("own_factories")
    assert named_model(own_factories.good) == ModelConfig("own_factories:good")
    first, second = named_model(lambda: nn.Linear(1, 2)), named_model(lambda: nn.Linear(1, 3))
    assert first.name.startswith("in-memory:lambda-")
    assert first.name != second.name
    assert first.name == named_model(lambda: nn.Linear(1, 2)).name
    bound = [named_model(partial(own_factories.good, num_classes=classes)).name for classes in (2, 3)]
    assert bound[0] != bound[1]
    with pytest.raises(ModelError, match="was a function of the session"):
        ModelConfig(first.name).check_trusted()
