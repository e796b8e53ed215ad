"""What messages call arguments while a command runs: by its options."""

from __future__ import annotations

from collections.abc import Callable

import reseed
from reseed._arguments import FIELD
from reseed.cli._options import Command, RecipeOptions
from reseed.cli._parse import options_of

# Arguments whose options have other names.
_RENAMED = {
    "bootstraps": "runs",
    "training_sets": "nested",
    "class_names": "classes",
    "id_column": "id",
    "columns.runs": "run_columns",
    "train": "record_train",
    "probe": "no_probe",
    "track": "curvature",
}


def options_for(command: Command) -> Callable[[str], str]:
    """Return what gives an argument's option by its name in Python.

    A field of the recipe that a file may have set keeps its name, if the command line does not set it.
    """
    own = {option.name: option.called for option in options_of(type(command))}
    changed_by = {FIELD + field: name for name, field in reseed.workflows.RECIPE_FIELDS.items()}
    in_file = set()
    if isinstance(command, RecipeOptions) and command.file.recipe is not None:
        in_file = set(changed_by.values()) - set(command.changes())

    def called(name: str) -> str:
        known = changed_by.get(name, name)
        if known in in_file or known.startswith(FIELD):
            return name
        known = _RENAMED.get(known, known)
        return own.get(known) or "--" + known.rpartition(".")[2].replace("_", "-")

    return called
