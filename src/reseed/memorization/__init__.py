"""What a network learns by heart: random labels, destroyed inputs, wrong labels, and what it devotes to them."""

from reseed.memorization.interpolation._finite_sample import FiniteSampleReLU
from reseed.memorization.interpolation._kernel import Kernel, KernelInterpolant, kernel_interpolant
from reseed.memorization.interpolation._linear import MinNormInterpolant, SgdLinear, min_norm_interpolant, sgd_linear
from reseed.memorization.interpolation._rademacher import empirical_rademacher
from reseed.memorization.nodes._fit_order import (
    DoubleDescent,
    LearningCurves,
    double_descent,
    fit_order,
    fit_order_auroc,
    learning_curves,
)
from reseed.memorization.nodes._node_classifier import NodeClassifier
from reseed.memorization.nodes._node_rates import activation_rate, always_on_nodes, cover, dead_nodes
from reseed.memorization.nodes._noise_content import NoiseContent, node_noise_content
from reseed.memorization.nodes._patterns import (
    NearestPatterns,
    NeighbourShare,
    corrupted_neighbour_share,
    nearest_patterns,
    pattern_similarity,
)
from reseed.memorization.nodes._perplexity import layer_perplexity, node_perplexity
from reseed.memorization.nodes._pre_activations import pre_activations
from reseed.memorization.nodes._pruning import Accuracies, PruningReport, prune_nodes, pruning_report
from reseed.memorization.nodes._sample_sets import SampleSets, sample_sets
from reseed.memorization.nodes._supported_cost import node_supported_cost, weighted_noise_share
from reseed.memorization.nodes._updates import NodeUpdates, node_update_decomposition
from reseed.memorization.randomization._complexity import sign_correlation
from reseed.memorization.randomization._fitting import SlowDown, slow_down, steps_to_fit
from reseed.memorization.randomization._outcome import RandomizationTest
from reseed.memorization.randomization._randomized import Randomized
from reseed.memorization.suspects._held_out import held_out_probabilities, in_sample_margin
from reseed.memorization.suspects._label_matrix import LabelMatrix, label_matrix
from reseed.memorization.suspects._memorization import Memorization, memorization
from reseed.memorization.suspects._rank import Suspects, rank_suspects
from reseed.memorization.suspects._suspect_labels import suspect_labels
from reseed.memorization.suspects._window import averaging_start

__all__ = [
    "Accuracies",
    "DoubleDescent",
    "FiniteSampleReLU",
    "Kernel",
    "KernelInterpolant",
    "LabelMatrix",
    "LearningCurves",
    "Memorization",
    "MinNormInterpolant",
    "NearestPatterns",
    "NeighbourShare",
    "NodeClassifier",
    "NodeUpdates",
    "NoiseContent",
    "PruningReport",
    "RandomizationTest",
    "Randomized",
    "SampleSets",
    "SgdLinear",
    "SlowDown",
    "Suspects",
    "activation_rate",
    "always_on_nodes",
    "averaging_start",
    "corrupted_neighbour_share",
    "cover",
    "dead_nodes",
    "double_descent",
    "empirical_rademacher",
    "fit_order",
    "fit_order_auroc",
    "held_out_probabilities",
    "in_sample_margin",
    "kernel_interpolant",
    "label_matrix",
    "layer_perplexity",
    "learning_curves",
    "memorization",
    "min_norm_interpolant",
    "nearest_patterns",
    "node_noise_content",
    "node_perplexity",
    "node_supported_cost",
    "node_update_decomposition",
    "pattern_similarity",
    "pre_activations",
    "prune_nodes",
    "pruning_report",
    "rank_suspects",
    "sample_sets",
    "sgd_linear",
    "sign_correlation",
    "slow_down",
    "steps_to_fit",
    "suspect_labels",
    "weighted_noise_share",
]
