"""The tables of the estimate from one run, from the raw numbers of `benchmarks/single_run.py`."""

from _figures import Figures, headed, read

STUDIES = {
    "massive, text-encoder": "MASSIVE intents, head on MiniLM features",
    "clinc150, text-encoder": "CLINC150, head on MiniLM features",
    "mnist, mlp": "MNIST, 3,000 training samples",
    "digits, mlp": "digits",
    "cifar10, mlp": "CIFAR-10, MLP",
}
EXPECTED = {
    **STUDIES,
    "massive, text-tfidf": "MASSIVE intents, tf-idf",
    "massive-domain, text-tfidf": "MASSIVE domains, tf-idf",
    "clinc150, text-tfidf": "CLINC150, tf-idf",
    "digits, cnn": "digits, CNN",
    "gauss.parquet, mlp": "40 Gaussian classes, made up",
    "moons.parquet, mlp": "two half circles, made up",
    "cancer.parquet, mlp": "breast cancer",
    "speakers.parquet, text-tfidf": "speakers in Shakespeare, tf-idf",
}
SIGNALS = {
    "dropout_label_entropy": "label entropy of dropout passes alone",
    "score": "combination with both dropout signals",
    "score_without_passes": "combination without them",
}


def estimate() -> list[str]:
    """Returns how well one run foretells the others, study by study."""
    lines = headed(
        "study | Spearman with label entropy of the 15 others | the same of late label entropy alone "
        '| AUROC of "ever flips", without the cut | among the 100 highest that flip'
    )
    for name, said in STUDIES.items():
        signals = read("single_run").studies[name].signals
        late = f"{signals.late_label_entropy.spearman.mean:.3f}"
        cells = [said, _interval(signals.score.spearman), late, f"{signals.score_without_cut.auroc.mean:.3f}"]
        lines.append(f"| {' | '.join([*cells, f'{signals.score.precision.mean:.0%}'.replace('%', ' %')])} |")
    return lines


def shares() -> list[str]:
    """Returns the share that single runs expect beside the share that flips, study by study."""
    lines = headed("study | mean estimate | share to expect | share that flips | runs whose interval holds it")
    studies = read("single_run").studies
    for name, said in EXPECTED.items():
        found = studies[name].share
        expected, actual = (f"{100 * each:.1f} %" for each in (found.expected, found.actual))
        share = f"{100 * found.said:.1f} % [{100 * found.low:.1f}, {100 * found.high:.1f}]"
        lines.append(f"| {said} | {expected} | {share} | {actual} | {found.covered} of {studies[name].runs} |")
    return lines


def dropout() -> list[str]:
    """Returns what passes with dropout add."""
    lines = headed("| MASSIVE: Spearman | among the 100 highest | CLINC150: Spearman | among the 100 highest")
    for signal, said in SIGNALS.items():
        cells = [said]
        for name in ("massive, text-encoder", "clinc150, text-encoder"):
            found = read("single_run_dropout").studies[name].signals[signal]
            cells += [_interval(found.spearman), f"{100 * found.precision.mean:.0f} %"]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _interval(found: Figures) -> str:
    return f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}]"
