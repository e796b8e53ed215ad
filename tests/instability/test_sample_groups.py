"""The groups that each sample of a study is in."""

import io
import itertools

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from threadpoolctl import threadpool_limits

import reseed
from reseed import DataConfig, DataError, Dataset, Study
from reseed.data import load, pixels, previews
from reseed.instability import evaluate, sample_groups, where_unstable
from reseed.instability.where._groupings import feature_clusters, table_clusters
from reseed.report import report_data

WORDS = ("play some loud music", "set an early alarm please now")


def _png(size, mode="L"):
    file = io.BytesIO()
    Image.new(mode, size).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def study(tmp_path):
    """A study of forty texts of two themes in turn, of which some flip."""
    labels = np.random.default_rng(0).integers(0, 2, (3, 40))
    return Study.from_predictions(
        labels, tmp_path / "study", class_names=("0", "1"), texts=[WORDS[i % 2] for i in range(40)]
    )


@pytest.fixture
def flowers(tmp_path):
    """A CSV file of three numbers in different units; the class goes with `size`."""
    rng = np.random.default_rng(0)
    rows = [f"{1000 * (i % 2) + rng.normal():.3f},{rng.normal():.5f},{'ab'[i % 2]}" for i in range(80)]
    path = tmp_path / "flowers.csv"
    path.write_text("size,weight,label\n" + "\n".join(rows) + "\n")
    return path


def test_samples_parquet_has_clusters_of_texts(study):
    """Each row has a cluster with its words, and the length of its text in words."""
    reseed.inspect(study).write()
    table = pq.read_table(study.path / "samples.parquet").to_pandas()
    assert (table["length"] == [len(WORDS[i % 2].split()) for i in range(40)]).all()
    assert (table["length_bin"] == table["length"].astype(str)).all()
    assert table.groupby("cluster")["cluster_name"].nunique().eq(1).all()
    assert table["cluster"].nunique() == 2
    assert len(set(table["cluster"][::2])) == len(set(table["cluster"][1::2])) == 1
    assert set(table["cluster_name"][0].split(", ")) <= set(WORDS[0].split())
    assert list(reseed.profile(study)["cluster"].to_pylist()) == list(table["cluster"])


def test_groups_are_those_of_the_report(study):
    """What the report and `where_unstable` group by cluster is the column, and groups made once can be used again."""
    found = reseed.inspect(study)
    table = found.samples.to_pandas()
    alone = where_unstable(study, "cluster").table.to_pylist()
    assert where_unstable(study, "cluster", groups=found.groups).table.to_pylist() == alone
    for row in alone:
        assert row["samples"] == (table["cluster_name"] == row["group"]).sum()
    page = report_data(study, found.stability, found.groups)
    assert page.groupings[-1].rows[0][0] in set(table["cluster_name"])


def test_images_and_confidence_get_columns(tmp_path):
    """Clusters of a named set's images are named by samples; confidence comes in five bins."""
    recipe = reseed.recipe_for("digits", changes={"epochs": 1})
    table = reseed.measure(recipe=recipe, runs=2, out=tmp_path / "study", probe=False, engine="serial").samples
    rows = table.to_pandas().set_index("sample_id")
    assert rows["confidence_bin"].nunique() == 5
    ends = rows["confidence_bin"].str.split(" to ", expand=True).astype(float)
    assert ((rows["confidence_mean"] >= ends[0] - 1e-3) & (rows["confidence_mean"] <= ends[1] + 1e-3)).all()
    for name, part in rows.groupby("cluster_name"):
        assert set(name.removeprefix("like ").split(", ")) <= set(part.index)
    assert "length" not in table.column_names


def test_tables_are_clustered_by_scaled_columns(flowers, tmp_path):
    """Columns of a file are scaled, and their names name the clusters."""
    recipe = reseed.recipe_for(str(flowers), changes={"epochs": 1})
    study = reseed.measure(recipe=recipe, runs=2, out=tmp_path / "study", probe=False, engine="serial").study
    grouping, _ = sample_groups(study).groupings["cluster"]
    assert sorted(name.split(", ")[0] for name in grouping.names) == ["high size", "low size"]
    size = load(DataConfig(str(flowers))).evaluation.inputs[:, 0].numpy()
    assert len(set(grouping.place[size > 500].tolist())) == len(set(grouping.place[size < 500].tolist())) == 1


def test_tables_are_clustered_without_their_file(flowers, tmp_path):
    """The study holds the numbers and their names, so that nothing is read again: the file may be gone or another."""
    recipe = reseed.recipe_for(str(flowers), changes={"epochs": 1})
    study = reseed.measure(recipe=recipe, runs=2, out=tmp_path / "study", probe=False, engine="serial").study
    inputs = load(recipe.data).evaluation.inputs
    flowers.unlink()
    opened = Study.open(study.path)
    assert opened.samples.feature_names == ("size", "weight")
    np.testing.assert_array_equal(opened.samples.features, inputs.numpy())
    assert (
        sample_groups(opened).groupings["cluster"][0].names == table_clusters(inputs.numpy(), ("size", "weight")).names
    )


