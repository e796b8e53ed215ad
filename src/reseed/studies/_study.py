"""A study: the folder or URL that runs leave behind, opened."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from reseed._arguments import argument, setting
from reseed._errors import InputError, StudyError
from reseed._shown import AbstractResult
from reseed.studies._again import RECIPE_FILE, check_recipe, data_for
from reseed.studies._corruption import read_corruption, write_corruption
from reseed.studies._data_file import write_data
from reseed.studies._files import inside, is_partial, remove_partials, replace_text
from reseed.studies._final import FinalArray
from reseed.studies._header import HEADER_FILE, Header, check_same_study, read_header, write_header
from reseed.studies._manifest import Manifest, existing_runs, read_manifest
from reseed.studies._progress import to_stderr
from reseed.studies._recorded_inputs import check_same_inputs, write_inputs
from reseed.studies._remote import Remote, located
from reseed.studies._samples import Samples
from reseed.studies._samples_file import read_samples, write_samples
from reseed.studies._store import STEPS, array_names, open_array, read, read_steps, read_tracked
from reseed.studies._views import stacked_view
from reseed.training import DROPOUT, STEP, TRACKED, Recipe, load_recipe, trained_on

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import xarray as xr
    from torch import Tensor

    from reseed.data import CorruptionRecord
    from reseed.models import Networks
    from reseed.studies._study_inputs import StudyInputs

EVALUATION = "evaluation"
# What there may be before the header is written, besides half-written files of a killed process.
_BEFORE_A_STUDY = re.compile(
    r"\.lock|cache|corruption\.parquet|data\.parquet|evaluation\.parquet|inputs\.safetensors|recipe\.toml|study\.json"
)


def check_folder(place: str | Path) -> None:
    """Accept a folder that holds a study, or nothing, or what a study leaves before it begins; or a URL.

    Raises:
        InputError: It looks like a URL, but not like one of an object store.
        StudyError: It holds other files; they are never mixed with a study's.
    """
    root, remote = located(place)
    if remote is not None or not root.exists() or (root / HEADER_FILE).exists():
        return
    if not root.is_dir() or not all(
        is_partial(item.name) or _BEFORE_A_STUDY.fullmatch(item.name) for item in root.iterdir()
    ):
        raise StudyError(
            f"{str(root)!r} exists and holds no study; choose another {argument('out')}, or an empty folder."
        )


@final
@dataclass(frozen=True, eq=False, repr=False)
class Study(AbstractResult):
    """The recorded predictions of many trainings of one recipe, in a folder or at a URL.

    Open one with `Study.open`. It opens with some runs missing or diverged and says so in `missing` and
    `diverged`; every array holds the complete runs only, in the order of their numbers.

    Attributes:
        path: The folder; for a study at a URL, that of its local copy.
        header: What all runs have in common.
        samples: The evaluation samples.
        manifests: The complete runs.
        diverged: Runs that ended without usable predictions.
        url: Where the study is, if it is not in a folder.
    """

    path: Path
    header: Header
    samples: Samples
    manifests: tuple[Manifest, ...]
    diverged: tuple[Manifest, ...]
    url: str | None = None

    @classmethod
    def open(cls, path: str | Path) -> Study:
        """Open the study in a folder or at a URL, of which a local copy is made.

        Raises:
            StudyError: There is no study, or a corrupt one, or one of another version.
            StorageError: The URL cannot be reached.
        """
        root, remote = located(path)
        if remote is None:
            return cls._read(root)
        try:
            if remote.pull(root):
                return cls._read(root, remote.url)
        except StudyError as error:
            raise StudyError(f"in the local copy of {remote.url!r}: {error}") from error
        raise StudyError(f"{remote.url!r} holds no study: it has no study.json.")

    @classmethod
    def _read(cls, root: Path, url: str | None = None) -> Study:
        header = read_header(root)
        if header is None:
            raise StudyError(f"{str(root)!r} holds no study: it has no readable study.json.")
        samples = read_samples(root, header.class_names, header.data)
        found = [manifest for run in existing_runs(root) if (manifest := read_manifest(root, run)) is not None]
        for manifest in found:
            if (manifest.data, manifest.recipe) != (header.data, header.recipe):
                raise StudyError(
                    f"run {manifest.run} of the study {str(root)!r} belongs to another recipe or other data; "
                    "its folder was moved here. Delete it."
                )
        complete = tuple(manifest for manifest in found if manifest.status == "complete")
        diverged = tuple(manifest for manifest in found if manifest.status == "diverged")
        return cls(root, header, samples, complete, diverged, url)

    @classmethod
    def create(
        cls,
        path: str | Path,
        header: Header,
        samples: Samples,
        recipe: Recipe | None = None,
        inputs: Tensor | None = None,
        corruption: CorruptionRecord | None = None,
    ) -> Study:
        """Begin a study in a folder or at a URL, or return the one that is there to be continued.

        A study that is there may be asked for more runs; everything else must be what it began with.

        Args:
            path: The folder or URL.
            header: What all runs have in common.
            samples: Who is predicted.
            recipe: What is trained, where reseed does.
            inputs: What the networks of recorded runs are asked, [sample, ...], where the study keeps that.
            corruption: Which training samples were corrupted on purpose.

        Raises:
            StudyError: The folder holds another study, or files that are none.
            StorageError: It cannot be written.
        """
        root, remote = located(path)
        found = read_header(root)
        if found is not None:
            if recipe is not None:
                check_recipe(root, recipe)
            check_same_study(root, found, header)
            if inputs is not None:
                check_same_inputs(root, inputs, len(samples))
            # Both begin with the same groups; the longer one knows of the runs that are new.
            groups = max(header.groups, found.groups, key=len)
            header = replace(header, runs=max(header.runs, found.runs), groups=groups)
        else:
            check_folder(path)
            remove_partials(root)
            write_samples(root, samples)
            write_inputs(root, inputs)
            write_corruption(root, corruption)
            write_data(root, None if recipe is None else recipe.data.held)
            if recipe is not None:
                replace_text(root / RECIPE_FILE, recipe.to_toml())
        if found != header:
            write_header(root, header)
            if remote is not None:
                remote.push_header(root)
        return cls._read(root, None if remote is None else remote.url)

    @staticmethod
    def from_predictions(predictions: Any, out: str | Path, **described: Any) -> Study:
        """Make a study of the predictions of several trainings; see `reseed.studies.from_predictions`."""
        from reseed.studies._import import from_predictions  # it needs this class

        return from_predictions(predictions, out, **described)

    def networks(
        self,
        runs: Sequence[int] | None = None,
        checkpoint: int | None = None,
        *,
        trust_code: bool = False,
        announce: Callable[[str], None] | None = None,
    ) -> Networks:
        """Return the trained networks of runs: read where their weights are kept, else trained again from their seeds.

        Of runs that a `Recorder` or a callback recorded, those whose weights are kept (``weights=True``) are built by
        the ``factory`` that was named then. The rest of this is about studies that reseed trained.

        For weights that are kept, see `kept_weights`, neither the data nor the device of the study need be there; at a
        URL they are fetched now. The others are trained again, and answer as it was recorded: labels and confidences of
        the evaluation split are compared bit for bit before anything is returned. A line says beforehand how long the
        runs took. What teachers say to all runs is taken from the study's folder; where it is not there, as in studies
        of `mitigate`, it is taught again and kept there.

        Args:
            runs: Numbers of complete runs; default: all. Runs that were one program are trained as one again, so a few
                runs may take as long as many.
            checkpoint: The step after which networks are wanted, one of those that were recorded; default: the last.
            trust_code: Whether to import the code that the study's recipe names as its model, see `recipe_for`, or
                the factory that was named when its runs were recorded.
            announce: Takes lines before long work begins; default: standard error.

        Raises:
            InputError: A number is that of no complete run or recorded step, or runs have to be trained again and the
                study's device cannot be used here.
            StudyError: The study was neither trained by reseed nor recorded with its weights, or kept weights are
                damaged or another model's, or its data is another one now, or a run does not come out as it was
                recorded.
            StorageError: The URL cannot be reached.
            ModelError: The recipe or the study names code, which is not trusted.

        Examples:
            >>> import tempfile
            >>> from reseed.studies import train_study
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     study = train_study(Recipe(epochs=1), folder + "/study", runs=2, engine="serial")
            ...     networks, evaluation = study.networks(announce=lambda line: None), study.inputs()
            ...     labels, recorded = networks.predict(evaluation.inputs).argmax(-1).numpy(), study.final()
            >>> len(networks), labels.shape, bool((labels == recorded).all())
            (2, (2, 360), True)
        """
        from reseed.studies._networks import networks_of  # it needs this class

        return networks_of(self, runs, checkpoint, trust_code=trust_code, announce=announce or to_stderr)

    @property
    def kept_weights(self) -> dict[int, tuple[int, ...]]:
        """The steps after which each complete run's weights are kept, by run; of others reseed trains its own again."""
        return {manifest.run: tuple(sorted(map(int, manifest.weights))) for manifest in self.manifests}

    def inputs(
        self, split: str = EVALUATION, *, trust_code: bool = False, announce: Callable[[str], None] | None = None
    ) -> StudyInputs:
        """Return what the study's networks take, with targets and ids of the samples, and the raw samples.

        What comes back has ``transform``, which makes inputs of other raw samples as those of the training were made.
        The targets of the training split are those that were learned: where labels were corrupted, the corrupted ones.
        Of recorded runs the inputs are kept in the study where these are one array of numbers of at most 64 MiB.

        Args:
            split: ``evaluation`` or ``train``.
            trust_code: See `networks`.
            announce: See `networks`.

        Raises:
            InputError: There is no such split.
            StudyError: The study was not trained by reseed and keeps no inputs, or its data is another one now.
            ModelError: The recipe names code, which is not trusted.
        """
        from reseed.studies._networks import inputs_of  # it needs this class

        return inputs_of(self, split, trust_code=trust_code, announce=announce or to_stderr)

    def trained_on(self) -> NDArray[np.bool_]:
        """Return which training samples each complete run was trained on, [run, sample], recomputed from its seeds.

        All of them, but where runs train on resamples, folds or shares of the training set; see `SeedPlan`.

        Raises:
            StudyError: The study was not trained by reseed, or its data is another one now.
        """
        recipe = self.recipe
        if self.header.kind != "training" or recipe is None or self.header.factory:
            raise StudyError(
                f"the study {str(self.path)!r} was not trained by reseed, so what it was trained on is not known."
            )
        if "labels" in self.recorded_names("train"):
            samples = self._equal_arrays("labels", "train")[0].shape[1]
        else:
            samples = len(data_for(recipe, self.path).train)
        return trained_on(self.header.plan, (manifest.run for manifest in self.manifests), samples)

    def reread(self) -> Study:
        """Return the study with what its folder holds now."""
        return self._read(self.path, self.url)

    def publish(self, *names: str) -> None:
        """Copy files of the study's folder to its URL, if it has one.

        Raises:
            StorageError: The URL cannot be reached.
        """
        if self.remote is not None:
            self.remote.store.upload(names, self.path)

    @property
    def remote(self) -> Remote | None:
        """What is at the study's URL, if it has one."""
        return None if self.url is None else Remote(self.url)

    def __repr__(self) -> str:
        missing = f", {len(self.missing)} missing" if self.missing else ""
        diverged = f", {len(self.diverged)} diverged" if self.diverged else ""
        return (
            f"Study({self.url or str(self.path)!r}: {self.header.dataset}, {self.header.model}, "
            f"{len(self.manifests)} runs{missing}{diverged}, {len(self.samples)} samples)"
        )

    @cached_property
    def recipe(self) -> Recipe | None:
        """What was trained; None for studies that reseed did not train."""
        path = inside(self.path, RECIPE_FILE)
        try:
            return load_recipe(path) if path.exists() else None
        except InputError as error:
            raise StudyError(f"the recipe of the study {str(self.path)!r} cannot be used: {error}") from error

    @cached_property
    def corruption(self) -> CorruptionRecord | None:
        """Which training samples were corrupted on purpose, and what their labels were; None where none were.

        Raises:
            StudyError: The file that says so is damaged, or takes more to read than `reseed.max_bytes` allows.
        """
        return read_corruption(self.path, self.header.class_names)

    @property
    def missing(self) -> tuple[int, ...]:
        """Numbers of the runs that were asked for and have not finished."""
        finished = {manifest.run for manifest in (*self.manifests, *self.diverged)}
        return tuple(run for run in range(self.header.runs) if run not in finished)

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The runs in the groups that are trained together; groups of one unless the study is a stacked one.

        A group that did not fit into memory was cut where the manifests of its runs say, and stays so.
        """
        if not self.header.groups:
            return tuple((run,) for run in range(self.header.runs))
        cuts = {end for manifest in (*self.manifests, *self.diverged) for end in manifest.group}
        cuts |= {end for group in self.header.groups for end in group}
        return tuple(tuple(range(start, stop)) for start, stop in pairwise(sorted(cuts)))

    @property
    def targets(self) -> NDArray[np.int64]:
        """The gold labels, [sample]; -1 where unknown."""
        return self.samples.targets

    @property
    def labels(self) -> xr.DataArray:
        """Predicted labels [run, checkpoint, sample], read lazily."""
        return self.recorded("labels")

    def recorded(self, name: str, split: str = EVALUATION) -> xr.DataArray:
        """Return one recorded array, read lazily.

        Args:
            name: ``labels``; with level ``scores``: ``own_probability``, ``confidence``, ``margin``, ``entropy``;
                with level ``full`` also ``probabilities``; of runs that may abstain ``abstains``, zeros and ones; where
                a temperature was fitted ``tempered_confidence`` and ``tempered_own_probability``.
            split: ``evaluation``, or ``train`` where it was recorded.

        Returns:
            An array [run, checkpoint, sample], or [run, checkpoint, sample, class] for ``probabilities``.

        Raises:
            StudyError: It was not recorded; the message lists what was.
        """
        arrays = self._equal_arrays(name, split)
        coordinates: dict[str, Any] = {
            "run": [manifest.run for manifest in self.manifests],
            "checkpoint": list(self.manifests[0].steps),
            "class": list(self.header.class_names),
        }
        if split == EVALUATION:
            coordinates["sample"] = list(self.samples.ids)
        return stacked_view(arrays, coordinates, name)

    def recordings(self, split: str = EVALUATION) -> xr.Dataset:
        """Return everything recorded of a split as one data set [run, checkpoint, sample(, class)], read lazily.

        Raises:
            StudyError: Nothing was recorded of the split.
        """
        import xarray as xr

        arrays = {name: self.recorded(name, split) for name in self.recorded_names(split) or ("labels",)}
        if split == EVALUATION:
            arrays["target"] = xr.DataArray(self.targets, dims="sample")
        return xr.Dataset(arrays, attrs={"dataset": self.header.dataset, "model": self.header.model})

    def dropout(self, name: str) -> NDArray[np.float32]:
        """Return what was recorded of dropout passes, [run, sample]: ``label_entropy`` or ``margin``.

        Raises:
            StudyError: None were recorded.
        """
        if not self.has_dropout_passes:
            raise StudyError(
                f"the study {str(self.path)!r} recorded no dropout passes; measure it with "
                f"{setting('dropout_passes', 20)}."
            )
        return np.stack([read(array, 0) for array in self._arrays(name, DROPOUT)])

    @property
    def has_dropout_passes(self) -> bool:
        """Whether dropout passes were recorded."""
        return self.header.record.dropout_passes > 0

    def monitored(self) -> xr.Dataset:
        """Return what was recorded of every training step, [run, step]; steps count from 1.

        ``loss``: mean loss of the batch in nats, mitigations included; ``gradient_norm``: its gradient's global L2 norm
        before clipping; ``entropy``: mean entropy of the batch's predictions in nats, in training mode. All are those
        before the step's update; of a run of several networks, their mean.

        Raises:
            StudyError: No run is complete, or nothing was recorded of steps.
        """
        import xarray as xr

        if not self.manifests:
            raise StudyError(f"the study {str(self.path)!r} has no complete run yet.")
        names = self.recorded_names(STEPS)
        if not names:
            raise StudyError(
                f"the study {str(self.path)!r} has no recorded steps; train it with {setting('monitor', True)}."
            )
        signals = {
            name: (("run", "step"), np.stack([read_steps(self.path, manifest, name) for manifest in self.manifests]))
            for name in names
        }
        steps = range(1, self.manifests[0].steps[-1] + 1)
        runs = [manifest.run for manifest in self.manifests]
        return xr.Dataset(signals, coords={"run": runs, "step": list(steps)})

    def tracked(self) -> xr.Dataset:
        """Return what a lens measured along the training, [run, step]; runs that diverged are among them.

        A step's number is how many were made before the measurement: 0 is before the first. NaN after a run diverged.

        Raises:
            StudyError: Nothing was measured.
        """
        import xarray as xr

        manifests = sorted((*self.manifests, *self.diverged), key=lambda manifest: manifest.run)
        each = [array_names(self.path, manifest, TRACKED) for manifest in manifests]
        names = sorted({name for found in each for name in found} - {STEP})
        if not names:
            raise StudyError(
                f"nothing was measured along the training of the study {str(self.path)!r}; train it with "
                f"{setting('track', 'curvature:every=50')}."
            )
        own = [
            {name: read_tracked(self.path, manifest, name) for name in found}
            for manifest, found in zip(manifests, each, strict=True)
        ]
        steps = np.unique(np.concatenate([found[STEP] for found in own if found]))
        values = {name: np.full((len(manifests), len(steps)), np.nan) for name in names}
        for place, found in enumerate(own):
            at = np.searchsorted(steps, found.get(STEP, np.empty(0)))
            for name in names:
                values[name][place, at] = found.get(name, np.empty(0))
        coords = {"run": [manifest.run for manifest in manifests], "step": steps.astype(np.int64)}
        return xr.Dataset({name: (("run", "step"), array) for name, array in values.items()}, coords=coords)

    def recorded_names(self, split: str = EVALUATION) -> tuple[str, ...]:
        """Return the names of the arrays recorded for a split."""
        return tuple(array_names(self.path, self.manifests[0], split)) if self.manifests else ()

    def final(self, name: str = "labels") -> NDArray[Any]:
        """Return a recorded array at the last checkpoint, [run, sample] (and class), as numpy."""
        return self.final_array(name).block()

    def final_array(self, name: str = "labels") -> FinalArray:
        """Return a recorded array at the last checkpoint to be read in parts, where all of it may not fit into memory.

        Raises:
            StudyError: It was not recorded; the message lists what was.
        """
        arrays = self._equal_arrays(name, EVALUATION)
        known = self.targets >= 0 if name.endswith("own_probability") else None  # it is not defined without a target
        runs = tuple(manifest.run for manifest in self.manifests)
        return FinalArray(name, self.path, runs, arrays, len(self.header.class_names), known)

    def _equal_arrays(self, name: str, split: str) -> list[Any]:
        self._check_recorded(name, split)
        arrays = self._arrays(name, split)
        if len({array.shape for array in arrays}) != 1:
            raise StudyError(f"the runs of {str(self.path)!r} differ in the shape of {name!r}; the study is corrupt.")
        return arrays

    def _arrays(self, name: str, split: str) -> list[Any]:
        samples = len(self.samples) if split in (EVALUATION, DROPOUT) else None
        classes = len(self.header.class_names)
        return [open_array(self.path, manifest, split, name, samples, classes) for manifest in self.manifests]

    def _check_recorded(self, name: str, split: str) -> None:
        if not self.manifests:
            raise StudyError(f"the study {str(self.path)!r} has no complete run yet.")
        names = self.recorded_names(split)
        if name not in names:
            raise StudyError(
                f"the study {str(self.path)!r} did not record {name!r} of the split {split!r}; it has: "
                f"{', '.join(names) or 'nothing'}. Record more with {argument('level')} or {argument('train')}."
            )
