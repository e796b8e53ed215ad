"""`mitigate` and `compare`: what is trained, what is shared, what is kept, and the files."""

import io
import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console

import reseed
from reseed import InputError, Study, StudyError
from reseed.instability import compare_studies, expected_calibration_error
from reseed.mitigations import LabelSmoothing, parse_mitigations
from reseed.models import ModelConfig
from reseed.report import print_comparison, print_stability, render_comparison
from reseed.training import Recipe, RecordConfig
from reseed.workflows._mitigate import DEFAULT_METHODS

RECIPE = Recipe(model=ModelConfig("mlp", hidden=(8,)), epochs=1, batch_size=64)
METHODS = (
    "control",
    "swa+label-smoothing:epsilon=0.2",
    "ensemble-soft-labels:teachers=2",
    "prediction-ensemble:members=2",
)


def _mitigate(out, methods=METHODS, recipe=RECIPE, **options):
    """Compares methods with few runs, in this process, and gives the comparison with the lines that were announced."""
    lines = []
    options = {"runs": 3, "engine": "serial", "threads": 1, "probe": False} | options
    return reseed.mitigate(recipe=recipe, methods=methods, out=out, announce=lines.append, **options), lines


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A comparison of a small network on digits, and what was announced; tests only read it."""
    return _mitigate(tmp_path_factory.mktemp("mitigated") / "digits")


def test_each_method_is_a_study_of_its_own_recipe(made):
    """Control, second control and methods are folders that open, with the recipe that each name says."""
    found, lines = made
    root = found.control.study.path.parent
    assert sorted(path.name for path in root.iterdir()) == [
        "comparison.html",
        "comparison.json",
        "comparison.parquet",
        "control",
        "lessons",
        "method-ensemble-soft-labels,teachers=2",
        "method-label-smoothing,epsilon=0.2+swa",
        "method-prediction-ensemble,members=2",
        "second-control",
    ]
    both = Study.open(root / "method-label-smoothing,epsilon=0.2+swa").recipe
    assert both.mitigations == (LabelSmoothing(0.2),)
    assert both.average.name == "swa"
    assert lines[:2] == ["5 studies of 3 runs", "study 1 of 5: control"]
    assert "training 2 shared teachers for ensemble-soft-labels" in lines


def test_calibration_is_shown_before_and_after_temperature_scaling(made, tmp_path):
    """Numbers are those of what runs recorded, and studies of other recipes or seeds have other temperatures."""
    found, _ = made
    assert len({row.temperature for row in found.rows}) == len(found.rows)
    for row in found.rows:
        own, confidence = (row.study.final(f"tempered_{name}") for name in ("own_probability", "confidence"))
        is_right = row.study.final("labels") == row.study.targets
        errors = [expected_calibration_error(*pair) for pair in zip(confidence, is_right, strict=True)]
        effect = row.effect
        assert effect.tempered_nll.value == pytest.approx(-np.log(own.astype(float)).mean(), rel=1e-6)
        assert effect.tempered_nll.value < effect.nll.value
        assert effect.tempered_ece.value == pytest.approx(np.mean(errors), rel=1e-6)
        if row.role != "control":
            control = found.control.effect
            assert effect.tempered_ece_difference.value == pytest.approx(
                effect.tempered_ece.value - control.tempered_ece.value
            )
    told = json.loads((found.control.study.path.parent / "comparison.json").read_text())["methods"][-1]
    assert told["temperature"] == found.methods[-1].temperature
    assert told["tempered_ece_ci95"] == [effect.tempered_ece.low, effect.tempered_ece.high]
    assert told["cost_processor"] > 0
    text = _printed(found)
    assert "after temperature" in text
    assert f"{100 * effect.tempered_ece.value:.2f}" in text
    page = render_comparison(found)
    assert "After temperature" in page
    assert f"{100 * effect.tempered_ece.value:.2f}" in page


def test_the_method_temperature_is_the_same_calibrated(tmp_path):
    """Answers are those of the method without it, with whom it shares the temperature; calibration is that after it."""
    found, lines = _mitigate(tmp_path / "both", ("label-smoothing", "label-smoothing+temperature"))
    without, scaled = found.methods
    np.testing.assert_array_equal(without.study.final(), scaled.study.final())
    assert scaled.effect.ece == scaled.effect.tempered_ece == without.effect.tempered_ece
    assert sum("fit the temperature" in line for line in lines) == 3
    seen, held = 1437, 144  # of one epoch on digits: another training on the rest, and the passes over what is held out
    assert scaled.cost.training == pytest.approx(1 + (3 * (seen - held) + held) / (3 * seen))


def test_studies_without_a_temperature_are_compared_as_before(tmp_path):
    """What was begun without goes on without, beside methods that have one: there is a dash, and no difference."""
    out = tmp_path / "old"
    _mitigate(out, ("swa",), record=RecordConfig("final"))
    found, lines = _mitigate(out, ("swa", "label-smoothing"))
    assert sum("goes on as it began, without temperature scaling" in line for line in lines) == 3
    effects = {row.name: row.effect for row in found.rows}
    assert effects["label-smoothing"].tempered_ece is not None
    assert effects["label-smoothing"].tempered_ece_difference is None
    assert effects["control"].tempered_ece is effects["swa"].tempered_nll is None
    assert effects["control"].ece is not None
    assert not [note for note in found.notes if "No temperature" in note]
    assert "-" in _printed(found)


def test_a_temperature_that_could_not_be_fitted_is_noted(made):
    """Studies that should have one and have none are named."""
    found, _ = made
    study = found.control.study
    bare = replace(study, manifests=tuple(replace(one, temperature=None) for one in study.manifests))
    notes = compare_studies({"control": bare, "method": found.methods[0].study}).notes
    assert "No temperature could be fitted, so nothing is known after temperature scaling: control." in notes


def _printed(found):
    """Return what the terminal shows."""
    console = Console(file=io.StringIO(), width=200)
    print_comparison(found, console, details=True)
    return console.file.getvalue()


def test_seeds_are_the_controls_but_for_the_null(made):
    """Methods have the control's seeds run by run; the second control shares none of them."""
    found, _ = made
    seeds = [manifest.seeds for manifest in found.control.study.manifests]
    for row in found.methods:
        assert [manifest.seeds for manifest in row.study.manifests] == seeds
    words = {word for each in seeds for word in each.values()}
    assert not words & {word for manifest in found.null.study.manifests for word in manifest.seeds.values()}


