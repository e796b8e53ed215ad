"""The whole recipe of a workflow, from all that a caller may give for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict

from reseed._arguments import recipe_field
from reseed._choices import IN_MEMORY
from reseed._errors import InputTypeError, RecipeError
from reseed._foreign import parse_toml, read_toml, reason
from reseed._near import did_you_mean
from reseed.data import DataConfig, data_config, in_memory, load, parse_corruption
from reseed.mitigations import AbstractMitigation, parse_mitigations
from reseed.models import ModelConfig, named_model, suggested_model
from reseed.studies import DATA_FILE, ExecutionArguments, with_kept_samples
from reseed.training import Recipe, default_recipe, from_tree, mitigated, with_settings

STUDIES = Path("reseed-studies")
Mitigations = str | Sequence[str | AbstractMitigation]
"""Methods that keep predictions in place, or texts that name them."""


class RecipeArguments(TypedDict, total=False):
    """What the recipe of a workflow may be changed by, by the names that the command line has as well.

    Data: ``text``, ``features``, ``label``, ``id`` and ``split`` name columns; see `DataConfig` for these and for
    ``eval_file`` to ``labels``; ``corrupt`` is a text such as ``labels:rate=0.1``. Model: ``hidden`` to ``max_length``,
    see `ModelConfig`. Training: ``epochs`` to ``precision``, see `Recipe`; ``optimizer``, ``schedule`` and ``average``
    are names; ``lr`` to ``clip_norm``, ``gamma``, ``warmup``, ``average_start``, ``average_decay`` are their numbers.
    ``mitigations`` are added last.
    """

    text: str
    features: Sequence[str]
    label: str
    id: str
    split: str
    eval_file: str
    eval_fraction: float
    split_seed: int
    eval_split: str
    limit: int
    holdout: float
    labels: str
    corrupt: str
    hidden: Sequence[int]
    dropout: float
    init_scale: float
    init: str
    init_seed: int
    norm: str
    width: int
    crop: int
    whiten: bool
    depth: int
    vocabulary: int
    encoder: str
    fine_tune: bool
    max_length: int
    epochs: int
    steps: int
    batch_size: int
    optimizer: str
    lr: float
    momentum: float
    weight_decay: float
    clip_norm: float
    schedule: str
    gamma: float
    warmup: float
    augment: str
    average: str
    average_start: float
    average_decay: float
    precision: str
    mitigations: Mitigations


class TrainingArguments(RecipeArguments, ExecutionArguments, total=False):
    """What workflows that train several studies take: changes of the recipe, and where and how runs execute."""


_DATA = (
    "text", "features", "label", "id", "split", "eval_file", "eval_fraction", "split_seed", "eval_split", "limit",
    "holdout", "labels",
)  # fmt: skip
_MODEL = (
    "hidden", "dropout", "init_scale", "init", "init_seed", "norm", "width", "crop", "whiten", "depth", "vocabulary",
    "encoder", "fine_tune", "max_length",
)  # fmt: skip
RECIPE_FIELDS = {
    **{name: f"data.{name}" for name in _DATA},
    "corrupt": "data.corruption",
    **{name: f"model.{name}" for name in _MODEL},
    **{name: name for name in ("epochs", "steps", "batch_size", "augment", "precision")},
    **{name: f"optimizer.{name}" for name in ("lr", "momentum", "weight_decay", "clip_norm")},
    **{name: f"{name}.name" for name in ("optimizer", "schedule", "average")},
    "gamma": "schedule.gamma",
    "warmup": "schedule.warmup",
    "average_start": "average.start",
    "average_decay": "average.decay",
}
"""The recipe's field that each change sets, by the name of the change."""


def recipe_fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return recipe fields by dotted name, from changes by the names of `RecipeArguments` without ``mitigations``.

    Raises:
        InputTypeError: There is no such change; the message suggests the nearest.

    Examples:
        >>> recipe_fields({"epochs": 5, "lr": 0.1, "schedule": "cosine"})
        {'epochs': 5, 'optimizer.lr': 0.1, 'schedule.name': 'cosine'}
    """
    for name in given:
        if name not in RECIPE_FIELDS:
            hint = did_you_mean(name, (*RECIPE_FIELDS, "mitigations"))
            raise InputTypeError(
                f"there is no argument {name!r}.{hint} Changes of the recipe are {', '.join(RECIPE_FIELDS)} and "
                "mitigations."
            )
    fields = {RECIPE_FIELDS[name]: value for name, value in given.items()}
    if isinstance(corrupt := given.get("corrupt"), str):
        fields["data.corruption"] = parse_corruption(corrupt)
    return fields


def chosen_recipe(
    data: object, model: object, recipe: Recipe | None, options: Mapping[str, Any]
) -> tuple[Recipe, ExecutionArguments]:
    """Return the recipe that a workflow trains, and those of its options that say how.

    Args:
        data: What is learned; where a recipe is given, its own data, unless this is in memory.
        model: A name or a function that makes a network; not used where a recipe is given.
        recipe: The whole recipe, to which ``options`` are applied.
        options: `TrainingArguments`.

    Raises:
        InputError: A name is unknown or a value is unusable.
    """
    execution = {name: value for name, value in options.items() if name in ExecutionArguments.__annotations__}
    mitigations: Mitigations = options.get("mitigations", ())
    changes = given_fields(options)
    if recipe is None:
        if model is None and changes.get("model.encoder") is not None:
            model = "text-encoder"
        recipe = recipe_for(data, model, changes=changes, mitigations=mitigations)
    else:
        if not isinstance(data, str | Path | DataConfig):
            columns = {name.removeprefix("data."): value for name, value in changes.items() if name.startswith("data.")}
            changes = {name: value for name, value in changes.items() if not name.startswith("data.")}
            recipe = replace(recipe, data=in_memory(data, from_tree(DataConfig(), columns, "data.")))
        if "epochs" in changes and "steps" not in changes:
            changes["steps"] = None  # the recipe's steps would win over the epochs that are asked for
        recipe = mitigated(with_settings(recipe, changes), methods_of(mitigations))
    return recipe, ExecutionArguments(**execution)  # type: ignore[typeddict-item]  # of its names alone


def given_fields(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the recipe fields that `TrainingArguments` change, by dotted name."""
    others = {"mitigations", *ExecutionArguments.__annotations__}
    return recipe_fields({name: value for name, value in options.items() if name not in others})


