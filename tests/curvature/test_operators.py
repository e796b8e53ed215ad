"""Operators against full matrices by torch.func.jacrev, and against closed forms, in float64."""

import copy
import gc
import weakref
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call, jacrev
from torch.nn import functional

from reseed import InputError, InputTypeError
from reseed.curvature import CurvatureOperator, empirical_risk, ggn, gradient_covariance, hessian, preconditioned
from reseed.models import Networks

DOUBLE = {"dtype": torch.float64}


def tanh_net(seed=0):
    """Returns three layers of fewer than 300 weights."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4)).double()


def conv_net(seed=0):
    """Returns convolutions with batch norm, whose statistics are not those of a new one."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Tanh(), nn.Flatten(), nn.Linear(12, 4)).double()
        model.train()
        model(torch.rand(20, 1, 4, 4, dtype=torch.float64))
        return model.eval()


def samples(count=13, shape=(5,), classes=4):
    """Returns inputs and class labels."""
    draw = torch.Generator().manual_seed(1)
    inputs = torch.randn(count, *shape, generator=draw, dtype=torch.float64)
    return inputs, torch.randint(classes, (count,), generator=draw)


def flat(named):
    """Returns tensors in one row."""
    return torch.cat([value.flatten() for value in named.values()])


def of_vector(model, wanted):
    """Returns a function of a vector that a module's outputs are."""
    parameters = {name: value.detach() for name, value in model.named_parameters() if name in wanted}

    def outputs(vector, inputs):
        parts = vector.split([value.numel() for value in parameters.values()])
        named = {name: part.view_as(parameters[name]) for part, name in zip(parts, parameters, strict=True)}
        return functional_call(model, named, (inputs,))

    return outputs, flat(parameters)


def full_hessian(function):
    """Returns a function's Hessian in full."""
    return jacrev(jacrev(function))


LOSSES = {
    "cross_entropy": functional.cross_entropy,
    "squared_error": lambda z, y: functional.mse_loss(z, functional.one_hot(y, 4).to(z.dtype)),
    "own": lambda z, y: (functional.cross_entropy(z, y, reduction="none") + z.pow(4).sum(1)).mean(),
}


def brute_force(model, inputs, targets, loss, wanted=None):
    """Returns gradient, Hessian, GGN and gradient covariances, in full, of one module."""
    names = wanted or [name for name, value in model.named_parameters() if value.requires_grad]
    outputs, vector = of_vector(model, names)
    fn = LOSSES[loss]
    each = torch.stack(
        [
            jacrev(lambda v, i=i: fn(outputs(v, inputs)[i : i + 1], targets[i : i + 1]))(vector)
            for i in range(len(inputs))
        ]
    )
    jacobian = jacrev(lambda v: outputs(v, inputs))(vector)
    inner = [
        full_hessian(lambda z, i=i: fn(z[None], targets[i : i + 1]))(outputs(vector, inputs)[i])
        for i in range(len(inputs))
    ]
    gauss = sum(j.T @ h @ j for j, h in zip(jacobian, inner, strict=True)) / len(inputs)
    mean = each.mean(0)
    second = each.T @ each / len(inputs)
    return {
        "gradient": mean,
        "hessian": full_hessian(lambda v: fn(outputs(v, inputs), targets))(vector),
        "ggn": gauss,
        "covariance": second - mean.outer(mean),
        "fisher": second,
    }