def test_costs_follow_from_what_was_trained(made):
    """Shared teachers count once for each model, with what they predicted; an ensemble costs its members twice over."""
    found, _ = made
    rows = {row.name: row.cost for row in found.rows}
    samples = 1437  # of the training set, each seen once; the teachers' lesson is the whole set
    shared = (3 * samples + 2 * (3 * samples + samples)) / (3 * samples)
    assert rows["ensemble-soft-labels:teachers=2"].training == pytest.approx(shared)
    assert rows["ensemble-soft-labels:teachers=2"].inference == 1
    assert (rows["prediction-ensemble:members=2"].training, rows["prediction-ensemble:members=2"].inference) == (2, 2)
    assert (rows["label-smoothing:epsilon=0.2+swa"].training, rows["second control"].training) == (1, 1)


def test_files_agree_with_the_comparison(made):
    """The JSON holds the summary, the table a row for each method and sample, the page every method."""
    found, _ = made
    root = found.control.study.path.parent
    told = json.loads((root / "comparison.json").read_text())
    assert [row["name"] for row in told["methods"]] == [row.name for row in found.rows]
    assert told["recommendation"] == found.recommendation
    assert all(row["nll"] is not None for row in told["methods"])
    assert pq.read_table(root / "comparison.parquet").num_rows == 5 * 360
    page = (root / "comparison.html").read_text()
    assert all(row.name in page for row in found.rows)


def test_more_runs_extend_and_more_methods_join(tmp_path):
    """Finished runs are kept; a method that is not named again joins if it has as many runs, else it is left out."""
    first, _ = _mitigate(tmp_path / "grown", ["swa"], runs=2)
    second, _ = _mitigate(tmp_path / "grown", ["label-smoothing"], runs=2)
    assert [row.name for row in second.methods] == ["label-smoothing", "swa"]
    assert second.control.study.manifests == first.control.study.manifests
    third, lines = _mitigate(tmp_path / "grown", ["label-smoothing"])
    assert [row.name for row in third.methods] == ["label-smoothing"]
    assert third.control.study.manifests[:2] == first.control.study.manifests
    assert "left out: swa, which has 2 of 3 runs; name it to go on" in lines
    assert "Left out: swa, which has 2 of 3 runs; name it to go on." in third.notes


