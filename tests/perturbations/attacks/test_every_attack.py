"""What holds for every attack: nothing is left, nothing is touched, nothing depends on neighbours."""

import inspect
from dataclasses import fields

import numpy as np
import pytest
import torch
from torch import nn

from reseed import InputError
from reseed.models import Networks
from reseed.perturbations import attacks
from reseed.perturbations.attacks import AbstractAttack, norm_of

ATTACKS = {
    "apgd": attacks.Apgd(steps=6, restarts=2),
    "boundary": attacks.Boundary(steps=25),
    "carlini_wagner": attacks.CarliniWagner(steps=6, rounds=2, rate=0.15, weight=1.0, bisections=3),
    "deepfool": attacks.DeepFool(steps=6, candidates=2, bisections=3),
    "ead": attacks.Ead(steps=6, rounds=2, rate=0.15, weight=1.0),
    "fgsm": attacks.Fgsm(),
    "gaussian_noise": attacks.GaussianNoise(draws=8),
    "nes": attacks.Nes(steps=4, probes=6),
    "pgd": attacks.Pgd(steps=4, restarts=2),
    "spsa": attacks.Spsa(steps=4, probes=6),
    "square": attacks.Square(steps=25),
    "uniform_noise": attacks.UniformNoise(draws=8),
}
"""Every public attack, by the name of its function, with settings that take no time."""
EPSILON = {"inf": 0.12, "2": 0.25, "1": 0.4}
CASES = [(name, norm) for name, attack in ATTACKS.items() for norm in attack.norms]
COMMON = ("epsilon", "norm", "bounds", "goal", "frozen", "seed", "batch_size")


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def case(request):
    """An attack with a norm that it knows."""
    name, norm = request.param
    return ATTACKS[name], norm


def run(case, model, inputs, targets, **changed):
    """Attack with a budget that fools some, but not all."""
    attack, norm = case
    return attack(model, inputs, targets, **{"epsilon": EPSILON[norm], "norm": norm, **changed})


def test_the_table_is_complete():
    """No public attack is missing from it, nor has a function without one."""
    public = {name: getattr(attacks, name) for name in attacks.__all__}
    classes = {kind for kind in public.values() if inspect.isclass(kind) and issubclass(kind, AbstractAttack)}
    assert {type(attack) for attack in ATTACKS.values()} == classes - {AbstractAttack}
    functions = {name for name, item in public.items() if inspect.isfunction(item)}
    functions = {name for name in functions if "targets" in inspect.signature(public[name]).parameters}
    assert functions == set(ATTACKS)


@pytest.mark.parametrize("name", ATTACKS)
def test_functions_have_the_same_words(name, three, inputs, targets):
    """Common arguments are called the same; the others are the settings, with the same defaults and effect."""
    function, kind = getattr(attacks, name), type(ATTACKS[name])
    parameters = inspect.signature(function).parameters
    assert tuple(parameters)[:3] == ("model", "inputs", "targets")
    assert all(parameters[word].kind is inspect.Parameter.KEYWORD_ONLY for word in COMMON)
    rest = [word for word in parameters if word not in ("model", "inputs", "targets", *COMMON)]
    own = {word: parameters[word].default for word in rest}
    assert own == {each.name: each.default for each in fields(kind)}
    norm = parameters["norm"].default
    assert norm in kind.norms
    settings = {each.name: getattr(ATTACKS[name], each.name) for each in fields(kind)}
    by_function = function(three, inputs, targets, epsilon=EPSILON[norm], **settings)
    by_object = ATTACKS[name](three, inputs, targets, epsilon=EPSILON[norm], norm=norm)
    assert torch.equal(by_function.inputs, by_object.inputs)


@pytest.mark.parametrize(
    ("dtype", "given"),
    [(torch.float32, torch.float32), (torch.float32, torch.float64), (torch.float64, torch.float32)],
    ids=str,
)
def test_ball_and_box_are_never_left(case, dtype, given, make, inputs, targets):
    """To 1e-6 of the budget, as measured from the inputs given, also where the model computes in another type."""
    model, norm = Networks([make["perceptron"](seed, dtype=dtype) for seed in range(3)]), case[1]
    clean = inputs.to(given)
    for epsilon in (EPSILON[norm], 1e-3):
        found = run(case, model, clean, targets, epsilon=epsilon)
        assert found.inputs.dtype == given
        away = norm_of((found.inputs.double() - clean.double()).flatten(0, 1), norm).view(3, -1)
        assert (away <= epsilon * (1 + 1e-6)).all()
        assert torch.allclose(away, found.distance, rtol=1e-9, atol=0)
        assert found.inputs.min() >= 0
        assert found.inputs.max() <= 1


