"""The lens: numbers of each run against dense Hessians, samples that are asked, and what interrupts it."""

import numpy as np
import pytest
import torch
from torch import nn

import reseed
from reseed import InputError
from reseed.curvature import empirical_risk, evaluate, hessian
from reseed.scores import kept_scores

SMALL = {"samples": 60, "eigenvalues": 2, "probes": 3, "steps": 60}


@pytest.fixture(scope="module")
def networks():
    """Three small networks, in double precision, so that dense matrices are exact."""
    torch.manual_seed(3)
    return [nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 3)).double() for _ in range(3)]


@pytest.fixture(scope="module")
def samples():
    """Inputs and labels."""
    generator = torch.Generator().manual_seed(4)
    return torch.randn(60, 4, generator=generator, dtype=torch.float64), torch.randint(3, (60,), generator=generator)


@pytest.fixture(scope="module")
def found(networks, samples):
    """What the lens says of them."""
    return evaluate(networks, *samples, **SMALL)


def test_numbers_of_runs_are_those_of_dense_matrices(networks, samples, found):
    """Eigenvalues, trace and norm of each run's matrix in full."""
    for run, network in enumerate(networks):
        values = torch.linalg.eigvalsh(hessian(empirical_risk(network, *samples)).dense()[0])
        assert found.of_runs["sharpness"][run] == pytest.approx(float(values[-1]), rel=1e-3)
        assert found.of_runs["smallest_eigenvalue"][run] == pytest.approx(float(values[0]), rel=1e-2)
        loss = nn.functional.cross_entropy(network(samples[0]), samples[1])
        assert found.of_runs["loss_asked"][run] == pytest.approx(loss.item())
        gradient = torch.cat([each.flatten() for each in torch.autograd.grad(loss, list(network.parameters()))])
        assert found.of_runs["gradient_length"][run] == pytest.approx(float(gradient.norm()))


def test_columns_are_those_of_single_samples(networks, samples, found):
    """The gradient of the loss of one sample, by torch."""
    for run, sample in ((0, 0), (2, 17)):
        network = networks[run]
        loss = nn.functional.cross_entropy(network(samples[0][[sample]]), samples[1][[sample]])
        gradient = torch.cat([each.flatten() for each in torch.autograd.grad(loss, list(network.parameters()))])
        assert found.by_run["gradient_norm"][run, sample] == pytest.approx(float(gradient.norm()))


def test_samples_that_are_not_asked_have_no_values(networks, samples):
    """As many as wanted, of those whose labels are known."""
    labels = samples[1].clone()
    labels[:30] = -1
    few = evaluate(networks, samples[0], labels, **SMALL | {"samples": 10})
    there = np.isfinite(few.by_run["gradient_norm"])
    assert (there == there[0]).all()
    assert there[0].sum() == 10
    assert not there[0, :30].any()


def test_a_run_that_diverged_has_no_numbers(networks, samples):
    """The others have, and a note says which one."""
    gone = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 3)).double()
    gone[0].weight.data.fill_(float("nan"))
    found = evaluate([networks[0], gone], *samples, **SMALL)
    assert np.isfinite(found.of_runs["sharpness"]).tolist() == [True, False]
    assert any("runs 1 is not finite" in note for note in found.notes)


def test_what_was_interrupted_goes_on(tmp_path, monkeypatch):
    """A run that was done is not asked again, and the scores are those of an undisturbed evaluation."""
    study, other = (
        reseed.measure("digits", runs=3, epochs=1, hidden=(4,), out=tmp_path / name).study for name in ("one", "two")
    )
    whole = evaluate(other, **SMALL)
    asked, measured = [], reseed.curvature.evaluation._evaluate.measured

    def failing(*arguments):
        asked.append(1)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return measured(*arguments)

    monkeypatch.setattr(reseed.curvature.evaluation._evaluate, "measured", failing)
    with pytest.raises(KeyboardInterrupt):
        evaluate(study, **SMALL)
    assert kept_scores(study, "curvature") is None
    again = evaluate(study, **SMALL)
    assert len(asked) == 4  # the first run once, the second twice, the third once
    for name, values in whole.of_runs.items():
        np.testing.assert_array_equal(again.of_runs[name], values)
    evaluate(study, **SMALL)
    assert len(asked) == 4  # kept


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"samples": 0}, "samples must be"),
        ({"probes": 0}, "probes must be"),
        ({"seed": -1}, "seed must be"),
        ({"train_inputs": [[0.0] * 4]}, "train_inputs and train_targets belong together"),
    ],
)
def test_what_is_out_of_range(networks, samples, changes, message):
    """Refused by name."""
    with pytest.raises(InputError, match=message):
        evaluate(networks, *samples, **SMALL | changes)


def test_labels_must_be_known(networks, samples):
    """A loss needs labels."""
    with pytest.raises(InputError, match="targets are all unknown"):
        evaluate(networks, samples[0], torch.full((60,), -1), **SMALL)
    with pytest.raises(InputError, match="inputs and targets are missing"):
        evaluate(networks, samples[0], **SMALL)
    with pytest.raises(InputError, match=r"targets are float64 \[60\] for 60 inputs"):
        evaluate(networks, samples[0], samples[1].double(), **SMALL)
