"""How far an answer is from changing when its input changes: by noise, by corruption, by an adversary."""

from reseed.robustness.adversaries._accuracy import (
    AttackAccuracy,
    accuracy_under_attacks,
    attack_success,
    task_accuracy,
)
from reseed.robustness.adversaries._confidence import (
    adversarial_class_confidence,
    noise_tolerance,
    true_class_confidence,
)
from reseed.robustness.boundary._boundary_distance import boundary_distance
from reseed.robustness.boundary._distances import Distances
from reseed.robustness.boundary._linear_distance import linear_boundary_distance
from reseed.robustness.boundary._noise_distance import Units, noise_distance
from reseed.robustness.boundary._sign_steps import sign_step_distance
from reseed.robustness.corruptions._corruption_errors import (
    mean_corruption_error,
    mean_flip_rate,
    relative_corruption_error,
)
from reseed.robustness.corruptions._flip_probability import flip_probability
from reseed.robustness.evaluation import evaluate
from reseed.robustness.imperceptibility._distortion import lp_distortion
from reseed.robustness.imperceptibility._perturbation_sensitivity import perturbation_sensitivity_distance
from reseed.robustness.imperceptibility._structural_similarity import structural_similarity
from reseed.robustness.imperceptibility._survival import survival_after_blur, survival_after_jpeg
from reseed.robustness.neurons._coverage import Coverage, NeuronCoverage, neuron_coverage
from reseed.robustness.neurons._neuron_sensitivity import NeuronSensitivity, activation_change, neuron_sensitivity
from reseed.robustness.neurons._neuron_uncertainty import NeuronVariance, neuron_uncertainty
from reseed.robustness.neurons._neuron_values import NeuronValues
from reseed.robustness.neurons._ranges import NeuronRange, neuron_ranges
from reseed.robustness.noise._noise_flips import noise_flip_rate
from reseed.robustness.noise._noise_insensitivity import (
    InsensitivityReduction,
    NoiseFunction,
    NoiseName,
    noise_insensitivity,
)
from reseed.robustness.pairs._all_pairs import ModelPairs, PairTally, all_pairs
from reseed.robustness.pairs._churn_decomposition import ChurnDecomposition, churn_decomposition, mean_over_pairs
from reseed.robustness.pairs._pairs import (
    RectifySacrifice,
    accuracy_variance,
    confidence_variance,
    output_stability,
    rectify_sacrifice,
)

__all__ = [
    "AttackAccuracy",
    "ChurnDecomposition",
    "Coverage",
    "Distances",
    "InsensitivityReduction",
    "ModelPairs",
    "NeuronCoverage",
    "NeuronRange",
    "NeuronSensitivity",
    "NeuronValues",
    "NeuronVariance",
    "NoiseFunction",
    "NoiseName",
    "PairTally",
    "RectifySacrifice",
    "Units",
    "accuracy_under_attacks",
    "accuracy_variance",
    "activation_change",
    "adversarial_class_confidence",
    "all_pairs",
    "attack_success",
    "boundary_distance",
    "churn_decomposition",
    "confidence_variance",
    "evaluate",
    "flip_probability",
    "linear_boundary_distance",
    "lp_distortion",
    "mean_corruption_error",
    "mean_flip_rate",
    "mean_over_pairs",
    "neuron_coverage",
    "neuron_ranges",
    "neuron_sensitivity",
    "neuron_uncertainty",
    "noise_distance",
    "noise_flip_rate",
    "noise_insensitivity",
    "noise_tolerance",
    "output_stability",
    "perturbation_sensitivity_distance",
    "rectify_sacrifice",
    "relative_corruption_error",
    "sign_step_distance",
    "structural_similarity",
    "survival_after_blur",
    "survival_after_jpeg",
    "task_accuracy",
    "true_class_confidence",
]
