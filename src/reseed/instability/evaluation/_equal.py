"""What is said of a study whose runs are not as different as their seeds."""

from __future__ import annotations

from collections.abc import Iterator

from reseed.studies import Study, equal_runs

_SHOWN = 3  # groups of equal runs that are named
_OWN = (
    "hand the seed to everything that draws. scikit-learn: random_state= of the model and of every step (learners "
    "without sampling, such as logistic regression by lbfgs, have nothing to draw: vary the training sample instead, "
    "with reseed.bootstrap). PyTorch: torch.manual_seed(seed) before the model is built, and a generator of the "
    "DataLoader. transformers: set_seed(seed) before from_pretrained, which draws the new head. XGBoost and LightGBM: "
    "seed= with subsample or feature sampling below 1. Keras: keras.utils.set_random_seed(seed)"
)


def equal_notes(study: Study, jitter: float) -> Iterator[str]:
    """Yield what a reader should know where runs end with equal results, and what to do about it.

    Args:
        study: The study.
        jitter: The share of samples in which two runs differ.
    """
    found = equal_runs(study)
    if not found.are_telling(jitter * len(study.samples)):
        return
    what = "answers and probabilities" if found.have_scores else "answers"
    if found.distinct == 1:
        yield f"All runs gave identical predictions: the same {what}. If that is a surprise, {_remedy(study)}."
        return
    numbers = [manifest.run for manifest in study.manifests]
    groups = ["runs " + ", ".join(str(numbers[place]) for place in group) for group in found.groups]
    shown = "; ".join(groups[:_SHOWN]) + ("; ..." if len(groups) > _SHOWN else "")
    yield (
        f"{found.runs} runs have {found.distinct} distinct results only: exactly the same {what} are those of {shown}. "
        f"Every measure is too low by that. If it is a surprise, {_remedy(study)}."
    )


def _remedy(study: Study) -> str:
    header = study.header
    if header.kind == "import":
        return "check that no predictions were given twice, and that every training used a seed of its own"
    if header.kind == "training":
        varied = ", ".join(header.vary) or "nothing"
        return f"look at what differs between runs ({varied}): it makes no difference to this recipe; see --vary"
    return _OWN
