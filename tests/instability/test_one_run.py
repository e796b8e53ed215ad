"""What is expected of other trainings when there is a single one."""

import pytest

from reseed import InputError, Recipe, Study, TrainingError
from reseed.instability import evaluate
from reseed.models import ModelConfig
from reseed.studies import train_study
from reseed.training import RecordConfig


@pytest.mark.parametrize("record", [RecordConfig("final"), RecordConfig(level="labels")])
def test_a_single_run_needs_its_trajectory(record, tmp_path):
    """A single run of which too little would be recorded is refused before it is trained."""
    with pytest.raises(InputError, match="record with every='epoch' and level='scores', or train 2 runs or more"):
        train_study(Recipe(epochs=2), tmp_path / "study", runs=1, record=record)
    assert not (tmp_path / "study").exists()


def test_a_run_that_is_left_speaks_for_itself(tmp_path):
    """Of a study that lost all runs but one, the estimate is given, and a note says what is missing."""
    recipe = Recipe(model=ModelConfig(hidden=(4,)), epochs=3, batch_size=64)
    train_study(recipe, tmp_path / "study", runs=2, engine="serial", probe=False)
    (tmp_path / "study/runs/run-00000/manifest.json").unlink()
    found = evaluate(Study.open(tmp_path / "study"))
    assert (found.summary["runs"], found.summary["runs_missing"]) == (1, 1)
    assert "1 of 2 runs are missing; the numbers speak of 1 run." in found.notes
    assert (found.classes, found.pairs, found.rarefaction) == ((), None, None)
    assert "3 checkpoints are few" in found.notes[-1]


def test_predictions_without_trajectory_say_what_is_missing(tmp_path):
    """One run of labels alone is refused with the options that record more."""
    Study.from_predictions([[0, 1], [1, 1]], tmp_path / "study")
    (tmp_path / "study/runs/run-00000/manifest.json").unlink()
    with pytest.raises(TrainingError, match="two or more are needed, or one that recorded margins at several"):
        evaluate(Study.open(tmp_path / "study"))
