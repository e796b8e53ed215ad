"""Where in the data a study's instability lives."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.stats
from threadpoolctl import threadpool_limits

from reseed import DataConfig, InputError, RecordConfig, Study, StudyError, TrainingError
from reseed.data import CorruptionConfig
from reseed.instability import available_groupings, where_unstable
from reseed.instability.where._groupings import feature_clusters, number_groups
from reseed.instability.where._text_clusters import text_clusters
from reseed.models import ModelConfig
from reseed.studies import train_study
from reseed.training import Recipe

RUNS, SAMPLES = 6, 150
THEMES = ("wake alarm clock early", "play song music loud", "weather rain forecast tomorrow")


@pytest.fixture
def labels():
    """Labels of six runs; only samples of the second theme ever flip."""
    rng = np.random.default_rng(0)
    flips = (np.arange(SAMPLES) % 3 == 1) & (rng.random((RUNS, SAMPLES)) < 0.4)
    return np.where(flips, 1, 0)


@pytest.fixture
def texts():
    """Texts of three themes in turn, of different lengths."""
    rng = np.random.default_rng(1)
    return [" ".join(rng.permutation(THEMES[i % 3].split())[: 3 + i % 2].tolist()) for i in range(SAMPLES)]


@pytest.fixture
def study(labels, texts, tmp_path):
    """A study of texts whose targets are the samples' parity."""
    return Study.from_predictions(
        np.array(["no", "yes"])[labels],
        tmp_path / "study",
        targets=[("no", "yes")[i % 2] for i in range(SAMPLES)],
        class_names=("no", "yes"),
        texts=texts,
        sample_ids=[f"s{i}" for i in range(SAMPLES)],
    )


@pytest.fixture
def metadata():
    """A theme, a rank and a price for each sample."""
    return pa.table(
        {
            "id": [f"s{i}" for i in range(SAMPLES)],
            "theme": [("a", "b", "c")[i % 3] for i in range(SAMPLES)],
            "rank": [i % 3 for i in range(SAMPLES)],
            "price": [float(i) for i in range(SAMPLES)],
        }
    )


def test_rows_equal_plain_loops(study, labels, metadata):
    """Means, shares and counts of each group are those of a loop over its samples, the worst group first."""
    found = where_unstable(study, "theme", metadata=metadata)
    entropy = np.array([scipy.stats.entropy(np.bincount(labels[:, i])) for i in range(SAMPLES)])
    rows = found.table.to_pylist()
    assert rows[0]["group"] == "b"
    assert sorted(row["group"] for row in rows) == ["a", "b", "c"]
    for row in rows:
        inside = np.arange(SAMPLES) % 3 == "abc".index(row["group"])
        assert row["samples"] == 50
        assert row["label_entropy"] == pytest.approx(entropy[inside].mean())
        assert row["excess"] == pytest.approx(entropy[inside].mean() - entropy.mean())
        assert row["unstable_fraction"] == pytest.approx((entropy[inside] > 0).mean())
        assert row["low"] <= row["label_entropy"] <= row["high"]
    assert rows[0]["corrected_p_value"] == 1 / 1000
    assert found.test.p_value == 1 / 1000
    assert found.notes == ()


def test_clusters_find_the_unstable_theme(study):
    """Clusters of the texts are the themes, named by their words, and the unstable one stands out."""
    found = where_unstable(study, "cluster")
    worst = found.table.to_pylist()[0]
    assert set(worst["group"].split(", ")) <= set(THEMES[1].split())
    assert worst["corrected_p_value"] < 0.01
    assert where_unstable(study, "cluster").table == found.table


def test_class_and_length(study):
    """Classes go by the gold label's name, lengths by the number of words."""
    assert sorted(where_unstable(study).table["group"].to_pylist()) == ["no", "yes"]
    assert sorted(where_unstable(study, "length").table["group"].to_pylist()) == ["3", "4"]
    assert available_groupings(study) == ("class", "length", "cluster")


def test_few_numbers_are_groups_and_many_are_binned(study, metadata):
    """A rank of three values is three groups; 150 prices are five bins of 30."""
    rank = where_unstable(study, "rank", metadata=metadata).table
    assert sorted(rank["group"].to_pylist()) == ["0", "1", "2"]
    price = where_unstable(study, "price", metadata=metadata)
    assert price.table["samples"].to_pylist() == [30] * 5
    assert "0 to 29" in price.table["group"].to_pylist()
    assert "5 bins" in price.about