def ours(risk):
    """Returns the same by operators."""
    return {
        "gradient": risk.gradient(),
        "hessian": hessian(risk).dense(),
        "ggn": ggn(risk).dense(),
        "covariance": gradient_covariance(risk).dense(),
        "fisher": gradient_covariance(risk, centred=False).dense(),
    }


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("batch_size", [None, 5])
@pytest.mark.parametrize(("make", "shape"), [(tanh_net, (5,)), (conv_net, (1, 4, 4))])
def test_operators_are_the_full_matrices(make, shape, batch_size, loss):
    """Each operator is its matrix in full, in one batch or in batches of which the last is short."""
    model, (inputs, targets) = make(), samples(shape=shape)
    given = loss if loss != "own" else LOSSES[loss]
    found = ours(empirical_risk(model, inputs, targets, loss=given, batch_size=batch_size))
    for name, wanted in brute_force(model, inputs, targets, loss).items():
        torch.testing.assert_close(found[name][0], wanted, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(("make", "shape"), [(tanh_net, (5,)), (conv_net, (1, 4, 4))])
def test_runs_together_are_each_run_alone(make, shape):
    """Of several networks every run has the products of its own matrix, whatever the layers and their order."""
    models, (inputs, targets) = [make(seed) for seed in range(3)], samples(shape=shape)
    found = ours(empirical_risk(Networks(models), inputs, targets))
    for run, model in enumerate(models):
        for name, wanted in brute_force(model, inputs, targets, "cross_entropy").items():
            torch.testing.assert_close(found[name][run], wanted, rtol=1e-9, atol=1e-11)


def test_more_samples_than_are_worked_through_together_change_nothing():
    """Runs go one after the other where that is faster, with the same products."""
    networks, (inputs, targets) = Networks([tanh_net(seed) for seed in range(3)]), samples(600)
    alone = empirical_risk(networks, inputs, targets)
    together = empirical_risk(networks, inputs, targets, batch_size=100)
    assert (alone.in_turn, together.in_turn) == (True, False)
    torch.testing.assert_close(hessian(alone).dense(), hessian(together).dense())


def test_blocks_are_parts_of_the_matrix():
    """A block by `block` and one by `parameters` is the part of the whole matrix."""
    model, (inputs, targets) = tanh_net(), samples()
    whole = hessian(empirical_risk(model, inputs, targets))
    wanted = brute_force(model, inputs, targets, "cross_entropy", ["2.weight", "2.bias"])["hessian"]
    cheap = hessian(empirical_risk(model, inputs, targets, parameters=["2"]))
    by_function = empirical_risk(model, inputs, targets, parameters=lambda name: name.startswith("2"))
    assert list(cheap.shapes) == list(by_function.shapes) == list(whole.block("2").shapes) == ["2.weight", "2.bias"]
    torch.testing.assert_close(whole.block("2").dense()[0], wanted)
    torch.testing.assert_close(cheap.dense()[0], wanted)


def test_batches_of_a_loader_are_those_of_tensors():
    """A loader is gone through once; nothing is drawn from the global generator."""
    model, (inputs, targets) = tanh_net(), samples()
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(inputs, targets), 5, shuffle=True)
    before = torch.random.get_rng_state()
    found = hessian(empirical_risk(model, loader)).dense()
    assert torch.equal(before, torch.random.get_rng_state())
    torch.testing.assert_close(found, hessian(empirical_risk(model, inputs, targets)).dense())


def test_double_precision_of_a_network_in_single():
    """`dtype` computes in float64, inputs and buffers too."""
    model, (inputs, targets) = conv_net(), samples(shape=(1, 4, 4))
    single = copy.deepcopy(model).float()
    found = hessian(empirical_risk(single, inputs.float(), targets, **DOUBLE))
    assert found.dtype == torch.float64
    wanted = brute_force(single.double(), inputs.float().double(), targets, "cross_entropy")["hessian"]
    torch.testing.assert_close(found.dense()[0], wanted, rtol=1e-9, atol=1e-11)


def test_training_mode_has_a_curvature_of_its_own():
    """In training mode batch statistics depend on the weights, as in the full Hessian; the mode is the model's."""
    model, (inputs, targets) = conv_net().train(), samples(shape=(1, 4, 4))
    found = hessian(empirical_risk(model, inputs, targets)).dense()[0]
    functional_model = copy.deepcopy(model)
    for layer in functional_model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.track_running_stats, layer.running_mean, layer.running_var = False, None, None
    wanted = brute_force_hessian(functional_model, inputs, targets)
    torch.testing.assert_close(found, wanted, rtol=1e-8, atol=1e-10)
    evaluated = hessian(empirical_risk(model, inputs, targets, mode="eval")).dense()[0]
    torch.testing.assert_close(evaluated, brute_force_hessian(conv_net(), inputs, targets), rtol=1e-8, atol=1e-10)
    assert not torch.allclose(found, evaluated)


