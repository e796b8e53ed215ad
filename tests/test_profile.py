"""All per-sample scores of a study side by side."""

import numpy as np
import pytest

import reseed
from reseed import RecordConfig, Study
from reseed.instability import multiplicity, rashomon_capacity, training_dynamics


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Four short trainings on digits, with full probabilities at three checkpoints."""
    recipe = reseed.recipe_for("digits", changes={"epochs": 6})
    root = tmp_path_factory.mktemp("profile") / "study"
    return reseed.measure(recipe=recipe, runs=4, out=root, record=RecordConfig(level="full"), probe=False).study


def test_every_family_joins_by_sample(study):
    """Columns are those of samples.parquet, of multiplicity and of training dynamics, row by row."""
    table = reseed.profile(study).to_pandas().set_index("sample_id")
    assert list(table.index) == list(study.samples.ids)
    assert set(reseed.evaluate(study).samples.column_names) <= {"sample_id", *table.columns}
    expected = multiplicity(study.final("labels"), study.final("probabilities"), targets=study.targets).samples
    trajectories = {name: study.recorded(name).to_numpy() for name in ("own_probability", "margin")}
    expected |= training_dynamics(study.labels.to_numpy(), study.targets, **trajectories).samples
    for name, values in expected.items():
        np.testing.assert_allclose(table[name].to_numpy(), values, err_msg=name)


def test_capacity_and_ambiguity_agree_with_label_entropy(study):
    """Samples on which the runs' labels differ are the ambiguous ones, and have capacity."""
    table = reseed.profile(study).to_pandas()
    assert (table["ambiguous"] == table["unstable"]).all()
    np.testing.assert_allclose(table["capacity"], rashomon_capacity(study.final("probabilities")), atol=1e-8)
    assert table.loc[table["unstable"], "capacity"].mean() > table.loc[~table["unstable"], "capacity"].mean()


def test_a_study_of_labels_alone_has_what_labels_allow(tmp_path):
    """Without probabilities, targets and checkpoints, columns that need them are not there."""
    names = reseed.profile(Study.from_predictions([[0, 1, 1], [0, 1, 0]], tmp_path / "study")).column_names
    assert {"ambiguous", "conflict_share", "label_stability"} <= set(names)
    assert not {"capacity", "forgetting_events", "conflict_epsilon"} & set(names)


def test_samples_without_a_target_are_not_known(tmp_path):
    """Where some targets are missing, columns that need them are NaN there, without a warning."""
    labels = np.random.default_rng(0).integers(0, 2, (3, 4, 5))
    study = Study.from_predictions(labels[:, -1], tmp_path / "study", targets=[0, 1, -1, 1, 0])
    assert "correctness" not in reseed.profile(study).column_names


def test_single_numbers_on_the_command_line(study, capsys):
    """`reseed inspect --profile` prints the summaries of both families, as a table or as JSON."""
    import json

    from reseed.cli import main
    from reseed.workflows._profile import profile_summary

    expected = profile_summary(study)
    assert expected["runs"] == 4
    assert {"ambiguity", "discrepancy", "survivors@0.02", "capacity"} <= set(expected)
    with pytest.raises(SystemExit) as ended:
        main(["inspect", str(study.path), "--profile", "--json"])
    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out)["ambiguity"] == pytest.approx(expected["ambiguity"])
    with pytest.raises(SystemExit):
        main(["inspect", str(study.path), "--profile"])
    assert "discrepancy" in capsys.readouterr().out
