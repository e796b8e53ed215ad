"""What the numbers of the robustness lens are, and in which groups they stand."""

from __future__ import annotations

from reseed.scores import HIGHER, LOWER, NONE, Column

LENS = "robustness"


def _column(about: str, direction: str, reach: str, unit: str, source: str) -> Column:
    return Column(about, direction, reach, unit, f"robustness.{source}")  # type: ignore[arg-type]


SAMPLES: dict[str, Column] = {
    "boundary_distance": _column(
        "distance to the nearest input that the network answers otherwise, as far as gradients find one",
        LOWER,
        "[0, inf]",
        "units of input, in the norm of the options",
        "boundary_distance",
    ),
    "linear_boundary_distance": _column(
        "margin over the norm of its gradient: the distance to the boundary of the network's linear approximation",
        LOWER,
        "[0, inf]",
        "units of input, in the norm of the options",
        "linear_boundary_distance",
    ),
    "noise_distance": _column(
        "distance to the first other answer along random directions (EBD), the least of them",
        LOWER,
        "[0, inf]",
        "units of input, root mean square",
        "noise_distance",
    ),
    "attack_steps": _column(
        "steps along the sign of the gradient, each a tenth of the budget, until the answer changes (EBD-2); one more "
        "than the limit where it does not",
        LOWER,
        "[1, inf]",
        "steps",
        "sign_step_distance",
    ),
    "attacked_margin": _column(
        "by how much the answer's logit is still ahead after the worst attack within the budget",
        LOWER,
        "[-inf, inf]",
        "logits",
        "evaluate",
    ),
    "noise_flip_rate": _column(
        "share of draws of Gaussian noise that change the answer", HIGHER, "[0, 1]", "share", "noise_flip_rate"
    ),
    "noise_insensitivity": _column(
        "change of the loss over the change of the input, over noise and attacks within the budget (ENI)",
        HIGHER,
        "[0, inf]",
        "nats per unit of input",
        "noise_insensitivity",
    ),
    "corruption_flip_rate": _column(
        "share of common corruptions and severities that change the answer", HIGHER, "[0, 1]", "share", "evaluate"
    ),
    "sequence_flip_rate": _column(
        "share of frames of perturbation sequences at which the answer changes", HIGHER, "[0, 1]", "share", "evaluate"
    ),
    "neuron_sensitivity": _column(
        "how much neurons change with noise on the input, relative to the mean of their layer",
        HIGHER,
        "[0, inf]",
        "ratio",
        "activation_change",
    ),
    "outside_training_range": _column(
        "share of neurons whose value lies outside what training samples reach",
        HIGHER,
        "[0, 1]",
        "share",
        "neuron_coverage",
    ),
}
"""Columns of samples and runs."""

MEANS: dict[str, Column] = {
    "accuracy_clean": _column("share of right answers (CA)", LOWER, "[0, 1]", "share", "task_accuracy"),
    "accuracy_worst_case": _column(
        "share of answers that are right and stay so under every attack within the budget",
        LOWER,
        "[0, 1]",
        "share",
        "evaluate",
    ),
    "accuracy_white_box": _column(
        "share that stays right under every attack with gradients (AAW)", LOWER, "[0, 1]", "share", "evaluate"
    ),
    "accuracy_black_box": _column(
        "share that stays right under every attack without gradients (AAB)", LOWER, "[0, 1]", "share", "evaluate"
    ),
    "adversarial_class_confidence": _column(
        "probability of the wrong answer, where an attack made it (ACAC)",
        HIGHER,
        "[1 / K, 1]",
        "probability",
        "adversarial_class_confidence",
    ),
    "true_class_confidence": _column(
        "probability of the right answer, where an attack took it away (ACTC)",
        LOWER,
        "[0, 1 / 2]",
        "probability",
        "true_class_confidence",
    ),
    "noise_tolerance": _column(
        "lead of the wrong answer's probability, where an attack made it (NTE)",
        HIGHER,
        "[0, 1]",
        "probability",
        "noise_tolerance",
    ),
    "distortion_l2": _column(
        "length of successful changes over that of the images (ALDp, p = 2)", NONE, "[0, inf]", "ratio", "lp_distortion"
    ),
    "distortion_linf": _column(
        "largest change over the largest value of the images (ALDp, p = inf)",
        NONE,
        "[0, inf]",
        "ratio",
        "lp_distortion",
    ),
    "structural_similarity": _column(
        "structural similarity of images that fooled to the clean ones (ASS)",
        NONE,
        "[-1, 1]",
        "similarity",
        "structural_similarity",
    ),
    "perturbation_sensitivity": _column(
        "visibility of successful changes against their surroundings (PSD)",
        NONE,
        "[0, inf]",
        "sum over pixels",
        "perturbation_sensitivity_distance",
    ),
    "corruption_error": _column(
        "share of wrong answers over corruptions and severities (mCE, unnormalised)",
        HIGHER,
        "[0, 1]",
        "share",
        "mean_corruption_error",
    ),
    "corruption_error_added": _column(
        "the same less the share of wrong answers to clean samples (RmCE, unnormalised)",
        HIGHER,
        "[-1, 1]",
        "share",
        "relative_corruption_error",
    ),
}
"""Numbers of the summary that are means over runs and samples, but no columns of samples."""

