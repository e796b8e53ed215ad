"""Bad input to attacks: each message names the argument and says what to do."""

import numpy as np
import pytest
import torch
from torch import nn

from reseed import InputError
from reseed._errors import InputTypeError
from reseed.models import Networks
from reseed.perturbations import attacks, fgsm, pgd

BAD = {
    "integer images": (
        dict(inputs=torch.zeros(4, 6, dtype=torch.uint8)),
        InputTypeError,
        r"whole numbers \(uint8\).*images / 255\.0",
    ),
    "token ids": (
        dict(inputs=np.zeros((4, 6), int)),
        InputTypeError,
        r"whole numbers \(int64\).*token ids as embeddings",
    ),
    "half precision": (
        dict(inputs=torch.zeros(4, 6, dtype=torch.float16)),
        InputTypeError,
        "inputs are float16, too coarse",
    ),
    "texts": (dict(inputs=["a", "b"]), InputTypeError, "inputs must be numbers, a tensor or an array"),
    "no sample": (
        dict(inputs=np.zeros((0, 6)), targets=[]),
        InputError,
        r"shape \(0, 6\); pass \[sample, \.\.\.\] with a sample",
    ),
    "one axis": (dict(inputs=np.zeros(6)), InputError, r"inputs have the shape \(6,\)"),
    "not finite": (dict(inputs=np.full((4, 6), np.nan)), InputError, "inputs hold NaN or infinite values"),
    "outside bounds": (
        dict(inputs=np.full((4, 6), -2.1)),
        InputError,
        r"between -2\.1 and -2\.1, outside bounds 0 to 1;.*normalise inside it",
    ),
    "bounds reversed": (dict(bounds=(1, 0)), InputError, r"bounds are \(1, 0\); the lower must be below"),
    "three bounds": (dict(bounds=(0, 1, 2)), InputError, r"bounds must be two, .* got \(0, 1, 2\)"),
    "bounds of another shape": (
        dict(bounds=(np.zeros(5), 1.0)),
        InputError,
        r"lower has the shape \(5,\), and a sample has \(6,\)",
    ),
    "epsilon 0": (dict(epsilon=0), InputError, "epsilon must be above 0 and finite, got 0;"),
    "epsilon below 0": (dict(epsilon=-0.1), InputError, "epsilon must be above 0 and finite, got -0.1;"),
    "epsilon infinite": (dict(epsilon=np.inf), InputError, "epsilon must be above 0 and finite, got inf;"),
    "epsilon NaN": (dict(epsilon=np.nan), InputError, "epsilon is NaN"),
    "epsilon 0 somewhere": (dict(epsilon=np.eye(6)[0]), InputError, "got 0 to 1;.*belong in frozen"),
    "epsilon missing": (dict(epsilon=None), InputError, "epsilon is None; give the budget"),
    "epsilon a word": (dict(epsilon="a"), InputTypeError, "epsilon must be a number, or one for each feature"),
    "epsilon of another shape": (dict(epsilon=np.ones(5)), InputError, r"epsilon has the shape \(5,\)"),
    "frozen everywhere": (dict(frozen=np.ones(6, bool)), InputError, "frozen is true everywhere"),
    "frozen no mask": (
        dict(frozen=np.ones(6)),
        InputTypeError,
        "frozen must be true where features stay as they are, got float64",
    ),
    "frozen of another shape": (dict(frozen=np.ones(5, bool)), InputError, r"frozen has the shape \(5,\)"),
    "norm": (dict(norm="l2"), InputError, "norm must be one of 'inf', '2', '1' for the attack Pgd, got 'l2'"),
    "seed": (dict(seed=-1), InputError, "seed must be a whole number of 0 or more, got -1"),
    "batch size": (dict(batch_size=0), InputError, "batch_size must be a whole number of 1 or more, got 0"),
    "target too large": (
        dict(targets=[0, 1, 2, 4]),
        InputError,
        "targets holds 4, and the model has the classes 0 to 3",
    ),
    "target below 0": (
        dict(targets=[0, 1, 2, -1]),
        InputError,
        "targets holds -1, and the model has the classes 0 to 3",
    ),
    "goal too large": (dict(goal=[0, 1, 2, 9]), InputError, "goal holds 9, and"),
    "targets too few": (dict(targets=[0, 1, 2]), InputError, r"targets has the shape \(3,\) for 4 inputs"),
    "goal too few": (dict(goal=[0]), InputError, r"goal has the shape \(1,\) for 4 inputs"),
    "targets no classes": (
        dict(targets=[0.0, 1.0, 2.0, 3.0]),
        InputTypeError,
        "targets must be whole numbers, the classes",
    ),
    "no model": (
        dict(model=3),
        InputTypeError,
        "model must be Networks, a module or a function of inputs .* got a int",
    ),
    "no tensor": (
        dict(model=lambda x: x.detach().numpy()),
        InputTypeError,
        r"must return logits as a tensor .* got a ndarray",
    ),
    "one logit": (
        dict(model=lambda x: x[:, :1]),
        InputError,
        r"returned \(4, 1\) for 4 inputs; .* two classes or more",
    ),
    "one axis of logits": (dict(model=lambda x: x[:, 0]), InputError, r"returned \(4,\) for 4 inputs"),
    "NaN logits": (dict(model=lambda x: x * torch.nan), InputError, "model returned NaN or infinite logits"),
    "no gradients": (
        dict(model=lambda x: x.detach()[:, :4]),
        InputError,
        "gives no gradients.*square, spsa, nes, boundary or noise",
    ),
    "gradients of something else": (
        dict(model=lambda x: 2 * torch.eye(6, requires_grad=True)[:4]),
        InputError,
        "gives no gradients",
    ),
    "functions together": (dict(model=Networks([lambda x: x[:, :4]] * 2)), InputError, "gives no gradients"),
}