def brute_force_hessian(model, inputs, targets):
    """Returns the full Hessian by autograd of autograd, whatever the layers."""
    outputs, vector = of_vector(model, [name for name, _ in model.named_parameters()])
    return torch.autograd.functional.hessian(lambda v: functional.cross_entropy(outputs(v, inputs), targets), vector)


def test_networks_in_training_mode_are_each_run_alone():
    """Batch statistics and dropout of a run do not depend on the runs beside it."""

    def make(seed):
        layers = [nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 4)]
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            for layer in (layers[0], layers[4]):
                layer.reset_parameters()
        return nn.Sequential(*layers).double()

    models, (inputs, targets) = [make(seed) for seed in range(3)], samples()
    found = hessian(empirical_risk(Networks(models), inputs, targets, mode="train", seed=5)).dense()
    for run, model in enumerate(models):
        alone = hessian(empirical_risk(model.train(), inputs, targets, seed=5)).dense()[0]
        torch.testing.assert_close(found[run], alone, rtol=1e-9, atol=1e-11)
    other = hessian(empirical_risk(Networks(models), inputs, targets, mode="train", seed=6)).dense()
    assert not torch.allclose(found, other)


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_everything_is_as_it_was(mode):
    """Modes, weights, buffers, `.grad` and the generator are as before, whatever was asked of a model."""
    model, (inputs, targets) = conv_net().train(mode == "train"), samples(shape=(1, 4, 4))
    model.insert(3, nn.Dropout(0.5))
    functional.cross_entropy(model(inputs), targets).backward()
    state, gradients = copy.deepcopy(model.state_dict()), [each.grad.clone() for each in model.parameters()]
    modes, random = [each.training for each in model.modules()], torch.random.get_rng_state()
    for other in ("train", "eval", None):
        risk = empirical_risk(model, inputs, targets, mode=other)
        for operator in (hessian(risk), ggn(risk), gradient_covariance(risk)):
            _ = operator @ torch.ones(1, operator.size, dtype=torch.float64)
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert all(torch.equal(each.grad, grad) for each, grad in zip(model.parameters(), gradients, strict=True))
    assert modes == [each.training for each in model.modules()]
    assert torch.equal(random, torch.random.get_rng_state())


def test_an_operator_is_of_the_weights_it_was_made_at():
    """Training goes on, the operator stays."""
    model, (inputs, targets) = tanh_net(), samples()
    operator = hessian(empirical_risk(model, inputs, targets, batch_size=4))
    before = operator.dense()
    with torch.no_grad():
        for value in model.parameters():
            value.add_(1.0)
    assert torch.equal(before, operator.dense())


def test_weights_that_are_not_used_or_held_fixed():
    """An unused weight has zeros for its row; one that requires no gradient has none."""
    model, (inputs, targets) = tanh_net(), samples()
    model.register_parameter("unused", nn.Parameter(torch.ones(2, dtype=torch.float64)))
    model[0].weight.requires_grad_(False)
    risk = empirical_risk(model, inputs, targets)
    assert "0.weight" not in risk.shapes
    place = list(risk.shapes).index("unused")
    start = sum(shape.numel() for shape in list(risk.shapes.values())[:place])
    for operator in (hessian(risk), ggn(risk), gradient_covariance(risk)):
        whole = operator.dense()[0]
        assert not whole[start : start + 2].any()
        assert not whole[:, start : start + 2].any()
        assert whole.any()
    assert not risk.gradient()[0, start : start + 2].any()


def test_tied_weights_are_one():
    """A weight that has two names is one parameter, whose curvature is that of both places together."""

    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
            self.last.weight = self.first.weight

        def forward(self, x):
            return self.last(self.first(x).tanh())

    model, (inputs, targets) = Tied().double(), samples(shape=(4,))
    found = hessian(empirical_risk(model, inputs, targets)).dense()[0]
    torch.testing.assert_close(found, brute_force(model, inputs, targets, "cross_entropy")["hessian"])


def test_linear_regression():
    """Of d outputs the Hessian is 2 / (N d) times the unit matrix, Kronecker X'X."""
    inputs, targets = samples()[0], torch.randn(13, 3, dtype=torch.float64)
    model = nn.Linear(5, 3, bias=False).double()
    found = hessian(empirical_risk(model, inputs, targets, loss="squared_error")).dense()[0]
    wanted = torch.kron(torch.eye(3, dtype=torch.float64), inputs.T @ inputs) * 2 / (13 * 3)
    torch.testing.assert_close(found, wanted)


