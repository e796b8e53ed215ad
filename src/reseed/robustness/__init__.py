"""How far an answer is from changing when its input changes: by noise, by corruption, by an adversary."""

from reseed.robustness._coverage import Coverage, NeuronCoverage, neuron_coverage
from reseed.robustness._neuron_sensitivity import NeuronSensitivity, activation_change, neuron_sensitivity
from reseed.robustness._neuron_uncertainty import NeuronVariance, neuron_uncertainty
from reseed.robustness._neuron_values import NeuronValues
from reseed.robustness._ranges import NeuronRange, neuron_ranges

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