def test_bounds_of_each_feature_are_never_left(case, three, inputs, targets):
    """Some are narrow, some open."""
    low = torch.tensor([0.0, 0.0, -0.5, -torch.inf, 0.0, 0.0], dtype=torch.float64)
    high = torch.tensor([1.0, 1.0, 1.0, torch.inf, 0.96, 1.0], dtype=torch.float64)
    found = run(case, three, inputs, targets, bounds=(low, high))
    assert ((found.inputs >= low) & (found.inputs <= high)).all()


def test_frozen_features_stay(case, three, inputs, targets):
    """To the last bit; others move."""
    frozen = np.array([True, False, False, True, False, True])
    found = run(case, three, inputs, targets, frozen=frozen)
    moved = found.inputs != inputs
    assert not moved[..., frozen].any()
    assert moved[..., ~frozen].any()


def test_budgets_of_each_feature_are_held(case, three, inputs, targets):
    """By the norm inf; others say that they cannot have them."""
    epsilon = np.array([0.01, 0.2, 0.05, 0.3, 0.1, 0.2])
    if case[1] != "inf":
        with pytest.raises(InputError, match="epsilon has a value for each feature, which the norm"):
            run(case, three, inputs, targets, epsilon=epsilon)
        return
    found = run(case, three, inputs, targets, epsilon=epsilon)
    away = (found.inputs - inputs).abs()
    assert (away <= torch.as_tensor(epsilon) * (1 + 1e-6)).all()
    assert (away[..., 3] > 0.1).any()


def test_shapes_and_types_come_back(case, three, inputs, targets):
    """Numpy in, numpy out; a tensor in, a tensor out; the same whatever the shape of a sample."""
    has_windows = isinstance(case[0], attacks.Square)  # which see the height and the width of images
    flat = inputs.view(-1, 2, 3) if has_windows else inputs
    single = run(case, three[1], flat[:1], targets[:1])
    flat = run(case, three, flat, targets)
    shaped = run(case, three, inputs.view(-1, 3, 2), targets)
    assert shaped.inputs.shape == (3, 12, 3, 2)
    assert has_windows or torch.equal(shaped.inputs, flat.inputs.view(3, -1, 3, 2))
    numbers = run(case, three, inputs.view(-1, 1, 2, 3).numpy(), targets.tolist())
    for field in fields(flat):
        theirs, ours = getattr(numbers, field.name), getattr(flat, field.name)
        assert isinstance(theirs, np.ndarray)
        assert np.array_equal(theirs.reshape(ours.shape), ours.numpy())
        assert getattr(single, field.name).shape == (1, *ours.shape[2:])
    assert numbers.inputs.shape == (3, 12, 1, 2, 3)
    assert flat.success.dtype == flat.was_wrong.dtype == torch.bool
    assert flat.logits.shape == (3, 12, 4)


def test_what_is_said_of_the_inputs_is_so(case, three, inputs, targets):
    """Success is a wrong answer at them, the logits are those there, and what was wrong is as it was."""
    found = run(case, three, inputs, targets)
    there = three(found.inputs, own=True)
    assert torch.allclose(there, found.logits)
    assert torch.equal(there.argmax(-1) != targets, found.success)
    wrong = three(inputs).argmax(-1) != targets
    assert torch.equal(found.was_wrong, wrong)
    assert wrong[0, :2].all()
    assert torch.equal(found.inputs[wrong], inputs.expand(3, -1, -1)[wrong])
    assert (found.distance[wrong] == 0).all()
    assert (found.steps[wrong] == 0).all()
    assert (found.queries[wrong] == 1).all()
    assert found.changed.any(), "the budget fools some"
    assert (found.distance[found.changed] > 0).all()
    assert (found.queries[found.changed] > 1).all()


def test_the_best_is_returned_without_success(case, three, inputs, targets):
    """With a small budget no margin becomes worse, and some become better."""
    found = run(case, three, inputs, targets, epsilon=EPSILON[case[1]] / 8)
    left = ~found.success
    margin = attacks.core._losses.margin(found.logits[left], targets.expand(3, -1)[left])
    clean = attacks.core._losses.margin(three(inputs)[left], targets.expand(3, -1)[left])
    assert left.any()
    assert (margin >= clean).all()
    assert (margin > clean).any()


