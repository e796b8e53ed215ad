"""The recipe: everything that defines a training except its seed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import tomli_w

from reseed._arguments import recipe_field
from reseed._bounds import check_bound
from reseed._choices import OMITTED
from reseed._errors import RecipeError
from reseed._foreign import parse_toml, read_toml, reason
from reseed._near import did_you_mean
from reseed._shown import AbstractResult
from reseed.data import DataConfig
from reseed.mitigations import AbstractMitigation, Peers, check_composition, mitigation
from reseed.models import ModelConfig

_HASH_VERSION = 1
_LARGEST = 2**63 - 1
T = TypeVar("T")


@dataclass(frozen=True)
class OptimizerConfig:
    """The optimiser and what is done to gradients."""

    name: Literal["sgd", "sgdw", "adam", "adamw"] = "sgd"
    """SGD with momentum or Adam, each with weight decay as an L2 term, or with decoupled weight decay (sgdw, adamw)."""
    lr: float = 0.1
    """Peak learning rate."""
    momentum: float = 0.9
    """Momentum of SGD; Adam ignores it."""
    weight_decay: float = 0.0
    """Weight decay coefficient."""
    clip_norm: float | None = None
    """Clip the gradient's global norm at this value."""

    def __post_init__(self) -> None:
        _choice("optimizer.name", self.name, ("sgd", "sgdw", "adam", "adamw"))
        _range("optimizer.lr", self.lr, self.lr > 0, "a positive number")
        _range("optimizer.momentum", self.momentum, 0 <= self.momentum < 1, "a number in [0, 1)")
        _range("optimizer.weight_decay", self.weight_decay, self.weight_decay >= 0, "zero or more")
        if self.clip_norm is not None:
            _range("optimizer.clip_norm", self.clip_norm, self.clip_norm > 0, "a positive number")


@dataclass(frozen=True)
class ScheduleConfig:
    """How the learning rate moves along the training."""

    name: Literal["constant", "cosine", "linear", "exponential"] = "constant"
    """Constant, half a cosine down to the floor, a line down to it, or by a factor after every epoch."""
    warmup: float = 0.0
    """Share of the steps over which the rate first rises linearly from zero."""
    cycles: int | None = None
    """How often the course after the warm-up is gone through, each time in as many steps; default: once."""
    floor: float = field(default=0.0, metadata=OMITTED)
    """Share of the peak rate at which cosine and linear end, and below which exponential does not fall."""
    gamma: float = field(default=0.95, metadata=OMITTED)
    """What exponential multiplies the rate with after every epoch."""

    def __post_init__(self) -> None:
        _choice("schedule.name", self.name, ("constant", "cosine", "linear", "exponential"))
        _range("schedule.warmup", self.warmup, 0 <= self.warmup < 1, "a share in [0, 1)")
        if self.cycles is not None:
            _range("schedule.cycles", self.cycles, self.cycles >= 1, "1 or more")
        _range("schedule.floor", self.floor, 0 <= self.floor <= 1, "a share in [0, 1]")
        _range("schedule.gamma", self.gamma, 0 < self.gamma <= 1, "a factor in (0, 1]")


@dataclass(frozen=True)
class AverageConfig:
    """Which weights are evaluated: the last ones or an average along the training."""

    name: Literal["none", "swa", "ema"] = "none"
    """None; the plain mean of the weights after each step (stochastic weight averaging); an exponential mean."""
    start: float = 0.6
    """Share of the steps after which averaging begins, with the weights that are there then."""
    decay: float = 0.99
    """Share of the old average that each step keeps; for ema."""
    statistics: Literal["averaged", "refreshed"] = field(default="averaged", metadata=OMITTED)
    """Batch-norm statistics: averaged like weights, or recomputed with the averaged weights on the training set."""

    def __post_init__(self) -> None:
        _choice("average.name", self.name, ("none", "swa", "ema"))
        _range("average.start", self.start, 0 <= self.start < 1, "a share in [0, 1)")
        _range("average.decay", self.decay, 0 <= self.decay < 1, "a share in [0, 1)")
        _choice("average.statistics", self.statistics, ("averaged", "refreshed"))


