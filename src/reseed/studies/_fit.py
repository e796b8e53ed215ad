"""Studies of the user's own training: `reseed.run`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from reseed._code import code_text, unwrapped, without_addresses
from reseed._errors import InputError
from reseed._simplex import check_simplex
from reseed.data import Dataset
from reseed.engines import Engine, Group, as_engine, check_retries
from reseed.studies._columns import in_columns, texts_among
from reseed.studies._cost import Stopwatch
from reseed.studies._estimators import fitted_clone, is_estimator, random_states
from reseed.studies._header import Header, read_header
from reseed.studies._labels import LabelReading, as_array, one_each
from reseed.studies._manifest import Manifest
from reseed.studies._resampled import ResampledFit
from reseed.studies._samples import Evaluation, check_encodable, evaluation_data, pair
from reseed.studies._single import Predicted, write_single_run
from reseed.studies._study import Study
from reseed.studies._targets import AUTO
from reseed.studies._tasks import AbstractRunTask, finish_study, only_writer
from reseed.studies._train import check_runs
from reseed.training import Level, RecordConfig, SeedPlan


def run(
    fit: Any,
    *,
    eval_data: Any,
    out: str | Path,
    runs: int = 20,
    train_data: Any = None,
    text: str | None = None,
    label: str | None = None,
    seed: int = 0,
    sample_ids: Sequence[Any] | None = None,
    class_names: Sequence[Any] | None = None,
    texts: Sequence[str] | None = None,
    unknown_target: Any = AUTO,
    name: str | None = None,
    level: Level = "scores",
    engine: str | Engine = "auto",
    jobs: int | None = None,
    address: str | None = None,
    retries: int = 2,
) -> Study:
    """Measure a training of one's own: call ``fit(seed)`` many times and record what each result predicts.

    Finished runs are kept; calling again with the same folder and evaluation data continues or extends.

    Args:
        fit: A function from a seed (an integer in [0, 2**32)) to a fitted model: anything with ``predict``,
            ``predict_proba`` or both, or a function from inputs to predictions. Labels are what ``predict`` answers;
            probabilities stand beside them, their columns matched through ``classes_`` where the model has that. Or an
            unfitted scikit-learn estimator, which is cloned, given the seed as every ``random_state`` it has, and
            fitted on ``train_data``.
        eval_data: ``(inputs, targets)``, a `Dataset`, or a frame or data set with columns, see ``label``. Targets may
            be None, class names, or positions in ``class_names``; whole numbers are read as one or the other in the
            whole study, see `LabelReading`.
        out: The study's folder, or a URL that begins with ``s3://``, ``gs://`` or ``az://``.
        runs: Trainings in all, two or more.
        train_data: ``(inputs, targets)`` for an unfitted estimator, or a frame as ``eval_data``.
        text: Of frames (pandas, polars) and data sets of `datasets`: the column with the texts, which are the inputs;
            default: the inputs are the frame without its labels.
        label: The column with the targets.
        seed: Base seed from which the seeds of all runs derive.
        sample_ids: Stable ids, [sample]; default: the row number. A `Dataset` brings its own, and the next two.
        class_names: Names of the classes; default: the sorted distinct targets, of ``train_data`` as well.
        texts: What the report shows of each sample, [sample]; default: the inputs, where they are texts.
        unknown_target: The target of samples whose gold label is not known. Default: -1 and -100 beside targets of
            zero and above, where they cannot be classes, see `Targets`; None: every target is a class.
        name: What the report calls the model; default: the name of ``fit``.
        level: What is recorded: ``labels``, ``scores`` or ``full``.
        engine: ``auto``, ``serial``, ``processes``, ``cluster``, or an `Engine` of one's own.
        jobs: Worker processes, or runs at once on a cluster; default: one for each core.
        address: Where the cluster is: ``auto`` or HOST[:PORT]; default: a Ray on this machine alone.
        retries: How often failed runs are tried again.

    Returns:
        The study.

    Raises:
        InputError: An argument is unusable.
        StudyError: The folder holds another study: of other evaluation data, or of another ``fit``.
        StorageError: The folder cannot be written.
        TrainingError: Some runs did not finish; the message shows what ``fit`` raised.

    Examples:
        >>> import tempfile
        >>> from sklearn.datasets import load_wine
        >>> from sklearn.ensemble import RandomForestClassifier
        >>> x, y = load_wine(return_X_y=True)
        >>> def fit(seed):
        ...     return RandomForestClassifier(5, random_state=seed).fit(x[::2], y[::2])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     study = run(fit, runs=3, out=folder + "/wine", eval_data=(x[1::2], y[1::2]), engine="serial")
        ...     study.final("labels").shape
        (3, 89)
    """
    check_runs(runs)
    check_retries(retries)
    check_encodable("name", () if name is None else (name,))
    plan = SeedPlan(seed)
    chosen = as_engine(engine, jobs=jobs, address=address)
    eval_data = in_columns(eval_data, "eval_data", text, label)
    fitter = _fitter(fit, in_columns(train_data, "train_data", text, label))
    if texts is None and not isinstance(eval_data, Dataset):
        texts = texts_among(eval_data)
    data = evaluation_data(
        eval_data,
        "eval_data",
        sample_ids=sample_ids,
        class_names=class_names,
        texts=texts,
        unknown_target=unknown_target,
        known_labels=fitter.targets if isinstance(fitter, EstimatorFit) else None,
    )
    header = Header(
        kind="fit",
        dataset=data.name,
        model=name or str(getattr(fit, "__name__", type(fit).__name__)),
        runs=runs,
        class_names=data.samples.class_names,
        data=data.samples.digest,
        recipe=fingerprint(fitter),
        base_seed=plan.base,
        record=RecordConfig(every="final", level=level),
        notes=data.notes,
    )
    with only_writer(out) as root:
        if isinstance(fitter, ResampledFit):
            fitter = fitter.continued(read_header(root))
            header = replace(header, draws=fitter.draws)
        study = Study.create(out, header, data.samples)
        task = FitRun(root.absolute(), fitter, data, plan, level)
        return finish_study(study, task, chosen, retries)


@dataclass(frozen=True, eq=False)
class FitRun(AbstractRunTask):
    """Calls the user's ``fit`` with the run's seed and records what comes back."""

    fit: Callable[[int], Any]
    data: Evaluation
    plan: SeedPlan
    level: Level

    def _do(self, group: Group, missing: Sequence[int]) -> list[Manifest]:
        return [self._fit(run) for run in missing]

    def _fit(self, run: int) -> Manifest:
        watch, seed = Stopwatch(), self.plan.seeds(run).init
        samples = self.data.samples
        predicted = _predicted(self.fit(seed), self.data.inputs, self.data.labels, len(samples))
        return write_single_run(
            self.root,
            run,
            predicted,
            samples,
            self.level,
            seeds={"fit": seed},
            cost=watch.cost(),
            recipe=fingerprint(self.fit),
        )


@dataclass(frozen=True, eq=False)
class EstimatorFit:
    """Turns an unfitted scikit-learn estimator into a function of the seed."""

    estimator: Any
    inputs: Any
    targets: Any

    def __call__(self, seed: int) -> Any:
        """Return a fitted clone whose every ``random_state`` is the seed."""
        return fitted_clone(self.estimator, self.inputs, self.targets, seed)


def _fitter(fit: Any, train_data: Any) -> Callable[[int], Any]:
    if is_estimator(fit):
        if train_data is None:
            raise InputError(f"fit is the unfitted estimator {fit!r}; pass train_data=(inputs, targets) with it.")
        if not random_states(fit):
            raise InputError(
                f"the estimator {fit!r} has no random_state, so all runs would be equal; "
                "pass a function fit(seed) that brings in the randomness you mean."
            )
        return EstimatorFit(fit, *pair(train_data, "train_data"))
    if train_data is not None:
        raise InputError("train_data is only used with an unfitted estimator; fit(seed) brings its own data.")
    if isinstance(fit, torch.nn.Module):
        raise InputError(
            f"fit is a {type(fit).__name__}, one network; pass a function fit(seed) that makes and trains one, or give "
            "a function that makes a fresh network to reseed.measure(data, model)."
        )
    if not callable(fit):
        raise InputError(f"fit must be a function of the seed or an unfitted estimator, got {type(fit).__name__}.")
    return fit  # type: ignore[no-any-return]


def fingerprint(fit: Any) -> str:
    """Return a digest of what ``fit`` is, so that a study is not continued with another one.

    Of a function, its code and defaults; of an estimator, its class and parameters; of anything else, its type. What a
    function reads from outside (data, other functions) is not seen.
    """
    fit = unwrapped(fit)
    if isinstance(fit, ResampledFit):
        text = f"{fingerprint(fit.fit)} {fit.digest} {fit.is_seed_varied}"
    elif is_estimator(fit):
        text = repr((type(fit), sorted(map(repr, fit.get_params().items()))))
    elif isinstance(fit, EstimatorFit):
        text = repr((type(fit.estimator), sorted(map(repr, fit.estimator.get_params().items()))))
    else:
        text = code_text(fit)
    return hashlib.sha256(without_addresses(text).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _predicted(fitted: Any, inputs: Any, labels: LabelReading, samples: int) -> Predicted:
    """Return what a fitted model answers: what its ``predict`` says, with probabilities beside it if it has both."""
    if hasattr(fitted, "predict_proba"):
        found = as_array(fitted.predict_proba(inputs), "predictions")
        if found.ndim != 2:
            raise InputError(f"predict_proba must give [sample, class], got shape {found.shape}.")
        probabilities = _probabilities(found, getattr(fitted, "classes_", None), labels, samples)
        if not hasattr(fitted, "predict"):
            return Predicted.of(probabilities)
        return Predicted(_answers(fitted.predict(inputs), labels, samples), probabilities)
    if hasattr(fitted, "predict"):
        answered = fitted.predict(inputs)
    elif callable(fitted):
        answered = fitted(inputs)
    else:
        raise InputError(
            f"fit(seed) must return something with predict_proba or predict, or a function; "
            f"got {type(fitted).__name__}."
        )
    found = as_array(answered, "predictions")
    _check_samples(found, samples)
    if found.ndim == 2 and (found.dtype.kind == "f" or found.shape[1] != 1):
        return Predicted.of(_probabilities(found, None, labels, samples))
    return Predicted(_answers(found, labels, samples))


def _answers(found: Any, labels: LabelReading, samples: int) -> NDArray[np.int64]:
    """Return labels as positions among the classes, [sample]."""
    answers = labels.indices(one_each(found, "predictions"), "predictions")
    _check_samples(answers, samples)
    return answers


def _check_samples(found: NDArray[Any], samples: int) -> None:
    if found.ndim not in (1, 2) or len(found) != samples:
        raise InputError(
            f"predictions must have shape [sample] or [sample, class] with {samples} samples, got {found.shape}."
        )


def _probabilities(found: NDArray[Any], classes: Any, labels: LabelReading, samples: int) -> NDArray[Any]:
    """Return probabilities [sample, class] with columns in the order of the classes.

    Columns are matched by ``classes`` where the model names those; classes not seen in training get zero.
    """
    _check_samples(found, samples)
    names = labels.class_names
    if classes is not None:
        columns = labels.indices(classes, "classes_")
        if found.shape[1:] != columns.shape:
            raise InputError(f"predict_proba gives {found.shape[1]} columns for {columns.size} classes in classes_.")
        aligned = np.zeros((len(found), len(names)), found.dtype)
        aligned[:, columns] = found
        found = aligned
    if found.shape[1] != len(names):
        raise InputError(
            f"predictions have {found.shape[1]} columns for the {len(names)} classes {names}; return a column for "
            "every class, in this order, or give the model a classes_ that says which class each column is."
        )
    check_simplex(found, "predictions")
    return found
