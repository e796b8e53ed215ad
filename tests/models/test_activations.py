"""What modules answer inside a network: the same as computed by hand, at any depth, and nothing is left behind."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from reseed import InputError
from reseed._errors import InputTypeError
from reseed.models import Activations, ModelConfig, Networks, architecture, draw_model


def drawn(make):
    """A module with weights that are the same each time, without touching the global generator."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make()


def uniform(*shape):
    """Inputs that are the same each time."""
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


def hooks(model):
    """How many hooks there are anywhere."""
    return sum(len(part._forward_hooks) + len(part._forward_pre_hooks) for part in model.modules())


class Twice(nn.Module):
    """One layer and one activation function, called three times."""

    def __init__(self):
        super().__init__()
        self.layer, self.relu = nn.Linear(4, 4), nn.ReLU(inplace=True)

    def forward(self, x, rounds=3):
        """Return what is left after some rounds."""
        for _ in range(rounds):
            x = self.relu(self.layer(x))
        return x


class Several(nn.Module):
    """Blocks inside of blocks, which return tuples and dictionaries."""

    def __init__(self):
        super().__init__()

        class Inner(nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = nn.Linear(4, 5)

            def forward(self, x):
                return {"words": "none", "states": (self.layer(x), x)}

        self.outer = nn.ModuleDict({"deep": nn.Sequential(nn.Identity(), Inner())})
        self.head = nn.Linear(5, 2)

    def forward(self, x):
        """Return logits and nothing."""
        return self.head(self.outer["deep"](x)["states"][0]), None


def test_what_is_recorded_is_what_the_layers_answer():
    """Dense layers and convolutions, over pixels by the mean, the logits included, before the activation function."""
    model = draw_model(architecture(ModelConfig("cnn", width=4, hidden=(6,))), (2, 8, 8), 3, 0).eval()
    inputs = uniform(7, 2, 8, 8)
    with Activations(model) as seen:
        logits = model(inputs)
    found = seen.take()
    first = model[0](inputs)
    assert list(found) == list(seen.names)
    assert [tuple(value.shape) for value in found.values()] == [(7, 4), (7, 8), (7, 6), (7, 3)]
    torch.testing.assert_close(found["0"], first.mean((2, 3)))
    torch.testing.assert_close(found[seen.names[1]], model[:5](inputs).mean((2, 3)))
    assert torch.equal(found[seen.names[-1]], logits)


@pytest.mark.parametrize("name", ["mlp", "cnn", "resnet", "small-inception"])
def test_networks_of_ours_are_recorded_at_any_depth(name):
    """Every dense layer and convolution of a network that takes images; of several together, run by run."""
    models = [draw_model(architecture(ModelConfig(name)), (3, 8, 8), 4, word).double() for word in range(3)]
    networks = Networks([model.eval() for model in models])
    inputs = uniform(5, 3, 8, 8).double()
    for model, run in zip(models, networks, strict=True):
        expected = {key for key, part in model.named_modules() if isinstance(part, nn.Linear | nn.Conv2d)}
        with Activations(run) as seen, Activations(model) as own:
            run(inputs)
            model(inputs)
        found, alone = seen.take(), own.take()
        assert set(found) == expected
        for key, value in alone.items():
            torch.testing.assert_close(found[key], value)


@pytest.mark.parametrize("reduce", ["mean", "max", "minmax", "none"])
def test_places_are_reduced(reduce):
    """Against numpy, for maps and for units, which have one place."""
    model = drawn(lambda: nn.Sequential(nn.Conv2d(1, 3, 2), nn.Flatten(), nn.Linear(27, 4)))
    inputs = uniform(6, 1, 4, 4)
    maps, units = model[0](inputs).detach().numpy(), model(inputs).detach().numpy()
    with Activations(model, reduce=reduce) as seen:
        model(inputs)
    found = seen.take()
    expected = {
        "mean": lambda x: x.mean((2, 3)),
        "max": lambda x: x.max((2, 3)),
        "minmax": lambda x: np.stack([x.min((2, 3)), x.max((2, 3))], -1),
        "none": lambda x: x,
    }[reduce]
    np.testing.assert_allclose(found["0"], expected(maps), rtol=1e-5)
    np.testing.assert_allclose(found["2"], np.stack([units, units], -1) if reduce == "minmax" else units, rtol=1e-5)


def test_a_function_reduces_as_it_likes():
    """It is given the name and the answers, neurons second."""
    model = drawn(lambda: nn.Sequential(nn.Linear(4, 3), nn.ReLU()))
    with Activations(model, reduce=lambda name, values: values.abs().sum(1) + len(name)) as seen:
        model(uniform(2, 6, 4))
    torch.testing.assert_close(seen.take()["0"], model[0](uniform(2, 6, 4)).detach().abs().sum(2) + 1)


@pytest.mark.parametrize("reduce", ["mean", "max", "none"])
def test_what_works_in_place_does_not_change_what_was_recorded(reduce):
    """The answers of a layer are those before the activation function that writes into them."""
    model = drawn(lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(inplace=True)))
    inputs = uniform(9, 4) - 0.5
    with Activations(model, reduce=reduce) as seen, torch.no_grad():
        model(inputs)
    found = seen.take()["0"]
    assert (found < 0).any()
    assert torch.equal(found, model[0](inputs).detach())


