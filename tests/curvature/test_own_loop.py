"""`CurvatureTracker`: a loop of one's own is measured, and trains as if it were not."""

import math
import warnings

import numpy as np
import pyarrow.parquet
import pytest
import torch
from torch import nn

from reseed import InputError, InputTypeError
from reseed.curvature import (
    CurvatureTracker,
    eigenvalues,
    empirical_risk,
    hessian,
    normalised_sharpness,
    preconditioned_sharpness,
    stability_threshold,
)

INPUTS = torch.rand(60, 5, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(60) % 3
OPTIMIZERS = {
    "momentum": lambda weights: torch.optim.SGD(weights, lr=0.1, momentum=0.9),
    "adam": lambda weights: torch.optim.Adam(weights, lr=0.01),
}


class HalfUsed(nn.Module):
    """A network with a layer that it does not ask."""

    def __init__(self):
        super().__init__()
        self.used, self.idle = nn.Linear(5, 3), nn.Linear(2, 2)

    def forward(self, x):
        """Return logits."""
        return self.used(x)


def net():
    """A network with batch norm and dropout."""
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.3), nn.Linear(8, 3))


def trained(model, optimizer, curvature=None, steps=6):
    """Train on minibatches that the global generator draws; what is left of it and of gradients."""
    torch.manual_seed(4)
    for _ in range(steps):
        rows = torch.randperm(60)[:20]
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(INPUTS[rows]), LABELS[rows]).backward()
        optimizer.step()
        if curvature is not None:
            curvature.step()
    return torch.get_rng_state()


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_nothing_of_the_training_changes(optimizer, mode):
    """Weights, buffers, gradients, the optimiser's state, modes and generators are bit for bit those without."""
    models = [net(), net()]
    optimizers = [OPTIMIZERS[optimizer](model.parameters()) for model in models]
    left = trained(models[0], optimizers[0])
    curvature = CurvatureTracker(models[1], optimizers[1], INPUTS, LABELS, every=2, mode=mode)
    assert all(each.grad is None for each in models[1].parameters())
    assert torch.equal(trained(models[1], optimizers[1], curvature), left)
    for name, value in models[0].state_dict().items():
        assert torch.equal(models[1].state_dict()[name], value)
    for one, other in zip(models[0].parameters(), models[1].parameters(), strict=True):
        assert torch.equal(one.grad, other.grad)
        for name, value in optimizers[0].state[one].items():
            np.testing.assert_array_equal(optimizers[1].state[other][name], value)
    assert all(module.training for module in models[1].modules())
    assert np.isfinite(curvature.tracked()["sharpness"].values).all()


def test_numbers_are_those_of_the_functions():
    """At a step: a dense Hessian, the function of Adam's sharpness, threshold, gradient and rate."""
    model = net()
    optimizer = OPTIMIZERS["adam"](model.parameters())
    curvature = CurvatureTracker(model, optimizer, INPUTS, LABELS, every=3, products=60)
    trained(model, optimizer, curvature, steps=3)
    found = curvature.tracked()
    assert found["step"].values.tolist() == [0, 3]
    now = found.sel(step=3)
    risk = empirical_risk(model, INPUTS, LABELS, mode="eval")
    assert float(now["loss"]) == pytest.approx(float(risk.losses()[0]), rel=1e-5)
    assert float(now["gradient_norm"]) == pytest.approx(float(risk.gradient().norm()), rel=1e-4)
    top = torch.linalg.eigvalsh(hessian(risk).dense()[0].double())[-1]
    assert float(now["sharpness"]) == pytest.approx(float(top), rel=1e-2)
    seen = preconditioned_sharpness(model, optimizer, INPUTS, LABELS, mode="eval")
    assert float(now["preconditioned_sharpness"]) == pytest.approx(float(seen.value[0]), rel=1e-2)
    assert float(now["threshold"]) == pytest.approx(stability_threshold(optimizer).value)
    ratio = normalised_sharpness(seen.value, stability_threshold(optimizer))
    assert float(now["normalised_sharpness"]) == pytest.approx(float(ratio[0]), rel=1e-2)
    assert float(now["learning_rate"]) == 0.01
    assert math.isnan(float(found.sel(step=0)["preconditioned_sharpness"]))  # Adam remembers nothing before a step


def test_samples_are_drawn_once():
    """The same ones at every measurement, so that weights that stay give numbers that stay; others by another seed."""
    model = net()
    optimizer = OPTIMIZERS["momentum"](model.parameters())
    curvature = CurvatureTracker(model, optimizer, INPUTS, LABELS, every=1, samples=7, mode="train")
    curvature.step()
    losses = curvature.tracked()["loss"].values
    assert losses[0] == losses[1]
    other = CurvatureTracker(model, optimizer, INPUTS, LABELS, samples=7, mode="train", seed=1)
    assert other.tracked()["loss"].values[0] != losses[0]


def test_error_is_what_few_products_leave():
    """That of `eigenvalues` with as many products."""
    model = nn.Linear(5, 3)
    curvature = CurvatureTracker(model, torch.optim.SGD(model.parameters(), lr=0.1), INPUTS, LABELS, products=3)
    now = curvature.tracked().isel(step=0)
    found = eigenvalues(hessian(empirical_risk(model, INPUTS, LABELS)), max_products=3)
    assert not found.converged.any()
    assert float(now["sharpness"]) == pytest.approx(float(found.values[0, 0]))
    assert float(now["error"]) == pytest.approx(float(found.errors[0, 0]), rel=1e-3)