def test_a_method_whose_runs_diverge_is_left_out(tmp_path):
    """One method that does not train leaves the others' comparison as it is; table and files say so, later too."""
    root = tmp_path / "diverged"
    found, lines = _mitigate(root, ["swa", "confidence-penalty:beta=1e30"], runs=2)
    assert [row.name for row in found.methods] == ["swa"]
    text = "eft out: confidence-penalty:beta=1e+30, of whose 2 runs 0 did not diverge"
    assert lines[-1] == f"l{text}"
    console = Console(file=io.StringIO(), width=200)
    print_comparison(found, console)
    assert f"note: L{text}." in console.file.getvalue()
    assert f"L{text}." in json.loads((root / "comparison.json").read_text())["notes"]
    assert f"L{text}." in (root / "comparison.html").read_text()
    later, _ = _mitigate(root, ["swa"], runs=2)
    assert later.notes == found.notes


def test_the_terminal_shows_calibration_before_and_after_temperature(tmp_path):
    """Without being asked for details, at 80 columns, a line for each method with the numbers of the comparison."""
    found, _ = _mitigate(tmp_path / "calibrated", ["label-smoothing"], runs=3)
    console = Console(file=io.StringIO(), width=80)
    print_comparison(found, console)
    lines = console.file.getvalue().splitlines()
    place = next(number for number, line in enumerate(lines) if "after temperature scaling" in line)
    for row, line in zip(found.rows, lines[place + 2 :], strict=False):
        told = [f"{100 * one.value:.1f} [" for one in (row.effect.ece, row.effect.tempered_ece)]
        assert line.split()[0] in row.name
        assert all(number in line for number in told)
    assert max(map(len, lines)) <= 80


def test_shared_teachers_are_trained_once(tmp_path):
    """Two methods that learn from the same teachers find their lesson in one folder."""
    methods = ["tgtss:teacher=shared", "tgtss:teacher=shared:exponent=0.5"]
    _, lines = _mitigate(tmp_path / "shared", methods, runs=2)
    assert lines.count("training 1 shared teacher for tgtss") == 1
    assert len(list((tmp_path / "shared" / "lessons").glob("*.npy"))) == 1


def test_methods_that_say_the_same_are_one(tmp_path):
    """The order and defaults of a method's text do not matter."""
    found, _ = _mitigate(tmp_path / "same", ["swa+label-smoothing", "label-smoothing:epsilon=0.1+swa"], runs=2)
    assert [row.name for row in found.methods] == ["label-smoothing+swa"]


def test_the_default_methods_parse_and_are_distinct():
    """Each of the default list is a method of its own, of one network at inference."""
    recipes = [reseed.recipe_for("digits", mitigations=text) for text in DEFAULT_METHODS]
    assert len({recipe.digest for recipe in recipes}) == len(recipes)
    assert all(recipe.peers is None for recipe in recipes)
    assert all(parse_mitigations(text) for text in DEFAULT_METHODS)


def test_compare_reads_studies(made, tmp_path):
    """`compare` gives the same numbers for folders, under the methods' names or those given, and writes the files."""
    found, _ = made
    root = found.control.study.path.parent
    places = [root / "control", root / "method-label-smoothing,epsilon=0.2+swa"]
    again = reseed.compare(places, null=root / "second-control", out=tmp_path)
    assert [row.name for row in again.rows] == ["control", "second control", "label-smoothing:epsilon=0.2+swa"]
    assert again.methods[0].effect == found.methods[0].effect
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "comparison.html",
        "comparison.json",
        "comparison.parquet",
    ]
    named = reseed.compare(places, names=["a", "b"])
    assert [row.name for row in named.rows] == ["a", "b"]
    twice = reseed.compare([places[0], places[0], root / "second-control"], names=["a", "b", "c"])
    assert twice.methods[0].effect.reduction.value == 0


def test_a_study_with_mitigations_says_so(made):
    """The summary and the title of a method's own study name its methods; the control's has none."""
    found, _ = made
    told = reseed.inspect(found.methods[0].study)
    assert told.summary["mitigations"] == "label-smoothing:epsilon=0.2+swa"
    assert "mitigations" not in reseed.inspect(found.control.study).summary
    console = Console(file=io.StringIO(), width=200)
    print_stability(told.study, told.stability, console)
    assert "digits, mlp, with label-smoothing:epsilon=0.2+swa" in console.file.getvalue()
    report = told.write(found.control.study.path.parent / "method-label-smoothing,epsilon=0.2+swa")
    assert "digits, mlp, with label-smoothing:epsilon=0.2+swa</h1>" in report.read_text()


