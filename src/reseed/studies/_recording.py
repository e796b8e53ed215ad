"""One run of a study that is written by a training which reseed does not drive."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from reseed._errors import InputError, StudyError
from reseed._foreign import read_arrays, reason
from reseed._numbers import is_whole
from reseed.studies._cost import Stopwatch
from reseed.studies._files import replace_file, storing
from reseed.studies._header import HEADER_FILE, Header, read_header
from reseed.studies._manifest import Manifest, environment, existing_runs, read_manifest, run_folder
from reseed.studies._remote import Remote, located
from reseed.studies._samples import Samples
from reseed.studies._store import RunWriter, remove_leftovers
from reseed.studies._study import EVALUATION, Study
from reseed.studies._tasks import only_writer
from reseed.studies._weights import file_name, write_weights
from reseed.training import EvaluatedWeights

_WAIT_S = 60.0  # beginning and finishing hold the study's lock for moments, so that runs of one study may overlap
_UNFINISHED = "unfinished"
_STOPPED = ".stopped"
_UNKNOWN_TARGET = "own_probability"  # the one score that is NaN in a run that is well


@final
class RunRecording:
    """Streams one run's checkpoints, whose number need not be known, into a study's folder or to its URL.

    The study is begun, or continued, when this is made. The run exists once `finish` returns; until then nothing of it
    is visible. Several processes may record different runs of one study at once. Of a study at a URL they are kept on
    this machine until the run is finished, and copied then; a finished run that could not be copied is copied when it
    is begun again, or when somebody asks for the runs that are missing.

    Args:
        out: The study's folder or URL.
        run: The run's number, from 0 to one less than the header's runs.
        header: What all runs have in common. With ``record.every`` set to ``final`` only the last checkpoint is kept.
            With ``record.weights`` set to ``final`` or ``checkpoints``, and to nothing else, weights are.
        samples: Who is predicted.
        resumable: Whether checkpoints are also kept beside the run until it is finished, so that a training that was
            cut off can go on from one of its own checkpoints.
        resume_from: The step from which the training goes on; what was recorded after it is dropped. Only with
            ``resumable``.
        input_shape: Shape of one sample, for the factory of a module for the weights.
        inputs: What networks of the weights are asked, [sample, ...], where the study keeps that.

    Raises:
        InputError: The run's number is none of the study's.
        StudyError: The folder holds another study, or the run is finished, or there is nothing to resume from.
        StorageError: It cannot be written, or the URL not be reached.
    """

    def __init__(
        self,
        out: str | Path,
        run: int,
        header: Header,
        samples: Samples,
        *,
        resumable: bool = False,
        resume_from: int | None = None,
        input_shape: tuple[int, ...] = (),
        inputs: Tensor | None = None,
    ) -> None:
        if not is_whole(run) or not 0 <= run < header.runs:
            raise InputError(f"run must be a number from 0 to {header.runs - 1} (runs={header.runs}), got {run!r}.")
        self._out, self._run, self._header, self._samples = out, int(run), header, samples
        copy, self._remote = located(out)
        self._root = copy if self._remote is None else _staging(copy)
        self._last_only = header.record.every == "final"
        self._steps: list[int] = []
        self._last: dict[str, NDArray[Any]] = {}
        self._diverged_at: int | None = None
        with only_writer(out, _WAIT_S) as root:
            if self._remote is not None and not (root / HEADER_FILE).exists():
                shutil.rmtree(self._root, ignore_errors=True)  # of a study that was at the URL before
            study = Study.create(out, header, samples, inputs=inputs)
            if self._remote is not None:
                _push_left(self._remote, root, self._run)
            self._check_unfinished(root)
            remove_leftovers(self._root, self._run, None)
        self._expected = study.manifests[0].steps if study.manifests and not self._last_only else None
        self._watch = Stopwatch()
        self._unfinished = run_folder(self._root, self._run) / _UNFINISHED if resumable else None
        self._kept = header.record.weights if header.record.weights in ("final", "checkpoints") else "none"
        self._about = {
            "recipe": header.recipe,
            "factory": header.factory,
            "input_shape": list(input_shape),
            "dtype": "",
        }
        self.writer = RunWriter(self._root, self._run, None, len(header.class_names), self._about)
        if self._unfinished is not None:
            self._resume(self._unfinished, resume_from)

    @property
    def steps(self) -> tuple[int, ...]:
        """Steps of the checkpoints that were recorded."""
        return tuple(self._steps)

    def write(self, arrays: Mapping[str, NDArray[Any]], step: int, weights: EvaluatedWeights | None = None) -> None:
        """Take the arrays of one checkpoint, as `reseed.training.prediction_arrays` gives them.

        Scores that are NaN or infinite are not taken: the run counts as diverged, and nothing after them is taken.

        Args:
            arrays: By name, [sample, ...].
            step: The training step.
            weights: What the predictions were made with, where that is kept.

        Raises:
            InputError: Steps do not rise, or the arrays are others than those of the checkpoint before, or weights
                shall be kept and are not given.
            StudyError: The finished runs of the study have no checkpoint here.
            StorageError: It cannot be written.
        """
        if not all(np.isfinite(values).all() for name, values in arrays.items() if name != _UNKNOWN_TARGET):
            self.diverge(step)
        if self.has_diverged:
            return
        self._check_step(step)
        step = int(step)  # numpy integers are no JSON
        if self._last and set(self._last) != set(arrays):
            raise InputError(
                f"step {step} records {', '.join(sorted(arrays))}, the checkpoint before it "
                f"{', '.join(sorted(self._last))}; record the same at every checkpoint."
            )
        self._keep(step, weights)  # before the arrays, which say that the checkpoint is there
        if self._unfinished is not None:
            saved = self._unfinished / f"{step:012d}.npz"
            replace_file(saved, lambda path: _save(path, arrays))
            if self._keeps_last_weights:
                self._drop_unfinished_weights(but=step)
        self._take(arrays, step)

    def diverge(self, step: int) -> None:
        """Note that predictions were no longer finite at a step; nothing after it is recorded."""
        if self._diverged_at is None:
            self._check_step(step)
            self._diverged_at = int(step)

    @property
    def has_diverged(self) -> bool:
        """Whether predictions were no longer finite at some step."""
        return self._diverged_at is not None

    def finish(self, seeds: Mapping[str, int] | None = None) -> Manifest:
        """Make the run exist.

        Args:
            seeds: Seeds by name, for the manifest.

        Raises:
            StudyError: Nothing was recorded, or the checkpoints are not those of the study's finished runs, or somebody
                else finished this run.
            StorageError: It cannot be written.
        """
        if not self._steps and self._diverged_at is None:
            raise StudyError(f"run {self._run} has no checkpoint; call record at least once before it ends.")
        with only_writer(self._out, _WAIT_S) as root:
            self._check_unfinished(root)
            finished = Study.open(root).manifests
            if finished and not self._last_only and self._diverged_at is None and finished[0].steps != self.steps:
                raise StudyError(
                    f"run {self._run} was recorded at {len(self._steps)} checkpoints, run {finished[0].run} of the "
                    f"study {str(self._out)!r} at {len(finished[0].steps)} or at other steps; record all runs at the "
                    "same steps, or pass every='final' where trainings differ in length."
                )
            if self._last_only and self._steps:
                self.writer.write(EVALUATION, 0, self._last)
            self._place_weights()
            manifest = self._manifest(dict(seeds or {}))
            self.writer.finish(manifest)
            if self._remote is not None:
                _push_left(self._remote, root, self._run)
        if self._unfinished is not None:
            shutil.rmtree(self._unfinished, ignore_errors=True)
        return manifest

    def discard(self, stopped_at: int | None = None) -> None:
        """Remove what was written, unless the run is finished or the training can be resumed.

        Args:
            stopped_at: The step at which recording failed while the training went on. As checkpoints are missing from
                there on, the training can be resumed with its record from before that step only.
        """
        if stopped_at is not None and self._unfinished is not None:
            step = int(stopped_at) if is_whole(stopped_at) else (self._steps or [0])[-1] + 1
            try:
                (self._unfinished / f"{step:012d}{_STOPPED}").touch()
            except OSError:  # such as a disk that is full altogether
                shutil.rmtree(self._unfinished, ignore_errors=True)
        self.writer.discard()

    def _manifest(self, seeds: dict[str, int]) -> Manifest:
        cost, targets = self._watch.cost(), self._samples.targets
        cost["forward_passes"] = len(self._steps) * len(self._samples)
        if self.writer.weights:
            cost["weights_bytes"] = self.writer.weights_bytes
        accuracy = None
        if self._last and self._samples.has_targets and self._diverged_at is None:
            known = targets >= 0
            accuracy = float((self._last["labels"] == targets)[known].mean())
        return Manifest(
            self._run,
            "complete" if self._diverged_at is None else "diverged",
            self.writer.name,
            tuple(self._steps[-1:] if self._last_only else self._steps),
            self._samples.digest,
            seeds=seeds,
            accuracy=accuracy,
            diverged_at=self._diverged_at,
            cost=cost,
            environment=environment(),
            recipe=self._header.recipe,
            weights=dict(self.writer.weights),
        )

    def _keep(self, step: int, weights: EvaluatedWeights | None) -> None:
        """Write the weights of a checkpoint: beside the run where it may be resumed, else to their place."""
        if self._kept == "none":
            return
        if weights is None:
            raise InputError(
                f"step {step} has no weights, and record.weights={self._kept!r} keeps them; pass those with which its "
                "predictions were made."
            )
        if self._unfinished is not None:
            about = {**self._about, "run": self._run, "step": step}
            write_weights(self._unfinished / file_name(step), [weights], about)
            return
        if self._keeps_last_weights:
            self.writer.drop_weights()
        self.writer.write_weights(step, [weights])

    @property
    def _keeps_last_weights(self) -> bool:
        return self._kept == "final" or self._last_only

    def _place_weights(self) -> None:
        """Put the weights of a run that is finished into their place; of one that diverged none are kept."""
        if self.has_diverged:
            self.writer.drop_weights()
        elif self._unfinished is not None and self._kept != "none":
            for step in self._steps[-1:] if self._keeps_last_weights else self._steps:
                path = self._unfinished / file_name(step)
                if not path.exists():
                    raise StudyError(
                        f"run {self._run} has no weights after step {step}: it went on from there, and what was "
                        "recorded before holds none of that step. Train the run from its beginning."
                    )
                with storing(path):
                    self.writer.take_weights(step, path)

    def _drop_unfinished_weights(self, but: int | None = None, after: int = -1) -> None:
        """Remove the weights of checkpoints of an unfinished run, those after a step except one."""
        for path in self._unfinished.glob("[0-9]*.safetensors") if self._unfinished is not None else ():
            if int(path.stem) > after and int(path.stem) != but:
                path.unlink(missing_ok=True)

    def _take(self, arrays: Mapping[str, NDArray[Any]], step: int) -> None:
        if not self._last_only:
            self.writer.write(EVALUATION, len(self._steps), arrays)
        self._steps.append(step)
        self._last = dict(arrays)

    def _check_step(self, step: int) -> None:
        if not is_whole(step) or step < 0:
            raise InputError(f"step must be a whole number of steps, 0 or more, got {step!r}.")
        if self._steps and step <= self._steps[-1]:
            raise InputError(f"step must rise from checkpoint to checkpoint, got {step} after {self._steps[-1]}.")
        position = len(self._steps)
        if self._expected is not None and step not in self._expected[position : position + 1]:
            raise StudyError(
                f"run {self._run} records step {step} as its checkpoint {position + 1}, but the finished runs of "
                f"{str(self._out)!r} have the steps {_listed(self._expected)}; record all runs at the same steps, or "
                "pass every='final' where trainings differ in length."
            )

    def _check_unfinished(self, root: Path) -> None:
        if read_manifest(root, self._run) is not None:
            folder = run_folder(root, self._run)
            place = str(folder) if self._remote is None else f"{self._remote.url}/{folder.relative_to(root).as_posix()}"
            raise StudyError(
                f"run {self._run} of the study {str(self._out)!r} is finished; record one that is missing, or delete "
                f"the folder {place!r} first."
            )

    def _resume(self, folder: Path, resume_from: int | None) -> None:
        if resume_from is None:
            shutil.rmtree(folder, ignore_errors=True)
            with storing(folder):
                folder.mkdir(parents=True)
            return
        if not folder.is_dir():
            self.discard()
            raise StudyError(
                f"run {self._run} goes on from step {resume_from}, but {str(self._root)!r} holds nothing of what was "
                "recorded before it; train the run from its beginning."
            )
        for path in folder.glob(f"[0-9]*{_STOPPED}"):
            if int(path.stem) <= resume_from:
                self.discard()
                raise StudyError(
                    f"run {self._run} goes on from step {resume_from}, but recording it had stopped at step "
                    f"{int(path.stem)}; go on from a checkpoint before that, or train the run from its beginning."
                )
            path.unlink()
        self._drop_unfinished_weights(after=resume_from)
        for path in sorted(folder.glob("[0-9]*.npz")):
            if int(path.stem) > resume_from:
                path.unlink()
                continue
            try:
                saved = read_arrays(path, StudyError)
            except (OSError, ValueError) as error:
                self.discard()
                raise StudyError(
                    f"what was recorded at step {int(path.stem)} cannot be read from {str(path)!r}: {reason(error)}. "
                    "Train the run from its beginning."
                ) from error
            self._take(saved, int(path.stem))


def unfinished_runs(out: str | Path, runs: int) -> tuple[int, ...]:
    """Return which runs of a study that is recorded are not finished yet: all, where there is no study.

    Args:
        out: The study's folder or URL.
        runs: How many runs there will be.

    Raises:
        StudyError: The folder holds a corrupt study.
        StorageError: The URL cannot be reached.
    """
    root, remote = located(out)
    if remote is not None:
        with only_writer(out, _WAIT_S):
            if (root / HEADER_FILE).exists():
                for run in existing_runs(_staging(root)):
                    _push_left(remote, root, run)
    if not (root / HEADER_FILE).exists():
        return tuple(range(runs))
    study = Study.open(root)
    finished = {manifest.run for manifest in (*study.manifests, *study.diverged)}
    return tuple(run for run in range(runs) if run not in finished)


def _staging(copy: Path) -> Path:
    """Return where runs are written until they are copied to the URL: not in the copy, which follows the URL."""
    return copy.with_name(f"{copy.name}-recording")


def _push_left(remote: Remote, root: Path, run: int) -> None:
    """Copy a run that was finished on this machine to the URL and the local copy, unless it is there.

    Whoever calls this holds the study's lock.
    """
    staging, header = _staging(root), read_header(root)
    manifest = read_manifest(staging, run)
    if manifest is None or header is None:
        return
    # The study at the URL may have been made anew with other data or another training since.
    is_of_study = (manifest.data, manifest.recipe) == (header.data, header.recipe)
    if not remote.pull_run(root, run) and is_of_study:
        remote.push_run(staging, manifest)
        remote.pull_run(root, run)
    shutil.rmtree(run_folder(staging, run), ignore_errors=True)


def _save(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    with path.open("wb") as file:  # a path without .npz at its end would get one
        np.savez(file, **arrays)  # type: ignore[arg-type]  # no array is called allow_pickle


def _listed(steps: tuple[int, ...]) -> str:
    return ", ".join(map(str, steps[:8])) + (", ..." if len(steps) > 8 else "")
