"""How far an answer is from changing when its input changes: by noise, by corruption, by an adversary."""

from reseed.robustness._coverage import Coverage, NeuronCoverage, neuron_coverage, neuron_ranges
from reseed.robustness._neurons import (
    NeuronSensitivity,
    NeuronValues,
    NeuronVariance,
    activation_change,
    neuron_sensitivity,
    neuron_uncertainty,
)
from reseed.robustness._ranges import NeuronRange

__all__ = [
    "Coverage",
    "NeuronCoverage",
    "NeuronRange",
    "NeuronSensitivity",
    "NeuronValues",
    "NeuronVariance",
    "activation_change",
    "neuron_coverage",
    "neuron_ranges",
    "neuron_sensitivity",
    "neuron_uncertainty",
]