@pytest.mark.parametrize("name", BAD)
def test_messages(name, make):
    """Every one, by the attack that all others are like."""
    changed, error, message = BAD[name]
    given = {"model": make["perceptron"](0), "inputs": np.full((4, 6), 0.5), "targets": [0, 1, 2, 3], "epsilon": 0.1}
    given |= changed
    with pytest.raises(error, match=message):
        pgd(given.pop("model"), given.pop("inputs"), given.pop("targets"), **given)


def test_training_mode(make, inputs, targets):
    """Of any module inside; networks ask a copy in evaluation mode."""
    model = nn.Sequential(make["perceptron"](0), nn.Dropout(0.5)).eval()
    model[1].train()
    with pytest.raises(InputError, match=r"model is in training mode.*model\.eval\(\).*Networks\(model\)"):
        fgsm(model, inputs, targets, epsilon=0.1)
    fgsm(Networks(model), inputs, targets, epsilon=0.1)
    assert model[1].training


def test_probabilities_warn(make, inputs, targets):
    """Since gradients vanish; logits do not."""
    model = make["perceptron"](0)
    with pytest.warns(UserWarning, match="model seems to return probabilities"):
        fgsm(lambda x: model(x).softmax(1), inputs, targets, epsilon=0.1)
    fgsm(lambda x: model(x).log_softmax(1), inputs, targets, epsilon=0.1)


@pytest.mark.parametrize("attack", ["pgd", "apgd", "fgsm"])
def test_dlr_of_two_classes_is_the_margin(attack, make, inputs):
    """With a warning; with a goal there must be four."""
    two, three = (make["perceptron"](0, classes=count) for count in (2, 3))
    targets = two(inputs).argmax(1)
    attack = getattr(attacks, attack)
    with pytest.warns(UserWarning, match="loss 'dlr' needs three classes, and there are 2: the margin is used"):
        found = attack(two, inputs, targets, epsilon=0.3, loss="dlr")
    assert torch.equal(found.inputs, attack(two, inputs, targets, epsilon=0.3, loss="margin").inputs)
    assert found.success.any()
    targets = three(inputs).argmax(1)
    with pytest.warns(UserWarning, match="needs three classes, with a goal four, and there are 3"):
        attack(three, inputs, targets, epsilon=0.3, loss="dlr", goal=(targets + 1) % 3)
    attack(three, inputs, targets, epsilon=0.3, loss="dlr")


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("Pgd", {"steps": 0}, "steps must be a whole number of 1 or more, got 0"),
        ("Pgd", {"restarts": 1.5}, "restarts must be a whole number of 1 or more, got 1.5"),
        ("Pgd", {"plateau": 0}, "plateau must be a whole number of 1 or more, got 0"),
        ("Pgd", {"step_size": 0.0}, "step_size must be above 0, a share of the budget, got 0.0"),
        ("Pgd", {"momentum": 1.0}, r"momentum must be in \[0, 1\), got 1.0"),
        ("Pgd", {"loss": "hinge"}, "loss must be one of 'cross_entropy', 'margin', 'dlr', got 'hinge'"),
        ("Fgsm", {"loss": "hinge"}, "loss must be one of"),
        ("Apgd", {"steps": True}, "steps must be a whole number of 1 or more, got True"),
        ("Apgd", {"loss": "hinge"}, "loss must be one of"),
        ("DeepFool", {"candidates": 0}, "candidates must be a whole number of 1 or more, got 0"),
        ("DeepFool", {"overshoot": -0.1}, "overshoot must be 0 or more and finite, got -0.1"),
        ("DeepFool", {"bisections": -1}, "bisections must be a whole number of 0 or more, got -1"),
        ("CarliniWagner", {"rounds": 0}, "rounds must be a whole number of 1 or more, got 0"),
        ("CarliniWagner", {"rate": 0.0}, "rate must be above 0, a step size, got 0.0"),
        ("CarliniWagner", {"bisections": 0.5}, "bisections must be a whole number of 0 or more, got 0.5"),
        ("Ead", {"weight": float("nan")}, "weight must be above 0, the first weight of the margin, got nan"),
        ("Ead", {"beta": -1.0}, "beta must be 0 or more and finite, got -1.0"),
        ("Ead", {"rule": "l2"}, "rule must be 'l1' or 'en', got 'l2'"),
    ],
)
def test_settings(kind, settings, message):
    """Are looked at before anything is asked."""
    with pytest.raises(InputError, match=message):
        getattr(attacks, kind)(**settings)


def test_zero_gradients_are_survived(make, inputs, targets):
    """Of a network whose answers do not depend on its inputs; nothing is found, nothing is NaN."""
    model = make["perceptron"](0)

    def flat(x):
        return model(x) * 0 + torch.arange(4, dtype=torch.float64)

    for attack in (attacks.Pgd(), attacks.Apgd(steps=5), attacks.Fgsm(), attacks.DeepFool(steps=5)):
        found = attack(flat, inputs, torch.full((12,), 3), epsilon=0.2)
        assert not found.success.any()
        assert found.inputs.isfinite().all()


def test_results_are_shown_in_a_line(three, inputs, targets):
    """With how much was fooled."""
    found = fgsm(three, inputs, targets, epsilon=0.1)
    share = float(found.success.double().mean())
    assert repr(found) == f"Attacked(3 runs, 12 samples, {share:.1%} wrong)"