def methods_of(mitigations: Mitigations) -> tuple[AbstractMitigation, ...]:
    """Return methods that are given as a text, or as several texts or methods.

    Raises:
        InputError: A method is unknown.

    Examples:
        >>> [method.name for method in methods_of(["ema", "label-smoothing:epsilon=0.2"])]
        ['ema', 'label-smoothing']
    """
    given = [mitigations] if isinstance(mitigations, str) else mitigations
    return tuple(one for part in given for one in (parse_mitigations(part) if isinstance(part, str) else (part,)))


def recipe_for(
    data: object = None,
    model: object = None,
    *,
    file: str | Path | None = None,
    changes: Mapping[str, Any] | None = None,
    mitigations: Mitigations = (),
    trust_code: bool = False,
) -> Recipe:
    """Return the whole recipe: the model's defaults, changed by a file, changed by single values, with methods added.

    Args:
        data: A data set's name, a file, a `DataConfig`, or samples that are in memory, see `reseed.data.in_memory`;
            default: what ``file`` says, else ``digits``.
        model: A model's name, or a function of ``(input_shape, num_classes)`` that makes a fresh network; default: what
            ``file`` says, else what suits the data.
        file: A TOML file with some or all fields of a `Recipe`; that of a study whose data was in memory brings the
            samples, which lie beside it.
        changes: Values by dotted field name, such as ``{"optimizer.lr": 0.05, "epochs": 5}``.
        mitigations: Methods that keep predictions in place, or texts that name them, such as
            ``tgtss:exponent=0.5+swa``; see `reseed.mitigations`.
        trust_code: Whether a model of the form MODULE:FUNCTION that ``file`` names may be imported when the recipe is
            trained. One that ``model`` or ``changes`` names may.

    Raises:
        InputError: A name is unknown or a value is unusable.

    Examples:
        >>> recipe_for("digits", changes={"optimizer.lr": 0.05}).optimizer.lr
        0.05
    """
    tree = {} if file is None else _read_tree(Path(file))
    is_named_there = "name" in _nested(tree, "model")
    if changes and "epochs" in changes:
        tree.pop("steps", None)  # the file's steps would win over the epochs that are asked for
    for name, value in (changes or {}).items():
        _put(tree, name, value)
    described, network = _nested(tree, "data"), _nested(tree, "model")
    if data is not None:
        described.pop("name", None)
    source = _source(data, described)
    if file is not None and (Path(file).parent / DATA_FILE).is_file():
        source = with_kept_samples(source, Path(file).parent)
    asked = None if model is None else named_model(model)
    named = from_tree(ModelConfig(), network, "model.").name if "name" in network else None
    chosen = (asked.name if asked else None) or named or suggested_model(load(source).train)
    del tree["data"]
    network.pop("name", None)
    default = default_recipe(chosen, source, fine_tune=network.get("fine_tune") is True)
    recipe = mitigated(from_tree(default, tree), methods_of(mitigations))
    is_named_here = asked is not None or "model.name" in (changes or {})
    is_trusted = trust_code or is_named_here or not is_named_there
    factory = asked.factory if asked else None
    return replace(recipe, model=replace(recipe.model, is_trusted=is_trusted, factory=factory))


def _source(data: object, described: dict[str, Any]) -> DataConfig:
    """Return the config of data with the fields of a tree in it."""
    if data is None or isinstance(data, str | Path | DataConfig):
        return from_tree(DataConfig() if data is None else data_config(data), described, "data.")
    return in_memory(data, from_tree(DataConfig(), described, "data."))


def default_folder(recipe: Recipe) -> Path:
    """Return the folder that a recipe's study gets when the user names none."""
    data, model = recipe.data.name, recipe.model.name.removeprefix(IN_MEMORY)
    if recipe.data.is_in_memory:
        data = data[: len(IN_MEMORY) - 1]  # the recipe's digest tells it from others
    elif Path(data).suffix:
        data = Path(data).stem
    name = f"{data}-{model}"
    return STUDIES / f"{safe_name(name)}-{recipe.digest[:8]}"


def safe_name(name: str) -> str:
    """Return a name in which everything that no folder should have is a hyphen."""
    return "".join(character if character.isalnum() or character in "-_." else "-" for character in name)


def _read_tree(path: Path) -> dict[str, Any]:
    try:
        return parse_toml(read_toml(path, RecipeError))
    except RecipeError:
        raise
    except (OSError, ValueError) as error:
        raise RecipeError(f"cannot read the recipe {str(path)!r}: {reason(error)}.") from error


def _nested(tree: dict[str, Any], name: str) -> dict[str, Any]:
    part = tree.setdefault(name, {})
    if not isinstance(part, dict):
        raise RecipeError(f"{recipe_field(name)} must be a table, got {part!r}.")
    return part


def _put(tree: dict[str, Any], name: str, value: Any) -> None:
    *path, last = name.split(".")
    for part in path:
        tree = _nested(tree, part)
    tree[last] = value
