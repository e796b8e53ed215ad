"""Scores kept with a study: all of them or none, of this study alone, and never believed unread."""

import json
import re
import shutil

import numpy as np
import pytest

import reseed
from reseed import InputError, Study, StudyError
from reseed.scores import all_kept_scores, keep_scores, kept_lenses, kept_scores, scores_for

DATA = ("samples", "by_run", "of_runs", "series")


def assert_same(one, other):
    """Assert that two scores say the same."""
    for kind in DATA:
        assert getattr(one, kind).keys() == getattr(other, kind).keys()
        for name, values in getattr(one, kind).items():
            np.testing.assert_array_equal(np.asarray(values), np.asarray(getattr(other, kind)[name]))
    for name in ("lens", "split", "ids", "runs", "steps", "columns", "summary", "groups", "notes", "options", "cost"):
        assert getattr(one, name) == getattr(other, name), name
    assert [chart.tree for chart in one.charts] == [chart.tree for chart in other.charts]


def test_what_is_kept_comes_back(study, made):
    """Every number with its type, from a study that is opened anew."""
    scores = made()
    keep_scores(study, scores)
    again = kept_scores(Study.open(study.path), "norms")
    assert_same(again, scores)
    assert again.series["loss"].dtype == np.float32
    assert again.by_run["norm"].shape == (3, 5)
    assert kept_lenses(study) == ("norms",)
    assert [found.lens for found in all_kept_scores(study)] == ["norms"]
    assert kept_scores(study, "others") is None


def test_scores_replace_those_of_before(study, made):
    """Nothing of the earlier ones is left."""
    keep_scores(study, made())
    keep_scores(study, made(notes=("new.",)))
    assert kept_scores(study, "norms").notes == ("new.",)
    assert len(list((study.path / "scores" / "norms").iterdir())) == 2


def test_a_writer_that_is_stopped_leaves_what_was_there(study, made, monkeypatch):
    """Ctrl-C in the middle, before the file that makes scores exist."""
    keep_scores(study, made())

    def stop(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("reseed.scores._files.replace_json", stop)
    with pytest.raises(KeyboardInterrupt):
        keep_scores(study, made(notes=("new.",)))
    assert kept_scores(study, "norms").notes == ("mind this.",)
    assert len(list((study.path / "scores" / "norms").iterdir())) == 2


def test_scores_are_made_again_where_options_or_runs_change(study, made):
    """Else those that are kept are taken."""
    asked = []

    def make(power):
        asked.append(power)
        return made(options={"power": power})

    for power in (2, 2, 3, 3):
        found = scores_for(study, "norms", {"power": power}, lambda power=power: make(power))
        assert found.options == {"power": power}
    assert asked == [2, 3]
    keep_scores(study, made(options={"power": 3}, runs=(0, 2), **_of_runs(made(), [0, 2])))
    scores_for(study, "norms", {"power": 3}, lambda: make(3))
    assert asked == [2, 3, 3]


def _of_runs(scores, places):
    return {kind: {n: np.asarray(v)[places] for n, v in getattr(scores, kind).items()} for kind in DATA[1:]}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"ids": tuple("vwxyz")}, "of 5 samples that are not the 5 of the study"),
        ({"runs": (0, 1, 7)}, "of run 7, which is no complete run of the study"),
        ({"options": {"function": print}}, "options, summary and cost of the lens 'norms' must be what JSON holds"),
        ({"samples": {"length": np.array([{}, 1, "a", None, 2], object)}}, "is nothing that Parquet holds"),
        ({"by_run": {"norm": np.full((3, 5), "a")}}, "norm holds <U1; give numbers"),
    ],
)
def test_what_cannot_be_kept_is_refused(study, made, changed, message):
    """And nothing of it is left."""
    with pytest.raises(InputError, match=re.escape(message)):
        keep_scores(study, made(**changed))
    assert all_kept_scores(study) == ()
    assert not list(study.path.glob("scores/norms/*"))


def test_scores_of_training_samples_need_a_study_that_knows_them(study, made):
    """An imported one does not."""
    with pytest.raises(StudyError, match="does not know what its runs were trained on"):
        keep_scores(study, made(split="train"))


def test_two_lenses_cannot_share_a_column(study, made):
    """Else the profile would have to choose."""
    keep_scores(study, made())
    with pytest.raises(InputError, match="the lenses 'others' and 'norms' both have a column 'length'; call that of"):
        keep_scores(study, made(lens="others"))
    assert kept_lenses(study) == ("norms",)


def test_scores_of_another_study_are_refused(study, made, tmp_path):
    """A folder that was moved here."""
    keep_scores(study, made())
    other = Study.from_predictions([[0, 1], [1, 1]], tmp_path / "other")
    shutil.copytree(study.path / "scores", other.path / "scores")
    with pytest.raises(StudyError, match="are of other samples than this study's; they were moved here"):
        all_kept_scores(other)


def _damage(folder, how):
    path = folder / "evaluation.json"
    tree = json.loads(path.read_text())
    data = folder / tree["data"]
    if how == "cut":
        path.write_text(path.read_text()[:50])
    elif how == "outside":
        tree["data"] = "../../../elsewhere"
    elif how == "link":
        shutil.move(data, folder.parents[2] / "elsewhere")
        data.symlink_to(folder.parents[2] / "elsewhere")
    elif how == "table":
        (data / "samples.parquet").write_bytes(b"PAR1" + b"\0" * 40 + b"PAR1")
    elif how == "array":
        shutil.rmtree(data / "by_run" / "norm")
    elif how == "shape":
        tree["runs"] = [0, 1]
    elif how == "strange run":
        tree["runs"] = [0, 1, 99]
    elif how == "chart":
        tree["charts"][0]["series"][0]["y"] = ["<script>"]
    elif how == "column":
        del tree["columns"]["norm"]
    elif how == "name":
        tree["by_run"] = ["../by_run/norm"]
    elif how == "format":
        tree["format"] = 9
    if how != "cut":
        path.write_text(json.dumps(tree))


@pytest.mark.parametrize(
    "how",
    ["cut", "outside", "link", "table", "array", "shape", "strange run", "chart", "column", "name", "format"],
)
def test_damaged_scores_are_told(study, made, how):
    """By the one error that says whose they are; nothing outside the study is opened."""
    keep_scores(study, made())
    _damage(study.path / "scores" / "norms", how)
    with pytest.raises(StudyError):
        all_kept_scores(study)


def test_large_scores_are_not_read_unasked(study, made):
    """What a file declares is held against the limit."""
    keep_scores(study, made())
    with reseed.max_bytes(1000), pytest.raises(StudyError, match="above the limit"):
        kept_scores(study, "norms")


def test_names_of_lenses_are_names(study):
    """No paths."""
    with pytest.raises(InputError, match=r"lens is .*norms"):
        kept_scores(study, "../norms")
