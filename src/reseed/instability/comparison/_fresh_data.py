"""Studies of the same methods on other training data in each run: what they must be, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping

from reseed._arguments import argument
from reseed._errors import InputError
from reseed.studies import Study


def fresh_studies(studies: Mapping[str, Study], fresh: Mapping[str, Study]) -> dict[str, Study]:
    """Returns studies under fresh data in the order of those with other seeds, the control first.

    Raises:
        InputError: The control is missing, one has no counterpart, or is that itself or of another recipe.
    """
    if unknown := [name for name in fresh if name not in studies]:
        raise InputError(
            f"{argument('fresh')} holds {unknown[0]!r}, which {argument('studies')} do not; there are "
            f"{', '.join(studies)}."
        )
    control = next(iter(studies))
    if control not in fresh:
        raise InputError(
            f"{argument('fresh')} lacks the control {control!r}; train it on other data in each run as well."
        )
    for name, study in fresh.items():
        if study.path == studies[name].path:
            raise InputError(
                f"{argument('fresh')} holds {str(study.path)!r}, which is the study of {name!r} itself; pass one whose "
                "runs trained on other data each."
            )
        if study.header.recipe != studies[name].header.recipe:
            raise InputError(
                f"{argument('fresh')} holds {str(study.path)!r} for {name!r}, whose study {str(studies[name].path)!r} "
                "is of another recipe; pass studies in the same order."
            )
    return {name: fresh[name] for name in studies if name in fresh}


def fresh_data_told(study: Study) -> str:
    """Returns what each run of a study trained on, in words."""
    header = study.header
    if header.share < 1:
        return f"another random {100 * header.share:g} % of the training data in each run"
    if "data" in header.vary:
        return "another bootstrap resample of the training data in each run"
    return "other training data in each run"