def test_softmax_regression():
    """The Hessian is the mean of (diag p - p p') Kronecker x x', positive, equal to the GGN; a shift of all is null."""
    inputs, targets = samples()
    model = nn.Linear(5, 4, bias=False).double()
    risk = empirical_risk(model, inputs, targets)
    p = model(inputs).softmax(1).detach()
    wanted = sum(torch.kron(own.diag() - own.outer(own), x.outer(x)) for own, x in zip(p, inputs, strict=True)) / 13
    operator = hessian(risk)
    torch.testing.assert_close(operator.dense()[0], wanted)
    torch.testing.assert_close(ggn(risk).dense()[0], wanted)
    shift = torch.ones(4, 1, dtype=torch.float64) @ torch.randn(1, 5, dtype=torch.float64)
    assert (operator @ shift.flatten()).abs().max() < 1e-15


@pytest.mark.parametrize("both", [(4.0, 0.26), (1.5, 1 / 1.5)])
def test_two_parameters(both):
    """Of (ab - 1)^2 / 2 the Hessian is [[b^2, 2ab - 1], [2ab - 1, a^2]]."""

    class Product(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = (nn.Parameter(torch.tensor(each, dtype=torch.float64)) for each in both)

        def forward(self, x):
            return (self.a * self.b) * x

    a, b = both
    one = torch.ones(1, 1, dtype=torch.float64)
    found = hessian(empirical_risk(Product(), one, one, loss=lambda z, y: (z - y).square().mean() / 2)).dense()[0]
    torch.testing.assert_close(found, torch.tensor([[b * b, 2 * a * b - 1], [2 * a * b - 1, a * a]]).double())


def test_a_loss_that_is_linear_has_no_curvature():
    """The Hessian of a linear function is 0."""
    inputs, targets = samples()
    risk = empirical_risk(nn.Linear(5, 4).double(), inputs, targets, loss=lambda z, _: z.mean())
    assert not hessian(risk).dense().any()
    assert not ggn(risk).dense().any()


def test_preconditioned_has_the_eigenvalues_of_the_preconditioned_matrix():
    """P^(-1/2) A P^(-1/2) has the eigenvalues of P^(-1) A, and is S A S of weights that are counted in units S."""
    draw = torch.Generator().manual_seed(0)
    half = torch.randn(2, 6, 6, generator=draw, dtype=torch.float64)
    matrices, diagonal = half + half.mT, torch.rand(2, 6, generator=draw, dtype=torch.float64) + 0.1
    operator = CurvatureOperator.of_matrices(matrices)
    found = torch.linalg.eigvalsh(preconditioned(operator, diagonal).dense())
    wanted = torch.linalg.eigvals(matrices / diagonal[..., None]).real.sort().values
    torch.testing.assert_close(found, wanted)
    same = preconditioned(operator, np.full(6, 4.0)).dense()
    torch.testing.assert_close(same, matrices / 4)


def test_scipy_sees_one_run():
    """`to_scipy` is a run's matrix."""
    half = torch.randn(2, 4, 4, dtype=torch.float64)
    operator = CurvatureOperator.of_matrices(half + half.mT)
    for run in range(2):
        np.testing.assert_allclose(operator.to_scipy(run) @ np.eye(4), (half + half.mT)[run])


def test_risk_elsewhere():
    """`at` and `of_run` are the same loss of other weights, and of one run."""
    models, (inputs, targets) = [tanh_net(seed) for seed in range(3)], samples()
    risk = empirical_risk(Networks(models), inputs, targets)
    wanted = torch.stack([functional.cross_entropy(model(inputs), targets) for model in models]).detach()
    torch.testing.assert_close(risk.losses(), wanted)
    torch.testing.assert_close(risk.sample_losses().mean(1), wanted)
    torch.testing.assert_close(risk.at(risk.weights.flip(0)).losses(), wanted.flip(0))
    torch.testing.assert_close(hessian(risk.of_run(1)).dense()[0], hessian(risk).dense()[1])


class NoSecondDerivative(torch.autograd.Function):
    """A square whose gradient cannot be differentiated."""

    @staticmethod
    def forward(ctx, x):
        """Returns x^2."""
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient):
        """Returns the gradient."""
        return 2 * gradient * ctx.saved_tensors[0]


