"""The table of how well wrong labels are found, from the raw numbers of `benchmarks/label_errors.py`."""

from _figures import Figures, headed, read
from _printed import MINUS

TITLES = {
    "mnist": "MNIST, a tenth is another class",
    "clinc150": "CLINC150, a tenth is another class",
    "massive": "MASSIVE, a tenth is the next class",
    "cifar10-aggre": "CIFAR-10N, aggregated",
    "cifar10-worse": "CIFAR-10N, worse",
}


def sets() -> list[str]:
    """Returns average precision of both, and how many labels are thought wrong, set by set."""
    lines = headed("data | wrong | reseed | cleanlab's best of ten lines | difference | thought wrong")
    for name, found in read("label_errors").summaries.items():
        ours, best, gain = (
            found.reseed.average_precision,
            found.cleanlab_best.average_precision,
            found.gain_over_cleanlab_best,
        )
        wrong = sum(found.wrong) / len(found.wrong)
        cells = (_with_ends(ours), _with_ends(best), _with_ends(gain, is_signed=True))
        lines.append(f"| {TITLES[name]} | {wrong:,.0f} | {' | '.join(cells)} | {found.reseed['count'].mean:,.0f} |")
    return lines


def gains() -> list[float]:
    """Returns how far average precision is above cleanlab's best, set by set."""
    return [found.gain_over_cleanlab_best.mean for found in read("label_errors").summaries.values()]


def _with_ends(found: Figures, *, is_signed: bool = False) -> str:
    value, low, high = (
        f"{number:+.3f}".replace("-", MINUS) if is_signed else f"{min(number, 1.0):.3f}"
        for number in (found.mean, found.low, found.high)
    )
    return f"{value} [{low}, {high}]"
