"""Bootstrap instability of a training of one's own: `reseed.bootstrap`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reseed._errors import InputError
from reseed._notebook import show_link
from reseed.data import Dataset
from reseed.engines import Engine
from reseed.studies import ResampledFit, class_names_of, pair, run
from reseed.training import SeedPlan
from reseed.workflows._bootstrap import (
    BOOTSTRAP,
    BOOTSTRAP_PAGE,
    PLOT,
    TABLE,
    BootstrapMeasurement,
    check_bootstraps,
    one_study_compared,
)


def bootstrap(
    fit: Any,
    *,
    train_data: tuple[Any, Any],
    out: str | Path,
    eval_data: Any = None,
    bootstraps: int = 200,
    vary_seed: bool = False,
    threshold: float | None = None,
    seed: int = 0,
    sample_ids: Sequence[Any] | None = None,
    class_names: Sequence[Any] | None = None,
    texts: Sequence[str] | None = None,
    name: str | None = None,
    engine: str | Engine = "auto",
    jobs: int | None = None,
    address: str | None = None,
    retries: int = 2,
) -> BootstrapMeasurement:
    """Measure how far a model's predictions move when it is built on another sample of its training data.

    Fits once on all training data and then on bootstrap resamples of it, and compares every model's probabilities
    for the same samples with those of the first. Classes are matched through ``classes_``: one that a resample
    misses has probability 0. Resamples of one class only, which most classifiers refuse, are drawn again and counted
    in the notes. Run 0 of the study is the original, the others are of resamples. Finished fits are kept; calling
    again with the same folder and data continues or extends.

    Args:
        fit: An unfitted scikit-learn estimator with ``predict_proba``, which is cloned and fitted on each resample; or
            a function ``fit(inputs, targets, seed)`` that returns such a fitted model, or a function from inputs to
            probabilities [sample, class] with a column for every class of ``class_names``.
        train_data: ``(inputs, targets)``: arrays, sparse matrices, data frames or lists. Targets are class names or
            integers.
        out: The study's folder, or a URL that begins with ``s3://``, ``gs://`` or ``az://``.
        eval_data: ``(inputs, targets)``, or a `Dataset`, whose samples are predicted; targets may be None. Default:
            the training data, as in Riley and Collins.
        bootstraps: Resamples, two or more; 200 are asked for by Riley and Collins, for the percentiles above all.
        vary_seed: Whether each fit also gets a seed of its own; otherwise all get one, so that what differs is the
            sample.
        threshold: Of two classes, the probability of the second from which on it is predicted. Default: the class of
            the larger probability, whatever their number.
        seed: Base seed from which resamples and seeds derive.
        sample_ids: Stable ids of the samples that are predicted; default: the row number. A `Dataset` brings its
            own, and its class names and texts.
        class_names: Names of the classes; default: the sorted distinct targets.
        texts: What a report shows of each sample, [sample].
        name: What the study calls the model; default: the name of ``fit``.
        engine: ``auto``, ``serial``, ``processes``, ``cluster``, or an `Engine` of one's own.
        jobs: Worker processes, or fits at once on a cluster; default: one for each core.
        address: Where the cluster is: ``auto`` or HOST[:PORT]; default: a Ray on this machine alone.
        retries: How often failed fits are tried again.

    Returns:
        The measures; also written to the study's folder, with the page ``bootstrap.html``.

    Raises:
        InputError: An argument is unusable.
        StudyError: The folder holds another study: of other evaluation samples or targets, or of another ``fit``.
        StorageError: The folder cannot be written.
        TrainingError: Some fits did not finish; the message shows what ``fit`` raised, or that its predictions are
            no probabilities of all classes.

    Examples:
        >>> import tempfile
        >>> from sklearn.datasets import load_wine
        >>> from sklearn.naive_bayes import GaussianNB
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     found = bootstrap(
        ...         GaussianNB(), train_data=load_wine(return_X_y=True), bootstraps=10, out=folder, engine="serial"
        ...     )
        ...     round(found.instability.mean_mape, 3), found.samples.num_rows
        (0.01, 178)
    """
    check_bootstraps(bootstraps)
    inputs, targets = pair(train_data, "train_data")
    if not (hasattr(fit, "get_params") and hasattr(fit, "fit")) and not callable(fit):
        raise InputError(
            f"fit must be an unfitted estimator or a function of inputs, targets and a seed, got {type(fit).__name__}."
        )
    if _count(inputs) != _count(targets):
        raise InputError(f"train_data has {_count(inputs)} inputs for {_count(targets)} targets; pass one for each.")
    if threshold is not None and not 0 <= threshold <= 1:
        raise InputError(f"threshold must be in [0, 1], got {threshold}; pass for example 0.5.")
    eval_data = (inputs, targets) if eval_data is None else eval_data
    if class_names is None and not isinstance(eval_data, Dataset):
        known = pair(eval_data, "eval_data")[1]
        class_names = class_names_of(targets) if known is None else class_names_of(targets, known)
    count = len(eval_data.class_names if isinstance(eval_data, Dataset) else class_names or ())
    if threshold is not None and count != 2:
        raise InputError(
            f"threshold is {threshold}, but with {count} classes the largest probability decides; leave it out."
        )
    fitter = ResampledFit(fit, inputs, targets, SeedPlan(seed).seeds(0).init, vary_seed)
    study = run(
        fitter,
        eval_data=eval_data,
        out=out,
        runs=bootstraps + 1,
        seed=seed,
        sample_ids=sample_ids,
        class_names=class_names,
        texts=texts,
        name=name or str(getattr(fit, "__name__", type(fit).__name__)),
        level="full",
        engine=engine,
        jobs=jobs,
        address=address,
        retries=retries,
    )
    if "probabilities" not in study.recorded_names():
        raise InputError("fit gives labels only; the bootstrap compares probabilities [sample, class]: return those.")
    measured = one_study_compared(study, threshold)
    seeds = [manifest.seeds["fit"] for manifest in study.manifests[1:]]
    redrawn = sum(fitter.continued(study.header).resample(word)[1] for word in seeds)
    if redrawn:
        note = f"{redrawn} resamples held one class only and were drawn again."
        measured = replace(measured, notes=(*measured.notes, note))
    page = measured.write()
    study.publish(BOOTSTRAP, TABLE, PLOT, BOOTSTRAP_PAGE)
    show_link(page)
    return measured


def _count(items: Any) -> int:
    shape = getattr(items, "shape", None)  # sparse matrices have no length
    return int(shape[0]) if shape else len(items)