@pytest.mark.parametrize(
    ("methods", "text"),
    [
        (["no-such"], "unknown mitigation 'no-such'. Known: "),
        (["control"], "methods name nothing but the control; name at least one method, such as swa"),
        (["label-smoothing:epsilon=0"], "changes nothing, so it is the control itself; raise its strength"),
        ("swa", r"methods must be several texts, got 'swa'; pass \['swa'\]"),
    ],
)
def test_unusable_methods_are_refused(tmp_path, methods, text):
    """Nothing is trained before the methods are known to be usable."""
    with pytest.raises(InputError, match=text):
        _mitigate(tmp_path / "none", methods)
    assert not (tmp_path / "none").exists()


def test_another_folder_is_refused(tmp_path):
    """Files that are no comparison are never mixed with one."""
    (tmp_path / "notes.txt").touch()
    with pytest.raises(StudyError, match="exists and holds no comparison of methods; choose another out"):
        _mitigate(tmp_path)


def test_bad_names_are_refused(made):
    """Names must be one for each study, and unique; one study alone is nothing to compare."""
    root = made[0].control.study.path.parent
    places = [root / "control", root / "second-control"]
    with pytest.raises(InputError, match="names holds 1 names for 2 studies; pass one for each"):
        reseed.compare(places, names=["a"])
    with pytest.raises(InputError, match="names are not unique: a, a; call each study otherwise"):
        reseed.compare(places, names=["a", "a"])
    with pytest.raises(InputError, match="studies names 1 study; name the control and at least one other"):
        reseed.compare(places[:1])


def test_a_single_run_is_refused_before_any_training(tmp_path):
    """What is compared are runs."""
    with pytest.raises(InputError, match="runs must be 2 or more, got 1"):
        reseed.mitigate("digits", methods=["swa"], runs=1, out=tmp_path / "folder")
    assert not (tmp_path / "folder").exists()


