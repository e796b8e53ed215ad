"""Eigenvalues, densities, traces and alignments against spectra that are known, in float64."""

import numpy as np
import pytest
import torch
from scipy.sparse.linalg import eigsh
from torch import nn

from reseed import InputError
from reseed.curvature import (
    CurvatureOperator,
    alignment,
    diagonal,
    eigenvalues,
    empirical_risk,
    frobenius_norm,
    hessian,
    lanczos,
    sharpness,
    spectral_density,
    trace,
)
from reseed.models import Networks


def of_spectrum(*spectra, rotated=True, seed=0):
    """Returns the operator of a matrix with each of some spectra, and the matrices."""
    draw = torch.Generator().manual_seed(seed)
    found = []
    for values in spectra:
        values = torch.as_tensor(values, dtype=torch.float64)
        basis = torch.eye(len(values), dtype=torch.float64)
        if rotated:
            basis = torch.linalg.qr(torch.randn(len(values), len(values), generator=draw, dtype=torch.float64))[0]
        matrix = basis * values @ basis.T
        found.append((matrix + matrix.T) / 2)
    matrices = torch.stack(found)
    return CurvatureOperator.of_matrices(matrices), matrices


def networks(count=3):
    """Returns small networks, inputs and labels."""
    draw = torch.Generator().manual_seed(3)
    inputs = torch.randn(40, 5, generator=draw, dtype=torch.float64)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        models = [nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 3)).double() for _ in range(count)]
    return Networks(models), inputs, torch.randint(3, (40,), generator=draw)


def test_the_largest_is_not_the_largest_in_magnitude():
    """Of diag(-5, 3) it is 3; both ends come in algebraic order."""
    operator, _ = of_spectrum([-5.0, 3.0])
    found = eigenvalues(operator)
    torch.testing.assert_close(found.values, torch.tensor([[3.0]], dtype=torch.float64))
    both = eigenvalues(operator, 1, "both")
    torch.testing.assert_close(both.values, torch.tensor([[3.0, -5.0]], dtype=torch.float64))


@pytest.mark.parametrize("spectrum", [[4.0, 1.0, 0.5, -2.0, -6.0], [1.0] * 5, [2.0, 2.0, 2.0, -1.0, -1.0], [0.0] * 5])
def test_all_eigenvalues_of_a_matrix(spectrum):
    """As many as there are rows are all of them, those that repeat too."""
    operator, _ = of_spectrum(spectrum)
    found = eigenvalues(operator, 5)
    torch.testing.assert_close(found.values[0], torch.tensor(sorted(spectrum, reverse=True), dtype=torch.float64))
    assert found.converged.all()


@pytest.mark.parametrize("which", ["largest", "smallest", "both"])
def test_each_run_has_its_own_eigenvalues(which):
    """Of runs together, values are those of full matrices to the tolerance, and residuals are what they say."""
    draw = np.random.default_rng(0)
    operator, matrices = of_spectrum(*(np.sort(draw.standard_normal(120) ** 3) for _ in range(4)))
    found = eigenvalues(operator, 3, which)
    full = torch.linalg.eigvalsh(matrices).flip(1)
    wanted = {"largest": full[:, :3], "smallest": full[:, -3:], "both": torch.cat([full[:, :3], full[:, -3:]], 1)}
    off = (found.values - wanted[which]).abs()
    assert found.converged.all()
    assert (off <= 1e-3 * wanted[which].abs()).all()
    assert (off <= found.errors + 1e-12).all()
    residuals = torch.stack([operator @ found.vectors[:, one] for one in range(found.values.shape[1])], 1)
    residuals = (residuals - found.values[..., None] * found.vectors).norm(dim=2)
    torch.testing.assert_close(residuals, found.residuals, rtol=1e-6, atol=1e-9)
    assert found.products < 60


def test_what_has_not_converged_is_told():
    """After too few products the flag is off, and the residual still bounds what the value is off."""
    operator, _ = of_spectrum(torch.linspace(0, 1, 200))
    found = eigenvalues(operator, max_products=5)
    assert not found.converged.any()
    assert found.products == 5
    assert (1 - found.values[0, 0]).abs() > 1e-3
    assert (torch.linspace(0, 1, 200) - found.values[0, 0]).abs().min() <= found.residuals[0, 0]


def test_a_start_nearby_saves_products():
    """From an eigenvector of a moment before it takes fewer products to the same value."""
    operator, matrices = of_spectrum(torch.linspace(0, 1, 300) ** 4)
    cold = eigenvalues(operator)
    nearby = torch.linalg.eigh(matrices)[1][..., -1] + 0.01 / 300**0.5
    warm = eigenvalues(operator, start=nearby)
    assert warm.products < cold.products
    torch.testing.assert_close(warm.values, cold.values, rtol=2e-3, atol=0)


