"""The tables of what foretells which answers change, from the raw numbers of `benchmarks/foretelling.py`."""

from collections.abc import Iterable

from _figures import Figures, headed, read
from _printed import MINUS

LOOKS = (
    "logit_margin",
    "linear_boundary_distance",
    "boundary_distance",
    "noise_distance",
    "attack_steps",
    "attacked_margin",
    "noise_insensitivity",
    "noise_flip_rate",
    "corruption_flip_rate",
    "sequence_flip_rate",
    "neuron_sensitivity",
    "outside_training_range",
)
ALONG = (
    "mean_log_odds",
    "mean_margin",
    "late_margin_std",
    "trajectory_margin",
    "one_run_score_without_cut",
    "one_run_score",
)
TWO = {
    "margin_of_both": "margin of the mean of both networks' probabilities",
    "divergence": "Jensen-Shannon divergence of both",
    "disagreement": "whether their answers differ",
}


def studies() -> list[str]:
    """Returns what was looked at."""
    lines = headed("data, model | runs | samples | accuracy | others differ on | AUROC of the softmax margin | lift")
    for found in read("foretelling").studies.values():
        shares = f"{100 * found.accuracy:.1f} % | {100 * found.flipping:.1f} %"
        auroc = found.margin.auroc
        figures = f"{auroc.value:.3f} [{auroc.low:.3f}, {min(auroc.high, 1.0):.3f}] | {found.margin.lift.value:.1f}"
        lines.append(f"| {found.title} | {found.runs} | {found.samples:,} | {shares} | {figures} |")
    return lines


def looks(names: Iterable[str] = LOOKS) -> list[str]:
    """Returns by how much looks at one network differ from its softmax margin, study by study."""
    return _differences("look", {f"`{name}`": rows("looks", name) for name in names})


def along() -> list[str]:
    """Returns the same of signals along the run."""
    return looks(ALONG)


def second() -> list[str]:
    """Returns what a second network adds."""
    return _differences("look at two networks", {said: rows("second_network", name) for name, said in TWO.items()})


def with_margin() -> list[str]:
    """Returns what columns add to the margin, with weights learnt elsewhere."""
    names = dict.fromkeys(row.look for row in read("foretelling").with_margin if row.way == "learnt")
    return _differences("the margin and", {_said(name): rows("with_margin", name, way="learnt") for name in names})


def with_score() -> list[str]:
    """Returns what columns add to the one-run score, with weights learnt elsewhere."""
    names = dict.fromkeys(row.look for row in read("foretelling").with_score)
    return _differences("the one-run score and", {_said(name): rows("with_score", name) for name in names})


def prices() -> list[str]:
    """Returns what each look costs, the least and the most over the studies."""
    found = [study.prices for study in read("foretelling").studies.values()]
    lines = headed("look | forward passes of an answer | processor time, in times of a plain answer")
    for name in LOOKS[1:]:
        priced = [each[name] for each in found if name in each]
        ends = [_ends([each[what] for each in priced]) for what in ("passes", "answers")]
        lines.append(f"| `{name}` | {' | '.join(ends)} |")
    return lines


def rows(question: str, look: str, **wanted: str) -> dict[str, Figures]:
    """Returns the rows of a look by study."""
    return {
        row.case: row
        for row in read("foretelling")[question]
        if row.look == look and all(row[name] == value for name, value in wanted.items())
    }


def clear(question: str, look: str, **wanted: str) -> tuple[int, int, int]:
    """Returns in how many studies a look is clearly better, clearly worse, and compared, after Holm's correction."""
    found = [row.auroc_difference for row in rows(question, look, **wanted).values()]
    signs = [each.value > 0 for each in found if is_clear(each)]
    return sum(signs), len(signs) - sum(signs), len(found)


def is_clear(found: Figures) -> bool:
    """Tells whether a difference is more than chance, with all comparisons of its kind in mind."""
    return bool(found.p_holm < 0.05)


def gains(question: str, look: str, **wanted: str) -> list[float]:
    """Returns a look's differences of AUROC, study by study."""
    return [row.auroc_difference.value for row in rows(question, look, **wanted).values()]


def _said(name: str) -> str:
    return "all columns that every study has" if name == "all" else f"`{name}`"


def _ends(values: list[float]) -> str:
    low, high = (f"{value:,.0f}" for value in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def _differences(what: str, looks: dict[str, dict[str, Figures]]) -> list[str]:
    found = read("foretelling").studies
    lines = headed(" | ".join([what, *(study.title for study in found.values())]))
    for said, by_case in looks.items():
        cells = (_difference(by_case[case].auroc_difference) if case in by_case else "-" for case in found)
        lines.append(f"| {said} | {' | '.join(cells)} |")
    return lines


def _difference(found: Figures) -> str:
    shown = f"{found.value:+.3f}".replace("-", MINUS)
    return f"**{shown}**" if is_clear(found) else shown
