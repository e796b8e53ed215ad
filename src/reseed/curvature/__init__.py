"""How sharply the loss bends where networks are: curvature of each run, and what it says of training."""

from reseed.curvature.gradients._critical import CriticalSharpness, critical_sharpness
from reseed.curvature.gradients._noise import GradientNoise, gradient_noise
from reseed.curvature.gradients._quotient import gradient_quotient
from reseed.curvature.gradients._sample_curvature import SampleCurvature, sample_curvature
from reseed.curvature.operators._covariance import gradient_covariance
from reseed.curvature.operators._ggn import ggn
from reseed.curvature.operators._hessian import hessian
from reseed.curvature.operators._operator import CurvatureOperator, preconditioned
from reseed.curvature.operators._risk import EmpiricalRisk, empirical_risk
from reseed.curvature.stability._diagnosis import Diagnosis, diagnose
from reseed.curvature.stability._preconditioner import preconditioner
from reseed.curvature.stability._threshold import StabilityThreshold, normalised_sharpness, stability_threshold

__all__ = [
    "CriticalSharpness",
    "CurvatureOperator",
    "Diagnosis",
    "EmpiricalRisk",
    "GradientNoise",
    "SampleCurvature",
    "StabilityThreshold",
    "critical_sharpness",
    "diagnose",
    "empirical_risk",
    "ggn",
    "gradient_covariance",
    "gradient_noise",
    "gradient_quotient",
    "hessian",
    "normalised_sharpness",
    "preconditioned",
    "preconditioner",
    "sample_curvature",
    "stability_threshold",
]
