"""What is optional in a report never costs the report: each part is made to fail in turn."""

import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

import reseed
from reseed import Study
from reseed._parts import PartWarning
from reseed.instability import GIVEN
from reseed.report import make_comparison_page

THEMES = ("play some loud music now", "set an early alarm please")


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """A study of texts with everything that a report can hold: several checkpoints, scores, texts, a recipe, cost."""
    folder = tmp_path_factory.mktemp("parts")
    rng = np.random.default_rng(0)
    rows = [f"{THEMES[i % 2]} {'x' * (i % 7)},{'ab'[(i % 2) ^ int(rng.random() < 0.3)]}" for i in range(120)]
    (folder / "texts.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    recipe = reseed.recipe_for(str(folder / "texts.csv"), "text-tfidf", changes={"epochs": 2, "model.hidden": [4]})
    return reseed.measure(recipe=recipe, runs=3, out=folder / "study", engine="serial", probe=False).study


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A study of images."""
    recipe = reseed.recipe_for("digits", changes={"epochs": 1, "model.hidden": [4]})
    out = tmp_path_factory.mktemp("parts") / "study"
    return reseed.measure(recipe=recipe, runs=2, out=out, engine="serial", probe=False).study


@pytest.fixture(scope="module")
def whole(texts):
    """What the study of texts says where nothing fails."""
    found = reseed.inspect(texts)
    assert found.samples.num_rows
    return found


def reported(study, folder):
    """A study measured anew, and its page."""
    found = reseed.inspect(study)
    return found, found.write(folder).read_text(encoding="utf-8")


def fail(*_: object, **__: object) -> None:
    """What any part is replaced by."""
    raise ZeroDivisionError("boom")


def refuse(*_: object, **__: object) -> None:
    """What a part says that cannot be made, in words."""
    raise reseed.InputError("there is nothing to go by.")


PARTS = {
    "instability.evaluation._samples_table.trajectory_label_entropy": "The column trajectory_label_entropy is missing",
    "instability.evaluation._samples_table._single_run_scores": "The column single_run_score is missing",
    "instability.evaluation._evaluate._answered": "What runs that may abstain answer is missing",
    "instability.evaluation._evaluate._classes": "The table of classes is missing",
    "instability.evaluation._about.cost_summary": "What the runs cost is missing",
    "instability.where._sample_groups.text_clusters": "Samples are not grouped by cluster",
    "instability.where._sample_groups.number_groups": "Samples are not grouped by length",
    "instability.where._sample_groups.name_groups": "Samples are not grouped by class",
    "instability.where._sample_groups.SampleGroups.append_to": "The columns of groups are missing",
    "report._from_study.where_unstable": "Where instability lives, by class, is missing",
    "report._from_study._provenance": "How this was made is missing",
    "training.Recipe.to_toml": "The recipe is missing",
    "report._charts.data_map": "The chart 'Where the unstable answers are' is missing",
    "report._charts.histogram": "The chart 'How unstable they are' is missing",
    "report._charts.rarefaction": "The chart 'Would more runs find more?' is missing",
    "report._charts.flips": "The chart 'From answer to answer' is missing",
    "report._runs_section.accuracies": "The chart 'Accuracy of each run' is missing",
    "report._runs_section.curves": "The chart 'How they learned' is missing",
    "report._runs_section.disagreement": "The chart 'Which runs disagree' is missing",
    "report._runs_section._ship": "The table 'Which run to ship' is missing",
    "report._from_study.history": "The answers along training are missing",
    "report._from_study.nearest_samples": "Samples that are alike are missing",
    "report._from_study.next_steps": "What to do next is missing",
    "report._from_study.made": "How the page was made is missing",
    "report._sample_details._votes": "What samples show of their votes is missing",
    "report._sections.pairs": "The table 'Labels that replace each other' is missing",
    "report._sections.classes": "The table 'Least stable classes' is missing",
    "report._sections.where": "The section 'Where instability lives' is missing",
    "report._sections.cost": "The section 'What it cost' is missing",
    "report._sections.provenance": "The section 'How this was made' is missing",
    "report._samples._texts": "The samples' texts are missing",
    "report._samples._order": "The table of samples is missing",
}


@pytest.mark.filterwarnings("always::reseed._parts.PartWarning")
@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_fails_costs_itself_alone(part, texts, whole, tmp_path, monkeypatch):
    """Page, summary and table are written with the same headline numbers, and it is said what is missing and why."""
    monkeypatch.setattr(f"reseed.{part}", fail)
    note = f"{PARTS[part]}, because making it failed (ZeroDivisionError: boom)."
    with pytest.warns(PartWarning) as warned:
        found, page = reported(texts, tmp_path)
    assert any(str(warning.message).startswith(note) for warning in warned)
    assert note in (*found.stability.notes, *found.notes)
    assert note.replace("'", "&#x27;") in page
    assert '<table class="samples" id="samples-table">' in page
    summary = json.loads((tmp_path / "summary.json").read_text())
    for name in ("accuracy_mean", "label_entropy_mean", "unstable_fraction", "jitter", "jitter_ci95"):
        assert summary[name] == whole.summary[name]
    table = pq.read_table(tmp_path / "samples.parquet")
    assert table["label_entropy"].equals(whole.samples["label_entropy"])


@pytest.mark.filterwarnings("always::reseed._parts.PartWarning")
def test_pictures_that_fail_cost_themselves_alone(images, tmp_path, monkeypatch):
    """Samples are listed without their pictures."""
    monkeypatch.setattr("reseed.report._samples._images", fail)
    with pytest.warns(PartWarning, match="The samples' images are missing"):
        page = reseed.inspect(images).write(tmp_path).read_text(encoding="utf-8")
    assert "<img" not in page.partition('id="samples-table"')[2].partition("</table>")[0]
    assert page.count('<td class="sample">') == 100


@pytest.mark.filterwarnings("always::reseed._parts.PartWarning")
@pytest.mark.parametrize("lens", ["multiplicity", "training dynamics"])
def test_a_lens_that_fails_costs_its_columns_alone(lens, texts, monkeypatch):
    """The profile has the columns of the other lenses, and its metadata say which are missing."""
    expected = reseed.profile(texts)
    failing = [replace(given, make=fail) if given.about == lens else given for given in GIVEN]
    monkeypatch.setattr("reseed.workflows._lenses.GIVEN", failing)
    with pytest.warns(PartWarning, match=f"The columns of {lens} are missing"):
        table = reseed.profile(texts)
    assert set(table.column_names) < set(expected.column_names)
    assert {"jitter", "cluster"} <= set(table.column_names)
    assert f"{lens} are missing, because making it failed" in table.schema.metadata[b"notes"].decode()


def test_notes_need_no_file(texts, tmp_path, monkeypatch):
    """What a report will lack is known without writing it, and does not change by writing."""
    monkeypatch.setattr("reseed.instability.where._sample_groups.text_clusters", refuse)
    found = reseed.inspect(texts)
    told = found.notes
    assert told == ("Samples are not grouped by cluster: there is nothing to go by.",)
    found.write(tmp_path)
    assert found.notes == told


def test_tables_say_what_a_reader_should_know(whole):
    """The notes of the report are in the table's metadata as well."""
    assert b"3 runs are few" in whole.samples.schema.metadata[b"notes"]


def test_nothing_is_put_in_place_before_all_is_made(whole, tmp_path, monkeypatch):
    """Where the page cannot be made or written at all, what was there before stays, all of it."""
    found = reseed.inspect(whole.study)
    for name in ("summary.json", "samples.parquet", "report.html"):
        (tmp_path / name).write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr("reseed.report._headline.headline", fail)
        with pytest.raises(ZeroDivisionError):
            found.write(tmp_path)
    (tmp_path / "report.html").unlink()
    (tmp_path / "report.html").mkdir()
    with pytest.raises(reseed.StorageError, match=r"cannot write .*report\.html.*: Is a directory"):
        found.write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"summary.json", "samples.parquet", "report.html"}
    assert (tmp_path / "summary.json").read_text() == (tmp_path / "samples.parquet").read_text() == "old"


