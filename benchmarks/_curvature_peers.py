"""The peers of curvature.py: curvlinops with scipy, PyHessian, and a reference of neither, all in this process."""

from __future__ import annotations

import copy
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

PINS = Path(__file__).with_name("curvature_peer.txt")


def add_peers() -> None:
    """Put the peers' folder last on the path; it is made where it is not there yet."""
    folder = Path(tempfile.gettempdir()) / "reseed-benchmark-curvature"
    if not (folder / "made").exists():
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade"]
        subprocess.run([*install, "--target", folder, "-r", PINS], check=True)
        (folder / "made").touch()
    sys.path.append(str(folder))


def reference(model: nn.Module, inputs: Tensor, labels: Tensor) -> float:
    """Return the largest eigenvalue of the Hessian in double precision, converged to 1e-8."""
    model, inputs = copy.deepcopy(model).double(), inputs.double()
    weights = list(model.parameters())
    slopes = torch.autograd.grad(cross_entropy(model(inputs), labels), weights, create_graph=True)
    flat = torch.cat([slope.flatten() for slope in slopes])

    def multiply(vector: np.ndarray) -> np.ndarray:
        given = torch.from_numpy(vector.reshape(-1).copy())
        found = torch.autograd.grad(flat, weights, given, retain_graph=True)
        return torch.cat([part.flatten() for part in found]).numpy()

    matrix = LinearOperator((len(flat), len(flat)), matvec=multiply, dtype=np.float64)
    return float(eigsh(matrix, k=1, which="LA", tol=1e-8, return_eigenvectors=False)[0])


def curvlinops(*, best: bool) -> Callable[[nn.Module, Tensor, Tensor, int], float]:
    """Return the sharpness by curvlinops and scipy as both come, or in the fastest setting that reaches 1e-3."""

    def find(model: nn.Module, inputs: Tensor, labels: Tensor, seed: int) -> float:
        from curvlinops import HessianLinearOperator

        weights = list(model.parameters())
        checks = {"check_deterministic": False} if best else {}
        matrix = HessianLinearOperator(model, nn.CrossEntropyLoss(), weights, [(inputs, labels)], **checks).to_scipy()
        first = np.random.default_rng(seed).standard_normal(matrix.shape[0]).astype(np.float32)
        settings = {"ncv": 8, "tol": 1e-3} if best else {}
        return float(eigsh(matrix, k=1, which="LA", v0=first, return_eigenvectors=False, **settings)[0])

    return find


def pyhessian(model: nn.Module, inputs: Tensor, labels: Tensor, seed: int) -> float:
    """Return the eigenvalue of largest magnitude by PyHessian's power iteration; it asks in evaluation mode."""
    from pyhessian import hessian

    torch.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its backward pass with a graph
        found, _ = hessian(model, nn.CrossEntropyLoss(), data=(inputs, labels), cuda=False).eigenvalues()
    for weight in model.parameters():
        weight.grad = None  # it leaves a graph there
    return float(found[0])
