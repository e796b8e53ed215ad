"""The tables of curvature against label entropy, from the raw numbers of `benchmarks/curvature_and_entropy.py`."""

from typing import Any

from _figures import Figures, headed, read

MEASURES = {"sharpness": "sharpness", "hessian_trace": "trace", "hessian_norm": "Frobenius norm"}
SAM = {
    "control": "last weights",
    "ema": "`ema`",
    "swa": "`swa`",
    "sam": "`sam`",
    "sam+ema": "`sam+ema`",
    "sam+swa": "`sam+swa`",
}


def cases() -> dict[str, Figures]:
    """Returns what is known of each data set."""
    return dict(read("curvature_and_entropy").cases)


def correlations() -> list[str]:
    """Returns Spearman's correlations over recipes and over runs, as they are and given the training loss."""
    lines = headed(
        "curvature where runs ended | over recipes | given the loss | over runs of a recipe | given the loss"
    )
    for case in cases().values():
        for key, said in MEASURES.items():
            cells = [_cell(case[over][key][kind]) for over in ("over_recipes", "over_runs") for kind in _KINDS]
            lines.append(f"| {case.title}: {said} | {' | '.join(cells)} |")
    return lines


def sam(name: str) -> list[str]:
    """Returns sharpness at the last and at the answering weights, label entropy and accuracy of each combination."""
    case = cases()[name]
    lines = headed(
        f"{case.title} | log sharpness, last weights | log sharpness, answering | label entropy | accuracy, %"
    )
    for key, said in SAM.items():
        row = case.sam[key]
        cells = [_mean(row, "log_last_sharpness", 1, 2), _mean(row, "log_sharpness", 1, 2)]
        cells += [_mean(row, "label_entropy", 1, 4), _mean(row, "accuracy", 100, 2)]
        lines.append(f"| {said} | {' | '.join(cells)} |")
    return lines


_KINDS = ("plain", "given_loss")


def _cell(found: Any) -> str:
    star = r"\*" if found["p"] < 0.01 else ""
    return f"{found['value']:+.2f} [{found['low']:.2f}, {found['high']:.2f}]{star}"


def _mean(row: Any, name: str, factor: float, digits: int) -> str:
    low, high = row[f"{name}_ci95"]
    return f"{factor * row[f'{name}_mean']:.{digits}f} [{factor * low:.{digits}f}, {factor * high:.{digits}f}]"