@pytest.fixture
def comparison(tmp_path):
    """Compares two studies with targets and scores, and makes the page."""
    rng = np.random.default_rng(0)
    studies = [
        Study.from_predictions(rng.dirichlet((1, 1), (3, 30)), tmp_path / name, targets=[0, 1] * 15, class_names="ab")
        for name in ("control", "method")
    ]

    def compared():
        found = reseed.compare(studies)
        return found, make_comparison_page(found)

    return compared


COMPARED = {
    "instability.comparison._method_effect._flips": "control: the negative flip rate is missing",
    "instability.comparison._calibration._surprise": "method: the NLL is missing",
    "instability.comparison._calibration._errors": "method: the calibration error is missing",
    "instability.comparison._comparison.method_cost": "method: the cost is missing",
    "report._comparison_page.forest": "The chart 'Methods beside each other' is missing",
    "report._comparison_page._quality": "The table 'Answers' is missing",
    "report._comparison_page._cost": "The table 'Cost and samples' is missing",
    "report._comparison_page.changed_samples": "The section 'Samples' is missing",
    "report._comparison_page.studies_section": "The section 'Which studies' is missing",
}


@pytest.mark.filterwarnings("always::reseed._parts.PartWarning")
@pytest.mark.parametrize("part", COMPARED)
def test_a_part_of_a_comparison_that_fails_costs_itself_alone(part, comparison, monkeypatch):
    """The page still has label entropy and what the reductions are, and says what is missing and why."""
    whole, _ = comparison()
    monkeypatch.setattr(f"reseed.{part}", fail)
    with pytest.warns(PartWarning):
        found, page = comparison()
    note = f"{COMPARED[part]}, because making it failed (ZeroDivisionError: boom)."
    assert note in page.notes
    assert note.replace("'", "&#x27;") in page.html
    assert "<h3>Label entropy</h3>" in page.html
    assert found.summary["methods"][1]["reduction"] == whole.summary["methods"][1]["reduction"]
