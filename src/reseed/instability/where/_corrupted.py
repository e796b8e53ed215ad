"""Training samples by whether they were corrupted on purpose."""

from __future__ import annotations

import numpy as np
from jaxtyping import Integer

from reseed._arguments import argument, setting
from reseed._errors import InputError
from reseed.instability.where._groupings import Grouping, name_groups
from reseed.studies import Study

IS_CORRUPTED = "is_corrupted"


def corrupted_groups(study: Study) -> tuple[Integer[np.ndarray, "run sample"], Grouping, tuple[str, ...]]:
    """Returns what runs answer to the training samples at their last checkpoint, the groups, and what to know of them.

    Raises:
        InputError: no training sample was corrupted on purpose.
        StudyError: the training split was not recorded.
    """
    found = study.corruption
    if found is None:
        raise InputError(
            f"{setting('by', IS_CORRUPTED)} needs training samples that were corrupted on purpose, which this study "
            f"has not; train one with {argument('corrupt')} and {setting('train', True)}."
        )
    labels = np.asarray(study.recorded("labels", "train")[:, -1])
    fitted = labels == found.given_labels
    grouping = name_groups(np.where(found.changed, "corrupted", "clean").tolist(), "training samples")
    shares = ", ".join(
        f"{fitted[:, grouping.place == place].mean():.1%} of {name} ones" for place, name in enumerate(grouping.names)
    )
    note = f"Runs answer the label that was learned for {shares}; what all have learned by heart cannot differ."
    return labels, grouping, (note,)