def test_bins_hold_equal_values_together():
    """Equal numbers share a bin, bins are in order and none is empty; NaN is in none."""
    values = np.array([0.0] * 60 + list(range(1, 41)) + [np.nan])
    found = number_groups(values, "numbers")
    assert found.place[-1] == -1
    assert set(found.place[:60].tolist()) == {0}
    assert (np.diff(found.place[60:-1]) >= 0).all()
    assert (np.bincount(found.place[:-1]) > 0).all()
    assert found.names[0] == "0"


def test_files_are_joined_on_ids(study, metadata, tmp_path):
    """A file's rows may come in any order, lack samples and have others; both are told."""
    part = metadata.slice(0, 100).take(list(reversed(range(100))))
    more = pa.concat_tables([part, pa.table({"id": ["x"], "theme": ["a"], "rank": [0], "price": [0.0]})])
    pq.write_table(more, tmp_path / "more.parquet")
    found = where_unstable(study, "theme", metadata=tmp_path / "more.parquet")
    assert sum(found.table["samples"].to_pylist()) == 100
    assert found.notes == (
        "50 samples are not in more.parquet and left out, among them s100, s101, s102.",
        "1 rows of more.parquet belong to no sample of the study.",
    )
    assert found.table.to_pylist()[0]["group"] == "b"


def test_ids_in_csv_files_stay_as_they_are_written(labels, tmp_path):
    """An id such as 007 keeps its zeros."""
    study = Study.from_predictions(
        labels[:, :3], tmp_path / "study", class_names=("0", "1"), sample_ids=["007", "008", "009"]
    )
    file = tmp_path / "colours.csv"
    file.write_text("key,colour\n007,red\n008,blue\n009,red\n")
    found = where_unstable(study, "colour", metadata=file, id_column="key")
    assert dict(zip(*(found.table[name].to_pylist() for name in ("group", "samples")), strict=True)) == {
        "blue": 1,
        "red": 2,
    }


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("01", "1", "01", "1"), {"01": 2, "1": 2}),
        (("01", "02", "10", "10"), {"01": 1, "02": 1, "10": 2}),
        (("1e5", "100000", "1e5", "2"), {"1e5": 2, "100000": 1, "2": 1}),
        (("09:00", "9:00", "09:00", "9:00"), {"09:00": 2, "9:00": 2}),
        (("12345678901234567891", "12345678901234567892") * 2, {f"1234567890123456789{n}": 2 for n in (1, 2)}),
        (("+1", "+1", "1", "1"), {"+1": 2, "1": 2}),
        (("true", "True", "true", "True"), {"true": 2, "True": 2}),
        (("NA", "en", "null", "en"), {"NA": 1, "null": 1, "en": 2}),
        (("1", "NA", "2", "2"), {"1": 1, "2": 2}),
        (("1.50", "1.5", "2", "-0.5"), {"1.5": 2, "2": 1, "-0.5": 1}),
        (("a", "", "a", "b"), {"a": 2, "b": 1}),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_groups_of_a_file_are_as_they_are_written(tmp_path, values, expected, suffix):
    """Codes that look like numbers are told apart; a column of nothing but numbers is numbers."""
    study = Study.from_predictions(
        np.array([[0, 1, 0, 1], [1, 0, 0, 1]]),
        tmp_path / "study",
        class_names=("0", "1"),
        sample_ids=["007", "7", " x", "-5"],
    )
    file = tmp_path / f"groups{suffix}"
    mark = {".csv": ",", ".tsv": "\t"}[suffix]
    rows = zip(study.samples.ids, values, strict=True)
    file.write_text(f"{mark}ID{mark}zip\n" + "".join(f"{n}{mark}{i}{mark}{v}\n" for n, (i, v) in enumerate(rows)))
    found = where_unstable(study, "zip", metadata=file).table
    assert dict(zip(found["group"].to_pylist(), found["samples"].to_pylist(), strict=True)) == expected


def test_metadata_of_any_layout_and_type_is_read(study, metadata, tmp_path):
    """Semicolons are told of; numbers beyond doubles, decimals and times group; ids may be numbers of any kind."""
    file = tmp_path / "themes.csv"
    file.write_text("Id;Theme\n" + "".join(f"s{i};{'abc'[i % 3]}\n" for i in range(SAMPLES)))
    found = where_unstable(study, "theme", metadata=file)
    assert found.notes == ("themes.csv: Its cells are separated by semicolons.",)
    assert sorted(found.table["group"].to_pylist()) == ["a", "b", "c"]
    columns = {
        "big": [2**62 + i % 3 for i in range(SAMPLES)],
        "time": pa.array([i % 3 for i in range(SAMPLES)], pa.time64("ns")),
        "money": pa.array([Decimal(i % 3) for i in range(SAMPLES)], pa.decimal128(38, 9)),
        "lists": [[i % 3] for i in range(SAMPLES)],
    }
    groups = {
        "big": [str(2**62 + i) for i in range(3)],
        "time": [f"00:00:00{'' if i == 0 else f'.00000000{i}'}" for i in range(3)],
        "money": ["0", "1", "2"],
        "lists": ["[0]", "[1]", "[2]"],
    }
    table = pa.table({"sample": metadata["id"], **columns})
    for name, expected in groups.items():
        assert sorted(where_unstable(study, name, metadata=table).table["group"].to_pylist()) == expected


