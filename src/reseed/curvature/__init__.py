"""How sharply the loss bends where networks are: curvature of each run, and what it says of training."""

from reseed.curvature.operators._covariance import gradient_covariance
from reseed.curvature.operators._ggn import ggn
from reseed.curvature.operators._hessian import hessian
from reseed.curvature.operators._operator import CurvatureOperator, preconditioned
from reseed.curvature.operators._risk import EmpiricalRisk, empirical_risk

__all__ = [
    "CurvatureOperator",
    "EmpiricalRisk",
    "empirical_risk",
    "ggn",
    "gradient_covariance",
    "hessian",
    "preconditioned",
]