RUNS: dict[str, Column] = {
    "coverage_k_multisection": _column(
        "share of sections of the training range that samples reach (KMNCov)",
        NONE,
        "[0, 1]",
        "share",
        "neuron_coverage",
    ),
    "coverage_boundary": _column(
        "share of ends of the training range that samples go beyond (NBCov)", NONE, "[0, 1]", "share", "neuron_coverage"
    ),
    "coverage_strong_activation": _column(
        "share of neurons that samples activate beyond the training range (SNACov)",
        NONE,
        "[0, 1]",
        "share",
        "neuron_coverage",
    ),
    "coverage_top_k": _column(
        "share of neurons that are among the most active of their layer for a sample (TKNCov)",
        NONE,
        "[0, 1]",
        "share",
        "neuron_coverage",
    ),
    "neuron_uncertainty": _column(
        "variance of neurons over samples, averaged over neurons",
        NONE,
        "[0, inf]",
        "squared activation",
        "neuron_uncertainty",
    ),
}
"""Numbers of each run."""

PAIRS: dict[str, Column] = {
    "pair_churn": _column("share of samples that two runs answer differently", HIGHER, "[0, 1]", "share", "all_pairs"),
    "pair_rectified": _column(
        "share that the first of two runs gets wrong and the second right (CRR), over all ordered pairs",
        NONE,
        "[0, 1]",
        "share",
        "all_pairs",
    ),
    "pair_wrong_changes": _column(
        "share that both get wrong, with different answers", HIGHER, "[0, 1]", "share", "all_pairs"
    ),
    "pair_accuracy_difference": _column(
        "absolute difference of accuracy of two runs (|CAV|)", HIGHER, "[0, 1]", "share", "all_pairs"
    ),
    "pair_confidence_difference": _column(
        "difference of the right answer's probability where both are right (CCV)",
        HIGHER,
        "[0, 1]",
        "probability",
        "all_pairs",
    ),
    "pair_output_divergence": _column(
        "Jensen-Shannon divergence of outputs where both are right (COS)", HIGHER, "[0, ln(2)]", "nats", "all_pairs"
    ),
}
"""Numbers of the summary that are means over pairs of runs."""

GROUPS: dict[str, tuple[str, ...]] = {
    "Task": ("accuracy_clean",),
    "Adversaries": (
        "accuracy_worst_case",
        "accuracy_white_box",
        "accuracy_black_box",
        "attacked_margin",
        "adversarial_class_confidence",
        "true_class_confidence",
        "noise_tolerance",
    ),
    "Visibility of attacks": ("distortion_l2", "distortion_linf", "structural_similarity", "perturbation_sensitivity"),
    "Corruptions": ("corruption_error", "corruption_error_added", "corruption_flip_rate", "sequence_flip_rate"),
    "Boundary": ("boundary_distance", "linear_boundary_distance", "attack_steps", "noise_distance"),
    "Noise": ("noise_flip_rate", "noise_insensitivity"),
    "Neurons": ("neuron_sensitivity", "outside_training_range", *RUNS),
    "Pairs of runs": tuple(PAIRS),
}
"""Which numbers stand together, in the order in which they are shown."""

ALL = SAMPLES | MEANS | RUNS | PAIRS