def test_ids_of_metadata_may_be_the_index_of_pandas(study, tmp_path):
    """An index that is called as ids are is the column of ids."""
    frame = pd.DataFrame({"theme": ["a", "b", "c"] * 50}, index=[f"s{i}" for i in range(SAMPLES)]).rename_axis("id")
    frame.to_parquet(tmp_path / "themes.parquet")
    assert where_unstable(study, "theme", metadata=tmp_path / "themes.parquet").notes == ()
    frame.rename_axis(None).to_csv(tmp_path / "themes.csv")
    with pytest.raises(
        InputError, match=r"themes\.csv has no id column 'id' or 'sample_id' or 'sample'; it has theme\."
    ):
        where_unstable(study, "theme", metadata=tmp_path / "themes.csv")


def test_missing_values_are_left_out(study, metadata):
    """A sample without a value is in no group, and a note counts such samples."""
    themes = [None, *metadata["theme"].to_pylist()[1:]]
    found = where_unstable(study, "theme", metadata=metadata.set_column(1, "theme", pa.array(themes)))
    assert sum(found.table["samples"].to_pylist()) == SAMPLES - 1
    assert found.notes == ("1 samples have no 'theme' and are left out.",)


def test_nothing_that_flips_is_nothing_to_locate(tmp_path):
    """Where all runs agree the test is NaN and a note says why."""
    study = Study.from_predictions(np.zeros((3, 8), int), tmp_path / "study", class_names=("0", "1"))
    found = where_unstable(study)
    assert np.isnan(found.test.statistic)
    assert found.notes[-1] == "No prediction changes, so there is nothing to locate."


def test_inputs_are_loaded_again_by_the_recipe(tmp_path):
    """Images are clustered from the recipe's data and named by a sample; confidence has five bins."""
    recipe = Recipe(model=ModelConfig(hidden=(8,)), epochs=1, batch_size=64)
    study = train_study(recipe, tmp_path / "study", runs=3, engine="serial")
    found = where_unstable(study, "cluster", permutations=99)
    assert sum(found.table["samples"].to_pylist()) == len(study.samples)
    named = [name.removeprefix("like ").split(", ") for name in found.table["group"].to_pylist()]
    assert all(len(some) == 3 and set(some) <= set(study.samples.ids) for some in named)
    confidence = where_unstable(study, "confidence", permutations=99)
    assert confidence.table.num_rows == 5
    assert "same runs" in confidence.notes[0]
    with pytest.raises(InputError, match="by='length' needs texts, which this study lacks; choose class, confidence"):
        where_unstable(study, "length")


def test_corrupted_training_samples_are_a_group(tmp_path):
    """What runs answer to training samples is grouped by whether their labels were made wrong, as a loop does it."""
    data = DataConfig(corruption=CorruptionConfig("labels", rate=0.3))
    recipe = Recipe(data, ModelConfig(hidden=(8,)), epochs=3)
    study = train_study(recipe, tmp_path / "study", runs=3, record=RecordConfig(train=True), engine="serial")
    found = where_unstable(study, "is_corrupted", permutations=99)
    labels = study.recorded("labels", "train").to_numpy()[:, -1]
    entropy = np.array([scipy.stats.entropy(np.unique(each, return_counts=True)[1]) for each in labels.T])
    rows = {row["group"]: row for row in found.table.to_pylist()}
    assert set(rows) == {"corrupted", "clean"}
    for name, inside in (("corrupted", study.corruption.changed), ("clean", ~study.corruption.changed)):
        assert rows[name]["samples"] == inside.sum()
        assert rows[name]["label_entropy"] == pytest.approx(entropy[inside].mean())
        fitted = (labels == study.corruption.given_labels)[:, inside].mean()
        assert f"{fitted:.1%} of {name} ones" in found.notes[0]


