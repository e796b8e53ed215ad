"""What to do next with a study, as commands that name it, and how its page was made."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from reseed._choices import IN_MEMORY
from reseed.report import _text as text
from reseed.report._data import ReportData, Step
from reseed.studies import Study
from reseed.training import DEFAULT_VARY, RecordConfig

_ENOUGH = 0.05  # p of a test, below which a grouping is named


def made(study: Study) -> dict[str, str]:
    """Return the date of the page, the version, the study's folder, and the command that continues it."""
    command = training_command(study, study.header.runs) if _is_trained(study) else ""
    return made_of("study", study.url or str(study.path), command)


def made_of(what: str, place: str, command: str) -> dict[str, str]:
    """Return the date of a page, the version, and the folder of what it shows, which ``report`` makes again from there.

    Args:
        what: What lies in the folder.
        place: The folder.
        command: What trained it; empty where no command can.
    """
    trained = {"trained by": command} if command else {}
    found = {"written": datetime.now(UTC).strftime("%Y-%m-%d"), "by": f"reseed {version('reseed')}", what: place}
    return found | trained | {"page made again by": f"reseed report {shlex.quote(place)}"}


def training_command(study: Study, runs: int) -> str:
    """Return the command that trains a study's recipe until it has so many runs, in its folder and as it began."""
    header, record, standard = study.header, study.header.record, RecordConfig()
    options: dict[str, Any] = {"--runs": runs, "--out": study.url or str(study.path)}
    if frozenset(header.vary) != frozenset(DEFAULT_VARY):
        options["--vary"] = ",".join(header.vary)
    for name in ("every", "burn_in", "level", "dropout_passes", "weights"):
        if getattr(record, name) != getattr(standard, name):
            options[f"--{name.replace('_', '-')}"] = getattr(record, name)
    if record.track:
        lens, _, how = record.track.partition(":")
        options[f"--{lens}"] = how
    flags = ["--record-train"] * record.train + ["--monitor"] * record.monitor
    return " ".join([command_of(study, "measure", options), *flags])


def command_of(study: Study, words: str, options: Mapping[str, object], seed: int | None = None) -> str:
    """Return a command that trains a study's recipe, with its seed and on its device.

    Args:
        study: Whose recipe.
        words: The command and its flags.
        options: Its other options by name.
        seed: The base seed; default: the study's.
    """
    header = study.header
    seed = header.base_seed if seed is None else seed
    found: dict[str, object] = {"--recipe": str(study.path / "recipe.toml"), **options}
    if seed:
        found["--seed"] = seed
    if header.device != "cpu":
        found["--device"] = header.device
    shown = [f"{name} {shlex.quote(str(value))}" for name, value in found.items()]
    return " ".join(["reseed", words, *shown, *["--deterministic"] * header.deterministic])


def next_steps(study: Study, data: ReportData) -> tuple[Step, ...]:
    """Return what one does next, from what the page shows: more runs, where to look, what to train, what to ship."""
    return tuple(_steps(study, data))


def _steps(study: Study, data: ReportData) -> Iterator[Step]:
    place = _place(study)
    yield _more_runs(study, data)
    if where := _where(data, place):
        yield where
    if data.unstable.any() and _is_trained(study):
        yield keep_in_place(study, data.runs)
    always_wrong = _always_wrong(data) if data.runs > 1 else 0
    if always_wrong:
        yield Step(
            "Is the gold label wrong?",
            f"To {text.plural(always_wrong, 'sample')} all runs give one label, which is not the gold label.",
            place="#samples?verdict=wrong&high=0",
        )
    if data.runs > 2 and _is_trained(study):
        yield Step(
            "Which network to ship?",
            "The one whose answers agree most with those of the others; ensemble in place of medoid ships all of them.",
            f"reseed export {place} model.safetensors --run medoid",
        )
    yield Step(
        "What else is there of each sample?",
        "A table with a row for each sample and a column for every measure, for a notebook or a spreadsheet.",
        f"reseed export {place} profile.csv",
    )


def keep_in_place(study: Study, runs: int) -> Step:
    """Return how one asks which method keeps the answers to a study's recipe in place, with as many runs or more."""
    recipe = shlex.quote(str(study.path / "recipe.toml"))
    return Step(
        "Which method keeps answers in place?",
        "Trains this recipe with each method that costs one or two trainings, beside two controls, and says which one "
        "lowers label entropy beyond chance, at what cost. With --list: all methods.",
        f"reseed mitigate --recipe {recipe} --runs {max(runs, 10)}",
    )


def _more_runs(study: Study, data: ReportData) -> Step:
    question, wanted = "More runs?", max(10, 2 * data.runs)
    command = training_command(study, wanted) if _is_trained(study) else ""
    if data.runs < 10:
        words = "Few runs have wide intervals, and rare flips are not seen"
        return Step(question, f"{words}: {wanted} runs say more. Those that are finished are kept.", command)
    shares = [share for share in (data.rarefaction or ((), ()))[1] if share == share]
    gain = (shares[-1] - shares[-2]) * len(data.sample_ids) if len(shares) > 1 else 0.0
    if gain >= 1:
        words = f"The last run found {gain:.1f} unstable samples that the others had not: more runs would find more."
        return Step(question, words, command)
    return Step(
        question, "The last run found less than one unstable sample more: these are about all that a few runs find."
    )


def _where(data: ReportData, place: str) -> Step | None:
    """Return the grouping of which a group stands out most, and how to see all its groups."""
    found = [(group.rows[0][7], group) for group in data.groupings if group.rows and group.rows[0][7] <= _ENOUGH]
    if not found:
        return None
    p, group = min(found, key=lambda pair: pair[0])
    words = (
        f"By {group.title} the group that stands out most is \u201c{text.clip(group.rows[0][0], 60)}\u201d: "
        f"{text.percent(group.rows[0][5])} of its samples are unstable (p = {text.decimal(p)})."
    )
    return Step("Where do answers change?", words, f"reseed inspect {place} --by {group.title}")


def _always_wrong(data: ReportData) -> int:
    stable = ~data.unstable & (data.targets >= 0) & (data.mode_label >= 0)
    return int((stable & (data.mode_label != data.targets)).sum())


def can_train(study: Study) -> bool:
    """Whether a command can train the study's recipe: reseed did, and a file can name the model."""
    recipe = study.recipe
    return study.header.kind == "training" and recipe is not None and not recipe.model.name.startswith(IN_MEMORY)


def _is_trained(study: Study) -> bool:
    """Whether a command can train the study's recipe as it was: on the whole training set."""
    header = study.header
    return can_train(study) and header.resample is None and not header.folds and header.share == 1


def _place(study: Study) -> str:
    return shlex.quote(study.url or str(study.path))
