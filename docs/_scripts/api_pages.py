"""Writes the API reference: a page for each public function and class, and for each package tables of them by topic.

Called by `conf.py` before Sphinx looks for pages. What it writes, `docs/api/generated/`, is in no repository. A topic
is a title and what it holds: files or rooms of the package, or names. A name belongs to the most precise of them; to
what is an empty text belongs all that is left.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "api" / "generated"
EXTENDING = "For code that extends reseed"
TOPICS = {
    "reseed": {
        "Measure": "measure Measurement inspect evaluate Stability medoid where_unstable WhereUnstable "
        "foretell Foretelling",
        "Train, record, open": "run train_study Recorder import_predictions Study",
        "Export": "profile export",
        "Compare and gate": "compare Comparison gate Gate",
        "Make answers stay": "mitigate tune Tuning",
        "Make training stable": "stabilise Stabilisation",
        "Which randomness": "attribute Attribution measure_nested NestedMeasurement bootstrap measure_bootstrap "
        "BootstrapMeasurement",
        "Memorisation": "memorize Memorized randomize Randomization",
        "Data": "load Dataset Splits DataConfig max_bytes",
        "Recipes": "recipe_for Recipe ModelConfig OptimizerConfig ScheduleConfig AverageConfig RecordConfig SeedPlan",
        "Errors": "_errors",
        "Other calls": "",
    },
    "reseed.curvature": {
        "A whole study": "evaluation",
        "Operators": "operators",
        "Spectrum": "spectrum",
        "How far from the edge": "stability",
        "Along a training": "tracking",
        "Remedies at growing rates": "remedies",
        "Gradients": "gradients",
    },
    "reseed.data": {"Data sets": "_config _dataset _load _splits", "Corruption": "corruption", EXTENDING: ""},
    "reseed.engines": {"Engines": "_cluster _processes _protocol _registry _serial", EXTENDING: ""},
    "reseed.instability": {
        "Labels of several runs": "labels",
        "Probabilities of several runs": "probabilities _probabilities",
        "Intervals": "intervals",
        "A whole study": "evaluation",
        "Where in the data": "where",
        "Sources of randomness": "sources",
        "Methods compared": "comparison",
        "A new model in place of an old one": "gate",
        "One run": "one_run",
        "Along a training": "dynamics",
        "Equally good models": "multiplicity",
        EXTENDING: "",
    },
    "reseed.integrations": {
        "Loops and data": "_recorder _indexed _failures",
        "Trainers of other libraries": "huggingface.InstabilityCallback lightning.InstabilityCallback",
        "Trackers and metrics": "_loggers torchmetrics.LabelEntropy torchmetrics.Jitter",
    },
    "reseed.memorization": {
        "Wrong labels": "suspects",
        "Random labels": "randomization",
        "What nodes are devoted to": "nodes",
        "Interpolation": "interpolation",
    },
    "reseed.mitigations": {
        "By name": "_registry",
        "Methods": "",
        "Losses for a loop of one's own": "confidence_penalty_loss ConfidencePenaltyLoss _label_smoothing_loss "
        "_soft_cross_entropy _entropy _tempered _fit_temperature _priors disturb_labels neighbour_labels",
        EXTENDING: "_mitigation _anchored _teaching _composition _auto_transient _beta_schedule",
    },
    "reseed.models": {"Models": "_config _registry _user", "Trained networks": "_networks", EXTENDING: ""},
    "reseed.perturbations": {
        "Attacks": "attacks",
        "Corruptions of images": "images",
        "Noise on features": "features",
        "Errors in texts": "texts",
    },
    "reseed.report": {
        "Pages": "_page _data _from_study _comparison_page _scores_page _shell _charts chart",
        "Terminal": "",
        "Gates": "_gate",
    },
    "reseed.robustness": {
        "A whole study": "evaluation",
        "How far another answer is": "boundary",
        "Attacks": "adversaries",
        "Corruptions": "corruptions",
        "Noise": "noise",
        "How much a change is seen": "imperceptibility",
        "Neurons": "neurons",
        "Pairs of models": "pairs",
    },
    "reseed.scores": {
        "What a lens returns": "_scores _columns _chart",
        "Kept with a study": "_kept _readable _measured _part _summarised",
        "What foretells flips": "_foretell _foretelling _ranks _halves",
        EXTENDING: "",
    },
    "reseed.statistics": {
        "Intervals": "_estimate _t_interval _variances",
        "Shares and their differences": "_shares _mcnemar",
        "Groups": "",
    },
    "reseed.studies": {
        "Make and open": "_study _fit _train _import _import_files",
        "What a study holds": "_header _manifest _samples _study_inputs _cost _cost_summary _equal_runs _targets",
        EXTENDING: "",
    },
    "reseed.training": {
        "Recipes": "_recipe _record _defaults",
        "Seeds": "_seeds _draws",
        "Trainings": "_loop _run _stacked _monitor _probe",
        EXTENDING: "",
    },
}


def _listed(package: str) -> Iterator[str]:
    """Yield the full names of a package's functions and classes, each where it is at home."""
    module = importlib.import_module(package)
    further = [each for held in TOPICS[package].values() for each in held.split() if "." in each]
    for name in module.__all__:
        thing = getattr(module, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            home = ".".join(thing.__module__.split(".")[:2])
            is_there = home in TOPICS and name in importlib.import_module(home).__all__
            yield f"{home if is_there else package}.{name}"
    yield from (f"{package}.{each}" for each in further)


def _found(name: str) -> Any:
    module, _, last = name.rpartition(".")
    return getattr(importlib.import_module(module), last)


def _topic(package: str, name: str) -> str:
    """Return the title of the topic whose entry says most precisely where a name belongs."""
    inside = _found(name).__module__.removeprefix(f"{package}.")
    given = {name.rpartition(".")[2], name.removeprefix(package + ".")}
    best, title = -1, ""
    for each, held in TOPICS[package].items():
        for entry in held.split() or [""]:
            length = 1000 if entry in given else len(entry) if not entry or f"{inside}.".startswith(f"{entry}.") else -1
            if length > best:
                best, title = length, each
    if best < 0:
        raise ValueError(f"{name} belongs to no topic of {package}; give it one in TOPICS of {__file__}")
    return title


def _page(name: str) -> tuple[str, str]:
    """Return the place and the text of a name's own page."""
    thing = _found(name)
    kind = "exception" if inspect.isclass(thing) and issubclass(thing, Exception) else "class"
    kind = kind if inspect.isclass(thing) else "function"
    module, _, last = name.rpartition(".")
    options = {"class": "   :members:\n", "exception": "   :members:\n   :show-inheritance:\n", "function": ""}[kind]
    text = f":orphan:\n\n{name}\n{'=' * len(name)}\n\n.. currentmodule:: {module}\n\n.. auto{kind}:: {last}\n{options}"
    return f"{kind}/{name}.rst", text


def _tables(package: str, names: list[str]) -> str:
    """Return a package's tables, a heading each, as Markdown; in the order of the topics, and of names within them."""
    parts = []
    for title, held in TOPICS[package].items():
        order = {entry: place for place, entry in enumerate(held.split())}
        rows = [name for name in names if _topic(package, name) == title]
        rows.sort(key=lambda name: (order.get(name.rpartition(".")[2], len(order)), name.lower()))
        if rows:
            entries = "".join(f"   ~{name}\n" for name in rows)
            table = f".. currentmodule:: None\n.. autosummary::\n   :nosignatures:\n\n{entries}"
            parts.append(f"## {title}\n\n```{{eval-rst}}\n{table}```\n")
    return "\n".join(parts)


def write() -> None:
    """Write all pages and tables; pages that say the same already are left, so that Sphinx need not read them again."""
    pages = {}
    for package in TOPICS:
        names = list(_listed(package))
        own = [name for name in names if package == "reseed" or name.startswith(f"{package}.")]
        pages[f"{package}.txt"] = _tables(package, own)
        pages |= dict(map(_page, own))
    for path in FOLDER.rglob("*.*"):
        if path.relative_to(FOLDER).as_posix() not in pages:
            path.unlink()
    for place, text in pages.items():
        path = FOLDER / place
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
