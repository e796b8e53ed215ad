"""Soft targets have the precision of the training."""

from dataclasses import replace

import pytest
import torch

from reseed.mitigations import Distill, DisturbLabel, LabelSmoothing, Mixup
from reseed.training._objective import Objective

METHODS = [
    (LabelSmoothing(0.1),),
    (LabelSmoothing(0.1, prior="unigram"),),
    (LabelSmoothing(0.1, prior=(0.2, 0.3, 0.5)),),
    (DisturbLabel(0.3), LabelSmoothing(0.1)),
    (Mixup(0.3), LabelSmoothing(0.1)),
    (Distill(0.3),),
]


@pytest.mark.parametrize("methods", METHODS, ids=lambda methods: "+".join(method.name for method in methods))
def test_targets_are_as_precise_as_the_inputs(data, methods):
    """Double-precision trainings have soft targets that are right to double precision, single ones have single ones."""
    rows = torch.arange(40).reshape(2, 20)
    taught = torch.rand(1, len(data.labels), 3, dtype=torch.float64).softmax(-1)
    found = {}
    for kind in (torch.float64, torch.float32):
        said = tuple(taught.to(kind) if isinstance(method, Distill) else None for method in methods)
        given = replace(data, inputs=data.inputs.to(kind))
        _, loss = Objective(methods, given, [1, 2], 10, said).begin(0, rows, given.inputs[rows])
        assert loss.targets.dtype == kind
        found[kind] = loss.targets
    sums = found[torch.float64].sum(-1)
    torch.testing.assert_close(sums, torch.ones_like(sums), rtol=0, atol=1e-15)
    torch.testing.assert_close(found[torch.float32].double(), found[torch.float64], rtol=0, atol=1e-6)


def test_smoothed_labels_equal_their_formula(data):
    """Of three classes at epsilon 0.1 the label has 0.9 + 0.1 / 3 and the others 0.1 / 3, to the last bit."""
    rows = torch.arange(50)[None]
    _, loss = Objective((LabelSmoothing(0.1),), data, [1], 10, ()).begin(0, rows, data.inputs[rows])
    expected = torch.full((1, 50, 3), 0.1 / 3, dtype=torch.float64)
    expected[0, torch.arange(50), data.labels] = 0.9 + 0.1 / 3
    torch.testing.assert_close(loss.targets, expected, rtol=0, atol=1e-16)
