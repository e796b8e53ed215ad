"""The tables of the page on scale, from the raw numbers of `benchmarks/scale.py`, `store.py` and `evaluate.py`."""

import runpy
from collections.abc import Iterable
from statistics import median
from typing import Any

from _figures import FOLDER, Figures, headed, read

from reseed._bounds import BOUNDS

LAYOUTS = {
    "blocks": "blocks (reseed)",
    "checkpoints": "a chunk for each checkpoint",
    "repacked": "the same, re-packed to a shard an array",
    "shards": "blocks as shards, a chunk a checkpoint inside",
    "npy": "memory-mapped `.npy`",
}
READS = {"labels, last": "last labels", "labels, one sample": "labels of one sample", "labels, all": "all labels"}

BOUNDED = {
    "runs": "runs of a study, resamples, training samples times runs, the budget of a search",
    "steps": "steps of a training, epochs",
    "checkpoints": "checkpoints of a run",
    "monitored steps": "steps of a training with `--monitor`",
    "batch_size": "samples in a batch",
    "group": "runs in one program (`--group`)",
    "threads": "threads of arithmetic",
    "jobs": "worker processes, programs at once on a cluster (`--jobs`)",
    "retries": "further tries of failed runs",
    "networks": "networks that a method trains for a run: members, teachers, branches, peers",
    "layers": "hidden layers, `--depth`",
    "width": "units of a layer (`--hidden`), channels (`--width`)",
    "vocabulary": "terms of `text-tfidf`",
    "max_length": "tokens of a text",
    "dropout_passes": "passes with dropout",
    "seed": "base seed",
}

cost: dict[str, Any] = runpy.run_path(str(FOLDER / "_cost_model.py"))
Size = cost["Size"]


def size_of(study: Figures) -> str:
    """Returns a study's size as the page writes it."""
    return str(Size(**study.size))


def bytes_of(count: float) -> str:
    """Returns bytes in MB or GB."""
    return f"{count / 1e6:,.0f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"


def spread(values: Iterable[float], unit: str, digits: str = ".1f") -> str:
    """Returns the smallest and the largest of some values, or the one that both are."""
    found = sorted(values)
    low, high = (f"{value:{digits}}" for value in (found[0], found[-1]))
    return f"{low} {unit}" if low == high else f"{low} to {high} {unit}"


def written() -> list[str]:
    """Returns bytes, files and seconds of one study of each size."""
    lines = headed("study | bytes raw | on disk | files, predicted | files | written in")
    for study in read("scale").store:
        disk, predicted = study.on_disk, study.predicted
        cells = [size_of(study), bytes_of(predicted.raw_bytes), bytes_of(disk.bytes)]
        cells += [str(predicted.files), str(disk.files), f"{disk.write_s:.1f} s"]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def evaluated() -> list[str]:
    """Returns processor time and memory of `evaluate`, and of the same in one piece."""
    lines = headed("study | way | processor time | memory")
    ways = {"blocks": "blocks (reseed)", "stacked": "numpy and scipy, in one piece"}
    for study in read("evaluate").studies:
        for way, rounds in study.rounds.items():
            times = sorted(each.processor_s for each in rounds)
            time = f"{median(times):.1f} s ({times[0]:.1f} to {times[-1]:.1f})"
            memory = bytes_of(median(each.bytes for each in rounds))
            lines.append(f"| {study.size.runs} runs, {study.size.level} | {ways[way]} | {time} | {memory} |")
    return lines


def opened() -> list[str]:
    """Returns memory and seconds of opening and evaluating one study of each size."""
    lines = headed("study | predicted | measured | evaluated in")
    for study in read("scale").store:
        memory = spread((each.evaluate_bytes / 1e6 for each in study.rounds), "MB", ",.0f")
        seconds = [each.evaluate_s for each in study.rounds]
        taken = spread(seconds, "s", ".2f" if max(seconds) < 0.5 else ".1f")
        lines.append(f"| {size_of(study)} | {bytes_of(study.predicted.evaluate_bytes)} | {memory} | {taken} |")
    return lines


def recorded() -> list[str]:
    """Returns the memory that recording a checkpoint takes, by level."""
    levels = ("labels", "scores", "full")
    lines = headed(f"| {' | '.join(levels)}")
    for stacked, said in ((1, "one run"), (4, "stack of 4")):
        found = {row.size.level: row for row in read("scale").record if row.stacked == stacked}
        predicted = " | ".join(bytes_of(found[level].predicted_bytes) for level in levels)
        measured = (spread((each / 1e6 for each in found[level].measured_bytes), "MB", ",.0f") for level in levels)
        lines.append(f"| {said}, predicted{' (12 bytes)' if stacked > 1 else ''} | {predicted} |")
        lines.append(f"| {said}, measured | {' | '.join(measured)} |")
    return lines


def timed() -> list[str]:
    """Returns seconds of whole studies, predicted and measured."""
    lines = headed("study | predicted | measured")
    for study in read("scale").time.studies:
        each = f"{study.checkpoints} checkpoint{'s' if study.checkpoints > 1 else ''} each"
        said = f"{study.runs} runs of {study.epochs} epochs, {each}"
        lines.append(f"| {said} | {study.predicted_s:.1f} s | {spread(study.measured_s, 's')} |")
    return lines


def layouts(case: int, *names: str, reads: bool = False) -> list[str]:
    """Returns how long ways of keeping predictions take, and what they leave, for one case of `store.json`."""
    found = read("store").cases[case]
    columns = ["written in", "files", "bytes left", *(READS.values() if reads else ())]
    lines = headed(f"{_case(found)} | {' | '.join(columns)}")
    for name in names:
        rounds = found.layouts[name]
        taken = _seconds([each.write_s for each in rounds])
        if name == "repacked":
            taken += f", then {_seconds([each.repack_s for each in rounds])}"
        cells = [taken, f"{rounds[0].files:,}", _left(median(each.bytes for each in rounds) / found.raw_bytes)]
        cells += [_two_digits(median(each[key] for each in rounds)) for key in (READS if reads else ())]
        lines.append(f"| {LAYOUTS[name]} | {' | '.join(cells)} |")
    return lines


def bounds() -> list[str]:
    """Returns what a plan may ask for at most."""
    rows = headed("what | at most | in `reseed._bounds`")
    for name, most in BOUNDS.items():
        shown = f"2^{most.bit_length()} - 1" if most == 2 ** most.bit_length() - 1 else f"{most:,}"
        rows.append(f"| {BOUNDED[name]} | {shown} | `{name}` |")
    return rows


def _case(found: Figures) -> str:
    size = f"{found.runs} x {found.checkpoints} x {found.samples:,} x {found.classes:,}"
    return f"{size}, {found.level}, {found.raw_bytes / 1e6:.0f} MB"


def _seconds(values: list[float]) -> str:
    low, middle, high = (_at_most_two_digits(value) for value in (min(values), median(values), max(values)))
    return f"{middle} s ({low} to {high})"


def _at_most_two_digits(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _two_digits(value: float) -> str:
    return f"{value:.1f} s" if value >= 1 else f"{value:.2f} s"


def _left(share: float) -> str:
    return f"{share:.3f}" if share < 0.1 else f"{share:.2f}"
