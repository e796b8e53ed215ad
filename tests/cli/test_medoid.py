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


def test_it_is_asked_alone(cli, study):
    """With another question it is refused, and with two runs."""
    ended = cli("inspect", study, "--medoid", "--profile")
    assert ended.status == 2
    assert "--profile and --medoid ask for different things" in ended.err
    reseed.Study.from_predictions(np.array([[0, 1], [1, 1]]), study.with_name("two"))
    ended = cli("inspect", study.with_name("two"), "--medoid")
    assert ended.status == 2
    assert "3" in ended.err
