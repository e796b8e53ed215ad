"""Studies that were damaged, or made to do harm: every reader refuses them, or reads them, and does no more."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from tests.fuzz import small
from tests.fuzz.driver import fuzzed, run, scratch
from tests.fuzz.mutations import file_in, randoms

COMMANDS = (
    "inspect STUDY",
    "inspect STUDY --json",
    "inspect STUDY --profile",
    "inspect STUDY --one-run",
    "inspect STUDY --sample 3",
    "inspect STUDY --by class",
    "inspect STUDY --by length",
    "inspect STUDY --by confidence",
    "inspect STUDY --by cluster",
    "report STUDY --out OUT",
    "export STUDY OUT/a.parquet",
    "export STUDY OUT/a.csv",
    "export STUDY OUT/a.jsonl",
    "export STUDY OUT/a.zarr",
    "compare WHOLE STUDY --names a,b --out OUT",
    "compare STUDY WHOLE --names a,b --out OUT",
    "calibrate STUDY WHOLE --out OUT/weights.json",
)


_OF_OTHERS = {"recorded": ("-run", "cluster", "calibrate", ".zarr"), "pictures": ("cluster",)}


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    """A whole study of each kind; the commands that suit it work, which also loads what they need."""
    folder = tmp_path_factory.mktemp("whole")
    made = {name: make(folder / name) for name, make in small.STUDIES.items()}
    for command in COMMANDS:
        kinds = [kind for kind, names in _OF_OTHERS.items() if any(name in command for name in names)]
        if not any(name in command for name in ("-run", "calibrate")):  # which need several checkpoints
            kinds.append("imported")
        for kind in kinds:
            with scratch() as out:
                study = shutil.copytree(made[kind], out / "study")
                assert run(*_words(command, study, study, out / "out"), inside=out).status == 0, (command, kind)
    return made


def _words(command: str, study: Path, whole: Path, out: Path) -> list[str]:
    places = {"STUDY": study, "WHOLE": whole, "OUT": out}
    for name, place in places.items():
        command = command.replace(name, str(place))
    return command.split()


@fuzzed
@given(st.sampled_from(sorted(small.STUDIES)), st.sampled_from(COMMANDS), st.integers(1, 3), randoms)
def test_damaged_studies_do_no_harm(studies, kind, command, changes, random):
    """A study with up to three damaged files is refused or read by every command, and nothing else happens."""
    with scratch() as folder, scratch() as elsewhere:
        (elsewhere / "outside").write_text("secret")
        study = Path(shutil.copytree(studies[kind], folder / "study"))
        for _ in range(changes):
            note(file_in(study, elsewhere / "outside", random))
        whole = Path(shutil.copytree(studies[kind], folder / "whole"))
        ended = run(*_words(command, study, whole, folder / "out"), inside=folder)
        assert "secret" not in ended.printed
