"""How sharply the loss bends where networks are: curvature of each run, and what it says of training."""

from reseed.curvature.operators._covariance import gradient_covariance
from reseed.curvature.operators._ggn import ggn
from reseed.curvature.operators._hessian import hessian
from reseed.curvature.operators._operator import CurvatureOperator, preconditioned
from reseed.curvature.operators._risk import EmpiricalRisk, empirical_risk
from reseed.curvature.spectrum._alignment import Alignment, alignment
from reseed.curvature.spectrum._density import SpectralDensity, spectral_density
from reseed.curvature.spectrum._eigenvalues import Eigenvalues, eigenvalues
from reseed.curvature.spectrum._lanczos import Tridiagonal, lanczos
from reseed.curvature.spectrum._probes import Estimated, diagonal, frobenius_norm, trace
from reseed.curvature.spectrum._sharpness import Sharpness, sharpness

__all__ = [
    "Alignment",
    "CurvatureOperator",
    "Eigenvalues",
    "EmpiricalRisk",
    "Estimated",
    "Sharpness",
    "SpectralDensity",
    "Tridiagonal",
    "alignment",
    "diagonal",
    "eigenvalues",
    "empirical_risk",
    "frobenius_norm",
    "ggn",
    "gradient_covariance",
    "hessian",
    "lanczos",
    "preconditioned",
    "sharpness",
    "spectral_density",
    "trace",
]
