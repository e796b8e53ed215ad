"""`reseed measure --runs 1`: what one run foretells, and that what needs two runs is absent."""

import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from reseed import Study
from reseed.cli import main
from reseed.instability import label_entropy, single_run_score, single_run_share, single_run_signals
from reseed.instability.one_run._single_run import default_model

ONE = ("--runs", "1", "--epochs", "4", "--engine", "serial", "--hidden", "8", "--no-probe")
NEEDS_TWO = ("jitter", "label_entropy", "unstable", "mode_share", "answers", "confidence_std")


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """A study of a single run on digits; tests only read it."""
    folder = tmp_path_factory.mktemp("one") / "digits"
    with pytest.raises(SystemExit) as ended:
        main(["measure", "digits", *ONE, "--out", str(folder)])
    assert ended.value.code == 0
    return folder


def test_summary_holds_the_estimate_and_nothing_that_needs_two_runs(one):
    """The numbers of one run are there, those of several are absent, and none is without a value."""
    summary = json.loads((one / "summary.json").read_text())
    low, high = summary["expected_unstable_fraction_ci95"]
    assert 0 < low < summary["expected_unstable_fraction"] < high < 1
    assert summary["runs"] == 1
    assert 0 < summary["accuracy_mean"] < 1
    assert not [name for name in summary if name.startswith(("jitter", "label_entropy", "unstable", "flip_upper"))]
    assert None not in summary.values()


def test_samples_equal_the_public_measures(one):
    """Each column is what the run recorded, or what the public measures say of it."""
    study, table = Study.open(one), pq.read_table(one / "samples.parquet")
    assert not set(NEEDS_TWO) & set(table.column_names)
    labels = study.labels.to_numpy()[0]
    arrays = {name: study.recorded(name).to_numpy()[0] for name in ("margin", "confidence")}
    signals = single_run_signals(labels, **arrays)
    found = {name: table[name].to_numpy() for name in table.column_names if name not in ("sample_id", "text")}
    np.testing.assert_array_equal(found["mode_label"], labels[-1])
    np.testing.assert_array_equal(found["accuracy"], labels[-1] == study.targets)
    np.testing.assert_array_equal(found["trajectory_label_entropy"], label_entropy(labels))
    np.testing.assert_array_equal(found["single_run_score"], single_run_score(signals))
    uncut = single_run_score(signals, replace(default_model(), cut=0.0))
    np.testing.assert_array_equal(found["flip_probability"], uncut)
    summary = json.loads((one / "summary.json").read_text())
    share = single_run_share(signals)
    assert summary["expected_unstable_fraction"] == pytest.approx(share.value)
    assert summary["expected_unstable_fraction_ci95"] == pytest.approx([share.low, share.high])
    assert summary["likely_to_change"] == (uncut > 0.5).sum()


def test_terminal_lists_the_samples_most_likely_to_change(cli, one):
    """The tables say that it is an estimate, and show the highest chances first."""
    ended = cli("inspect", one, "--top", 3)
    assert ended.status == 0
    assert "Samples most likely to change" in ended.out
    assert "weights learnt on other studies" in " ".join(ended.out.split())
    assert "jitter" not in ended.out
    assert "nan" not in ended.out.lower()
    table = pq.read_table(one / "samples.parquet").sort_by([("flip_probability", "descending")])
    rows = [line for line in ended.out.splitlines() if f"{table['flip_probability'][0].as_py():.3f}" in line]
    assert table["sample_id"][0].as_py() in rows[0]


def test_json_is_strict(cli, one):
    """--json prints the summary as JSON without numbers that JSON lacks; --sample prints one row."""
    ended = cli("inspect", one, "--json")
    assert json.loads(ended.out, parse_constant=pytest.fail)["runs"] == 1
    name = pq.read_table(one / "samples.parquet")["sample_id"][0].as_py()
    row = json.loads(cli("inspect", one, "--sample", name).out, parse_constant=pytest.fail)
    assert 0 < row["flip_probability"] < 1
    assert "answers" not in row


def test_further_measures_are_those_of_one_run(cli, one):
    """--profile prints training dynamics, without intervals over runs; multiplicity needs two."""
    found = json.loads(cli("inspect", one, "--profile", "--json").out, parse_constant=pytest.fail)
    assert found
    assert not [name for name in found if "ci95" in name or "ambiguity" in name]


def test_report_and_export(cli, one, tmp_path):
    """The report is written with what one run says, and the profile has no columns of several."""
    assert cli("report", one, "--out", tmp_path).status == 0
    page = (tmp_path / "report.html").read_text()
    assert "Chance to change" in page
    assert "Unstable answers to expect" in page
    likely = json.loads((tmp_path / "summary.json").read_text())["likely_to_change"]
    assert f"Of 360 answers, {likely} would more likely than not change in retrainings." in page
    for heading in ("The picture", "Which labels", "How many runs", "Disagreement of two runs"):
        assert heading not in page
    for name in ("profile.csv", "profile.jsonl", "profile.parquet"):
        assert cli("export", one, tmp_path / name).status == 0
    columns = pq.read_table(tmp_path / "profile.parquet").column_names
    assert "flip_probability" in columns
    assert not set(NEEDS_TWO) & set(columns)


def test_where_needs_two_runs(cli, one):
    """Grouping what one run foretells is refused with what is missing."""
    ended = cli("inspect", one, "--by", "class")
    assert ended.status == 1
    assert "two or more are needed" in ended.err


def test_more_runs_extend_the_study(cli, tmp_path):
    """A study of one run goes on to three, keeps its first run, and then says what several runs say."""
    out = tmp_path / "study"
    assert cli("measure", "digits", *ONE, "--out", out).status == 0
    before = Study.open(out)
    assert cli("measure", "digits", *ONE, "--runs", 3, "--out", out).status == 0
    after = Study.open(out)
    assert after.manifests[0] == before.manifests[0]
    summary = json.loads((out / "summary.json").read_text())
    assert summary["runs"] == 3
    assert "jitter" in summary
    assert "expected_unstable_fraction" not in summary
    assert not set(NEEDS_TWO) - set(pq.read_table(out / "samples.parquet").column_names)


def test_the_default_engine_extends_as_well(cli, tmp_path):
    """Runs that train as one program follow a first one that trained by itself."""
    words = ("measure", "digits", "--epochs", 2, "--hidden", 4, "--no-probe", "--out", tmp_path / "study")
    assert cli(*words, "--runs", 1).status == 0
    assert cli(*words, "--runs", 4).status == 0
    assert [manifest.run for manifest in Study.open(tmp_path / "study").manifests] == [0, 1, 2, 3]


def test_one_checkpoint_is_not_enough(cli, tmp_path):
    """One run of one epoch cannot tell anything, and the message says which options would help."""
    ended = cli("measure", "digits", *ONE, "--epochs", 1, "--out", tmp_path / "study")
    assert ended.status == 1
    assert "--every epoch (of two epochs or more), --level scores" in ended.err