class Square(nn.Module):
    """A layer of it."""

    def forward(self, x):
        """Returns x^2."""
        return NoSecondDerivative.apply(x)


def failing(name):
    """Returns a call that must fail."""
    inputs, targets = samples()
    model = tanh_net()
    frozen = tanh_net().requires_grad_(False)
    broken = tanh_net()
    broken[0].weight.data[0, 0] = torch.nan
    squared = nn.Sequential(nn.Linear(5, 8), Square(), nn.Linear(8, 4)).double()
    operator = CurvatureOperator.of_matrices(torch.eye(3)[None])
    return {
        "frozen": lambda: empirical_risk(frozen, inputs, targets),
        "not scalar": lambda: hessian(empirical_risk(model, inputs, targets, loss=lambda z, y: z.sum(1))),
        "not finite": lambda: hessian(empirical_risk(Networks([model, broken]), inputs, targets)),
        "not dependent": lambda: hessian(empirical_risk(model, inputs, targets, loss=lambda z, y: z.detach().sum())),
        "not dependent, GGN": lambda: ggn(empirical_risk(model, inputs, targets, loss=lambda z, y: z.detach().sum())),
        "empty": lambda: empirical_risk(model, inputs[:0], targets[:0]),
        "no batches": lambda: empirical_risk(model, []),
        "no targets": lambda: empirical_risk(model, inputs),
        "as many": lambda: empirical_risk(model, inputs, targets[:5]),
        "labels": lambda: hessian(empirical_risk(model, inputs, targets + 3)),
        "numbers": lambda: hessian(empirical_risk(model, inputs, inputs, loss="squared_error")),
        "kinds": lambda: hessian(empirical_risk(model, inputs, inputs)),
        "loss": lambda: empirical_risk(model, inputs, targets, loss="hinge"),
        "mode": lambda: empirical_risk(model, inputs, targets, mode="test"),
        "dtype": lambda: empirical_risk(model, inputs, targets, dtype=torch.int64),
        "seed": lambda: empirical_risk(model, inputs, targets, seed=-1),
        "batch_size": lambda: empirical_risk(model, inputs, targets, batch_size=0),
        "parameters": lambda: empirical_risk(model, inputs, targets, parameters=["3.weight"]),
        "no parameters": lambda: empirical_risk(model, inputs, targets, parameters=lambda _: False),
        "function": lambda: empirical_risk(Networks(lambda x: x), inputs, targets),
        "model": lambda: empirical_risk([model], inputs, targets),
        **{
            f"second, {kind.__name__}": lambda kind=kind: kind(empirical_risk(squared, inputs, targets))
            for kind in (hessian, ggn, gradient_covariance)
        },
        "zeros": lambda: preconditioned(operator, torch.tensor([1.0, 0.0, 2.0])),
        "diagonal": lambda: preconditioned(operator, torch.ones(2)),
        "vectors": lambda: operator @ torch.ones(1, 4),
        "single": lambda: operator @ torch.ones(1, 3).double(),
        "square": lambda: CurvatureOperator.of_matrices(torch.ones(3, 3)),
        "symmetric": lambda: CurvatureOperator.of_matrices(torch.arange(4.0).view(1, 2, 2)),
        "run": lambda: operator.to_scipy(1),
        "weights": lambda: empirical_risk(model, inputs, targets).at(torch.ones(2)),
    }[name]