def test_corrupted_samples_need_a_corruption_and_their_answers(study, tmp_path):
    """A study without corruption has no such groups, and one that recorded no training split no answers of theirs."""
    with pytest.raises(InputError, match=r"by='is_corrupted' needs training samples .* train one with corrupt and"):
        where_unstable(study, "is_corrupted")
    data = DataConfig(corruption=CorruptionConfig("labels", rate=0.3), limit=100)
    unseen = train_study(Recipe(data, epochs=1), tmp_path / "unseen", runs=2, engine="serial")
    with pytest.raises(StudyError, match=r"did not record 'labels' of the split 'train'.* level or train"):
        where_unstable(unseen, "is_corrupted")


def test_separated_points_are_clustered():
    """Two clouds of points are two clusters, each named by the points nearest its centre."""
    points = np.array([[0.0, 0.0], [0.0, 1.0], [0.0, -1.0], [9.0, 0.0], [9.0, 1.0], [9.0, -1.0]])
    found = feature_clusters(points, list("abcdef"))
    assert sorted(found.names) == ["like a, b, c", "like d, e, f"]
    assert len(set(found.place[:3].tolist())) == len(set(found.place[3:].tolist())) == 1


def test_clusters_do_not_depend_on_threads():
    """Points without structure, where the last digit decides, get the same clusters with one thread and with two."""
    points = np.random.default_rng(0).normal(size=(2000, 40))
    names = [str(row) for row in range(2000)]
    words = np.random.default_rng(1).choice([f"word{number}" for number in range(300)], (2000, 6))
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append((feature_clusters(points, names), text_clusters([" ".join(row) for row in words])))
    for one, two in zip(*found, strict=True):
        assert np.array_equal(one.place, two.place)
        assert one.names == two.names


def test_many_texts_are_fitted_on_some(monkeypatch, texts):
    """Above the cap the centres come from some of the texts, all get a cluster, and the words say so."""
    monkeypatch.setattr("reseed.instability.where._k_means.FITTED", 60)
    found = text_clusters(texts)
    assert (found.place >= 0).all()
    assert found.about.endswith("centres fitted on 60 of 150 samples")


def test_texts_without_common_words_cannot_be_clustered():
    """Texts that share no word are refused with a reason."""
    with pytest.raises(InputError, match="the 2 texts share too few words to be clustered; choose another grouping"):
        text_clusters(["one", "two"])


def test_two_runs_are_needed(labels, tmp_path):
    """One run cannot disagree with itself."""
    Study.from_predictions(labels[:2], tmp_path / "study", class_names=("0", "1"))
    (tmp_path / "study/runs/run-00000/manifest.json").unlink()
    with pytest.raises(TrainingError, match="has 1 complete runs"):
        where_unstable(Study.open(tmp_path / "study"))


@pytest.mark.parametrize(
    ("by", "change", "options", "text"),
    [
        (
            "colour",
            None,
            {},
            r"by='colour' is unknown\. Did you mean 'cluster'\? Choose class, length, cluster, or a column of",
        ),
        ("colour", lambda table: table, {}, "metadata has no column 'colour'. It has id, theme, rank, price"),
        ("theme", lambda table: table, {"id_column": "key"}, "metadata has no id column 'key'; it has id, theme"),
        (
            "theme",
            lambda table: pa.concat_tables([table, table.slice(0, 1)]),
            {},
            "metadata has the id 's0' 2 times; keep one row for each sample",
        ),
        (
            "theme",
            lambda table: table.set_column(0, "id", table["price"]),
            {},
            "no id in the column 'id' of metadata is a sample's: it has '0', '1', '2', the study has 's0'",
        ),
        (
            "theme",
            lambda table: table.set_column(1, "theme", pa.nulls(SAMPLES)),
            {},
            "column 'theme' of metadata is empty for every sample of the study; choose another column",
        ),
        ("theme", lambda _: "absent.csv", {}, "no such file: absent.csv"),
    ],
)
def test_errors_say_what_is_wrong_and_what_to_pass(study, metadata, by, change, options, text):
    """Each error names what does not fit and what there is to choose from."""
    given = None if change is None else change(metadata)
    with pytest.raises(InputError, match=text):
        where_unstable(study, by, metadata=given, **options)


def test_too_many_names_are_refused(study, metadata, monkeypatch):
    """A column that names nearly every sample is no grouping."""
    monkeypatch.setattr("reseed.instability.where._metadata._MOST_GROUPS", 2)
    with pytest.raises(InputError, match="column 'theme' of metadata has 3 distinct values; pass one with at most 2"):
        where_unstable(study, "theme", metadata=metadata)
