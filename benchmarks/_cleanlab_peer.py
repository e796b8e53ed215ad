"""What cleanlab says of labels and out-of-sample probabilities; run by `label_errors.py` in cleanlab's environment.

The argument is an npz file with `labels` [sample] and probabilities [sample, class] by name. Prints one JSON object:
the version; for each line, of probabilities, score and adjustment, how suspicious each sample is; and for each
probabilities which samples `find_label_issues` finds.
"""

from __future__ import annotations

import json
import sys

import cleanlab
import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores

METHODS = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")


def main() -> None:
    """Score the file that is named."""
    given = dict(np.load(sys.argv[1]))
    labels, lines, issues = given.pop("labels"), {}, {}
    for name, probabilities in given.items():
        issues[name] = np.flatnonzero(find_label_issues(labels, probabilities)).tolist()
        for method in METHODS:
            for is_adjusted in (False, True):
                if is_adjusted and method == "confidence_weighted_entropy":
                    continue  # cleanlab has no adjustment of it
                quality = get_label_quality_scores(labels, probabilities, method=method, adjust_pred_probs=is_adjusted)
                lines[f"{name}, {method}{', adjusted' if is_adjusted else ''}"] = (-quality).tolist()
    print(json.dumps({"version": cleanlab.__version__, "lines": lines, "issues": issues}))


if __name__ == "__main__":
    main()
