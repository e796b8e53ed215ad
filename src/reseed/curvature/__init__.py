"""How sharply the loss bends where networks are: curvature of each run, and what it says of training."""

from reseed.curvature.evaluation import evaluate
from reseed.curvature.gradients._critical import CriticalSharpness, critical_sharpness
from reseed.curvature.gradients._noise import GradientNoise, gradient_noise
from reseed.curvature.gradients._quotient import gradient_quotient
from reseed.curvature.gradients._sample_curvature import SampleCurvature, sample_curvature
from reseed.curvature.operators._covariance import gradient_covariance
from reseed.curvature.operators._ggn import ggn
from reseed.curvature.operators._hessian import hessian
from reseed.curvature.operators._operator import CurvatureOperator, preconditioned
from reseed.curvature.operators._risk import EmpiricalRisk, empirical_risk
from reseed.curvature.remedies._concordance import Concordance
from reseed.curvature.remedies._outcome import StabilityTest
from reseed.curvature.remedies._trial import StabilityTrial, trial_of
from reseed.curvature.spectrum._alignment import Alignment, alignment
from reseed.curvature.spectrum._density import SpectralDensity, spectral_density
from reseed.curvature.spectrum._eigenvalues import Eigenvalues, eigenvalues
from reseed.curvature.spectrum._lanczos import Tridiagonal, lanczos
from reseed.curvature.spectrum._probes import Estimated, diagonal, frobenius_norm, trace
from reseed.curvature.spectrum._sharpness import Sharpness, sharpness
from reseed.curvature.stability._diagnosis import Diagnosis, diagnose
from reseed.curvature.stability._preconditioned_sharpness import preconditioned_sharpness
from reseed.curvature.stability._preconditioner import preconditioner
from reseed.curvature.stability._threshold import StabilityThreshold, normalised_sharpness, stability_threshold
from reseed.curvature.tracking._own_loop import CurvatureTracker

__all__ = [
    "Alignment",
    "Concordance",
    "CriticalSharpness",
    "CurvatureOperator",
    "CurvatureTracker",
    "Diagnosis",
    "Eigenvalues",
    "EmpiricalRisk",
    "Estimated",
    "GradientNoise",
    "SampleCurvature",
    "Sharpness",
    "SpectralDensity",
    "StabilityTest",
    "StabilityThreshold",
    "StabilityTrial",
    "Tridiagonal",
    "alignment",
    "critical_sharpness",
    "diagnose",
    "diagonal",
    "eigenvalues",
    "empirical_risk",
    "evaluate",
    "frobenius_norm",
    "ggn",
    "gradient_covariance",
    "gradient_noise",
    "gradient_quotient",
    "hessian",
    "lanczos",
    "normalised_sharpness",
    "preconditioned",
    "preconditioned_sharpness",
    "preconditioner",
    "sample_curvature",
    "sharpness",
    "spectral_density",
    "stability_threshold",
    "trace",
    "trial_of",
]
