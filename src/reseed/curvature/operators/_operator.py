"""A symmetric matrix of each run, of which only products with vectors are known."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator
from torch import Tensor

from reseed._arrays import ArrayLike, to_numpy
from reseed._errors import InputError
from reseed.curvature.operators._function import chosen_names


@final
@dataclass(frozen=True, eq=False)
class CurvatureOperator:
    """A symmetric matrix [parameter, parameter] of each run, known by its products; all runs are multiplied at once.

    Made by `hessian`, `ggn`, `gradient_covariance` and `preconditioned`; or of any function that multiplies, for what
    `eigenvalues`, `spectral_density` and `trace` tell of a matrix of one's own.

    Attributes:
        runs: How many matrices.
        shapes: Of the parameters, by name, in the order of a vector.
        dtype: Of vectors.
        device: Of vectors.
        examples: How many samples they are means over; 0: of none.
        multiply: Vectors [run, parameter] to products of the same shape.

    Examples:
        >>> matrix = torch.tensor([[2.0, 1.0], [1.0, -3.0]], dtype=torch.float64)
        >>> operator = CurvatureOperator.of_matrices(matrix[None])
        >>> operator @ torch.tensor([[1.0, 0.0]], dtype=torch.float64)
        tensor([[2., 1.]], dtype=torch.float64)
    """

    runs: int
    shapes: Mapping[str, torch.Size]
    dtype: torch.dtype
    device: torch.device
    examples: int
    multiply: Callable[[Tensor], Tensor]

    @staticmethod
    def of_matrices(matrices: Tensor) -> CurvatureOperator:
        """Return the operator of matrices [run, parameter, parameter] that are there in full.

        Raises:
            InputError: They are not square or not symmetric.
        """
        if matrices.ndim != 3 or matrices.shape[1] != matrices.shape[2] or not matrices.numel():
            raise InputError(f"matrices are {tuple(matrices.shape)}; pass square ones, [run, parameter, parameter].")
        if not torch.allclose(matrices, matrices.mT):
            raise InputError("matrices are not symmetric; curvature is.")
        return CurvatureOperator(
            len(matrices),
            {"parameter": matrices.shape[1:2]},
            matrices.dtype,
            matrices.device,
            0,
            lambda vectors: torch.bmm(matrices, vectors[..., None])[..., 0],
        )

    def __repr__(self) -> str:
        return f"CurvatureOperator({self.runs} runs, {self.size} parameters, {self.dtype})"

    @property
    def size(self) -> int:
        """How many rows and columns each matrix has."""
        return sum(shape.numel() for shape in self.shapes.values())

    def product(self, vectors: Tensor) -> Tensor:
        """Return the products of each run's matrix with a vector of its own.

        Args:
            vectors: [run, parameter], or [parameter], the same for all.

        Returns:
            [run, parameter], without gradient.

        Raises:
            InputError: They have another shape or type, or a product is not finite.
        """
        if vectors.ndim == 1:
            vectors = vectors.expand(self.runs, -1)
        if vectors.shape != (self.runs, self.size) or vectors.dtype != self.dtype:
            raise InputError(
                f"vectors are {tuple(vectors.shape)} of {vectors.dtype}; pass {(self.runs, self.size)}, "
                f"[run, parameter], of {self.dtype}."
            )
        found = self.multiply(vectors.detach().to(self.device)).detach()
        if not bool(found.isfinite().all()):
            run = int((~found.isfinite().all(1)).nonzero()[0])
            number = float(found[run][~found[run].isfinite()][0])
            raise InputError(
                f"a product of run {run} holds {number}, since the operator or its vector overflows there; compute in "
                "dtype=torch.float64, or leave out runs that have diverged."
            )
        return found

    def __matmul__(self, vectors: Tensor) -> Tensor:
        return self.product(vectors)

    def block(self, *parameters: str) -> CurvatureOperator:
        """Return the rows and columns of some parameters, named one by one or by their layer.

        A product costs as much as one of the whole; `empirical_risk` with ``parameters`` saves the rest.

        Raises:
            InputError: A name is none of them.
        """
        names = chosen_names(list(self.shapes), parameters)
        sizes = [shape.numel() for shape in self.shapes.values()]
        parts = zip(self.shapes, torch.split(torch.arange(self.size, device=self.device), sizes), strict=True)
        places = torch.cat([part for name, part in parts if name in names])

        def multiply(vectors: Tensor) -> Tensor:
            whole = vectors.new_zeros(self.runs, self.size).index_copy_(1, places, vectors)
            return self.multiply(whole).index_select(1, places)

        shapes = {name: self.shapes[name] for name in names}
        return dataclasses.replace(self, shapes=shapes, multiply=multiply)

    def to_scipy(self, run: int = 0) -> Any:
        """Return one run's matrix as a `scipy.sparse.linalg.LinearOperator`, the others multiplied by 0.

        Raises:
            InputError: There is no such run.
        """
        if not 0 <= run < self.runs:
            raise InputError(f"run is {run}; there are {self.runs}, counted from 0.")
        numbers = np.dtype(str(self.dtype).removeprefix("torch."))

        def multiply(vector: np.ndarray) -> np.ndarray:
            vectors = torch.zeros(self.runs, self.size, dtype=self.dtype)
            vectors[run] = torch.from_numpy(np.asarray(vector, numbers).reshape(-1))
            return self.product(vectors)[run].cpu().numpy()

        return LinearOperator((self.size, self.size), matvec=multiply, rmatvec=multiply, dtype=numbers)

    def dense(self) -> Tensor:
        """Return the matrices in full, [run, parameter, parameter]; for small ones."""
        rows = torch.eye(self.size, dtype=self.dtype, device=self.device)
        return torch.stack([self.product(row) for row in rows], 2)


def preconditioned(operator: CurvatureOperator, diagonal: ArrayLike) -> CurvatureOperator:
    """Return an operator as an optimiser with a diagonal preconditioner sees it.

        P^(-1/2) A P^(-1/2),   which has the eigenvalues of P^(-1) A

    An update w <- w - lr P^(-1) m is stable where the largest of them is below the optimiser's threshold.

    Args:
        operator: A.
        diagonal: P, above 0, [run, parameter], or [parameter], the same for all runs.

    Returns:
        The operator, with the same runs and parameters.

    Raises:
        InputError: The diagonal has another shape, or numbers that are not finite and above 0.

    Examples:
        >>> identity = CurvatureOperator.of_matrices(torch.eye(2)[None])
        >>> preconditioned(identity, torch.tensor([4.0, 0.5])).dense()
        tensor([[[0.2500, 0.0000],
                 [0.0000, 2.0000]]])

    References:
        Gilmer et al., *A Loss Curvature Perspective on Training Instability in Deep Learning*, arXiv 2110.04369; Cohen
        et al., *Adaptive Gradient Methods at the Edge of Stability*, arXiv 2207.14484.
    """
    given = diagonal if isinstance(diagonal, Tensor) else torch.from_numpy(to_numpy(diagonal, "diagonal").copy())
    if given.shape not in ((operator.size,), (operator.runs, operator.size)):
        raise InputError(
            f"diagonal is {tuple(given.shape)}; pass {(operator.runs, operator.size)}, [run, parameter], or "
            f"{(operator.size,)}, [parameter]."
        )
    numbers = given.detach().to(operator.device, torch.float64)
    is_bad = ~(numbers.isfinite() & (numbers > 0))
    if bool(is_bad.any()):
        raise InputError(
            f"diagonal holds {float(numbers[is_bad][0]):g} among {numbers.numel()} numbers; a preconditioner is above "
            "0 everywhere: give the optimiser an eps above 0, or take its state after more steps."
        )
    scale = numbers.rsqrt().to(operator.dtype)
    return dataclasses.replace(operator, multiply=lambda vectors: operator.multiply(vectors * scale) * scale)
