"""What was corrupted is kept with a study, before its first run, and read with care."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import reseed
from reseed import StudyError
from reseed.data import CorruptionConfig, DataConfig, load
from reseed.models import ModelConfig
from reseed.studies import Study, train_study
from reseed.training import Recipe, RecordConfig

DATA = DataConfig("digits", limit=200, corruption=CorruptionConfig("labels", 0.3, seed=2))
RECIPE = Recipe(data=DATA, model=ModelConfig("mlp", hidden=(8,)), epochs=1, batch_size=50)
FILE = "corruption.parquet"


def trained(root, recipe=RECIPE, **options):
    """A small study."""
    options = {"runs": 2, "engine": "serial", "threads": 1, "probe": False, "record": RecordConfig("final")} | options
    return train_study(recipe, root, **options)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A study of two runs, which is not to be changed."""
    return trained(tmp_path_factory.mktemp("corrupted") / "study")


def test_it_is_what_the_data_says(kept):
    """Ids, labels, masks and statistics come back; targets of the training split are the labels that were learned."""
    expected, found = load(DATA).corruption, Study.open(kept.path).corruption
    assert (found.kind, found.rate, found.sample_ids) == ("labels", 0.3, expected.sample_ids)
    assert found.statistics == expected.statistics
    for name in ("true_labels", "given_labels", "selected", "changed"):
        assert np.array_equal(getattr(found, name), getattr(expected, name))
        assert getattr(found, name).dtype == getattr(expected, name).dtype
    targets = kept.inputs("train").targets
    assert np.array_equal(targets, found.given_labels)
    assert (targets != found.true_labels).sum() == found.changed.sum() > 30
    assert "labels were replaced on purpose" in kept.header.notes[0]


def test_studies_without_corruption_have_none(tmp_path):
    """Neither a file nor a record; and the recipe is the one that it was before there were corruptions."""
    study = trained(tmp_path / "study", replace(RECIPE, data=DataConfig("digits", limit=200)))
    assert study.corruption is None
    assert not (study.path / FILE).exists()
    assert Study.from_predictions([[0, 1], [1, 1]], tmp_path / "imported").corruption is None


@pytest.mark.parametrize("engine", ["serial", "stacked", "processes"])
def test_extended_studies_are_corrupted_alike(tmp_path, engine):
    """More runs of the same recipe learn the same labels, under every engine; of another corruption none join."""
    study = trained(tmp_path / "study", engine=engine, jobs=1)
    before = (study.path / FILE).read_bytes()
    assert len(trained(tmp_path / "study", engine=engine, jobs=1, runs=3).manifests) == 3
    assert (study.path / FILE).read_bytes() == before
    other = replace(RECIPE, data=replace(DATA, corruption=replace(DATA.corruption, seed=3)))
    with pytest.raises(StudyError, match=r"data\.corruption\.seed: 2 there, 3 now"):
        trained(tmp_path / "study", other, engine=engine)


def test_it_is_there_before_the_first_run(tmp_path, monkeypatch):
    """A study whose first run never ends knows what was corrupted; one that did not begin leaves nothing in the way."""

    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("reseed.studies._train.finish_study", stop)
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "study")
    assert Study.open(tmp_path / "study").corruption.changed.any()
    (tmp_path / "study/study.json").unlink()
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "study", replace(RECIPE, data=DataConfig("digits", limit=200)))
    assert Study.open(tmp_path / "study").corruption is None


def test_the_profile_of_the_training_split_shows_it(kept, tmp_path):
    """One row for each training sample, also where no lens speaks of them; tables have it with descriptions."""
    table = reseed.profile(kept, split="train")
    assert table.column_names == ["sample_id", "is_corrupted", "label_true", "label_given"]
    assert table["is_corrupted"].to_pylist() == kept.corruption.changed.tolist()
    assert table["label_true"].to_pylist() == kept.corruption.true_labels.tolist()
    assert b"on purpose" in table.schema.field("is_corrupted").metadata[b"description"]
    path = reseed.export(kept, tmp_path / "train.parquet", split="train")
    assert pq.read_table(path).column_names == table.column_names
    scores = reseed.scores.Scores(
        lens="toy",
        ids=kept.corruption.sample_ids[:3],
        split="train",
        columns={"toy": reseed.scores.Column("a toy", "none", "[0, 1]", "shares", "toys")},
        samples={"toy": np.array([0.5, 0.25, 1.0])},
    )
    reseed.scores.keep_scores(kept, scores)
    joined = reseed.profile(kept, split="train")
    assert joined.column_names[-2:] == ["label_given", "toy"]
    assert joined["toy"].to_pylist()[:4] == [0.5, 0.25, 1.0, None]


def _table(path):
    return pq.read_table(path)


DAMAGE = {
    "no such class": (
        lambda t: t.set_column(1, "label_true", pa.array([99] * len(t))),
        "label_true holds what is none",
    ),
    "negative": (lambda t: t.set_column(2, "label_given", pa.array([-1] * len(t))), "label_given holds what is none"),
    "no labels": (lambda t: t.drop_columns("label_true"), r"has columns 'label_true' of the types \[\]"),
    "texts": (lambda t: t.set_column(3, "is_changed", pa.array(["x"] * len(t))), "of the types"),
    "twice": (lambda t: t.set_column(0, "sample_id", pa.array(["x"] * len(t))), "a sample id stands more than once"),
    "gaps": (lambda t: t.set_column(3, "is_selected", pa.array([None] * len(t), pa.bool_())), "lacks values"),
    "silent": (lambda t: t.replace_schema_metadata(None), "does not say what was done"),
    "kind": (
        lambda t: t.replace_schema_metadata({"corruption": '{"kind": "\\u001b[31m", "statistics": {}}'}),
        "does not say what was done",
    ),
    "rate": (
        lambda t: t.replace_schema_metadata({"corruption": '{"kind": "labels", "rate": 3, "statistics": {}}'}),
        "its rate is no share",
    ),
    "statistics": (
        lambda t: t.replace_schema_metadata({"corruption": '{"kind": "labels", "statistics": {"a": "b"}}'}),
        "its statistics are no numbers",
    ),
}


@pytest.fixture
def study(kept, tmp_path):
    """A study that a test may break."""
    import shutil

    return Study.open(shutil.copytree(kept.path, tmp_path / "copy"))


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_refused(study, damage):
    """The message names the file and says what is wrong; the study opens all the same."""
    change, message = DAMAGE[damage]
    pq.write_table(change(_table(study.path / FILE)), study.path / FILE)
    with pytest.raises(StudyError, match=rf"cannot read '.*{FILE}': .*{message}"):
        Study.open(study.path).corruption  # noqa: B018


def test_a_strangers_file_is_read_with_care(study, tmp_path):
    """No more than allowed is read, no file outside the study, and no garbage."""
    with reseed.max_bytes(1000), pytest.raises(StudyError, match="above the limit"):
        study.corruption  # noqa: B018
    (study.path / FILE).write_bytes(b"PAR1 not really")
    with pytest.raises(StudyError, match="cannot read"):
        study.corruption  # noqa: B018
    (study.path / FILE).unlink()
    (tmp_path / "outside").write_text("mine")
    (study.path / FILE).symlink_to(tmp_path / "outside")
    with pytest.raises(StudyError, match="leads outside the study"):
        study.corruption  # noqa: B018
