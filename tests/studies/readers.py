"""Reads a study in every way there is while watching what that opens, and prints it; a program of its own."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sys
from pathlib import Path

from tests.watched import watched

import reseed
from reseed import ReseedError, Study
from reseed.cli import main
from reseed.instability import available_groupings, calibrate, sample_groups, single_run_table, where_unstable

COMMANDS = (
    "inspect STUDY",
    "inspect STUDY --json",
    "inspect STUDY --profile",
    "inspect STUDY --one-run",
    "inspect STUDY --sample 21",
    "inspect STUDY --by class",
    "inspect STUDY --by length",
    "inspect STUDY --by confidence",
    "inspect STUDY --by cluster",
    "report STUDY",
    "report STUDY --out OUT/report",
    "export STUDY OUT/a.parquet",
    "export STUDY OUT/a.csv",
    "export STUDY OUT/a.jsonl",
    "export STUDY OUT/a.zarr",
    "export STUDY OUT/a.hf",
    "compare STUDY STUDY --names one,other --out OUT/comparison",
    "calibrate STUDY STUDY --out OUT/weights.json",
)


def read(study: Path, out: Path) -> None:
    """Read a study by every function and every property; what is refused is refused with reseed's own errors."""
    opened = Study.open(study)
    for name in dir(opened):
        if not name.startswith("_") and name not in ("create", "from_predictions", "publish"):
            with contextlib.suppress(ReseedError):
                found = getattr(opened, name)
                if name in ("recordings", "monitored", "reread", "final", "recorded_names", "final_array"):
                    found()
    for split in ("evaluation", "train", "dropout", "steps"):
        for name in opened.recorded_names(split):
            with contextlib.suppress(ReseedError):
                opened.recorded(name, split).to_numpy()
    for by in available_groupings(opened):
        where_unstable(opened, by, permutations=9)
    sample_groups(opened)
    measured = reseed.inspect(opened)
    measured.write(out / "page")
    reseed.profile(study)
    reseed.compare([study, study], names=["one", "other"], out=out / "compared")
    for function in (single_run_table, lambda study: calibrate([study, study])):
        with contextlib.suppress(ReseedError):
            function(opened)


def run(command: str, study: Path, out: Path) -> int:
    """Run a command and return its exit status."""
    with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.redirect_stderr(printed):
        try:
            main([word.replace("STUDY", str(study)).replace("OUT", str(out)) for word in command.split()])
        except SystemExit as ended:
            status = int(ended.code or 0)
    (out / "printed.txt").open("a").write(printed.getvalue())
    return status


if __name__ == "__main__":
    place, folder, *recipes = map(Path, sys.argv[1:])
    statuses: dict[str, int] = {}
    opened: list[str] = []
    for recipe in recipes:
        shutil.copy(recipe, place / "recipe.toml")
        target = folder / recipe.stem
        target.mkdir()
        with watched(place, folder) as broken:
            read(place, target)
            for command in COMMANDS if recipe == recipes[0] else ():
                statuses[command] = max(run(command, place, target), statuses.get(command, 0))
            opened += broken
    print(json.dumps({"opened": sorted(set(opened)), "statuses": statuses, "modules": sorted(sys.modules)}))
