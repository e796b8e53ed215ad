"""`reseed inspect --medoid`: which run to ship."""

import json

import numpy as np
import pytest

import reseed
from reseed.instability import medoid


@pytest.fixture
def study(tmp_path):
    """The folder of five runs, the third of which errs least."""
    rng = np.random.default_rng(0)
    gold = rng.integers(0, 3, 400)
    wrong = rng.random((5, 400)) < np.array([0.4, 0.4, 0.1, 0.4, 0.4])[:, None]
    labels = np.where(wrong, rng.integers(0, 3, wrong.shape), gold)
    reseed.Study.from_predictions(labels, tmp_path / "study", targets=gold, class_names="xyz")
    return tmp_path / "study"


def test_table_and_json_agree(cli, study):
    """The table names the run, with figures of samples that did not choose it; --json has all of them."""
    found = json.loads(cli("inspect", study, "--medoid", "--json").out, parse_constant=pytest.fail)
    opened = reseed.Study.open(study)
    expected = medoid(opened.final(), opened.targets)
    assert found["medoid"]["run"] == found["most_accurate"]["run"] == 2
    assert found["agreement_gain"]["low"] == expected.agreement_gain.low > 0
    shown = cli("inspect", study, "--medoid").out
    assert "medoid: run 2" in shown
    assert f"{100 * expected.medoid.agreement.value:.2f}" in shown
    assert f"{100 * expected.agreement_gain.value:.2f}" in shown
    assert "samples that did not choose the run" in " ".join(shown.split())
    optimism = expected.spread.best_run_optimism
    assert found["spread"]["best_run_optimism"]["value"] == optimism.value
    looks = f"{100 * optimism.value:.2f} [{100 * optimism.low:.2f}, {100 * optimism.high:.2f}] points better"
    assert f"the most accurate of 5 runs looks {looks} here" in " ".join(shown.split())


def test_terminal_and_page_say_how_far_runs_lie_apart(cli, study, tmp_path):
    """The spread on other samples and what the best run owes to chance stand in both, as in the summary."""
    assert cli("report", study, "--out", tmp_path).status == 0
    summary = json.loads((tmp_path / "summary.json").read_text())
    ends = summary["accuracy_std_of_distribution_ci95"]
    shown = " ".join(cli("inspect", study).out.replace("\u2502", " ").split())
    assert f"sd on other samples {summary['accuracy_std_of_distribution']:.4f} [{ends[0]:.4f}, {ends[1]:.4f}]" in shown
    assert f"looks {summary['best_run_optimism']:.4f} [" in shown
    page = (tmp_path / "report.html").read_text()
    assert f"on other samples of their kind about {100 * summary['accuracy_std_of_distribution']:.2f} (" in page
    assert "Picking by accuracy: the most accurate of 5 runs looks" in page


def test_it_is_asked_alone(cli, study):
    """With another question it is refused, and with two runs."""
    ended = cli("inspect", study, "--medoid", "--profile")
    assert ended.status == 2
    assert "--profile and --medoid ask for different things" in ended.err
    reseed.Study.from_predictions(np.array([[0, 1], [1, 1]]), study.with_name("two"))
    ended = cli("inspect", study.with_name("two"), "--medoid")
    assert ended.status == 2
    assert "3" in ended.err