@dataclass(frozen=True, repr=False)
class Recipe(AbstractResult):
    """Everything that defines a training except its seed.

    Its `digest` names the study. Read it from TOML with `Recipe.from_toml`, write it with `to_toml`.

    Raises:
        RecipeError: A value is out of range; the message names the field.

    Examples:
        >>> recipe = Recipe(epochs=5)
        >>> Recipe.from_toml(recipe.to_toml()) == recipe
        True
        >>> recipe.digest == Recipe(epochs=6).digest
        False
    """

    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    average: AverageConfig = field(default_factory=AverageConfig)
    epochs: int = 20
    """Passes over the training set; ignored when ``steps`` is given."""
    steps: int | None = None
    """Optimisation steps, in place of epochs."""
    batch_size: int = 32
    """Samples in a batch. A last batch of one single sample is left out (batch norm cannot train on it)."""
    augment: Literal["none", "crop", "crop-flip"] = "none"
    """Random shifts of images by up to an eighth of their side, without or with horizontal flips."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Arithmetic of layers in training: single precision, or bfloat16 with single-precision weights (mixed)."""
    mitigations: tuple[AbstractMitigation, ...] = field(default=(), metadata=OMITTED)
    """Methods that keep predictions in place, see `mitigated`; in TOML ``[[mitigations]]`` with ``name``."""

    def __repr__(self) -> str:
        length = f"{self.steps} steps" if self.steps is not None else f"{self.epochs} epochs"
        methods = "".join(f", {method.name}" for method in self.mitigations)
        return f"Recipe({self.model.name} on {self.data.name}: {length}, {self.optimizer.name}{methods}; {self.digest})"

    def __post_init__(self) -> None:
        for name, kind in (("epochs", "steps"), ("steps", "steps"), ("batch_size", "batch_size")):
            value = getattr(self, name)
            if value is not None:
                _range(name, value, value >= 1, "1 or more")
                check_bound(kind, value, recipe_field(name), RecipeError)
        _choice("augment", self.augment, ("none", "crop", "crop-flip"))
        _choice("precision", self.precision, ("float32", "bfloat16"))
        check_composition(self.mitigations)
        fields = _fields(self) if self.mitigations else {}
        for method in self.mitigations:
            method.check_recipe(fields)
            for name, value in method.settings(fields).items():
                raise RecipeError(
                    f"mitigation {method.name} is a matter of the recipe's own fields; set {name} = {value!r} "
                    "instead, or let reseed.training.mitigated do so."
                )

        self._check_beginning()

    def _check_beginning(self) -> None:
        """Accept networks of a run that differ: in where they begin, or in the batches that they see."""
        peers, model = self.peers, self.model
        if peers is None or "order" in peers.fresh or model.init not in ("pca", "zero") or model.init_share < 1:
            return
        name = next(method.name for method in self.mitigations if method.peers is not None)
        raise RecipeError(
            f"mitigation {name} trains networks that see the same batches, and with {recipe_field('model.init')} = "
            f"{model.init!r} they begin at the same weights, so that they would be the same network; take fixed "
            "(fixed-init), which gives each its own seed, or a share below 1."
        )

    @property
    def peers(self) -> Peers | None:
        """The networks that make up a run, if a method wants several."""
        return next((method.peers for method in self.mitigations if method.peers is not None), None)

    @property
    def bare(self) -> Recipe:
        """The recipe of one network by itself: without the methods that need teachers or peers, or prepare it."""
        alone = (one for one in self.mitigations if one.stage is None and one.peers is None and not one.prepares)
        return replace(self, mitigations=tuple(alone))

    def to_toml(self) -> str:
        """Return the recipe as TOML; options that are not set are left out."""
        return tomli_w.dumps(as_tree(self))

    @classmethod
    def from_toml(cls, text: str, *, default: Recipe | None = None, trust_code: bool = False) -> Recipe:
        """Return the recipe that a TOML text describes.

        Args:
            text: The TOML text.
            default: Where fields that the text does not name come from; default: the fields' own defaults.
            trust_code: Whether a model of the form MODULE:FUNCTION that the text names may be imported when the
                recipe is trained.

        Raises:
            RecipeError: The text is not TOML, or names an unknown field, or a value has the wrong type.
        """
        try:
            tree = parse_toml(text)
        except ValueError as error:
            raise RecipeError(f"the recipe is not valid TOML: {reason(error)}.") from error
        recipe = from_tree(default or cls(), tree)
        if trust_code or "name" not in tree.get("model", {}):
            return recipe
        return replace(recipe, model=replace(recipe.model, is_trusted=False))

    @property
    def digest(self) -> str:
        """The canonical hash: 16 hexadecimal digits over the sorted, versioned fields."""
        canonical = json.dumps([_HASH_VERSION, as_tree(self)], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def mitigated(recipe: Recipe, methods: Sequence[AbstractMitigation]) -> Recipe:
    """Return a recipe with methods added: their settings in its fields, the others among its ``mitigations``.

    Methods of strength zero are left out, and the order in which methods are named does not matter.

    Args:
        recipe: The control.
        methods: What to add; see `reseed.mitigations.parse_mitigations`.

    Raises:
        RecipeError: Two methods cannot be combined; the message names them.

    Examples:
        >>> from reseed.mitigations import parse_mitigations
        >>> recipe = mitigated(Recipe(), parse_mitigations("swa+label-smoothing"))
        >>> recipe.average.name, recipe.mitigations
        ('swa', (LabelSmoothing(epsilon=0.1, prior='uniform'),))
    """
    active = [method for method in (*recipe.mitigations, *methods) if method.is_active]
    check_composition(active)
    changes: dict[str, Any] = {}
    fields, hooks = _fields(recipe), []
    for method in active:
        settings = method.settings(fields)
        if not settings:
            hooks.append(method)
        for name, value in settings.items():
            if changes.setdefault(name, value) != value:
                raise RecipeError(
                    f"mitigation {method.name} sets {name} to {value!r}, another method to {changes[name]!r}."
                )
    hooks.sort(key=lambda one: (one.place, one.name))
    return replace(with_settings(recipe, changes), mitigations=tuple(hooks))


def with_settings(recipe: Recipe, settings: Mapping[str, Any]) -> Recipe:
    """Return a recipe with fields replaced.

    Args:
        recipe: Where the others come from.
        settings: Values by dotted field name.

    Examples:
        >>> with_settings(Recipe(), {"optimizer.lr": 0.5}).optimizer.lr
        0.5
    """
    tree: dict[str, Any] = {}
    for name, value in settings.items():
        *path, last = name.split(".")
        part = tree
        for key in path:
            part = part.setdefault(key, {})
        part[last] = value
    return from_tree(recipe, tree)


def _fields(config: Any, prefix: str = "") -> dict[str, Any]:
    """Return a config's fields by dotted name."""
    fields: dict[str, Any] = {}
    for item in dataclasses.fields(config):
        if "unwritten" in item.metadata:
            continue
        value = getattr(config, item.name)
        fields |= (
            _fields(value, f"{prefix}{item.name}.") if dataclasses.is_dataclass(value) else {prefix + item.name: value}
        )
    return fields


def load_recipe(path: Path, *, default: Recipe | None = None, trust_code: bool = False) -> Recipe:
    """Read a recipe from a TOML file, see `Recipe.from_toml`.

    Raises:
        RecipeError: The file cannot be read or is not a recipe; the message names the file.
    """
    try:
        return Recipe.from_toml(read_toml(path, RecipeError), default=default, trust_code=trust_code)
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"cannot read the recipe {str(path)!r}: {reason(error)}.") from error
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from error


