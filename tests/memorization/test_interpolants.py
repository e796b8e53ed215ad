"""Linear functions and kernels through targets, against independent solutions."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import laplacian_kernel

from reseed._errors import InputError
from reseed.memorization import kernel_interpolant, min_norm_interpolant, sgd_linear

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(30, 100)), RANDOM.normal(size=30)
BOTH = RANDOM.normal(size=(30, 4))


@pytest.mark.parametrize("targets", [Y, BOTH], ids=["one", "several"])
def test_smallest_interpolant_is_the_pseudo_inverse(targets):
    """Against numpy's pseudo-inverse and least squares, with its norm and without a residual."""
    found = min_norm_interpolant(X, targets)
    np.testing.assert_allclose(found.weights, np.linalg.pinv(X) @ targets, atol=1e-12)
    np.testing.assert_allclose(found.weights, np.linalg.lstsq(X, targets, rcond=None)[0], atol=1e-12)
    np.testing.assert_allclose(X @ found.weights, targets, atol=1e-12)
    assert found.norm == pytest.approx(np.linalg.norm(found.weights))
    assert found.residual <= 1e-12
    assert found.jitter == 0
    others = RANDOM.normal(size=(7, 100))
    np.testing.assert_allclose(found.predict(others), others @ found.weights, atol=1e-12)


def test_gradient_descent_ends_there_from_zero_and_elsewhere_from_elsewhere():
    """From w_0 at w* + (I - P) w_0, an interpolant as well and of larger norm."""
    smallest = min_norm_interpolant(X, Y)
    projection = np.linalg.pinv(X) @ X
    initial, rate = RANDOM.normal(size=100), 1 / np.linalg.norm(X, 2) ** 2
    for start, limit in (
        (np.zeros(100), smallest.weights),
        (initial, smallest.weights + initial - projection @ initial),
    ):
        weights = start.copy()
        for _ in range(1000):
            weights -= rate * (X.T @ (X @ weights - Y))
        np.testing.assert_allclose(weights, limit, atol=1e-12)
        found = sgd_linear(X, Y, initial=start)
        np.testing.assert_allclose(found.limit, limit, atol=1e-12)
        np.testing.assert_allclose(found.weights, limit, atol=1e-12)
        assert found.distances[0] == pytest.approx(np.linalg.norm(start - limit))
        assert found.distances[-1] <= 1e-12
        assert len(found.distances) == 201
    np.testing.assert_allclose(X @ found.weights, Y, atol=1e-12)
    assert np.linalg.norm(found.weights) > 5 * smallest.norm


def test_sgd_takes_several_targets_and_any_step():
    """A smaller step ends at the same place; a run is a function of its seed, and only its last passes differ by it."""
    found = sgd_linear(X, BOTH, step=0.7, passes=400, seed=5)
    np.testing.assert_allclose(found.weights, np.linalg.pinv(X) @ BOTH, atol=1e-12)
    one, again, other = (sgd_linear(X, Y, passes=2, seed=seed).weights for seed in (1, 1, 2))
    assert (one == again).all()
    assert not (one == other).all()
    with pytest.warns(RuntimeWarning, match="products of 31 samples has rank 30"):
        with_zero = sgd_linear(np.vstack([X, np.zeros(100)]), np.append(Y, 0.0))
    np.testing.assert_allclose(with_zero.weights, np.linalg.pinv(X) @ Y, atol=1e-12)


def test_curvature_does_not_tell_interpolants_apart():
    """The loss has one Hessian at both, of the rank of the samples: degenerate, the same for all global minima."""
    inputs, targets = torch.from_numpy(X), torch.from_numpy(Y)

    def loss(weights):
        return torch.nn.functional.smooth_l1_loss(inputs @ weights, targets)

    ends = [sgd_linear(inputs, targets, initial=start).limit for start in (None, torch.ones(100).double())]
    assert not torch.allclose(*ends)
    hessians = [torch.autograd.functional.hessian(loss, end) for end in ends]
    torch.testing.assert_close(hessians[0], hessians[1])
    torch.testing.assert_close(hessians[0], inputs.T @ inputs / 30)
    assert [int(torch.linalg.matrix_rank(each)) for each in hessians] == [30, 30]


@pytest.mark.parametrize("count", [30, 300])
@pytest.mark.parametrize("ridge", [1e-3, 2.0])
def test_ridge_is_that_of_scikit_learn(count, ridge):
    """With fewer samples than features and with more."""
    samples, targets = RANDOM.normal(size=(count, 100)), RANDOM.normal(size=(count, 2))
    found = min_norm_interpolant(samples, targets, ridge)
    expected = Ridge(ridge, fit_intercept=False, solver="svd").fit(samples, targets).coef_.T
    np.testing.assert_allclose(found.weights, expected, rtol=1e-8, atol=1e-10)
    assert found.residual == pytest.approx(np.abs(samples @ expected - targets).max())


