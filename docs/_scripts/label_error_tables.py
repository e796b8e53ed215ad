"""The table of how well wrong labels are found, from the raw numbers of `benchmarks/label_errors.py`."""

from _figures import Figures, headed, read
from _printed import MINUS

TITLES = {
    "mnist": "MNIST, a tenth is another class",
    "clinc150": "CLINC150, a tenth is another class",
    "massive": "MASSIVE, a tenth is the next class",
    "cifar10-aggre": "CIFAR-10N, aggregated",
    "cifar10-worse": "CIFAR-10N, worse",
    "mnist-pair": "MNIST, a tenth is the next class",
    "mnist-40": "MNIST, two fifths are another class",
    "clinc-pair": "CLINC150, a tenth is the next class",
    "clinc-02": "CLINC150, a fiftieth is another class",
    "massive-any": "MASSIVE, a tenth is another class",
    "massive-40": "MASSIVE, two fifths are another class",
    "mnist-20": "MNIST, a fifth is the next class",
    "clinc-20": "CLINC150, a fifth is another class",
    "massive-20": "MASSIVE, a fifth is another class",
    "cifar10-random1": "CIFAR-10N, one annotator",
}


def sets() -> list[str]:
    """Returns average precision of both, and how many labels are thought wrong, set by set."""
    lines = headed("data | wrong | reseed | cleanlab's best of ten lines | difference | thought wrong")
    for name, summary in read("label_errors").summaries.items():
        found, wrong = summary.one, sum(summary.wrong) / len(summary.wrong)
        cells = (
            _with_ends(found.reseed.average_precision),
            _with_ends(found.cleanlab_best.average_precision),
            _with_ends(found.gain_over_cleanlab_best, is_signed=True),
        )
        lines.append(f"| {TITLES[name]} | {wrong:,.0f} | {' | '.join(cells)} | {found.reseed['count'].mean:,.0f} |")
    return lines


def _with_ends(found: Figures, *, is_signed: bool = False) -> str:
    value, low, high = (
        f"{number:+.3f}".replace("-", MINUS) if is_signed else f"{min(number, 1.0):.3f}"
        for number in (found.mean, found.low, found.high)
    )
    return f"{value} [{low}, {high}]"