def as_tree(config: Any) -> dict[str, Any]:
    """Return a config dataclass as nested dictionaries, without fields that are None, `OMITTED` or `UNWRITTEN`."""
    tree: dict[str, Any] = {}
    for item in dataclasses.fields(config):
        value = getattr(config, item.name)
        if "unwritten" in item.metadata or ("omitted" in item.metadata and value == item.default):
            continue
        if dataclasses.is_dataclass(value):
            tree[item.name] = as_tree(value)
        elif item.name == "mitigations":
            tree[item.name] = [{"name": method.name, **as_tree(method)} for method in value]
        elif value is not None:
            tree[item.name] = list(value) if isinstance(value, tuple) else value
    return tree


def from_tree(default: T, tree: Mapping[str, Any], prefix: str = "") -> T:
    """Return ``default`` with the fields named in ``tree`` replaced, checking names and types."""
    hints = get_type_hints(type(default))
    config: Any = default
    known = {item.name for item in dataclasses.fields(config) if "unwritten" not in item.metadata}
    unknown = sorted(set(tree) - known)
    if unknown:
        hint = did_you_mean(unknown[0], known)
        raise RecipeError(f"unknown recipe field {prefix}{unknown[0]}.{hint} Known here: {', '.join(sorted(known))}.")
    changes: dict[str, Any] = {}
    for name, value in tree.items():
        current = getattr(default, name)
        optional = _optional_part(hints[name])
        part: Any = optional or (type(current) if dataclasses.is_dataclass(current) else None)
        if part is not None and not isinstance(value, part if optional is None else (part, type(None))):
            if not isinstance(value, Mapping):
                raise RecipeError(f"recipe field {prefix}{name} must be a table, got {value!r}.")
            changes[name] = from_tree(part() if current is None else current, value, f"{prefix}{name}.")
        elif name == "mitigations":
            changes[name] = tuple(_method(part) for part in value) if isinstance(value, list | tuple) else value
        else:
            changes[name] = _typed(f"{prefix}{name}", value, hints[name])
    return dataclasses.replace(default, **changes)  # type: ignore[type-var]


