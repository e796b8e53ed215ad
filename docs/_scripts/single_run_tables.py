"""The tables of the estimate from one run, from the raw numbers of `benchmarks/single_run.py`."""

from _figures import Figures, headed, read

STUDIES = {
    "massive, text-encoder": "MASSIVE intents, head on MiniLM features",
    "clinc150, text-encoder": "CLINC150, head on MiniLM features",
    "mnist, mlp": "MNIST, 3,000 training samples",
    "digits, mlp": "digits",
    "cifar10, mlp": "CIFAR-10, MLP",
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