@pytest.mark.parametrize(
    ("name", "message"),
    {
        "frozen": "model, a Sequential, has no trainable parameters; pass a network with weights that require "
        "gradients.",
        "not scalar": "loss must return a scalar tensor, got (13,); average it over the samples.",
        "not finite": "loss of run 1 is nan; leave out runs that have diverged.",
        "not dependent": "loss does not depend on the weights; pass a loss of the network's outputs that is not "
        "detached.",
        "not dependent, GGN": "loss does not depend on the weights; pass a loss of the network's outputs that is not "
        "detached.",
        "empty": "inputs hold no samples; a curvature is a mean over one sample at least.",
        "no batches": "inputs hold no samples; a curvature is a mean over one sample at least.",
        "no targets": "targets are missing and inputs are a Tensor; pass inputs and targets, or an iterable of batches "
        "(inputs, targets).",
        "as many": "targets are (5,) but inputs are (13, 5); pass one target for each sample.",
        "labels": "targets hold labels from 3 to 6, but there are 4 classes; pass labels from 0 to 3.",
        "numbers": "targets are (13, 5) but outputs are (13, 4); pass one number for each output.",
        "kinds": "targets are (13, 5) of torch.float64 and outputs (13, 4); pass class labels [sample] to "
        "a network with logits [sample, class], or a loss of your own.",
        "loss": "loss must be 'cross_entropy', 'squared_error' or a function of outputs and targets, got 'hinge'.",
        "mode": "mode must be 'train', 'eval' or None, got 'test'.",
        "dtype": "dtype must be of numbers with a point, such as torch.float64, got torch.int64.",
        "seed": "seed must be a whole number of 0 or more, got -1.",
        "batch_size": "batch_size must be a whole number of 1 or more, got 0.",
        "parameters": "parameters has '3.weight', which is none of 0.weight, 0.bias, 2.weight, 2.bias, 4.weight, "
        "4.bias.",
        "no parameters": "parameters chooses none of 0.weight, 0.bias, 2.weight, 2.bias, 4.weight, 4.bias; choose one "
        "at least.",
        "function": "model, a _Called, has no trainable parameters; pass a network with weights that require "
        "gradients.",
        "model": "model must be a module or reseed.models.Networks, got a list; several modules of one architecture "
        "become Networks([...]).",
        **{
            f"second, {kind}": "model has no second derivatives in its layer '1' (Square); replace it by one whose "
            "gradient can be differentiated, written in torch's own operations."
            for kind in ("hessian", "ggn", "gradient_covariance")
        },
        "zeros": "diagonal holds 0 among 3 numbers; a preconditioner is above 0 everywhere: give the optimiser an eps "
        "above 0, or take its state after more steps.",
        "diagonal": "diagonal is (2,); pass (1, 3), [run, parameter], or (3,), [parameter].",
        "vectors": "vectors are (1, 4) of torch.float32; pass (1, 3), [run, parameter], of torch.float32.",
        "single": "vectors are (1, 3) of torch.float64; pass (1, 3), [run, parameter], of torch.float32.",
        "square": "matrices are (3, 3); pass square ones, [run, parameter, parameter].",
        "symmetric": "matrices are not symmetric; curvature is.",
        "run": "run is 1; there are 1, counted from 0.",
        "weights": "weights are (2,); pass (1, 64), [run, parameter].",
    }.items(),
)
def test_mistakes_are_told(name, message):
    """What cannot be done is said, with the value and what to do."""
    call = failing(name)
    with pytest.raises(InputError) as caught:
        call()
    assert str(caught.value) == message
    assert isinstance(caught.value, InputTypeError) == (name in {"no targets", "model"})


class _Marked(torch.autograd.Function):
    """The square, whose node in a graph is told to a set of those that live."""

    alive: ClassVar[weakref.WeakSet] = weakref.WeakSet()

    @staticmethod
    def forward(ctx, values):
        """Square, and be told."""
        _Marked.alive.add(ctx)
        ctx.save_for_backward(values)
        return values * values

    @staticmethod
    def backward(ctx, slope):
        """Return the derivative."""
        (values,) = ctx.saved_tensors
        return 2 * values * slope


class _Square(nn.Module):
    def forward(self, values):
        return _Marked.apply(values)


def test_what_an_operator_keeps_is_freed_with_it():
    """Its graph does not hold itself, however many operators are made."""
    model = nn.Sequential(nn.Linear(3, 8), _Square(), nn.Linear(8, 4), nn.Tanh(), nn.Linear(4, 2))
    risk = empirical_risk(model, torch.rand(10, 3), torch.arange(10) % 2)
    curved = hessian(risk)
    assert torch.isfinite(curved @ torch.rand(1, curved.size)).all()
    assert len(_Marked.alive) > 0
    del curved
    gc.collect()
    assert len(_Marked.alive) == 0