def test_each_call_of_a_module_has_a_name():
    """A layer that is called three times in a pass is three layers."""
    model = drawn(Twice)
    inputs = uniform(5, 4)
    with Activations(model, ["layer", "relu"]) as seen:
        model(inputs)
    found = seen.take()
    assert list(found) == ["layer", "relu", "layer#2", "relu#2", "layer#3", "relu#3"]
    torch.testing.assert_close(found["layer#2"], model.layer(found["relu"]).detach())
    torch.testing.assert_close(found["relu#3"], model(inputs).detach())


def test_answers_of_several_parts_count_by_their_first_tensor():
    """Tuples, dictionaries, and both inside of each other; blocks can be named, and the model itself as ''."""
    model = drawn(Several)
    inputs = uniform(5, 4)
    with Activations(model, ["outer.deep.1", "outer.deep.1.layer", ""]) as seen:
        logits, _ = model(inputs)
    found = seen.take()
    assert torch.equal(found["outer.deep.1"], found["outer.deep.1.layer"])
    assert torch.equal(found[""], logits.detach())
    assert Activations(model).names == ("outer.deep.1.layer", "head")


def test_batches_follow_each_other_and_are_forgotten_when_taken():
    """Whatever their sizes; what was taken is not there a second time (fault 12 of the reference repository)."""
    model = drawn(Several)
    inputs = uniform(150, 4)
    with Activations(model) as seen:
        for batch in inputs.split(64):
            model(batch)
        found = seen.take()
        model(inputs[:3])
    torch.testing.assert_close(seen.take()["head"], found["head"][:3])
    assert len(found["outer.deep.1.layer"]) == 150
    torch.testing.assert_close(found["head"], model(inputs)[0].detach())
    with pytest.raises(InputError, match="nothing was recorded: call the model inside the `with` block, then take"):
        seen.take()


def test_nothing_is_left_behind():
    """Hooks go, after an error as well; modes, gradients and random state are not touched."""
    model = drawn(lambda: nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2)))
    model[1].eval()
    before, modes = copy.deepcopy(model.state_dict()), [part.training for part in model.modules()]
    other = model[0].register_forward_hook(lambda *_: None)
    with pytest.raises(RuntimeError, match="mat1 and mat2"), Activations(model):  # noqa: PT012
        assert hooks(model) > 1
        model.eval()(uniform(3, 4))
        model(uniform(3, 5))
    assert hooks(model) == 1
    other.remove()
    for part, mode in zip(model.modules(), modes, strict=True):
        part.training = mode
    state = torch.get_rng_state()
    model[2].eval()
    modes[3] = False
    with Activations(model) as seen:
        model(uniform(3, 4))
    assert [part.training for part in model.modules()] == modes
    assert hooks(model) == 0
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not seen.take()["0"].requires_grad


