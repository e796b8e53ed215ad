"""The file of data that was in memory: read with care, as it may be a stranger's."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import reseed
from reseed import StudyError
from reseed.studies import train_study
from reseed.studies._data_file import read_data

X = np.random.default_rng(0).random((60, 1, 4, 4)).astype(np.float32)
RECIPE = reseed.recipe_for((X, np.arange(60) % 3), "mlp", changes={"epochs": 1, "model.hidden": [4]})
FILE = "data.parquet"


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A study of two runs, which is not to be changed."""
    return train_study(RECIPE, tmp_path_factory.mktemp("kept") / "study", runs=2, engine="serial", probe=False)


@pytest.fixture
def copy(kept, tmp_path):
    """A copy of it, to be damaged."""
    shutil.copytree(kept.path, tmp_path / "study")
    return tmp_path / "study"


def test_it_is_what_was_in_memory(kept):
    """Images, labels and ids come back bit for bit."""
    expected, found = RECIPE.data.held, kept.inputs()
    assert found.inputs.equal(expected.evaluation.inputs.float())
    assert (found.targets == expected.evaluation.labels.numpy()).all()
    assert kept.inputs("train").inputs.equal(expected.train.inputs)


def test_a_url_keeps_it_too(url):
    """Whoever opens the study elsewhere can ask for its networks."""
    study = train_study(RECIPE, url, runs=2, engine="serial", probe=False)
    assert reseed.Study.open(url).inputs().ids == study.samples.ids
    assert len(reseed.Study.open(url).networks()) == 2


def changed(path, rule):
    """Writes the file anew, changed."""
    pq.write_table(rule(pq.read_table(path)), path)


def about(table, **changes):
    """The table, which says other things of itself."""
    told = json.loads(table.schema.metadata[b"data"]) | changes
    return table.replace_schema_metadata({b"data": json.dumps(told).encode()})


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (lambda table: table.slice(1), "it holds other data than the recipe names"),
        (lambda table: table.drop(["label"]), "and not those of data"),
        (lambda table: table.append_column("more", pa.array([1] * 60)), None),
        (lambda table: about(table, shape=[1, 4, 5]), "cannot reshape"),
        (lambda table: about(table, shape=None), "cannot read"),
        (lambda table: about(table, splits=["train"]), "cannot read"),
        (lambda table: about(table, class_names=["0", "1"]), "outside the classes"),
        (lambda table: about(table, names=["x", 3]), "other data"),
        (lambda table: table.replace_schema_metadata({}), "cannot read"),
        (lambda table: table.replace_schema_metadata({b"data": b"[]"}), "cannot read"),
        (lambda table: table.set_column(1, "label", pa.array([None] * 60, pa.int64())), "lacks values"),
    ],
)
def test_what_is_damaged_is_refused(copy, rule, message):
    """Nothing but what the study began with is taken, and nothing else than a `StudyError` raised."""
    changed(copy / FILE, rule)
    study = reseed.Study.open(copy)
    assert study.final().shape == (2, 12)
    if message is None:
        study.inputs()
        return
    with pytest.raises(StudyError, match=message):
        study.inputs()


def test_it_cannot_lead_elsewhere(copy, tmp_path):
    """A link out of the folder is not followed, a missing file is named."""
    (copy / FILE).rename(tmp_path / "secret.parquet")
    with pytest.raises(StudyError, match="Bring the file back"):
        reseed.Study.open(copy).inputs()
    (copy / FILE).symlink_to(tmp_path / "secret.parquet")
    with pytest.raises(StudyError, match="outside"):
        reseed.Study.open(copy).inputs()


def test_the_limit_holds(copy):
    """No more is read than may be."""
    digest = RECIPE.data.name.removeprefix("in-memory:")
    with reseed.max_bytes(1000), pytest.raises(StudyError, match="raise the limit"):
        read_data(copy, digest)