def test_no_ghosts():
    """An eigenvalue apart from the others is found once in 80 steps; without reorthogonalisation copies come."""
    operator, matrices = of_spectrum([*torch.linspace(0, 1, 999).tolist(), 100.0], rotated=False)
    nodes = lanczos(operator, 80).ritz()[0][0]
    assert (nodes > 99).sum() == 1
    values = matrices[0].diag()
    vector, before, beta = torch.randn(1000, generator=torch.Generator().manual_seed(0)).double(), 0.0, 0.0
    vector = vector / vector.norm()
    diagonal_, beside = [], []
    for _ in range(80):
        left = values * vector - beta * before
        alpha = left @ vector
        left = left - alpha * vector
        before, beta = vector, left.norm()
        vector = left / beta
        diagonal_.append(alpha)
        beside.append(beta)
    plain = torch.stack(diagonal_).diag() + torch.stack(beside[:-1]).diag(1) + torch.stack(beside[:-1]).diag(-1)
    assert (torch.linalg.eigvalsh(plain) > 99).sum() > 1


def test_lanczos_ends_where_its_space_is_complete():
    """Three distinct eigenvalues take three steps, exact nodes; a run beside it goes on."""
    repeated = [-1.0] * 300 + [0.5] * 200 + [7.0] * 100
    operator, _ = of_spectrum(repeated, torch.linspace(0, 1, 600))
    found = lanczos(operator, 10)
    assert found.steps.tolist() == [3, 10]
    nodes, parts, residuals = found.ritz()
    torch.testing.assert_close(nodes[0, :3], torch.tensor([7.0, 0.5, -1.0], dtype=torch.float64))
    assert residuals[0].max() < 1e-12
    torch.testing.assert_close(
        parts[0, 0, :3].square(), torch.tensor([1 / 6, 1 / 3, 1 / 2], dtype=torch.float64), rtol=0, atol=0.06
    )


def test_of_signs_the_weights_of_a_diagonal_matrix_are_exact():
    """From a vector of -1 and 1 the weights are the shares of the eigenvalues."""
    operator, _ = of_spectrum([-1.0] * 30 + [0.5] * 20 + [7.0] * 10, rotated=False)
    signs = torch.where(torch.rand(1, 60, generator=torch.Generator().manual_seed(0)) < 0.5, -1.0, 1.0).double()
    found = lanczos(operator, 10, start=signs)
    weights = found.ritz()[1][0, 0].square()
    torch.testing.assert_close(weights, torch.tensor([1 / 6, 1 / 3, 1 / 2], dtype=torch.float64))