def test_a_batch_that_failed_is_not_recorded():
    """Nor are parts of the model that are called by themselves."""
    model = drawn(lambda: nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2)))
    bad = uniform(3, 4)
    with Activations(model) as seen:
        handle = model[1].register_forward_pre_hook(lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            model(bad)
        handle.remove()
        model[0](uniform(5, 4))
        model(bad + 1)
    found = seen.take()
    assert torch.equal(found["0"], model[0](bad + 1).detach())
    assert len(found["1"]) == 3


def test_the_graph_can_be_kept():
    """Activations can be differentiated in the inputs and the weights."""
    model = drawn(lambda: nn.Sequential(nn.Linear(4, 3), nn.ReLU(inplace=True), nn.Linear(3, 2)))
    inputs = uniform(2, 4).requires_grad_()
    with Activations(model, "0", detach=False) as seen:
        model(inputs)
    (slope,) = torch.autograd.grad(seen.take()["0"].sum(), inputs)
    torch.testing.assert_close(slope, model[0].weight.detach().sum(0).expand(2, 4))


def test_neurons_of_tokens_are_the_features():
    """Of a dense layer on tokens and of what comes after it; of a convolution over time they are the channels."""
    inputs = uniform(3, 5, 4)
    tokens = drawn(lambda: nn.Sequential(nn.Linear(4, 6), nn.GELU(), nn.LayerNorm(6)))
    with Activations(tokens, [nn.Linear, nn.GELU, nn.LayerNorm]) as seen:
        tokens(inputs)
    found = seen.take()
    assert {tuple(value.shape) for value in found.values()} == {(3, 6)}
    torch.testing.assert_close(found["1"], tokens[:2](inputs).mean(1).detach())
    signal = drawn(lambda: nn.Sequential(nn.Conv1d(5, 7, 2), nn.ReLU(), nn.MaxPool1d(2)))
    with Activations(signal, ["0", "1", "2"]) as seen:
        signal(inputs)
    assert {tuple(value.shape) for value in seen.take().values()} == {(3, 7)}


def test_channels_may_be_last():
    """As in blocks that work on images with dense layers: what follows a layer has its neurons where it has them."""

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.convolution, self.dense, self.act = nn.Conv2d(2, 3, 1), nn.Linear(3, 6), nn.GELU()

        def forward(self, x):
            return self.act(self.dense(self.act(self.convolution(x)).permute(0, 2, 3, 1)))

    model = drawn(Block)
    with Activations(model, ["convolution", "dense", "act"]) as seen:
        answer = model(uniform(4, 2, 5, 5))
    found = seen.take()
    assert {name: value.shape[1] for name, value in found.items()} == {
        "convolution": 3,
        "dense": 6,
        "act": 3,
        "act#2": 6,
    }
    torch.testing.assert_close(found["act#2"], answer.mean((1, 2)).detach())


def test_every_batch_is_read_alike():
    """Where a module has its neurons does not depend on what ran in the batch before."""
    model = drawn(lambda: nn.Sequential(nn.ReLU(), nn.Conv1d(5, 7, 2)))
    with Activations(model, "0") as seen:
        model(uniform(3, 5, 4))
        model(uniform(3, 5, 4))
    found = seen.take()["0"]
    assert torch.equal(found[:3], found[3:])


@pytest.mark.parametrize("batch_first", [True, False])
def test_recurrent_layers_are_recorded(batch_first):
    """Over steps in time, on whichever axis they are."""

    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.cells = nn.LSTM(4, 6, batch_first=batch_first)

        def forward(self, x):
            return self.cells(x if batch_first else x.transpose(0, 1))[1][0][-1]

    model = drawn(Reader)
    inputs = uniform(3, 5, 4)
    with Activations(model) as seen:
        model(inputs)
    given = inputs if batch_first else inputs.transpose(0, 1)
    torch.testing.assert_close(seen.take()["cells"], model.cells(given)[0].mean(1 if batch_first else 0).detach())


def test_attention_is_recorded():
    """The first of what it returns; hooks keep torch from skipping the layers of an encoder."""
    model = drawn(lambda: nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)).eval()
    with Activations(model, ["self_attn", "linear1", "linear2"]) as seen, torch.no_grad():
        model(uniform(3, 5, 4))
    found = seen.take()
    assert {name: tuple(value.shape) for name, value in found.items()} == {
        "self_attn": (3, 4),
        "linear1": (3, 8),
        "linear2": (3, 4),
    }


