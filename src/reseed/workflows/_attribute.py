"""Which source of randomness makes predictions change: one study for each, and one in which all vary."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Unpack

from numpy.typing import NDArray

from reseed._arguments import argument
from reseed._errors import InputError, TrainingError
from reseed._notebook import show_link
from reseed._shown import AbstractResult
from reseed.data import load
from reseed.instability import Estimate, SourceEffect, SourceEffects, source_effects
from reseed.models import architecture
from reseed.report import DesignPage, attribution_page
from reseed.studies import Study, check_runs, json_writer, local_folder, to_stderr, train_study
from reseed.training import (
    DEFAULT_VARY,
    STREAMS,
    Recipe,
    RecordConfig,
    SeedPlan,
    Stream,
    Training,
    TrainingSet,
    arithmetic,
    check_forward,
    check_vary,
    makes_use_of,
)
from reseed.workflows._design import (
    CACHE,
    check_design_folder,
    damaged_numbers,
    design_folder,
    draws_of,
    kept_studies,
    read_numbers,
    share_files,
    told,
    write_design,
)
from reseed.workflows._recipe import TrainingArguments, chosen_recipe

ATTRIBUTION, ATTRIBUTION_PAGE = "attribution.json", "attribution.html"
_STUDY = "vary-"


@dataclass(frozen=True, eq=False, repr=False)
class Attribution(AbstractResult):
    """What each source of randomness does to a recipe's predictions.

    Attributes:
        effects: Jitter and label entropy with all sources, with each alone, and with each fixed.
        studies: The studies behind them, by the streams that vary.
        path: The folder that holds them.
        notes: What a reader should know before believing the numbers.
    """

    effects: SourceEffects
    studies: dict[frozenset[Stream], Study]
    path: Path
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        largest = max(self.effects.effects, key=lambda one: one.drop.value).source
        return f"Attribution({str(self.path)!r}: {len(self.effects.effects)} sources, {largest} matters most)"

    @property
    def summary(self) -> dict[str, Any]:
        """JSON-ready numbers, every one with its 95 % interval: what ``attribution.json`` holds."""
        everything = max(self.studies, key=len)
        header = self.studies[everything].header
        return {
            "reseed": version("reseed"),
            "dataset": header.dataset,
            "model": header.model,
            "recipe": header.recipe,
            "data": header.data,
            "base_seed": header.base_seed,
            "runs": self.effects.jitter.runs,
            "samples": self.effects.jitter.samples,
            "ci_method": self.effects.jitter.method,
            "vary": [stream for stream in STREAMS if stream in everything],
            **told("jitter", self.effects.jitter),
            **told("label_entropy_mean", self.effects.label_entropy),
            "sources": [_effect(effect) for effect in self.effects.effects],
            "studies": {_name(streams): study.path.name for streams, study in self.studies.items()},
            "notes": list(self.notes),
        }

    @property
    def page(self) -> DesignPage:
        """What the page of it shows."""
        return attribution_page(self.effects, self.studies, self.path, self.notes)

    def write(self) -> Path:
        """Write ``attribution.json`` and ``attribution.html``, and return the page's path; nothing is trained.

        Raises:
            StorageError: They cannot be written.
        """
        return write_design(self.path, {ATTRIBUTION: json_writer(self.summary)}, ATTRIBUTION_PAGE, self.page)


def open_attribution(root: Path) -> Attribution:
    """Return the attribution in a folder, from the studies that are kept; nothing is trained.

    Raises:
        StudyError: It cannot be read.
        TrainingError: Fewer than two runs of a study are complete.
    """
    numbers = read_numbers(root, ATTRIBUTION)
    kept = kept_studies(root, numbers)
    with damaged_numbers(root, ATTRIBUTION):
        asked = check_vary(numbers["vary"])
        studies = {check_vary(name.split("-")): study for name, study in kept.items()}
        sources = tuple(stream for stream in STREAMS if stream in asked)
        missing = [_name(streams) for streams in _designs(sources) if streams not in studies]
        if missing:
            raise ValueError(f"it names no study of {missing[0]}")
        return _attribution({streams: studies[streams] for streams in _designs(sources)}, sources, root)


def attribute(
    data: object = "digits",
    model: object = None,
    *,
    recipe: Recipe | None = None,
    runs: int = 10,
    out: str | Path | None = None,
    vary: Iterable[str] = DEFAULT_VARY,
    seed: int = 0,
    record: RecordConfig | None = None,
    announce: Callable[[str], None] | None = None,
    **options: Unpack[TrainingArguments],
) -> Attribution:
    """Measure which source of randomness makes predictions change.

    Trains one study in which every source varies, one for each source in which it varies alone, and one for each
    in which it alone is fixed (with two sources, the other's own). Each is a folder below ``out`` that `inspect`
    opens, such as ``vary-init``. Finished runs are kept whatever happens: the same call continues, and more ``runs``
    extend every study. Writes ``attribution.json`` and the page ``attribution.html``.

    Sources that the recipe makes no use of, such as dropout where the model has none, are left out. The training
    sample is no source unless ``vary`` names ``data``: runs then train on bootstrap resamples, which hold about 63 %
    of the distinct training samples, and where ``data`` is fixed they train on the whole set.

    Args:
        data: What is learned, as `measure` takes it: a name, a file, or what is in memory.
        model: A model's name, or a function that makes a network; default: what suits the data. Not used when
            ``recipe`` is given.
        recipe: The whole recipe, see `recipe_for`; default: that of ``data`` and ``model``.
        runs: Trainings in each study, two or more; three or more for intervals that cover other runs.
        out: The folder of all studies; default: ``reseed-studies/`` and a name made of data, model and recipe.
        vary: The sources: ``init``, ``order``, ``dropout``, ``augment``, ``data``.
        seed: Base seed from which all seeds derive. A source that is fixed keeps the seed of run 0.
        record: What is recorded, and when; default: at the final step only.
        announce: Takes a line before long work begins; default: standard error.
        **options: Changes of the recipe, such as ``text``, ``label`` or ``epochs``, see `RecipeArguments`; and where
            and how runs execute: ``engine``, ``jobs``, ``address``, ``group``, ``device``, ``threads``,
            ``deterministic`` and ``probe``, as `measure` takes them.

    Returns:
        The effects, and the studies behind them.

    Raises:
        InputError: An argument, the recipe or the data is unusable, or the recipe makes use of fewer than two of
            the sources.
        DeterminismError: The probe failed.
        StudyError: The folder holds something else.
        StorageError: The folder cannot be written.
        TrainingError: Some runs did not finish, or fewer than two of a study left usable predictions; those that
            did are kept.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     found = attribute("digits", epochs=1, hidden=[4], runs=3, out=folder, announce=lambda line: None)
        ...     sorted(path.name for path in found.path.iterdir())
        ['attribution.html', 'attribution.json', 'vary-init', 'vary-init-order', 'vary-order']
    """
    recipe, execution = chosen_recipe(data, model, recipe, options)
    announce = announce or to_stderr
    asked = check_vary(vary)
    root = local_folder(design_folder(recipe, "sources") if out is None else out)
    check_design_folder(root, "attribution", (ATTRIBUTION, ATTRIBUTION_PAGE), _STUDY)
    sources = _sources(recipe, asked, seed, root, execution.get("threads"), announce)
    designs = list(_designs(sources))
    check_runs(runs)
    announce(f"{len(designs)} studies of {runs} runs: {len(designs) * runs} trainings")
    draws = draws_of(root)
    studies: dict[frozenset[Stream], Study] = {}
    for number, streams in enumerate(designs, start=1):
        announce(f"study {number} of {len(designs)}: runs differ in {_name(streams, ', ')}")
        share_files(root, _folder(root, streams))
        studies[streams] = train_study(
            recipe,
            _folder(root, streams),
            runs=runs,
            plan=SeedPlan(seed, streams, draws=draws),
            record=record or RecordConfig(every="final"),
            announce=announce,
            **execution,
        )
    found = _attribution(studies, sources, root)
    show_link(found.write())
    return found


def _sources(
    recipe: Recipe,
    asked: frozenset[Stream],
    seed: int,
    root: Path,
    threads: int | None,
    announce: Callable[[str], None],
) -> tuple[Stream, ...]:
    """Return the streams among those asked for that the recipe makes use of, in their own order."""
    network, splits = architecture(recipe.model), load(recipe.data)
    inputs = network.prepare(splits, root / CACHE, announce).train
    train = TrainingSet(inputs, splits.train.labels, splits.train.num_classes)
    plain = replace(recipe, augment="none")  # on what is no image it fails, which the first study says better
    with arithmetic(threads or 1):
        check_forward(Training(plain, network, train, SeedPlan(seed).seeds(0)))

        def matters(stream: Stream) -> bool:
            if stream == "augment":
                return recipe.augment != "none"
            return stream in ("order", "data") or makes_use_of(stream, plain, network, train, seed)

        sources = tuple(stream for stream in STREAMS if stream in asked and matters(stream))
    unused = [stream for stream in STREAMS if stream in asked and stream not in sources]
    if unused:
        announce(f"left out, since this recipe makes no use of it: {', '.join(unused)}")
    if len(sources) < 2:
        raise InputError(
            f"{argument('vary')} is {_name(asked, ', ')}, of which this recipe makes use of "
            f"{', '.join(sources) or 'none'} only; name two sources or more, or turn on dropout or augmentation."
        )
    return sources


def _designs(sources: tuple[Stream, ...]) -> Iterator[frozenset[Stream]]:
    """Yield what varies in each study, once: everything, each source alone, all but each."""
    everything = frozenset(sources)
    alone = [frozenset({stream}) for stream in sources]
    yield from dict.fromkeys([everything, *alone, *(everything - {stream} for stream in sources)])


def _name(streams: Iterable[str], separator: str = "-") -> str:
    return separator.join(stream for stream in STREAMS if stream in frozenset(streams))


def _folder(root: Path, streams: Iterable[str]) -> Path:
    return root / f"{_STUDY}{_name(streams)}"


def _attribution(studies: dict[frozenset[Stream], Study], sources: tuple[Stream, ...], root: Path) -> Attribution:
    """Compare studies at equal numbers of runs, since label entropy grows with that number."""
    complete = {streams: len(study.manifests) for streams, study in studies.items()}
    runs = min(complete.values())
    if runs < 2:
        least = min(complete, key=lambda streams: complete[streams])
        raise TrainingError(
            f"the study {str(studies[least].path)!r} has {runs} complete runs ({len(studies[least].diverged)} "
            f"diverged, {len(studies[least].missing)} missing); two or more are needed."
        )

    def labels(streams: frozenset[Stream]) -> NDArray[Any]:
        return studies[streams].final("labels")[:runs]

    everything = frozenset(sources)
    found = labels(everything)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "the runs of everything agree", RuntimeWarning)  # a note says so
        effects = source_effects(
            found,
            {stream: labels(frozenset({stream})) for stream in sources},
            {stream: labels(everything - {stream}) for stream in sources},
            method="two-way" if runs > 2 else "samples",
        )
    notes = tuple(_notes(effects, max(complete.values())))
    return Attribution(effects, studies, root, notes)


def _notes(effects: SourceEffects, most: int) -> Iterator[str]:
    runs = effects.jitter.runs
    if runs < most:
        yield f"Some runs did not leave predictions; {runs} runs of each study are compared."
    if runs == 2:
        yield "With two runs the intervals cover other samples only, not other runs."
    if not effects.jitter.value > 0:
        yield "All runs gave identical labels: there is nothing to attribute."
        return
    yield (
        "Shares and drops do not add up to 100 %: training amplifies any small difference, so one source may "
        "cause nearly all of the instability, and so may the next."
    )
    best = effects.effects[0]
    if best.drop.low > 0:
        yield (
            f"Fixing {best.source} alone takes away {_percent(best.drop)} of the jitter, the most of any single source."
        )
    else:
        yield (
            f"Fixing any one source alone gains nothing that {runs} runs of each study can tell from chance; "
            f"{best.source} comes out best, with a drop of {_percent(best.drop)}."
        )
    yield (
        "Fixing a seed costs no training. It makes retrainings repeat one accident; it does not make that answer the "
        "right one, and helps no longer once the data, the recipe or the arithmetic changes."
    )
    yield "A source that is fixed keeps one seed; the intervals do not cover which."
    if any(effect.source == "data" for effect in effects.effects):
        yield (
            "Where data varies, runs train on bootstrap resamples, which hold about 63 % of the distinct samples; "
            "where it is fixed, on the whole set: what data does includes what a smaller sample does."
        )


def _percent(found: Estimate) -> str:
    return f"{found.value:.0%} [{found.low:.0%}, {found.high:.0%}]"


def _effect(effect: SourceEffect) -> dict[str, Any]:
    return {
        "source": effect.source,
        **told("jitter", effect.jitter),
        **told("label_entropy_mean", effect.label_entropy),
        **told("share", effect.share),
        **told("fixed_jitter", effect.fixed_jitter),
        **told("fixed_label_entropy_mean", effect.fixed_label_entropy),
        **told("drop", effect.drop),
    }