def test_data_of_memory_is_one_file_under_several_names(tmp_path):
    """Studies share it, and each opens alone with its samples where it is moved; without links each has a copy."""
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(120, 4)).astype(np.float32)
    data = (inputs, (inputs[:, 0] > 0).astype(int))
    options = {"methods": ["label-smoothing"], "runs": 2, "epochs": 1, "engine": "serial", "probe": False}
    found = reseed.mitigate(data, out=tmp_path / "methods", announce=lambda line: None, **options)
    files = [row.study.path / "data.parquet" for row in found.rows]
    assert len(files) == 3
    assert all(file.samefile(files[0]) for file in files)
    moved = tmp_path / "moved"
    shutil.move(files[-1].parent, moved)
    shutil.rmtree(tmp_path / "methods")
    assert Study.open(moved).inputs("train").inputs.shape == (96, 4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reseed.studies._data_file.os", SimpleNamespace(link=_refuse))
        found = reseed.mitigate(data, out=tmp_path / "copies", announce=lambda line: None, **options)
    files = [row.study.path / "data.parquet" for row in found.rows]
    assert not files[1].samefile(files[0])
    assert len({file.read_bytes() for file in files}) == 1


def _refuse(*_):
    raise OSError("no links here")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A comparison with fresh data, a shared teacher in it, and what was announced; tests that change it copy it."""
    methods = ["label-smoothing", "ensemble-soft-labels:teachers=2"]
    return _mitigate(tmp_path_factory.mktemp("fresh") / "digits", methods, fresh_data=0.8, margin=1.5)


def test_every_study_is_trained_on_fresh_data_as_well(fresh):
    """Control, null and methods have a second study of the same recipe, whose runs leave out other samples each."""
    found, lines = fresh
    root = found.control.study.path.parent
    assert lines[0] == "8 studies of 3 runs"
    assert "study 8 of 8: ensemble-soft-labels:teachers=2, fresh data" in lines
    assert lines.count("training 2 shared teachers for ensemble-soft-labels") == 1
    assert [row.name for row in found.fresh.rows] == [row.name for row in found.rows]
    samples = found.control.study.trained_on().shape[1]
    for row, other in zip(found.rows, found.fresh.rows, strict=True):
        assert other.study.path == root / "fresh-data" / row.study.path.name
        assert other.study.header.recipe == row.study.header.recipe
        assert row.study.trained_on().all()
        inside = other.study.trained_on()
        assert set(inside.sum(1)) == {round(0.8 * samples)}
        assert len(np.unique(inside, axis=0)) == 3
    seeds = [{name: words for name, words in one.seeds.items() if name != "data"} for one in _seeds(found.fresh)]
    assert seeds == [{name: words for name, words in one.seeds.items() if name != "data"} for one in _seeds(found)]


def _seeds(comparison):
    return comparison.control.study.manifests


def test_files_hold_both_comparisons(fresh):
    """JSON, table, page, terminal and DataFrame have the numbers under fresh data, which are those of its studies."""
    found, _ = fresh
    root = found.control.study.path.parent
    alone = reseed.compare(
        [row.study for row in (found.fresh.control, *found.fresh.methods)], null=found.fresh.null.study
    )
    told = json.loads((root / "comparison.json").read_text())
    assert told == found.summary
    assert (told["margin"], told["fresh_data"]["share"], told["fresh_data"]["bootstrap"]) == (1.5, 0.8, False)
    for kept, row in zip(told["fresh_data"]["methods"], alone.summary["methods"], strict=True):
        for name in ("reduction_ci95", "accuracy_ci95"):  # the control has no reduction
            assert kept.get(name) == row.get(name)
            assert name in kept or kept["name"] == "control"
    table = pq.read_table(root / "comparison.parquet")
    assert table.num_rows == 2 * 4 * 360
    assert table["training_data"].to_pylist() == ["same"] * 4 * 360 + ["fresh"] * 4 * 360
    page = (root / "comparison.html").read_text()
    for text in (
        "Under fresh data",
        "another random 80 % of the training data in each run",
        "Answers, under fresh data",
    ):
        assert text in page
    assert 'href="fresh-data/control/report.html"' in page
    lines = found.report(80).splitlines()
    assert max(map(len, lines)) <= 80
    assert "under fresh data, another random 80 % of the training data in each run:" in " ".join(lines)
    assert sum("label-smoothing" in line for line in lines) >= 2
    assert list(found.to_pandas()["training_data"]) == ["same"] * 4 + ["fresh"] * 4
    assert repr(found).endswith("; under fresh data as well)")


def test_the_folder_opens_with_both(fresh, tmp_path):
    """Everything is read back, margin and fresh data too; of an interrupted second design a note says what lacks."""
    found, _ = fresh
    root = tmp_path / "digits"
    shutil.copytree(found.control.study.path.parent, root)
    again = reseed.workflows.open_design(root).result.comparison
    assert (again.margin, again.fresh_data) == (1.5, found.fresh_data)
    for one, other in ((again, found), (again.fresh, found.fresh)):
        assert {row.name: row.effect for row in one.rows} == {row.name: row.effect for row in other.rows}
    shutil.rmtree(root / "fresh-data" / "method-label-smoothing" / "runs" / "run-00002", ignore_errors=False)
    without = reseed.workflows.open_design(root).result.comparison
    assert "Left out: under fresh data, label-smoothing, which has 2 of 3 runs; name it to go on." in without.notes
    assert without.under_fresh_data("label-smoothing") is None
    shutil.rmtree(root / "fresh-data" / "second-control")
    without = reseed.workflows.open_design(root).result.comparison
    assert without.fresh is None
    assert "Left out: fresh data, which lacks a second control; ask for it again to go on." in without.notes


def test_an_interrupted_second_design_goes_on(tmp_path):
    """What was trained stays; more runs and methods extend both designs, and without the option the second stays."""

    def interrupting(line):
        if line == "study 5 of 6: second control, fresh data":
            raise KeyboardInterrupt

    options = {"recipe": RECIPE, "engine": "serial", "threads": 1, "probe": False, "runs": 2, "fresh_data": 0.8}
    root = tmp_path / "grown"
    with pytest.raises(KeyboardInterrupt):
        reseed.mitigate(methods=["swa"], out=root, announce=interrupting, **options)
    there = {path: path.stat().st_mtime_ns for path in root.rglob("manifest.json")}
    assert len(there) == 2 * 4
    found, _ = _mitigate(root, ["swa"], runs=2, fresh_data=0.8)
    whole, _ = _mitigate(tmp_path / "whole", ["swa"], runs=2, fresh_data=0.8)
    assert there == {path: path.stat().st_mtime_ns for path in there}
    assert found.samples == whole.samples
    assert found.fresh.samples == whole.fresh.samples
    more, _ = _mitigate(root, ["swa", "label-smoothing"], fresh_data=0.8)
    assert (more.runs, more.fresh.runs) == (3, 3)
    assert [row.name for row in more.fresh.methods] == ["swa", "label-smoothing"]
    less, lines = _mitigate(root, ["sam"])
    assert lines[0] == "3 studies of 3 runs"
    assert [row.name for row in less.fresh.methods] == ["label-smoothing", "swa"]
    assert "sam" in [row.name for row in less.methods]
    ahead, lines = _mitigate(root, ["sam"], runs=4)
    assert ahead.fresh is None
    assert "left out: fresh data, whose control has 3 of 4 runs; ask for it again to go on" in lines


def test_data_that_varies_is_a_second_design(tmp_path):
    """With ``data`` among others the first design has the same data, the second a bootstrap; alone there is one."""
    found, _ = _mitigate(tmp_path / "both", ["swa"], runs=2, vary=("init", "data"))
    assert (found.control.study.header.vary, found.fresh.control.study.header.vary) == (("init",), ("data", "init"))
    assert found.fresh_data == "another bootstrap resample of the training data in each run"
    assert found.summary["fresh_data"]["bootstrap"] is True
    alone, _ = _mitigate(tmp_path / "alone", ["swa"], runs=2, vary=("data",))
    assert (alone.control.study.header.vary, alone.fresh) == (("data",), None)


def test_unusable_fresh_data_is_refused_before_any_training(fresh, tmp_path):
    """Each mistake names the argument; other data than a folder has is refused too."""
    for options, text in (
        ({"fresh_data": 1.0}, r"fresh_data must be the share of the training data .* in \(0, 1\), got 1.0; pass 0.9"),
        ({"fresh_data": 0.9, "vary": ("init", "data")}, "fresh_data=0.9 and data in vary each say how"),
        ({"margin": -1}, "margin must be a finite number of percentage points, 0 or more, got -1"),
        ({"margin": float("nan")}, "margin must be a finite number of percentage points, 0 or more, got nan"),
        ({"margin": True}, "margin must be a finite number of percentage points, 0 or more, got True"),
    ):
        with pytest.raises(InputError, match=text):
            _mitigate(tmp_path / "none", ["swa"], **options)
    assert not (tmp_path / "none").exists()
    root = fresh[0].control.study.path.parent
    for options, now in (({"fresh_data": 0.9}, "fresh_data=0.9"), ({"vary": ("init", "data")}, "data in vary")):
        with pytest.raises(StudyError, match=f"have fresh_data=0.8, now it would be {now}; go on with what they began"):
            _mitigate(root, ["swa"], **options)


def test_a_folder_from_before_there_were_margins_opens(made, tmp_path):
    """Numbers that name none are judged by the default."""
    root = tmp_path / "old"
    shutil.copytree(made[0].control.study.path.parent, root)
    told = json.loads((root / "comparison.json").read_text())
    del told["margin"], told["fresh_data"]
    (root / "comparison.json").write_text(json.dumps(told))
    found = reseed.workflows.open_design(root).result.comparison
    assert (found.margin, found.fresh) == (0.5, None)


def test_compare_takes_studies_under_fresh_data(fresh):
    """The same comparison as `mitigate` makes; studies that do not belong together are refused."""
    found, _ = fresh
    same, other = ([row.study for row in (one.control, *one.methods)] for one in (found, found.fresh))
    again = reseed.compare(same, null=found.null.study, margin=1.5, fresh=other, fresh_null=found.fresh.null.study)
    assert again.recommendation == found.recommendation
    assert [row.effect for row in again.fresh.rows] == [row.effect for row in found.fresh.rows]
    for places, null, text in (
        (other[:2], None, "fresh names 2 studies for the 3 of studies; pass one for each, in the same order"),
        ([other[0], other[2], other[1]], None, "is of another recipe; pass studies in the same order"),
        ([same[0], *other[1:]], None, "which is the study of 'control' itself; pass one whose runs trained on other"),
        ((), other[0], "fresh_null is given without fresh; pass both"),
    ):
        with pytest.raises(InputError, match=text):
            reseed.compare(same, names=["control", "a", "b"], fresh=places, fresh_null=null)
