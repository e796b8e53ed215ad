"""A recorder of training dynamics that keeps sums in place of trajectories."""

from typing import Any, Literal, TypeAlias, final, get_args

import numpy as np
import torch

from reseed._arrays import ArrayLike, brief, float_array, undefined
from reseed._errors import InputError
from reseed._labels import check_range, label_array
from reseed.instability._target_margin import target_margin
from reseed.instability.dynamics._training_dynamics import TrainingDynamics, column_means, dynamics, map_columns
from reseed.instability.dynamics._trajectory import check_burn_in
from reseed.instability.labels._entropy_table import entropy_table

Granularity: TypeAlias = Literal["visit", "epoch"]
_ENTROPY_BLOCK = 1_000_000  # counts whose entropies are looked up at a time


@final
class DynamicsRecorder:
    """Records, batch by batch, what `training_dynamics` says of one run, without keeping its trajectory.

    Every sample has its own sequence of checkpoints. With `granularity="visit"` each time it is seen is one,
    however unequally often samples are seen. With `"epoch"` there is at most one an epoch, the first time the
    sample is seen in it (samplers that draw with replacement or pad the last batch show some twice), and
    `end_epoch` must be called after each; checkpoints are then numbered by epochs.

    Memory is one row of numbers for each sample, and one count for each sample and class; these counts are what
    label entropy needs, and `count_labels=False` saves them where there are many classes. The state lives on
    the host, whatever device the logits are on, and sums are in double precision.

    Args:
        samples: number of samples; rows are 0 .. samples - 1.
        num_classes: number of classes.
        granularity: whether a checkpoint is a visit of the sample or an epoch.
        burn_in: first checkpoints of each sample that means and entropy leave out; counts of events and times
            use all.
        count_labels: count predicted labels for `trajectory_label_entropy`.

    Raises:
        InputError: sizes below 1 (classes below 2), a negative burn-in, or an unknown granularity.

    Example:
        >>> recorder = DynamicsRecorder(samples=2, num_classes=2)
        >>> recorder.update([1, 0], [[0.0, 2.0], [1.0, 0.0]], targets=[1, 1])
        >>> recorder.update([0], [[0.0, 3.0]], targets=[1])
        >>> found = recorder.result().samples
        >>> found["trajectory_margin"], found["first_learned"], found["trajectory_label_entropy"].round(4)
        (array([1., 2.]), array([1., 0.]), array([0.6931, 0.    ]))

    References:
        Those of `training_dynamics`.
    """

    def __init__(
        self,
        samples: int,
        num_classes: int,
        *,
        granularity: Granularity = "visit",
        burn_in: int = 0,
        count_labels: bool = True,
    ) -> None:
        for name, value, least in (("samples", samples, 1), ("num_classes", num_classes, 2)):
            if value < least:
                raise InputError(f"{name} must be at least {least}, got {value}; pass the size of the data set.")
        if granularity not in get_args(Granularity):
            raise InputError(f"granularity={granularity!r} is unknown; pass 'visit' or 'epoch'.")
        check_burn_in(burn_in)
        self._settings: dict[str, Any] = {
            "samples": int(samples),
            "num_classes": int(num_classes),
            "granularity": granularity,
            "burn_in": int(burn_in),
            "count_labels": bool(count_labels),
        }
        self._epoch = 0
        self._state: dict[str, np.ndarray] = {
            "visits": np.zeros(samples, np.int64),
            "latest_epoch": np.full(samples, -1, np.int64),
            "label": np.full(samples, -1, np.int64),  # predicted last
            "is_right": np.zeros(samples, np.bool_),
            "since": np.zeros(samples, np.int64),  # checkpoint at which `is_right` became what it is
            "ever_right": np.zeros(samples, np.bool_),
            "forgotten": np.zeros(samples, np.int64),
            "flips": np.zeros(samples, np.int64),
            "used": np.zeros(samples, np.int64),  # checkpoints after the burn-in, which what follows sums over
            "right": np.zeros(samples, np.int64),
            "mean": np.zeros(samples),
            "squares": np.zeros(samples),  # sum of squared deviations from the mean
            "margin": np.zeros(samples),
        }
        if count_labels:
            self._state["counts"] = np.zeros((samples, num_classes), np.int32)

    def update(self, rows: ArrayLike, logits: ArrayLike, targets: ArrayLike) -> None:
        """Takes the predictions for some samples.

        Args:
            rows: which samples these are [batch], in any order; a sample may come more than once.
            logits: their logits [batch, class], on any device, with or without gradient.
            targets: their true labels [batch].

        Raises:
            InputError: shapes that do not fit, rows or targets out of range, or logits that are not finite.
                Nothing is recorded then.
        """
        where, scores, gold = self._checked(rows, logits, targets)
        if not len(where):
            return
        if self._settings["granularity"] == "epoch":
            _, chosen = np.unique(where, return_index=True)
            chosen = chosen[self._state["latest_epoch"][where[chosen]] < self._epoch]
            self._record(where[chosen], scores[chosen], gold[chosen])
            self._state["latest_epoch"][where] = self._epoch
            return
        # A sample that comes twice is recorded twice, in order: the rounds hold each sample at most once.
        left = np.arange(len(where))
        while len(left):
            _, first = np.unique(where[left], return_index=True)
            chosen = left[first]
            self._record(where[chosen], scores[chosen], gold[chosen])
            left = np.delete(left, first)

    def end_epoch(self) -> None:
        """Begins the next epoch; with `granularity="visit"` that changes nothing."""
        self._epoch += 1

    def result(self) -> TrainingDynamics:
        """Returns what was recorded so far, as `training_dynamics` would of the whole trajectory.

        Returns:
            Columns [sample] as numpy arrays, and their summary; NaN, with a warning, for samples that were not
            seen, or only during the burn-in. The summary's `checkpoints` is the largest number of any sample.
        """
        state, settings = self._state, self._settings
        known = state["used"] > 0
        if not known.all():
            undefined(
                f"{np.count_nonzero(~known)} of {len(known)} samples were not seen after the burn-in; they are NaN."
            )
        used = np.maximum(state["used"], 1)
        is_right, never = state["is_right"], ~state["ever_right"]
        columns = {
            "forgetting_events": state["forgotten"],
            "never_learned": never,
            "unforgettable": ~never & (state["forgotten"] == 0),
            "first_learned": np.where(is_right, state["since"], np.inf),
            "forgotten_for_good": np.where(is_right, np.inf, state["since"]),
            "label_flips": state["flips"],
            "correctness": state["right"] / used,
            "trajectory_margin": state["margin"],
            **map_columns(state["mean"], state["squares"] / used),
        }
        if settings["count_labels"]:
            columns["trajectory_label_entropy"] = _entropies(state["counts"])
        seen = {name: np.where(known, values, np.nan) for name, values in columns.items()}
        means = column_means({name: values[known] for name, values in seen.items()}, known[known])
        checkpoints = self._epoch if settings["granularity"] == "epoch" else int(state["visits"].max())
        return dynamics(seen, known, [means], checkpoints, settings["burn_in"], None)

    def state_dict(self) -> dict[str, Any]:
        """Returns a copy of all that was recorded, as tensors and plain values that `torch.save` takes."""
        tensors = {name: torch.from_numpy(values.copy()) for name, values in self._state.items()}
        return {"settings": dict(self._settings), "epoch": self._epoch, "state": tensors}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from what another recorder of the same settings has recorded; what was here is dropped.

        Args:
            state: what `state_dict` returned.

        Raises:
            InputError: this is no such state, or the other recorder's settings differ.
        """
        if not {"settings", "epoch", "state"} <= set(state):
            raise InputError(f"state has the keys {sorted(state)}; pass what `state_dict` of a recorder returned.")
        self._same_settings(state["settings"], "state")
        self._epoch = int(state["epoch"])
        self._state = {name: state["state"][name].cpu().numpy().copy() for name in self._state}

    def merge(self, other: "DynamicsRecorder") -> None:
        """Adds what another recorder saw of other samples, as several devices do that share a data set.

        Where samples move between devices from epoch to epoch, gather the predictions and use one recorder.

        Args:
            other: a recorder of the same settings, whose samples this one has not seen; it is not changed.

        Raises:
            InputError: settings or epochs differ, or both have seen a sample: the order in which it was seen is
                lost, so that its numbers cannot be joined.
        """
        self._same_settings(other._settings, "other")
        both = np.flatnonzero((self._state["visits"] > 0) & (other._state["visits"] > 0))
        if len(both):
            raise InputError(
                f"other has seen {len(both)} samples that this recorder has seen as well, the first is {both[0]}; "
                "merge recorders of disjoint samples, and give each device the same samples in every epoch."
            )
        if self._settings["granularity"] == "epoch" and self._epoch != other._epoch:
            raise InputError(
                f"other is in epoch {other._epoch} but this recorder in epoch {self._epoch}; merge after the same "
                "epoch."
            )
        theirs = other._state["visits"] > 0
        for name, values in self._state.items():
            values[theirs] = other._state[name][theirs]
        self._epoch = max(self._epoch, other._epoch)

    def _checked(self, rows: ArrayLike, logits: ArrayLike, targets: ArrayLike) -> tuple[np.ndarray, ...]:
        """Returns rows, logits and targets of one length; a batch of one may come without its axis."""
        where = np.atleast_1d(label_array(rows, "rows"))
        gold = np.atleast_1d(label_array(targets, "targets"))
        scores = np.atleast_2d(float_array(logits, "logits"))
        classes = self._settings["num_classes"]
        if scores.shape != (len(where), classes) or gold.shape != where.shape or where.ndim != 1:
            raise InputError(
                f"rows is {brief(where)}, logits is {brief(scores)} and targets is {brief(gold)}; pass [batch], "
                f"[batch, {classes}] and [batch]."
            )
        check_range(gold, classes, "targets")
        size = self._settings["samples"]
        if where.dtype.kind in "UT" or (len(where) and (where.min() < 0 or where.max() >= size)):
            raise InputError(
                f"rows holds values outside 0..{size - 1}, the samples of this recorder; pass their indices."
            )
        if not np.isfinite(scores).all():
            place = tuple(int(i) for i in np.argwhere(~np.isfinite(scores))[0])
            raise InputError(
                f"logits holds {scores[place]} at position {place}; pass finite logits, with a large negative number "
                "for classes that are masked."
            )
        return where.astype(np.int64), scores, gold.astype(np.int64)

    def _record(self, rows: np.ndarray, logits: np.ndarray, targets: np.ndarray) -> None:
        """Adds one checkpoint of each of the rows, which are distinct."""
        state = self._state
        label = logits.argmax(axis=1)
        right = label == targets
        seen = state["visits"][rows] > 0
        index = state["visits"][rows] if self._settings["granularity"] == "visit" else np.full(len(rows), self._epoch)
        was_right = state["is_right"][rows]
        state["forgotten"][rows] += seen & was_right & ~right
        state["flips"][rows] += seen & (state["label"][rows] != label)
        begins = ~seen | (was_right != right)
        state["since"][rows[begins]] = index[begins]
        state["is_right"][rows], state["label"][rows] = right, label
        state["ever_right"][rows] |= right
        state["visits"][rows] += 1
        kept = index >= self._settings["burn_in"]
        self._add(rows[kept], logits[kept].astype(np.float64), targets[kept], label[kept], right[kept])

    def _add(
        self, rows: np.ndarray, logits: np.ndarray, targets: np.ndarray, label: np.ndarray, right: np.ndarray
    ) -> None:
        """Updates means and sums by Welford's recurrence, which does not cancel."""
        state = self._state
        logits -= logits.max(axis=1, keepdims=True)
        exponentials = np.exp(logits)
        own = exponentials[np.arange(len(rows)), targets] / exponentials.sum(axis=1)
        state["used"][rows] += 1
        state["right"][rows] += right
        used = state["used"][rows]
        before = own - state["mean"][rows]
        state["mean"][rows] += before / used
        state["squares"][rows] += before * (own - state["mean"][rows])
        state["margin"][rows] += (target_margin(logits, targets) - state["margin"][rows]) / used
        if self._settings["count_labels"]:
            state["counts"][rows, label] += 1

    def _same_settings(self, settings: dict[str, Any], name: str) -> None:
        for key, mine in self._settings.items():
            if settings[key] != mine:
                raise InputError(
                    f"{name} is of a recorder with {key}={settings[key]!r}, but this one has {key}={mine!r}; "
                    "make both with the same arguments."
                )


def _entropies(counts: np.ndarray) -> np.ndarray:
    """Returns the entropy in nats of each row of counts, some rows at a time; 0 where all are zero."""
    entropies = np.empty(len(counts))
    table = entropy_table(max(1, int(counts.sum(axis=1).max())), None)
    step = max(1, _ENTROPY_BLOCK // counts.shape[1])
    for start in range(0, len(counts), step):
        block = counts[start : start + step]
        folded = table.table[block].sum(axis=1)
        entropies[start : start + step] = table.entropy(folded, np.count_nonzero(block, axis=1), block.sum(axis=1))
    return entropies