def test_a_training_that_diverges_is_recorded_to_its_end():
    """No error, the loss as it is; the diagnosis names the step and what was crossed."""
    torch.manual_seed(0)
    model = nn.Linear(5, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e6)
    targets = torch.rand(60, 1)
    curvature = CurvatureTracker(model, optimizer, INPUTS, targets, every=1, loss="squared_error")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(12):
            optimizer.zero_grad()
            nn.functional.mse_loss(model(INPUTS), targets).backward()
            optimizer.step()
            curvature.step()
    found = curvature.tracked()
    assert not np.isfinite(found["loss"].values[-1])
    assert np.isnan(found["sharpness"].values[-1])
    said = curvature.diagnosis()
    assert (said.state, said.diverged, said.crossed) == ("diverged", 1, 0)
    assert "the sharpness had crossed the threshold at step 0" in said.sentence


def test_losses_that_overflow_in_their_second_derivative_alone():
    """A finite loss and gradient whose Hessian is not: recorded, with a sharpness of NaN."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 1.0)

    def loss(outputs, _):
        return (outputs - 1).abs().pow(1.5).sum()  # its second derivative is infinite where outputs are 1

    curvature = CurvatureTracker(
        model, torch.optim.SGD(model.parameters(), lr=0.1), torch.ones(1, 1), torch.ones(1, 1), loss=loss
    )
    now = curvature.tracked().isel(step=0)
    assert float(now["loss"]) == 0
    assert math.isnan(float(now["sharpness"]))


def test_weights_without_a_gradient_are_told_once():
    """Adam keeps nothing of them, so that it has no preconditioned sharpness; the warning says so, and only once."""
    model = HalfUsed()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    curvature = CurvatureTracker(model, optimizer, INPUTS, LABELS, every=1)
    with pytest.warns(RuntimeWarning, match="preconditioned sharpness is NaN: optimizer has made no step with") as told:
        trained(model, optimizer, curvature, steps=3)
    assert len(told) == 1
    assert np.isnan(curvature.tracked()["preconditioned_sharpness"].values).all()
    assert np.isfinite(curvature.tracked()["sharpness"].values).all()


def test_a_rate_of_zero_has_no_threshold():
    """As at the first step of a warm-up; later ones are judged."""
    model = net()
    optimizer = OPTIMIZERS["momentum"](model.parameters())
    optimizer.param_groups[0]["lr"] = 0.0
    curvature = CurvatureTracker(model, optimizer, INPUTS, LABELS, every=1)
    optimizer.param_groups[0]["lr"] = 0.1
    trained(model, optimizer, curvature, steps=2)
    assert np.isnan(curvature.tracked()["threshold"].values).tolist() == [True, False, False]
    assert curvature.diagnosis().state == "stable"


def test_tables_open_elsewhere(tmp_path):
    """A row each measurement, in both formats; Parquet says what its fields are."""
    model = net()
    curvature = CurvatureTracker(model, OPTIMIZERS["momentum"](model.parameters()), INPUTS, LABELS)
    curvature.measure()
    table = pyarrow.parquet.read_table(curvature.write(tmp_path / "along.parquet"))
    assert table.column_names[:3] == ["step", "learning_rate", "loss"]
    assert table.field("threshold").metadata[b"description"] == b"curvature that the optimiser bears at that rate"
    lines = curvature.write(tmp_path / "along.csv").read_text().splitlines()
    assert lines[0].replace('"', "").split(",") == table.column_names
    assert float(lines[1].split(",")[2]) == pytest.approx(table["loss"][0].as_py())
    with pytest.raises(InputError, match=r"path is '.*along\.txt'; choose a name that ends in \.csv or \.parquet"):
        curvature.write(tmp_path / "along.txt")


class Lion(torch.optim.Optimizer):
    """An optimiser that nobody has a threshold of."""

    def __init__(self, weights):
        super().__init__(weights, {"lr": 0.1})


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"model": 3}, InputTypeError, "model must be the module whose parameters the optimizer trains, got a int"),
        ({"every": 0}, InputError, "every must be a whole number of 1 or more, got 0"),
        ({"samples": 1.5}, InputError, r"samples must be a whole number of 1 or more, got 1\.5"),
        ({"products": 0}, InputError, "products must be a whole number of 1 or more, got 0"),
        ({"seed": -1}, InputError, "seed must be a whole number of 0 or more, got -1"),
        ({"mode": "test"}, InputError, "mode must be 'train', 'eval' or None, got 'test'"),
        ({"loss": "hinge"}, InputError, "loss must be 'cross_entropy', 'squared_error' or a function .* got 'hinge'"),
        ({"targets": LABELS[:4]}, InputError, r"targets are \(4,\) but inputs are \(60, 5\)"),
        ({"targets": LABELS + 1}, InputError, "targets hold labels from 1 to 3, but there are 3 classes"),
        ({"model": nn.Linear(5, 3)}, InputError, r"parameter 0 \[3, 5\] is none that the optimizer trains"),
    ],
)
def test_mistakes(change, error, message):
    """All are refused before the training begins; see `test_bad_input` for more."""
    model = net()
    given = {"model": model, "inputs": INPUTS, "targets": LABELS, **change}
    options = {name: given.pop(name) for name in tuple(given) if name not in ("model", "inputs", "targets")}
    optimizer = OPTIMIZERS["momentum"](model.parameters())
    with pytest.raises(error, match=message):
        CurvatureTracker(given["model"], optimizer, given["inputs"], given["targets"], **options)


def test_optimisers_without_a_threshold():
    """Refused by name."""
    model = net()
    with pytest.raises(InputTypeError, match="optimizer is a Lion, of which no threshold of stability is known"):
        CurvatureTracker(model, Lion(model.parameters()), INPUTS, LABELS)