def test_images_are_clustered_as_the_data_itself_would_be(tmp_path):
    """Pictures give back the pixels of an image, so that the clusters are those of the inputs."""
    inputs = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (60, 3, 4, 5)).astype(np.float32) / 255)
    ids = tuple(map(str, range(60)))
    data = Dataset("toy", "test", inputs, torch.arange(60) % 2, ids, ("no", "yes"))
    assert np.array_equal(pixels(previews(data)), inputs.flatten(1).numpy())
    fit = itertools.cycle(np.random.default_rng(0).integers(0, 2, (2, 60))).__next__
    study = reseed.run(lambda seed: lambda x: fit(), runs=2, eval_data=data, out=tmp_path / "study", engine="serial")
    found, _ = sample_groups(study).groupings["cluster"]
    assert np.array_equal(found.place, feature_clusters(inputs.flatten(1).numpy(), ids).place)


def test_large_tables_are_not_kept(tmp_path, monkeypatch):
    """Of more numbers than a study holds there are no clusters, and a note says how many those are."""
    monkeypatch.setattr("reseed.studies._samples._MOST_FEATURES", 9)
    data = Dataset("toy", "test", torch.ones(5, 2), torch.arange(5) % 2, tuple("abcde"), ("no", "yes"))
    study = reseed.run(
        lambda seed: lambda x: [seed % 2] * 5, runs=2, eval_data=data, out=tmp_path / "s", engine="serial"
    )
    assert study.samples.features is None
    assert "hold up to 16,777,216 numbers" in sample_groups(study).notes[0]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([b"no picture"], "picture 0 is no PNG file that can be read"),
        ([_png((2, 2)), _png((2, 3))], r"picture 1 is \('L', \(2, 3\)\); all must be"),
        ([_png((2, 2), "P")], r"picture 0 is \('P', \(2, 2\)\); all must be"),
        ([_png((2, 2))[:40]], "picture 0 is no PNG file that can be read"),
        ([], "there are no pictures"),
    ],
)
def test_pictures_that_are_none(files, message):
    """What is no picture of one kind and size is refused with its number."""
    with pytest.raises(DataError, match=message):
        pixels(files)


def test_pictures_that_are_too_large():
    """A picture's size is looked at before it is unpacked."""
    with (
        reseed.max_bytes(10_000),
        pytest.raises(DataError, match=r"unpacking the pictures of the samples takes .*limit of 9\.77 KiB"),
    ):
        pixels([_png((100, 100))])


def test_imports_without_inputs_have_no_clusters(tmp_path):
    """Labels alone cannot be clustered: no column, and a note in the report."""
    labels = np.random.default_rng(0).integers(0, 2, (3, 40))
    study = Study.from_predictions(labels, tmp_path / "study", class_names=("0", "1"))
    found = reseed.inspect(study)
    assert not {"cluster", "cluster_name", "length"} & set(found.samples.column_names)
    assert report_data(study, evaluate(study)).notes[-1] == (
        "Samples are not grouped by cluster: the study holds neither texts nor images nor numbers of its inputs; give "
        "texts when it is recorded or imported. Studies that reseed trains hold up to 16,777,216 numbers."
    )


@pytest.mark.parametrize("make", [lambda x: feature_clusters(x, list(map(str, range(len(x))))), table_clusters])
def test_wide_inputs_are_clustered_alike_on_any_threads(make, monkeypatch):
    """More features than are clustered directly, fitted on a part and assigned in blocks: the same on two threads."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(4, 600))
    truth = rng.integers(0, 4, 400)
    points = (centres[truth] + 0.1 * rng.normal(size=(400, 600))).astype(np.float32)
    monkeypatch.setattr("reseed.instability.where._k_means.FITTED", 200)
    monkeypatch.setattr("reseed.instability.where._k_means._BLOCK", 5000)
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(make(points))
    assert np.array_equal(found[0].place, found[1].place)
    assert found[0].names == found[1].names
    assert "on the 50 leading principal components" in found[0].about
    assert found[0].about.endswith("centres fitted on 200 of 400 samples")
    assert all(len(set(truth[found[0].place == place].tolist())) == 1 for place in range(len(found[0].names)))


def test_columns_without_names_are_numbered():
    """The name says which columns set a cluster apart, and which way; a constant column never does."""
    points = np.array([[0.0, 7.0, 1.0], [0.1, 7.0, 1.0], [9.0, 7.0, 1.0], [9.1, 7.0, 1.0]])
    assert sorted(table_clusters(points).names) == ["high column 0", "low column 0"]


def test_feature_names_fit_the_features():
    """Names of features are as many as there are features."""
    with pytest.raises(DataError, match=r"feature_names has 1 names; inputs are \(2,\)"):
        Dataset("toy", "test", torch.zeros(2, 2), torch.tensor([0, 1]), ("a", "b"), ("x", "y"), ("one",))