def test_same_seed_same_result(case, three, inputs, targets):
    """Bit for bit, whatever the state of the generators, which stays as it is."""
    first = run(case, three, inputs, targets, seed=5)
    with torch.random.fork_rng():
        torch.manual_seed(99)
        state = np.random.mtrand._rand.get_state  # of the generator that all of numpy shares
        before = torch.get_rng_state(), state()[1].copy()
        second = run(case, three, inputs, targets, seed=5)
        assert torch.equal(before[0], torch.get_rng_state())
        assert np.array_equal(before[1], state()[1])
    assert all(torch.equal(getattr(first, each.name), getattr(second, each.name)) for each in fields(first))


def test_models_stay_as_they_are(case, inputs, targets):
    """Weights, buffers, gradients, what is asked of them, and modes."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 4))
    model = model.double().eval()
    model[0].weight.requires_grad_(False)
    model[4].weight.grad = torch.ones_like(model[4].weight)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    for asked in (model, Networks(model)):
        run(case, asked, inputs, targets)
        assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
        assert not any(module.training for module in model.modules())
        assert [value.requires_grad for value in model.parameters()] == [False, *[True] * 5]
        assert [value.grad is not None for value in model.parameters()] == [*[False] * 4, True, False]
        assert (model[4].weight.grad == 1).all()


def test_batches_change_nothing(case, three, inputs, targets):
    """What a sample draws is its own, and so is what is found of it."""
    whole, parts = (run(case, three, inputs, targets, batch_size=size) for size in (None, 5))
    assert torch.equal(whole.success, parts.success)
    assert torch.allclose(whole.inputs, parts.inputs, rtol=0, atol=1e-9)
    assert torch.equal(whole.steps, parts.steps)


@pytest.mark.parametrize("kind", ["mlp", "cnn"])
def test_runs_together_are_runs_alone(case, kind, make, three, inputs):
    """Each with right answers of its own; some leave early in one run and late in another."""
    networks, shaped = three, inputs
    if kind == "cnn":  # these are asked one after the other
        with torch.random.fork_rng():
            torch.manual_seed(0)
            heads = [nn.Conv2d(1, 2, 2) for _ in range(3)]
        networks = Networks([nn.Sequential(heads[each], make["perceptron"](each, 4)).double() for each in range(3)])
        shaped = inputs.view(-1, 1, 2, 3)
    targets = networks.predict(shaped).argmax(-1)
    targets[2, :3] = (targets[2, :3] + 1) % 4
    together = run(case, networks, shaped, targets)
    assert len(set(together.success.sum(1).tolist())) > 1
    for number in range(3):
        alone = run(case, networks[number], shaped, targets[number])
        for field in fields(alone):
            ours, theirs = getattr(together, field.name)[number].double(), getattr(alone, field.name).double()
            assert torch.allclose(ours, theirs, atol=1e-7), field.name


def test_goals_are_reached(case, three, inputs, targets):
    """With a goal its answer is what counts, and no other."""
    goal = (three.predict(inputs)[0].argmax(1) + 2) % 4
    found = run(case, three, inputs, targets, goal=goal, epsilon=4 * EPSILON[case[1]])
    answers = three(found.inputs, own=True).argmax(-1)
    assert torch.equal(answers == goal, found.success)
    assert found.changed.any()


def test_larger_budgets_fool_more(case, make, inputs):
    """Of a linear network all that a smaller one fools."""
    model = make["linear"](torch.randn(4, 6, generator=torch.Generator().manual_seed(1)))
    targets, before = model(inputs).argmax(1), torch.zeros(12, dtype=torch.bool)
    for share in (0.5, 1, 2, 4):
        success = run(case, model, inputs, targets, epsilon=share * EPSILON[case[1]]).success
        assert (success >= before).all()
        before = success
    assert success.any()


def test_minimal_attacks_need_no_budget(case, three, inputs, targets):
    """Others say that they do."""
    if not case[0].is_minimal:
        with pytest.raises(InputError, match="epsilon is None; give the budget"):
            run(case, three, inputs, targets, epsilon=None)
        return
    free = run(case, three, inputs, targets, epsilon=None, bounds=None)
    assert free.success.all()
    held = run(case, three, inputs, targets)
    assert (held.distance[held.success] <= EPSILON[case[1]] * (1 + 1e-6)).all()
    assert 0 < held.success.float().mean() < 1


def test_unknown_norms_are_named(case, three, inputs, targets):
    """With those that there are."""
    with pytest.raises(InputError, match=f"norm must be one of .* for the attack {case[0].name}, got '3'"):
        run(case, three, inputs, targets, epsilon=0.1, norm="3")
