"""The first table of README, from the raw numbers of `benchmarks/readme.py`."""

from _figures import headed, read


def found() -> list[str]:
    """Returns what ten trainings on MASSIVE differ in."""
    study = read("readme")["massive-10"]
    runs, samples = study.runs, study.samples
    low, high = ((100 * end) for end in study.accuracy_ci95)
    rows = {
        "accuracy": (
            f"{100 * study.accuracy_mean:.1f} %, standard deviation between runs {100 * study.accuracy_std:.2f} points",
            f"{low:.1f} to {high:.1f} %",
        ),
        "two retrainings disagree on (jitter)": (
            f"{100 * study.jitter:.1f} % of the answers",
            "{:.1f} to {:.1f} %".format(*(100 * end for end in study.jitter_ci95)),
        ),
        "answers that were not the same in all runs": (
            f"{100 * study.unstable_fraction:.1f} %: {study.unstable_samples:,} of {samples:,}",
            "{:.1f} to {:.1f} %".format(*(100 * end for end in study.unstable_fraction_ci95)),
        ),
        "mean label entropy": (
            f"{study.label_entropy_mean:.3f} nats",
            "{:.3f} to {:.3f}".format(*study.label_entropy_ci95),
        ),
    }
    lines = headed(f"| {runs} runs, {samples:,} samples | 95 % interval")
    return lines + [f"| {name} | {value} | {interval} |" for name, (value, interval) in rows.items()]