def _optional_part(hint: Any) -> Any:
    """Return the dataclass of a field that holds one or None."""
    options = get_args(hint) if get_origin(hint) in (Union, UnionType) else ()
    return next((option for option in options if dataclasses.is_dataclass(option)), None)


def _method(tree: Any) -> AbstractMitigation:
    if not isinstance(tree, Mapping) or not isinstance(tree.get("name"), str):
        raise RecipeError(f"{recipe_field('mitigations')} must hold tables with a name, got {tree!r}.")
    return mitigation(**tree)


def _typed(name: str, value: Any, hint: Any) -> Any:
    """Return ``value`` as the annotated type, widening integers to floats and lists to tuples."""
    if get_origin(hint) in (Union, UnionType):
        if value is None:
            return None
        hint = next(option for option in get_args(hint) if option is not type(None))
    if get_origin(hint) is tuple and isinstance(value, list | tuple):
        return tuple(_typed(f"{name}[{i}]", item, get_args(hint)[0]) for i, item in enumerate(value))
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise RecipeError(
            f"{recipe_field(name)} must be a number up to {_LARGEST}, got one of {len(str(value))} digits."
        )
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if get_origin(hint) is Literal:
        return _choice(name, value, get_args(hint))
    if not isinstance(hint, type) or not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        expected = hint.__name__ if isinstance(hint, type) else str(hint)
        raise RecipeError(f"{recipe_field(name)} must be of type {expected}, got {value!r}.")
    return value


def _choice(name: str, value: Any, choices: tuple[Any, ...]) -> Any:
    if value not in choices:
        raise RecipeError(f"{recipe_field(name)} must be one of {', '.join(map(str, choices))}; got {value!r}.")
    return value


def _range(name: str, value: float, is_valid: bool, expected: str) -> None:
    if not is_valid:
        raise RecipeError(f"{recipe_field(name)} must be {expected}, got {value!r}.")