def test_samples_that_depend_on_each_other():
    """Where targets agree with it there is an interpolant, the smallest, and a warning; else none."""
    samples = np.vstack([X[:10], X[:5] + X[5:10]])
    targets = np.append(Y[:10], Y[:5] + Y[5:10])
    with pytest.warns(RuntimeWarning, match="products of 15 samples has rank 10 in double precision"):
        found = min_norm_interpolant(samples, targets)
    np.testing.assert_allclose(found.weights, np.linalg.pinv(samples) @ targets, atol=1e-9)
    assert found.jitter > 0
    with pytest.warns(RuntimeWarning, match="rank 10"):
        assert np.allclose(sgd_linear(samples, targets).weights, found.weights, atol=1e-9)
    targets[-1] += 1
    with pytest.raises(InputError, match=r"15 distinct samples of X with 100 features, which depend on each other.*by"):
        min_norm_interpolant(samples, targets)


def test_more_samples_than_features():
    """Only targets that are linear themselves have an interpolant, which then is the one that made them."""
    samples, truth = RANDOM.normal(size=(20, 4)), RANDOM.normal(size=4)
    with pytest.warns(RuntimeWarning, match="rank 4"):
        found = min_norm_interpolant(samples, samples @ truth)
    np.testing.assert_allclose(found.weights, truth, atol=1e-9)
    with pytest.raises(InputError, match=r"20 distinct samples of X with 4 features, more than features: .* a ridge"):
        min_norm_interpolant(samples, Y[:20])


def test_equal_samples_are_one_without_ridge_and_two_with():
    """Without it targets agree or are refused; with it a sample that is there twice weighs twice."""
    samples, targets = np.vstack([X, X[:3]]), np.append(Y, Y[:3])
    np.testing.assert_allclose(min_norm_interpolant(samples, targets).weights, np.linalg.pinv(X) @ Y, atol=1e-12)
    gaussian = kernel_interpolant(samples, targets, bandwidth=8.0)
    np.testing.assert_allclose(gaussian.predict(X), Y, atol=1e-9)
    assert len(gaussian.samples) == 30
    expected = KernelRidge(alpha=0.5, kernel="rbf", gamma=1 / 128).fit(samples, targets).predict(X)
    np.testing.assert_allclose(kernel_interpolant(samples, targets, bandwidth=8.0, ridge=0.5).predict(X), expected)
    targets[31] += 1
    for fit in (min_norm_interpolant, kernel_interpolant, sgd_linear):
        with pytest.raises(InputError, match="samples 1 and 31 of X are equal, but their targets differ"):
            fit(samples, targets)


@pytest.mark.parametrize("ridge", [0.01, 1.0])
@pytest.mark.parametrize("targets", [Y, BOTH], ids=["one", "several"])
def test_kernel_ridge_is_that_of_scikit_learn(targets, ridge):
    """Gaussian and of one's own."""
    others = RANDOM.normal(size=(9, 100))
    theirs = KernelRidge(alpha=ridge, kernel="rbf", gamma=1 / (2 * 7.0**2)).fit(X, targets)
    found = kernel_interpolant(X, targets, bandwidth=7.0, ridge=ridge)
    np.testing.assert_allclose(found.predict(others), theirs.predict(others), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.coefficients, theirs.dual_coef_, rtol=1e-9)
    laplacian = KernelRidge(alpha=ridge, kernel="laplacian", gamma=0.01).fit(X, targets)
    own = kernel_interpolant(X, targets, kernel=lambda a, b: laplacian_kernel(a, b, 0.01), ridge=ridge)
    np.testing.assert_allclose(own.predict(others), laplacian.predict(others), rtol=1e-9, atol=1e-12)
    assert np.isnan(own.bandwidth)


def test_gaussian_interpolant_goes_through_its_targets():
    """Against the plain solution of K c = y; the default bandwidth is the median distance."""
    found = kernel_interpolant(X, BOTH)
    distances = cdist(X, X)
    bandwidth = np.median(distances[np.triu_indices(30, 1)])
    assert found.bandwidth == pytest.approx(bandwidth)
    matrix = np.exp(-(distances**2) / (2 * bandwidth**2))
    np.testing.assert_allclose(found.coefficients, np.linalg.solve(matrix, BOTH), rtol=1e-8)
    np.testing.assert_allclose(found.predict(X), BOTH, atol=1e-12)
    assert found.norm == pytest.approx(np.sqrt(np.trace(BOTH.T @ np.linalg.solve(matrix, BOTH))))
    assert found.residual <= 1e-12


