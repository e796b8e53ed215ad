"""How many small steps up the loss an answer stands."""

import math

import pytest
import torch

from reseed import InputError
from reseed.models import Networks
from reseed.robustness import sign_step_distance


def _linear(weights, bias=0.0):
    """Logits [0, w.x + b]."""
    weights = torch.as_tensor(weights, dtype=torch.float64)
    network = torch.nn.Linear(len(weights), 2).double().eval()
    with torch.no_grad():
        network.weight.copy_(torch.stack([torch.zeros_like(weights), weights]))
        network.bias.copy_(torch.tensor([0.0, bias]))
    return network


@pytest.mark.parametrize("step", [0.1, 0.004])
def test_steps_of_a_linear_network(step):
    """They are floor(m / (step ||w||_1)) + 1."""
    torch.manual_seed(0)
    weights, inputs = torch.randn(7, dtype=torch.float64), torch.randn(20, 7, dtype=torch.float64)
    margin = (inputs @ weights + 0.1).abs()
    found = sign_step_distance(_linear(weights, 0.1), inputs, step=step, most_steps=800, bounds=None)
    assert torch.equal(found.steps, (margin / (step * weights.abs().sum())).floor().long() + 1)
    torch.testing.assert_close(found.distance, found.steps.double() * step)
    torch.testing.assert_close(found.distance, margin / weights.abs().sum(), rtol=0, atol=step)
    assert not found.censored.any()


def test_censored_samples_count_as_the_limit_unless_they_are_dropped():
    """The reference code drops them, which makes robust networks look worse."""
    inputs = torch.tensor([[0.05], [0.15], [5.0]], dtype=torch.float64)
    found = sign_step_distance(_linear([1.0]), inputs, step=0.1, most_steps=10, bounds=None)
    assert found.steps.tolist() == [1, 2, 10]
    assert found.censored.tolist() == [False, False, True]
    assert found.censored_count == 1
    assert found.mean() == pytest.approx((0.1 + 0.2 + 1.0) / 3)
    assert found.mean(drop_censored=True) == pytest.approx(0.15)


def test_a_change_at_the_last_step_is_no_censored_one():
    """Though both take all steps."""
    inputs = torch.tensor([[0.95], [1.05]], dtype=torch.float64)
    found = sign_step_distance(_linear([1.0]), inputs, step=0.1, most_steps=10, bounds=None)
    assert found.steps.tolist() == [10, 10]
    assert found.censored.tolist() == [False, True]


def test_what_counts_is_that_the_answer_differs_from_the_clean_one():
    """Wrong answers too stand for a while: the loss at the target drives them away from both."""
    network = torch.nn.Linear(1, 3, bias=False).double().eval()
    network.weight.data = torch.tensor([[-1.0], [1.0], [3.0]], dtype=torch.float64)
    inputs = torch.tensor([[-0.25]], dtype=torch.float64)  # answer 0
    right = sign_step_distance(network, inputs, [0], step=0.1, bounds=None)
    assert (right.steps.item(), right.censored.item()) == (3, False)
    wrong = sign_step_distance(network, inputs, [2], step=0.1, most_steps=20, bounds=None)
    assert (wrong.steps.item(), wrong.censored.item()) == (20, True)


def test_gradients_do_not_vanish_where_a_network_is_sure():
    """In single precision those of cross-entropy itself do: e^-200 is 0."""
    found = sign_step_distance(_linear([400.0, -400.0]).float(), torch.tensor([[0.92, 0.4]]), step=0.05)
    assert found.steps.item() == 6


def test_the_box_and_frozen_features_hold():
    """What cannot be reached inside them is censored, and nobody walks on where he cannot move."""
    network = _linear([1.0, 1.0])
    inputs = torch.tensor([[0.5, 0.55]], dtype=torch.float64)
    shifted = _linear([1.0, 1.0], bias=0.5)
    assert not sign_step_distance(network, inputs, step=0.1, bounds=(-1, 1)).censored.item()
    found = sign_step_distance(shifted, inputs, step=0.1)
    assert found.censored.item()
    assert found.queries.item() < 20
    frozen = sign_step_distance(network, inputs, step=0.1, bounds=None, frozen=[True, False])
    assert (frozen.steps.item(), frozen.censored.item()) == (11, False)


def test_who_goes_in_circles_leaves():
    """His later points are known."""

    class Valley(torch.nn.Module):
        def forward(self, x):
            logit = 1 + (x[:, 0] - 0.5).abs()
            return torch.stack([logit, torch.zeros_like(logit)], dim=1)

    found = sign_step_distance(Valley().eval(), torch.tensor([[0.5625]]), step=0.125, most_steps=1000)
    assert found.censored.item()
    assert found.steps.item() == 1000
    assert found.queries.item() < 30


def test_runs_and_samples_are_the_same_alone_and_together():
    """Whatever the batch size."""
    torch.manual_seed(1)
    networks = [
        torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3)).double() for _ in range(3)
    ]
    inputs = torch.rand(20, 5, dtype=torch.float64)
    wanted = {"step": 0.01, "most_steps": 60}
    whole = sign_step_distance(Networks(networks), inputs, **wanted)
    assert whole.steps.shape == (3, 20)
    assert 0 < whole.censored_count < 60
    assert torch.equal(sign_step_distance(Networks(networks), inputs, batch_size=3, **wanted).steps, whole.steps)
    for run, network in enumerate(networks):
        alone = sign_step_distance(network.eval(), inputs[4:9], **wanted)
        assert torch.equal(alone.steps, whole.steps[run, 4:9])


def test_each_run_may_have_targets_of_its_own():
    """Of its own answers nothing differs from no targets."""
    torch.manual_seed(2)
    networks = Networks([torch.nn.Linear(4, 3) for _ in range(2)])
    inputs = torch.rand(6, 4)
    own = networks(inputs).argmax(-1)
    wanted = {"step": 0.05, "bounds": None}
    assert torch.equal(
        sign_step_distance(networks, inputs, own, **wanted).steps, sign_step_distance(networks, inputs, **wanted).steps
    )


def test_constant_networks_are_censored_everywhere():
    """And have no mean; of several runs the others keep theirs."""
    networks = Networks([_linear([1.0, 1.0]), _linear([0.0, 0.0], bias=1.0)])
    found = sign_step_distance(networks, torch.full((3, 2), 0.25, dtype=torch.float64), step=0.1, bounds=None)
    assert found.censored.tolist() == [[False] * 3, [True] * 3]
    with pytest.warns(RuntimeWarning, match="no sample of 1 of 2 runs has another answer"):
        mean = found.mean()
    assert mean[0].item() == pytest.approx(0.3)
    assert math.isnan(mean[1])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"step": 0.0}, "step must be above 0 and finite, in the units of the inputs, got 0.0"),
        ({"step": math.inf}, "step must be above 0 and finite"),
        ({"most_steps": 0}, "most_steps must be a whole number of 1 or more, got 0"),
    ],
)
def test_bad_arguments_are_named(wrong, message):
    """With what was given."""
    with pytest.raises(InputError, match=message):
        sign_step_distance(_linear([1.0]), torch.tensor([[0.5]]), **wrong)


def test_functions_without_gradients_are_refused():
    """And what needs none is named."""
    with pytest.raises(InputError, match=r"model gives no gradients, which are needed here; .* noise_distance"):
        sign_step_distance(lambda x: x.detach(), torch.rand(2, 3))