def test_gaussian_orthogonal_ensemble():
    """A random symmetric matrix has the moments 0, 1, 2 of Wigner's semicircle, and its exact largest eigenvalue."""
    size = 600
    half = torch.randn(size, size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    matrix = (half + half.T) / (2 * size) ** 0.5
    operator = CurvatureOperator.of_matrices(matrix[None])
    found = spectral_density(operator, probes=5, steps=60)
    for power, moment, slack in ((1, 0.0, 0.05), (2, 1.0, 0.08), (4, 2.0, 0.3)):
        assert abs(float(found.moment(power)) - moment) < slack
    top = float(found.nodes.nan_to_num(-torch.inf).amax())
    assert abs(top - float(torch.linalg.eigvalsh(matrix)[-1])) < 1e-3
    assert abs(float(torch.trapezoid(found.density[0], found.grid[0])) - 1) < 1e-3
    inside = found.grid[0].abs() < 1.5
    circle = (4 - found.grid[0].square()).clamp_min(0).sqrt() / (2 * np.pi)
    off = (found.density[0] - circle)[inside]
    assert (off.abs() < 5 * found.standard_error[0][inside] + 0.05).all()


def test_density_of_runs_and_of_logarithms():
    """Each run has the density of its own spectrum; the logarithms lie where those of the eigenvalues do."""
    spectra = [[1.0] * 20, [-1.0] * 10 + [100.0] * 10]
    operator, _ = of_spectrum(*spectra)
    found = spectral_density(operator, probes=20, steps=5)
    torch.testing.assert_close(found.moment(0), torch.ones(2, dtype=torch.float64))
    torch.testing.assert_close(found.moment(1)[0], torch.tensor(1.0, dtype=torch.float64))
    near = found.grid[1] < 50
    share = float(torch.trapezoid(found.density[1][near], found.grid[1][near]))
    assert abs(share - 0.5) < 0.1
    log = spectral_density(operator, probes=20, steps=5, log=True)
    peaks = log.grid[1][log.density[1] > log.density[1].max() / 2]
    assert min(abs(peaks)) < 0.1
    assert min(abs(peaks - np.log(100))) < 0.1
    assert spectral_density(operator, probes=1, steps=5).standard_error.isnan().all()


def test_estimates_are_within_their_errors():
    """Trace, norm and diagonal are within four standard errors, which shrink with the probes."""
    operator, matrices = of_spectrum(torch.linspace(-1, 3, 60), torch.linspace(0, 1, 60))
    wanted = {
        "trace": matrices.diagonal(dim1=1, dim2=2).sum(1),
        "norm": matrices.norm(dim=(1, 2)),
        "diagonal": matrices.diagonal(dim1=1, dim2=2),
    }
    for probes in (50, 800):
        found = {
            "trace": trace(operator, probes, seed=1),
            "norm": frobenius_norm(operator, probes, seed=1),
            "diagonal": diagonal(operator, probes, seed=1),
        }
        for name, own in found.items():
            off = (own.value - wanted[name]).abs()
            assert (off < 4.5 * own.standard_error).all()
            assert own.products == probes
        if probes == 50:
            before = found["trace"].standard_error
    ratio = before / found["trace"].standard_error
    assert ((ratio > 2.5) & (ratio < 6)).all()


def test_probes_of_a_diagonal_matrix_are_exact():
    """One probe of -1 and 1 gives trace, norm and diagonal; a single one has no standard error."""
    operator, matrices = of_spectrum([3.0, -4.0, 12.0], rotated=False)
    for found, value in (
        (trace(operator, 1), torch.tensor([11.0])),
        (frobenius_norm(operator, 1), torch.tensor([13.0])),
        (diagonal(operator, 1), matrices.diagonal(dim1=1, dim2=2)),
    ):
        torch.testing.assert_close(found.value, value.double())
        assert found.standard_error.isnan().all()


def test_hutch_plus_plus():
    """It is exact of a matrix of low rank, within its errors of another, and better where few eigenvalues are large."""
    low = [50.0, -20.0, 10.0] + [0.0] * 57
    operator, _ = of_spectrum(low)
    torch.testing.assert_close(trace(operator, 12, method="hutch++").value[0], torch.tensor(40.0).double())
    operator, _ = of_spectrum([100.0, 50.0, -30.0, *torch.linspace(-1, 1, 97).tolist()])
    both = {method: trace(operator, 60, method=method) for method in ("hutchinson", "hutch++")}
    for found in both.values():
        assert found.products == 60
        assert abs(float(found.value) - 120) < 4 * float(found.standard_error)
    assert both["hutch++"].standard_error < both["hutchinson"].standard_error / 4
    assert trace(of_spectrum([1.0, 2.0])[0], 9, method="hutch++").value.allclose(torch.tensor([3.0]).double())


def test_alignment_with_an_eigenvector():
    """Of g = v_1 all of it is captured, and the curvature is lambda_1; of an isotropic matrix it is h for any g."""
    operator, matrices = of_spectrum([5.0, 2.0, 1.0, -3.0], [4.0] * 4)
    vectors = torch.linalg.eigh(matrices)[1]
    gradient = torch.stack([vectors[0, :, -1] * 3, torch.ones(4, dtype=torch.float64)])
    found = alignment(operator, gradient, eigenvalues(operator, 2), steps=4)
    torch.testing.assert_close(found.curvature, torch.tensor([5.0, 4.0], dtype=torch.float64))
    torch.testing.assert_close(found.captured[0], torch.ones(2, dtype=torch.float64))
    assert found.steps.tolist() == [1, 1]
    mixed = (vectors[0, :, -1] * 3 + vectors[0, :, 0] * 4).expand(2, 4)
    found = alignment(operator, mixed, eigenvalues(operator, 1), steps=4)
    torch.testing.assert_close(found.captured[0, 0], torch.tensor(9 / 25, dtype=torch.float64))
    torch.testing.assert_close(found.nodes[0, :2], torch.tensor([5.0, -3.0], dtype=torch.float64))
    torch.testing.assert_close(found.weights[0, :2], torch.tensor([9 / 25, 16 / 25], dtype=torch.float64))


def test_alignment_of_no_gradient_is_undefined():
    """A gradient of 0 has NaN, with a warning; a run beside it has its numbers."""
    operator, _ = of_spectrum([5.0, 2.0, 1.0], [5.0, 2.0, 1.0])
    gradient = torch.tensor([[0.0, 0, 0], [1, 1, 1]], dtype=torch.float64)
    with pytest.warns(RuntimeWarning, match="the gradient of 1 runs is 0 and has no direction"):
        found = alignment(operator, gradient, eigenvalues(operator, 1), steps=3)
    for values in (found.curvature, found.captured, found.nodes, found.weights):
        assert values[0].isnan().all()
        assert values[1].isfinite().all()


def test_sharpness_is_that_of_scipy():
    """Of every run it is the algebraic largest eigenvalue that scipy finds, with what it was found from."""
    given, inputs, targets = networks()
    found = sharpness(given, inputs, targets, tolerance=1e-6, seed=2)
    operator = hessian(empirical_risk(given, inputs, targets))
    for run in range(3):
        value = eigsh(operator.to_scipy(run), 1, which="LA", v0=np.ones(operator.size))[0][0]
        assert abs(float(found.value[run]) - value) < 1e-5 * value
    assert (found.seed, found.n_params, found.n_examples) == (2, operator.size, 40)
    assert found.converged.all()
    torch.testing.assert_close(sum(found.shares.values()), torch.ones(3, dtype=torch.float64))
    assert list(found.shares) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    part = found.vector[:, operator.size - 3 :].square().sum(1)
    torch.testing.assert_close(found.shares["2.bias"], part)


def test_seeds():
    """The same seed gives the same numbers bit for bit and another does not; the global generator is left."""
    operator, _ = of_spectrum(torch.linspace(0, 1, 40))
    before = torch.random.get_rng_state()
    for one in (
        lambda seed: eigenvalues(operator, seed=seed).values,
        lambda seed: trace(operator, seed=seed).value,
        lambda seed: spectral_density(operator, probes=2, steps=5, seed=seed).nodes,
    ):
        assert torch.equal(one(0), one(0))
        assert not torch.equal(one(0), one(1))
    assert torch.equal(before, torch.random.get_rng_state())


def _failing():
    operator, _ = of_spectrum([1.0, 2.0, 3.0])
    gradient = torch.ones(1, 3, dtype=torch.float64)
    return {
        "k must be a whole number from 1 to 3, of 3 eigenvalues, got 4.": lambda: eigenvalues(operator, 4),
        "k must be a whole number from 1 to 3, of 3 eigenvalues, got 0.": lambda: eigenvalues(operator, 0),
        "k must be a whole number from 1 to 1, of 3 eigenvalues, got 2.": lambda: eigenvalues(operator, 2, "both"),
        "which must be 'largest', 'smallest' or 'both', got 'LM'.": lambda: eigenvalues(operator, which="LM"),
        "tolerance must be between 0 and 1, a share of the eigenvalue, got 0.": lambda: eigenvalues(
            operator, tolerance=0
        ),
        "max_products=1 is less than the 2 eigenvalues asked for; allow more.": lambda: eigenvalues(
            operator, 2, max_products=1
        ),
        "start is (1, 2); pass (1, 3), [run, parameter].": lambda: lanczos(operator, 2, start=torch.ones(1, 2)),
        "start is 0 in one of the runs; pass vectors with a direction.": lambda: lanczos(
            operator, 2, start=torch.zeros(1, 3)
        ),
        "steps is 4, but the operator has 3 rows; take at most as many steps.": lambda: lanczos(operator, 4),
        "method must be 'hutchinson' or 'hutch++', got 'xtrace'.": lambda: trace(operator, method="xtrace"),
        "probes must be a whole number of 3 or more, got 2.": lambda: trace(operator, 2, method="hutch++"),
        "probes must be a whole number of 1 or more, got 0.": lambda: diagonal(operator, 0),
        "width must be above 0 and finite, got -1.": lambda: spectral_density(operator, steps=2, width=-1),
        "gradient is (3,); pass (1, 3), [run, parameter].": lambda: alignment(operator, gradient[0]),
        "gradient holds numbers that are not finite; leave out runs that have diverged.": lambda: alignment(
            operator, gradient / 0
        ),
        "a product of run 1 holds inf, since the operator or its vector overflows there; compute in "
        "dtype=torch.float64, or leave out runs that have diverged.": lambda: _overflowing() @ torch.ones(2, 3),
    }


def _overflowing():
    """Of the second of two runs a product is too large for its type."""
    big = torch.tensor([[1.0], [3e38]])
    return CurvatureOperator(2, {"w": torch.Size([3])}, torch.float32, big.device, 0, lambda vectors: vectors * big * 9)


@pytest.mark.parametrize("message", _failing())
def test_mistakes_are_told(message):
    """What cannot be done is said, with the value and what to do."""
    call = _failing()[message]
    with pytest.raises(InputError) as caught:
        call()
    assert str(caught.value) == message