def test_blocks_may_nest_and_follow_each_other():
    """Two recordings of a model do not disturb each other; one cannot be entered twice at once."""
    model = drawn(Several)
    first, second = Activations(model), Activations(model, "head")
    with first, second:
        model(uniform(2, 4))
        with pytest.raises(InputError, match="recorded already; make another"):
            first.__enter__()
    assert torch.equal(first.take()["head"], second.take()["head"])
    with first:
        model(uniform(4, 4))
    assert len(first.take()["head"]) == 4


MODEL = nn.Sequential(nn.Linear(2, 2), nn.ModuleDict({"hidden_layer": nn.ReLU()}))


@pytest.mark.parametrize(
    ("model", "options", "error", "message"),
    [
        (
            Networks([nn.Linear(2, 2)] * 3),
            {},
            InputTypeError,
            r"model is Networks\(3 runs of Linear\); .*networks\[run",
        ),
        (
            len,
            {},
            InputTypeError,
            "model must be a module, got a builtin_function_or_method; a function has no neurons",
        ),
        (
            MODEL,
            {"modules": ["1.hidden_layr"]},
            InputError,
            r"no module '1.hidden_layr'. Did you mean '1.hidden_layer'\?",
        ),
        (MODEL, {"modules": "conv"}, InputError, "no module 'conv'. There are '0', '1', '1.hidden_layer'"),
        (
            MODEL,
            {"modules": [nn.Conv2d]},
            InputError,
            "no module of class Conv2d; it has Linear, ModuleDict, ReLU, Seq",
        ),
        (MODEL, {"modules": []}, InputError, "modules is empty; name some of '0', '1', '1.hidden_layer'"),
        (
            nn.Sequential(nn.ReLU()),
            {},
            InputError,
            "no dense layer, convolution or recurrent layer; name modules of it: ",
        ),
        (
            MODEL,
            {"reduce": "sum"},
            InputError,
            "reduce='sum' is unknown; pass 'mean', 'max', 'minmax', 'none' or a func",
        ),
    ],
)
def test_what_cannot_be_recorded_is_refused(model, options, error, message):
    """Unknown names come with those that there are and with the nearest."""
    with pytest.raises(error, match=message):
        Activations(model, **options)


def test_long_lists_of_names_are_cut():
    """An error stays readable for a network of many layers."""
    with pytest.raises(InputError, match=r"There are '0', '1', .*'39' and 60 more"):
        Activations(nn.Sequential(*[nn.ReLU() for _ in range(100)]), "layer")


class Odd(nn.Module):
    """Modules that take no part, or answer what no sample asked."""

    def __init__(self):
        super().__init__()
        self.unused, self.shared, self.head = nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2)
        self.labels = nn.Identity()

    def forward(self, x):
        """Return logits."""
        self.labels(x.argmax(1))
        return self.head(x) + self.shared(torch.ones(1, 2))


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        ("unused", "module 'unused' took no part in what the model did; name another"),
        ("shared", r"module 'shared' answers \[1, 2\] where the model was asked 3 samples.*naming other modules"),
        ("labels", "module 'labels' answers int64, no activations; name other modules"),
    ],
)
def test_what_has_no_activations_is_told(modules, message):
    """When the model is called, or when they are taken."""
    model = Odd()
    with pytest.raises(InputError, match=message), Activations(model, modules) as seen:  # noqa: PT012
        model(torch.rand(3, 2))
        seen.take()
    assert hooks(model) == 0