def test_linear_kernel_is_the_smallest_linear_interpolant():
    """In values and in norm."""
    linear, kernel = min_norm_interpolant(X, Y), kernel_interpolant(X, Y, kernel=lambda a, b: a @ b.T)
    others = RANDOM.normal(size=(9, 100))
    np.testing.assert_allclose(kernel.predict(others), linear.predict(others), atol=1e-12)
    assert kernel.norm == pytest.approx(linear.norm)


def test_a_kernel_too_wide_is_refused_or_warned_of():
    """Smooth targets are met in spite of the rank, with a warning; random ones are not."""
    line = np.linspace(0, 1, 60)[:, None]
    with pytest.warns(RuntimeWarning, match=r"products of 60 samples has rank \d+ in double precision"):
        found = kernel_interpolant(line, line[:, 0] ** 2, bandwidth=1.0)
    assert found.residual <= 1e-6
    np.testing.assert_allclose(found.predict(line + 0.004)[:-1], (line[:-1, 0] + 0.004) ** 2, atol=1e-4)
    with pytest.raises(InputError, match=r"kernel of bandwidth 1 does not tell the 60 distinct samples .* a smaller"):
        kernel_interpolant(line, np.random.default_rng(0).normal(size=60), bandwidth=1.0)


def test_tensors_come_back():
    """Tensors in, tensors out; arrays in, arrays out."""
    inputs, targets = torch.from_numpy(X).float(), torch.from_numpy(Y).float()
    linear, kernel = min_norm_interpolant(inputs, targets), kernel_interpolant(inputs, targets)
    trained = sgd_linear(inputs, targets, passes=3)
    for values in (linear.weights, linear.predict(inputs), kernel.predict(inputs), trained.weights, trained.distances):
        assert isinstance(values, torch.Tensor)
    torch.testing.assert_close(linear.predict(inputs), targets.double())
    assert isinstance(linear.predict(X), np.ndarray)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: min_norm_interpolant(X, Y, -1.0), "ridge must be a finite number of zero or more, got -1.0"),
        (lambda: kernel_interpolant(X, Y, ridge=np.nan), "ridge must be a finite number of zero or more, got nan"),
        (lambda: kernel_interpolant(X, Y, kernel="cubic"), "kernel='cubic' is unknown; pass 'rbf' or a function"),
        (lambda: kernel_interpolant(X, Y, bandwidth=0.0), "bandwidth must be positive, .* got 0.0"),
        (
            lambda: kernel_interpolant(X, Y, kernel=np.matmul, bandwidth=1.0),
            "bandwidth must be positive, and is for kernel='rbf' alone, got 1.0",
        ),
        (
            lambda: kernel_interpolant(X, Y, kernel=lambda a, b: a),
            r"must return finite products \[30, 30\] .* got float64\[30, 100\]",
        ),
        (lambda: kernel_interpolant(X, Y, kernel=lambda a, b: a[:, :1] + 2 * b[:, 0]), "kernel is not symmetric"),
        (lambda: kernel_interpolant(X, Y, kernel=lambda a, b: -a @ b.T), "kernel is not positive definite"),
        (
            lambda: kernel_interpolant(np.repeat(X[:2], 5, 0), np.repeat(Y[:2], 5), ridge=0.1).predict(X[:, :3]),
            r"X must have 100 features, as the samples that were fitted, got float64\[30, 3\]",
        ),
        (
            lambda: kernel_interpolant(np.ones((4, 2)), [1.0, 2.0, 3.0, 4.0], ridge=0.1),
            "bandwidth has no default here, since half of the samples of X are equal",
        ),
        (lambda: min_norm_interpolant(X, Y).predict(X[:, :3]), "X must have 100 features"),
        (lambda: sgd_linear(X, Y, step=2.0), r"step must be in \(0, 2\), got 2.0"),
        (lambda: sgd_linear(X, Y, passes=0), "passes must be a whole number of 1 or more, got 0"),
        (
            lambda: sgd_linear(X, Y, initial=np.zeros(3)),
            r"initial must be finite numbers of shape \[100\], got float64",
        ),
    ],
)
def test_bad_arguments_are_named(call, message):
    """With their value, and what to do."""
    with pytest.raises(InputError, match=message):
        call()


def test_matrices_beyond_memory_are_refused(monkeypatch):
    """Before they are made."""
    monkeypatch.setattr("reseed.memorization.interpolation._cholesky.machine_bytes", lambda: 16 * 30**2 - 1)
    with pytest.raises(InputError, match=r"X has 30 samples, whose matrix of products takes .* pass fewer samples"):
        min_norm_interpolant(X, Y)
    with pytest.raises(InputError, match="X has 30 samples"):
        kernel_interpolant(X, Y)
