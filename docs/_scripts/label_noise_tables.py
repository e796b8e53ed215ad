"""The tables of what label noise does to answers that change, from the raw numbers of `benchmarks/label_noise.py`."""

from collections.abc import Iterator

from _figures import Figures, headed, read
from _printed import MINUS

TITLES = {"mnist": "MNIST", "clinc150": "CLINC150"}
SPACES = {"inputs": "inputs", "patterns": "activations"}


def training() -> list[str]:
    """Returns label entropy of the training split, set by set and rate by rate, along the training and by group."""
    lines = headed(
        "data | wrong | corrupted, early | corrupted, end | hard, early | hard, end | easy, early | easy, end "
        "| random, early"
    )
    for title, found in _rates(read("label_noise").cases):
        cells = [title, f"{found.wrong:,}"]
        for name in ("corrupted", "hard", "easy"):
            cells += [
                _value(found[when].train[name].label_entropy) if name in found[when].train else ""
                for when in ("early", "final")
            ]
        lines.append(_row(*cells, _ends(found.random_subsets.train)))
    return lines


def evaluation() -> list[str]:
    """Returns label entropy, churn and accuracy of the evaluation split, set by set and rate by rate."""
    lines = headed("data | all | hard | easy | random | jitter | accuracy | all, early | accuracy, early")
    for title, found in _rates(read("label_noise").cases, with_again=True):
        last, early = found.final.evaluation, found.early.evaluation
        lines.append(
            _row(
                title,
                *(_value(last[name].label_entropy) for name in ("all", "hard", "easy")),
                _ends(found.random_subsets.evaluation),
                _value(last["all"].jitter),
                f"{last['all'].true_label:.3f}",
                _value(early["all"].label_entropy),
                f"{early['all'].true_label:.3f}",
            )
        )
    return lines


def methods(case: str) -> list[str]:
    """Returns what methods take away of label entropy, in percent, and what they do to accuracy, in points."""
    noisy = read("label_noise").cases[case].methods
    names = " | ".join(
        f"{at.rate * 100:.0f} %: label entropy less by | accuracy, points | wrong labels learned" for at in noisy
    )
    lines = headed(f"method | trainings | {names}")
    for row in noisy[0].rows:
        cells = [f"`{row.name}`" if row.role == "method" else row.name, f"{row.cost_training:.2g}"]
        for at in noisy:
            here = at.rows[row.name]
            cells += [
                _value(here.reduction, 1, 0, is_signed=True) if here.reduction else "",
                _value(here.accuracy_difference, 100, 1, is_signed=True) if here.accuracy_difference else "",
                f"{100 * here.wrong_labels_learned:.0f} %",
            ]
        lines.append(_row(*cells))
    return lines


def neighbours() -> list[str]:
    """Returns how many corrupted samples are near those that change, and near stable ones that are as hard."""
    lines = headed(
        "data | near by | changing | base rate | near changing | near stable | as hard: difference | dealt anew "
        "| nats for each neighbour"
    )
    for case in read("label_noise").cases:
        for found in case.neighbours:
            for space, title in SPACES.items():
                here = found[space]
                dealt = here.get("dealt_anew")
                lines.append(
                    _row(
                        f"{TITLES[case.case]}, {found.rate * 100:.0f} %",
                        title,
                        f"{found.changing:,}",
                        f"{found.base_rate:.3f}",
                        f"{here.changing:.3f}",
                        f"{here.stable:.3f}",
                        _value(here.matched_difference, is_signed=True),
                        _minus("[{:+.3f}, {:+.3f}]".format(*dealt.matched_difference)) if dealt else "",
                        _value(here.entropy_per_neighbour, is_signed=True),
                    )
                )
    return lines


def _rates(cases: list[Figures], *, with_again: bool = False) -> Iterator[tuple[str, Figures]]:
    for case in cases:
        for place, found in enumerate(case.rates):
            yield f"{TITLES[case.case]}, {found.rate * 100:.0f} %", found
            if with_again and place == 0:
                yield f"{TITLES[case.case]}, 0 %, other seeds", case.reseeded


def _value(found: Figures, factor: float = 1, digits: int = 3, *, is_signed: bool = False) -> str:
    value, low, high = (
        f"{factor * each:{'+' if is_signed else ''}.{digits}f}" for each in (found.value, found.low, found.high)
    )
    return _minus(f"{value} [{low}, {high}]")


def _ends(found: Figures) -> str:
    return f"[{found.low:.3f}, {found.high:.3f}]"


def _minus(text: str) -> str:
    return text.replace("-", MINUS)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