def test_batches_of_other_shapes_do_not_fit_together():
    """Taken one by one they do."""
    model = drawn(Twice)
    with Activations(model) as seen:
        model(uniform(3, 4), rounds=2)
        model(uniform(3, 4), rounds=1)
        with pytest.raises(InputError, match=r"batches do not fit together.*'layer#2'.*take after each batch"):
            seen.take()
        for rounds in (2, 1):
            model(uniform(3, 4), rounds=rounds)
            assert len(seen.take()) == rounds


def test_inputs_of_activation_functions_are_the_values_before_them():
    """Also where the function overwrites them, and at each call of one module."""
    model, inputs = drawn(Twice), uniform(6, 4)
    with Activations(model, "layer") as answered, Activations(model, "relu", side="input") as given, torch.no_grad():
        model(inputs)
    before, after = answered.take(), given.take()
    assert list(after) == ["relu", "relu#2", "relu#3"]
    for name, values in after.items():
        assert torch.equal(values, before[name.replace("relu", "layer")])
        assert (values < 0).any()
    assert hooks(model) == 0


@pytest.mark.parametrize("side", ["output", "input"])
def test_what_stands_for_activations_is_what_the_network_goes_on_with(side):
    """[sample, neuron, place] wherever the neurons are, by name of the call; then nothing is recorded."""
    model = drawn(lambda: nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(48, 2)))
    inputs, seen = uniform(5, 1, 6, 6), []

    def without(name, values):
        seen.append((name, tuple(values.shape)))
        return values * torch.tensor([1.0, 0.0, 1.0])[:, None, None]

    with torch.no_grad():
        expected = model[1](model[0](inputs))
        expected[:, 1] = 0
        expected = model[3](expected.flatten(1))
        before = model(inputs)
        with Activations(model, "1", side=side, replace=without) as replaced:
            torch.testing.assert_close(model(inputs), expected)
        assert torch.equal(model(inputs), before)
    assert seen == [("1", (5, 3, 4, 4))]
    with pytest.raises(InputError, match="nothing was recorded"):
        replaced.take()
    tokens = drawn(lambda: nn.Sequential(nn.Linear(4, 3), nn.ReLU()))
    with torch.no_grad(), Activations(tokens, "1", side=side, replace=lambda _, values: values[:, [2, 1, 0]]):
        torch.testing.assert_close(tokens(uniform(2, 7, 4)), tokens[0](uniform(2, 7, 4)).relu().flip(-1))


def test_nothing_of_another_shape_can_stand_for_activations():
    """Nor for several tensors; a side that there is not is refused."""
    model, inputs = drawn(lambda: nn.Sequential(nn.Linear(4, 3), nn.ReLU())), uniform(5, 4)
    with (
        Activations(model, "1", replace=lambda _, values: values[:, :1]),
        pytest.raises(InputError, match=r"replace made \[5, 1\] of the \[5, 3\] of module '1'; keep the shape"),
    ):
        model(inputs)
    recurrent = drawn(lambda: nn.Sequential(nn.GRU(4, 3, batch_first=True)))
    with (
        Activations(recurrent, "0", replace=lambda _, values: values),
        pytest.raises(InputError, match="what module '0' answers is no single tensor, so nothing can stand for it"),
    ):
        recurrent(uniform(2, 5, 4))
    with pytest.raises(InputError, match="side='both' is unknown; pass 'output' or 'input'"):
        Activations(model, side="both")
