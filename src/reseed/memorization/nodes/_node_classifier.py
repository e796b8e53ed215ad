"""What the nodes of one layer alone know of the classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, final

import numpy as np
from numpy.typing import NDArray

from reseed._arrays import ArrayLike, Result, brief, float_array, give_back, undefined
from reseed._errors import InputError
from reseed.memorization.nodes._given import Array, classes_of

Kind = Literal["discrete", "continuous", "combined"]
Density = Literal["gaussian", "kde"]
_Found = TypeVar("_Found")

_FLOOR_SD = 1e-2
_FLOOR_DENSITY = 1e-12
_BLOCK = 1 << 22  # numbers at a time


@final
@dataclass(frozen=True, eq=False)
class _Layer:
    """What was counted of a layer: of each class, [class, node]."""

    log_on: Array
    log_off: Array
    centre: Array
    mean: Array
    sd: Array
    used: NDArray[np.bool_]
    samples: tuple[Array, ...]


@final
class NodeClassifier:
    """Naive Bayes over the nodes of a layer, each layer for itself.

        log P(c | x) = log P(c) + sum_j log P(what node j does | c) + constant

    Args:
        kind: What a node does: ``discrete``, whether it is on, ``P(on | c) = (on_c + 1) / (N_c + 2)``;
            ``continuous``, the density of its pre-activation; ``combined``, that density where it is on, and P(off | c)
            where it is not.
        density: ``gaussian``, with a standard deviation of at least 0.01; or ``kde``, Gaussian kernels with Scott's
            bandwidth and a density of at least 1e-12, which costs training samples times samples times nodes.
        threshold: Above which a node is on.

    Attributes:
        classes: The classes that were fitted, in order; ties go to the first. Empty before.

    Raises:
        InputError: An option is unknown.

    Examples:
        >>> values = {"hidden": [[1.0, -1.0], [2.0, -2.0], [-1.0, 1.0], [-2.0, 3.0]]}
        >>> classifier = NodeClassifier("discrete").fit(values, ["a", "a", "b", "b"])
        >>> classifier.predict(values)["hidden"].tolist(), classifier.score(values, ["a", "a", "b", "a"])
        (['a', 'a', 'b', 'b'], {'hidden': 0.75})

    References:
        Davel, Theunissen, Pretorius and Barnard, "DNNs as Layers of Cooperating Classifiers", AAAI 2020.
    """

    def __init__(self, kind: Kind = "discrete", density: Density = "gaussian", *, threshold: float = 0.0) -> None:
        if kind not in ("discrete", "continuous", "combined"):
            raise InputError(f"kind={kind!r} is unknown; pass 'discrete', 'continuous' or 'combined'.")
        if density not in ("gaussian", "kde"):
            raise InputError(f"density={density!r} is unknown; pass 'gaussian' or 'kde'.")
        if not np.isfinite(threshold):
            raise InputError(f"threshold must be a finite number, got {threshold!r}.")
        self.kind, self.density, self.threshold = kind, density, threshold
        self.classes: Array = np.empty(0)
        self._prior: Array = np.empty(0)
        self._layers: dict[str, _Layer] = {}

    def fit(self, values: Mapping[str, ArrayLike] | ArrayLike, targets: ArrayLike) -> NodeClassifier:
        """Count on training data; return itself.

        Nodes whose pre-activation is the same for all samples are left out of densities.

        Args:
            values: Pre-activations [sample, node] by layer, as `pre_activations` returns them; or one layer's.
            targets: The class of each sample, [sample], numbers or strings.

        Raises:
            InputError: Shapes do not fit, or values are not finite.
        """
        layers = _arrays(values)
        codes, self.classes = classes_of(targets, len(next(iter(layers.values()))))
        self._prior = np.log(np.bincount(codes) / len(codes))
        self._layers = {name: self._fitted(each, codes) for name, each in layers.items()}
        constant = [name for name, layer in self._layers.items() if not layer.used.any()]
        if constant and self.kind != "discrete":
            undefined(f"every node of the layers {constant} answers one value; only the prior is known there.")
        return self

    def predict_log_proba(self, values: Mapping[str, ArrayLike] | ArrayLike) -> Any:
        """Return the logarithm of the probability of each class, [sample, class]: by layer, or of the one layer.

        Raises:
            InputError: Nothing was fitted yet, or layers or nodes are others.
        """
        return self._each(values, lambda joint: joint - _log_sum(joint))

    def predict(self, values: Mapping[str, ArrayLike] | ArrayLike) -> Any:
        """Return the most likely class of each sample, [sample]: by layer, or of the one layer.

        Raises:
            InputError: Nothing was fitted yet, or layers or nodes are others.
        """
        return self._each(values, lambda joint: self.classes[joint.argmax(-1)])

    def score(self, values: Mapping[str, ArrayLike] | ArrayLike, targets: ArrayLike) -> Any:
        """Return the share of samples whose class is predicted: by layer, or of the one layer.

        Raises:
            InputError: Nothing was fitted yet, or shapes do not fit.
        """
        codes, classes = classes_of(targets, len(next(iter(_arrays(values).values()))))
        return self._each(values, lambda joint: float((self.classes[joint.argmax(-1)] == classes[codes]).mean()))

    def _each(self, values: Mapping[str, ArrayLike] | ArrayLike, make: Callable[[Array], Any]) -> Any:
        if not self._layers:
            raise InputError("the classifier was not fitted yet; call fit(values, targets) first.")
        found: dict[str, Result] = {}
        for name, each in _arrays(values).items():
            if name not in self._layers:
                raise InputError(f"layer {name!r} was not fitted; there are {', '.join(map(repr, self._layers))}.")
            if (nodes := self._layers[name].mean.shape[1]) != each.shape[1]:
                raise InputError(f"layer {name!r} has {each.shape[1]} nodes but was fitted with {nodes}.")
            result = make(self._joint(self._layers[name], each))
            given = values[name] if isinstance(values, Mapping) else values
            is_number = isinstance(result, np.ndarray) and result.dtype.kind in "iuf"
            found[name] = give_back(result, given) if is_number else result
        return found if isinstance(values, Mapping) else found[""]

    def _fitted(self, values: Array, codes: NDArray[np.int64]) -> _Layer:
        on = values > self.threshold
        masks = [codes == number for number in range(len(self.classes))]
        share = np.array([(on[mask].sum(0) + 1) / (mask.sum() + 2) for mask in masks])
        used = values.min(0) < values.max(0)
        centre = values.mean(0)
        values = values - centre  # so that nothing cancels in squares
        # A kernel's bandwidth is that of a sample's deviation, whose divisor is one less.
        less = 1 if self.density == "kde" else 0
        sds = [values[mask].std(0, ddof=min(less, int(mask.sum()) - 1)) for mask in masks]
        kept = tuple(values[mask] for mask in masks) if self.density == "kde" and self.kind != "discrete" else ()
        mean = np.array([values[mask].mean(0) for mask in masks])
        return _Layer(np.log(share), np.log1p(-share), centre, mean, np.maximum(sds, _FLOOR_SD), used, kept)

    def _joint(self, layer: _Layer, values: Array) -> Array:
        """Return log P(c) + sum_j log P(node j | c), [sample, class]."""
        on = (values > self.threshold).astype(np.float64)
        if self.kind == "discrete":
            found = on @ (layer.log_on - layer.log_off).T + layer.log_off.sum(1)
        else:
            counted = layer.used * (on if self.kind == "combined" else np.ones_like(on))
            dense = _gaussian if self.density == "gaussian" else _kernels
            found = dense(layer, values - layer.centre, counted)
            if self.kind == "combined":
                found += ((1 - on) * layer.used) @ layer.log_off.T
        return np.asarray(found + self._prior)


def _gaussian(layer: _Layer, values: Array, counted: Array) -> Array:
    """Return the sum over counted nodes of log N(z; mean, sd^2), [sample, class]."""
    precision = layer.sd**-2
    constant = layer.mean**2 * precision + 2 * np.log(layer.sd) + np.log(2 * np.pi)
    squares = (counted * values**2) @ precision.T - 2 * (counted * values) @ (layer.mean * precision).T
    return np.asarray(-0.5 * (squares + counted @ constant.T))


def _kernels(layer: _Layer, values: Array, counted: Array) -> Array:
    """Return the sum over counted nodes of the log of a kernel density estimate, [sample, class]."""
    found = np.empty((len(values), len(layer.samples)))
    for number, own in enumerate(layer.samples):
        width = layer.sd[number] * len(own) ** -0.2
        step = max(1, _BLOCK // max(1, own.size))
        for start in range(0, len(values), step):
            some = slice(start, start + step)
            apart = (values[some, None] - own) / width
            density = np.exp(-0.5 * apart**2).mean(1) / (width * np.sqrt(2 * np.pi))
            found[some, number] = (counted[some] * np.log(np.maximum(density, _FLOOR_DENSITY))).sum(-1)
    return found


def _log_sum(joint: Array) -> Array:
    most = joint.max(-1, keepdims=True)
    return np.asarray(most + np.log(np.exp(joint - most).sum(-1, keepdims=True)))


def _arrays(values: Mapping[str, ArrayLike] | ArrayLike) -> dict[str, Array]:
    given = values if isinstance(values, Mapping) else {"": values}
    found = {
        name: float_array(each, f"the values of layer {name!r}").astype(np.float64) for name, each in given.items()
    }
    for name, each in found.items():
        if each.ndim != 2 or not each.size:
            raise InputError(f"the values of layer {name!r} are {brief(each)}; pass [sample, node].")
        if not np.isfinite(each).all():
            raise InputError(f"the values of layer {name!r} are not finite; find the run that diverged.")
    if len({len(each) for each in found.values()}) != 1:
        raise InputError("values hold no layers, or layers of different samples; pass [sample, node] for each.")
    return found
