"""A trained network of a study, or all of them as one, as a file that runs without reseed, with a card beside it."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from torch import nn

from reseed._arguments import argument
from reseed._errors import InputError, StudyError
from reseed._numbers import is_whole
from reseed.models import Ensemble, Networks, untrimmed
from reseed.studies import Study, json_writer, replace_files, storing
from reseed.workflows._medoid import medoid
from reseed.workflows._model_card import model_card
from reseed.workflows._model_files import MODEL_FORMATS, ExportedModel

_ASKED = 17  # samples that what was written is asked about
_LEAST = 3  # runs that have a medoid


def export_model(
    study: Study,
    path: Path,
    *,
    run: int | str | None,
    trust_code: bool,
    announce: Callable[[str], None] | None,
) -> None:
    """Write a network of a study as a file, and a card beside it; see `reseed.export`.

    Raises:
        InputError: There is no such run.
        MissingExtraError: An ONNX model needs the extra `onnx`.
        ModelError: The format cannot take the model, or what was written answers otherwise.
        StorageError: It cannot be written.
        StudyError: The study has no runs, or they cannot be trained again.
    """
    runs, choice = _chosen(study, run)
    form = MODEL_FORMATS[path.suffix]
    form.check_installed(path.name)
    card_path = path.with_name(f"{path.name}.json")
    for place in (path, card_path):  # before the runs are trained again, which may take long
        with storing(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    evaluation = study.inputs(trust_code=trust_code, announce=announce)
    networks = study.networks(runs, trust_code=trust_code, announce=announce)
    members = _members(networks, runs)
    module = next(iter(members.values())) if len(members) == 1 else Ensemble(list(members.values())).eval()
    model = ExportedModel(module, members, evaluation.inputs[:_ASKED], _metadata(study, runs))
    card = model_card(study, path.name, form, runs, choice, model, evaluation)

    def write(partial: Path) -> None:
        form.write(model, partial)
        card["check"] = form.check(model, partial)

    # The card is made once the model is written, for it says what that answered.
    replace_files({path: write, card_path: lambda partial: json_writer(card)(partial)})


def _chosen(study: Study, run: int | str | None) -> tuple[list[int], str]:
    """Return the runs that are exported, and by which choice.

    Raises:
        InputError: There is no such run, or too few of them.
        StudyError: There is none at all.
    """
    there = [manifest.run for manifest in study.manifests]
    if not there:
        raise StudyError(f"the study {str(study.path)!r} has no complete run yet.")
    if run is None:
        run = "medoid" if len(there) >= _LEAST else there[0]
    if run == "ensemble":
        return there, "ensemble"
    if run == "medoid":
        if len(there) < _LEAST:
            raise InputError(
                f"{argument('run')} is 'medoid', which agrees most with the others, but the study has {len(there)} "
                f"complete runs of {_LEAST} that this takes; name one of {', '.join(map(str, there))}."
            )
        found = medoid(study).medoid.run
        return [run for run in there if run == found], "medoid"
    if not is_whole(run) or run not in there:
        raise InputError(
            f"{argument('run')} is {run!r}, which is no complete run of the study; choose one of "
            f"{', '.join(map(str, there))}, 'medoid' or 'ensemble'."
        )
    return [int(run)], "number"


def _members(networks: Networks, runs: Sequence[int]) -> dict[str, nn.Module]:
    """Return the networks whose answers are exported, by what the names of their tensors begin with.

    That is the run's number where there are several, and then the network's where a run has several.
    """
    found = {}
    for place, run in enumerate(runs):
        members = networks.members(place)
        for number, member in enumerate(members):
            prefix = (f"{run}." if len(runs) > 1 else "") + (f"{number}." if len(members) > 1 else "")
            found[prefix] = untrimmed(member).cpu().eval().requires_grad_(False)
    return found


def _metadata(study: Study, runs: Sequence[int]) -> dict[str, str]:
    """Return the texts that a file carries inside it, if the card gets lost."""
    return {
        "format": "pt",  # what other readers of safetensors look for
        "reseed": version("reseed"),
        "recipe": study.header.recipe,
        "runs": json.dumps(list(runs)),
        "class_names": json.dumps(study.header.class_names, ensure_ascii=False),
    }
