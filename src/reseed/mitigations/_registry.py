"""The table of methods, and how text names them."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from reseed._errors import RecipeError
from reseed._near import did_you_mean
from reseed.mitigations._averaged_weights import Swa
from reseed.mitigations._co_distillation import CoDistillation
from reseed.mitigations._confidence_penalty import ConfidencePenalty
from reseed.mitigations._cosine_decay import CosineDecay
from reseed.mitigations._diplopia import Diplopia
from reseed.mitigations._distill import Distill
from reseed.mitigations._disturb_label import DisturbLabel
from reseed.mitigations._dropout import Dropout
from reseed.mitigations._ema import Ema
from reseed.mitigations._ensemble_soft_labels import EnsembleSoftLabels
from reseed.mitigations._fixed_init import FixedInit
from reseed.mitigations._fixup import Fixup
from reseed.mitigations._focal_distillation import FocalDistillation
from reseed.mitigations._gradient_clipping import GradientClipping
from reseed.mitigations._gradinit import GradInit
from reseed.mitigations._init_scale import InitScale
from reseed.mitigations._knn_smoothing import KnnSmoothing
from reseed.mitigations._label_smoothing import LabelSmoothing
from reseed.mitigations._larger_batch import LargerBatch
from reseed.mitigations._late_branching import LateBranching
from reseed.mitigations._learning_rate import LearningRate
from reseed.mitigations._linear_decay import LinearDecay
from reseed.mitigations._metainit import MetaInit
from reseed.mitigations._mitigation import AbstractMitigation
from reseed.mitigations._mixup import Mixup
from reseed.mitigations._pca_init import PcaInit
from reseed.mitigations._prediction_ensemble import PredictionEnsemble
from reseed.mitigations._rcp import Rcp
from reseed.mitigations._sam import Sam
from reseed.mitigations._selective_ensemble import SelectiveEnsembling
from reseed.mitigations._self_consistency_ensemble import SelfConsistencyEnsembling
from reseed.mitigations._snapshot_distillation import SnapshotDistillation
from reseed.mitigations._temperature import Temperature
from reseed.mitigations._tgtss import Tgtss
from reseed.mitigations._warmup import Warmup
from reseed.mitigations._weight_decay import WeightDecay
from reseed.mitigations._zero_init import ZeroInit

MITIGATIONS: Mapping[str, type[AbstractMitigation]] = {
    method.name: method
    for method in (
        CoDistillation,
        ConfidencePenalty,
        CosineDecay,
        Diplopia,
        Distill,
        DisturbLabel,
        Dropout,
        Ema,
        EnsembleSoftLabels,
        FixedInit,
        Fixup,
        FocalDistillation,
        GradientClipping,
        GradInit,
        InitScale,
        KnnSmoothing,
        LabelSmoothing,
        LargerBatch,
        LateBranching,
        LearningRate,
        LinearDecay,
        MetaInit,
        Mixup,
        PcaInit,
        PredictionEnsemble,
        Rcp,
        Sam,
        SelectiveEnsembling,
        SelfConsistencyEnsembling,
        SnapshotDistillation,
        Swa,
        Temperature,
        Tgtss,
        Warmup,
        WeightDecay,
        ZeroInit,
    )
}
"""Every method by its name."""


def mitigation(name: str, **options: Any) -> AbstractMitigation:
    """Return a configured method.

    Args:
        name: A key of `MITIGATIONS`.
        **options: Its fields; default: their own.

    Raises:
        RecipeError: The method or a field is unknown, or a value is out of range.

    Examples:
        >>> mitigation("label-smoothing", epsilon=0.2)
        LabelSmoothing(epsilon=0.2, prior='uniform')
    """
    if name not in MITIGATIONS:
        raise RecipeError(
            f"unknown mitigation {name!r}.{did_you_mean(name, MITIGATIONS)} Known: {', '.join(MITIGATIONS)}."
        )
    method = MITIGATIONS[name]
    known = {field.name: field.type for field in dataclasses.fields(method)}
    for field in options:
        if field not in known:
            raise RecipeError(
                f"mitigation {name} has no option {field!r}.{did_you_mean(field, known)} It has "
                f"{', '.join(known) or 'none'}."
            )
    return method(**{field: _typed(name, field, value, str(known[field])) for field, value in options.items()})


def parse_mitigations(text: str) -> tuple[AbstractMitigation, ...]:
    """Return the methods that a text names: ``NAME[:FIELD=VALUE]...``, several joined by ``+``.

    ``control`` is no method at all. In a value, write + as %2B, % as %25, and : as %3A unless // follows it; a comma,
    which separates numbers, may be %2C.

    Raises:
        RecipeError: A method or field is unknown, or a value is unusable.

    Examples:
        >>> parse_mitigations("tgtss:exponent=0.5:teacher=shared+swa")[1]
        Swa(last=0.4, statistics='averaged')
        >>> parse_mitigations("control")
        ()
    """
    methods = []
    for part in text.split("+"):
        name, *pairs = re.split(":(?!//)", part.strip())  # that of a URL does not count
        if name == "control" and not pairs:
            continue
        options = {}
        for pair in pairs:
            field, sign, value = pair.partition("=")
            if not sign:
                raise RecipeError(f"mitigation {part.strip()!r}: write options as FIELD=VALUE, got {pair!r}.")
            options[field.strip().replace("-", "_")] = unquote(value.strip())
        methods.append(mitigation(name, **options))
    return tuple(methods)


def card(method: type[AbstractMitigation]) -> tuple[str, str]:
    """Return what a method's card says it is and what it costs, a line each.

    Args:
        method: The class.

    Examples:
        >>> card(CosineDecay)[1]
        'one training, one network at inference.'
    """
    text = inspect.getdoc(method) or ""
    cost = text.partition("\nCost: ")[2].partition("\nBeware:")[0]
    return text.partition("\n")[0], " ".join(cost.split())


def described(methods: tuple[AbstractMitigation, ...]) -> str:
    """Return the text that names methods: `parse_mitigations` understands it; fields at their defaults are left out.

    Examples:
        >>> described(parse_mitigations("swa:last=0.2+tgtss"))
        'swa:last=0.2+tgtss'
    """
    parts = []
    for method in methods:
        changed = [
            f"{field.name}={_text(getattr(method, field.name))}"
            for field in dataclasses.fields(method)
            if getattr(method, field.name) != field.default
        ]
        parts.append(":".join([method.name, *changed]))
    return "+".join(parts) or "control"


def _text(value: Any) -> str:
    if isinstance(value, str):  # a path, say, with signs that separate methods and options
        return re.sub(":(?!//)", "%3A", value.replace("%", "%25").replace("+", "%2B").replace(",", "%2C"))
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _typed(name: str, field: str, value: Any, kind: str) -> Any:
    """Return a value as the field's annotation wants it; the command line and TOML give words and numbers."""
    if value is None and kind.endswith("| None"):
        return None
    try:
        if "tuple[float" in kind and (numbers := _numbers(value)):
            return numbers
        if kind.startswith("int") and not isinstance(value, bool):
            number = float(value)
            return int(number) if number.is_integer() else _unusable(name, field, value, "a whole number")
        if kind.startswith("float") and not isinstance(value, bool):
            return float(value)
        if kind.startswith("bool") and str(value).lower() in ("true", "false"):
            return str(value).lower() == "true"
        if kind.startswith(("str", "Literal")) and isinstance(value, str):
            return value
    except (TypeError, ValueError):
        pass
    return _unusable(name, field, value, kind)


def _numbers(value: Any) -> tuple[float, ...]:
    """Return several numbers, from text with commas or a list; none if it is something else, such as a word."""
    if isinstance(value, str):
        parts = value.split(",")
        return tuple(map(float, parts)) if len(parts) > 1 else ()
    return tuple(map(float, value)) if isinstance(value, list | tuple) else ()


def _unusable(name: str, field: str, value: Any, expected: str) -> Any:
    raise RecipeError(f"mitigation {name}: {field} must be {expected}, got {value!r}.")
