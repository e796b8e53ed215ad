"""The data that a study trains on, which has to be what the study began with wherever there is one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from reseed._arguments import argument
from reseed._choices import IN_MEMORY
from reseed._errors import DataError, StudyError
from reseed.data import DataConfig, Splits, load
from reseed.studies._data_file import read_data
from reseed.studies._files import inside
from reseed.studies._header import check_same_recipe, read_header
from reseed.training import Recipe, load_recipe

RECIPE_FILE = "recipe.toml"


def check_recipe(root: Path, recipe: Recipe) -> None:
    """Accept to continue the study in a folder with a recipe.

    Raises:
        StudyError: It began with another one, or its own cannot be read.
    """
    if (file := inside(root, RECIPE_FILE)).exists():
        check_same_recipe(root, load_recipe(file), recipe)


def with_kept_samples(data: DataConfig, root: Path) -> DataConfig:
    """Return a config with the samples that the study in a folder keeps, where they were in memory.

    Raises:
        StudyError: They cannot be read, or are others.
    """
    if not data.is_in_memory or data.held is not None:
        return data
    return replace(data, held=read_data(root, data.name.removeprefix(IN_MEMORY)))


def data_for(recipe: Recipe, root: Path) -> Splits:
    """Load the data that a recipe names, to begin or to continue the study in a folder.

    A study that is there may be a stranger's, and his recipe may name any file. So it is looked at first, and of data
    that is not its own nothing is shown.

    Args:
        recipe: What to train.
        root: The study's folder; for one at a URL, that of its local copy.

    Raises:
        StudyError: The study that is there is of another kind, recipe or data.
        DataError: The data cannot be loaded; where there is a study, without a word of what is in it.
    """
    found = read_header(root)
    if found is None:
        return load(recipe.data)
    if found.kind != "training":
        raise StudyError(
            f"{str(root)!r} holds a study that reseed did not train itself; choose another {argument('out')}."
        )
    check_recipe(root, recipe)
    recipe = replace(recipe, data=with_kept_samples(recipe.data, root))
    try:
        splits = load(recipe.data)
    except DataError:
        raise DataError(
            f"the data {recipe.data.name!r} of the study {str(root)!r} cannot be loaded any more as it was; is it "
            "where it was, and RESEED_DATA what it was? What is wrong with it is told where a study of it begins, with "
            f"another {argument('out')}."
        ) from None
    if (splits.evaluation.digest, splits.train.digest) != (found.data, found.train_data):
        raise StudyError(
            f"the data {recipe.data.name!r} is other data than the study {str(root)!r} was made of: it has changed, or "
            f"was another file there. Bring the old data back, or choose another {argument('out')}."
        )
    return splits
