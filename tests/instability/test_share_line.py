"""The share of samples that flip, from one run: the line, its interval, and what calibration learns of it."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from reseed import InputError
from reseed.cli import main
from reseed.data import DataConfig
from reseed.instability import (
    ShareLine,
    SingleRunModel,
    calibrate,
    fit_share_line,
    label_entropy,
    single_run_score,
    single_run_share,
    single_run_signals,
)
from reseed.instability.one_run._single_run import default_model
from reseed.models import ModelConfig
from reseed.studies import train_study
from reseed.training import Recipe

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "single_run.json"


def share(log_rate):
    """The share of samples that ever change at a rate."""
    return 1 - np.exp(-np.exp(log_rate))


def log_rate(shares):
    """The logarithm of the rate at which a share ever changes."""
    return np.log(-np.log(1 - np.asarray(shares)))


def studies_of(rng, count, spread=0.4):
    """Shares that studies expect, and those that come out: a line of slope 1.5 in log rates, and errors."""
    x = rng.normal(-2.0, 0.8, count)
    y = 0.5 + 1.5 * x + rng.normal(0, spread, count)
    return [share(np.array([place])) for place in x], [share(place) for place in y]


def test_one_run_a_study_is_ordinary_regression():
    """Line and prediction interval are those of linear regression of log rates, by the textbook's matrix formula."""
    rng = np.random.default_rng(0)
    expected, actual = studies_of(rng, 9)
    line = fit_share_line(expected, [np.array([one]) for one in actual], [10**6] * 9)
    x, y = log_rate(np.ravel(expected)), log_rate(actual)
    fitted = scipy.stats.linregress(x, y)
    assert (line.slope, line.intercept) == pytest.approx((fitted.slope, fitted.intercept))
    design = np.stack([np.ones(9), x], 1)
    residuals = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    at = np.array([1.0, log_rate(0.2)])
    error = np.sqrt(residuals @ residuals / 7 * (1 + at @ np.linalg.inv(design.T @ design) @ at))
    middle, reach = at @ [fitted.intercept, fitted.slope], scipy.stats.t.ppf(0.95, 7) * error
    found = line.predict(0.2, 10**6, level=0.9)
    ends = share(np.array([middle, middle - reach, middle + reach]))
    assert (found.value, found.low, found.high) == pytest.approx(tuple(ends))
    assert found.method == "another data set"


def test_every_study_weighs_the_same_whatever_its_runs():
    """Runs that all say the same change nothing; runs that differ widen the spread."""
    expected, actual = studies_of(np.random.default_rng(1), 6)
    once = fit_share_line(expected, [np.array([one]) for one in actual], [1000] * 6)
    often = [np.repeat(one, 2 + place) for place, one in enumerate(expected)]
    truth = [np.full(len(one), flip) for one, flip in zip(often, actual, strict=True)]
    assert asdict(fit_share_line(often, truth, [1000] * 6)) == pytest.approx(asdict(once))
    wavering = [share(log_rate(one) + np.linspace(-0.5, 0.5, len(one))) for one in often]
    assert fit_share_line(wavering, truth, [1000] * 6).spread > once.spread


def test_intervals_hold_the_share_of_the_next_data_set():
    """Of data sets that keep to a line with normal errors, 95 % of the intervals hold the next one's share."""
    rng, held = np.random.default_rng(2), 0
    for _ in range(2000):
        expected, actual = studies_of(rng, 8)
        line = fit_share_line(expected[:7], [np.array([one]) for one in actual[:7]], [10**9] * 7)
        found = line.predict(float(expected[7][0]), 10**9)
        held += found.low <= actual[7] <= found.high
    assert 0.935 < held / 2000 < 0.965


def test_shares_of_none_and_all_are_half_a_sample_away():
    """A study in which nothing flips counts as half a sample, so that its logarithm is finite."""
    shares = [np.array([0.0]), np.array([0.2]), np.array([1.0])]
    inside = [np.array([0.005]), np.array([0.2]), np.array([0.995])]
    assert fit_share_line(shares, shares, [100] * 3) == fit_share_line(inside, inside, [100] * 3)


def test_wrong_lines_are_told():
    """Too few studies, equal estimates and numbers out of range are refused with what to do."""
    shares = [np.array([0.1]), np.array([0.2]), np.array([0.3])]
    with pytest.raises(InputError, match="needs three studies or more, with the shares of each, got 2, 2 and 2"):
        fit_share_line(shares[:2], shares[:2], [10] * 2)
    with pytest.raises(InputError, match="the studies expect the same share"):
        fit_share_line([shares[0]] * 3, shares, [10] * 3)
    with pytest.raises(InputError, match="needs finite numbers, a spread of 0 or more, a positive scatter and three"):
        ShareLine(1.0, 0.0, -1.0, 0.0, 1.0, 8)


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    """Four trainings on each of three data sets: points of two classes that overlap more and more."""
    folder, found = tmp_path_factory.mktemp("three"), []
    for place, distance in enumerate((0.6, 1.2, 2.4)):
        rng = np.random.default_rng(place)
        labels = rng.integers(0, 2, 240)
        points = rng.normal(size=(240, 3)) + distance * labels[:, None]
        table = pd.DataFrame(points, columns=list("abc")).assign(label=[f"c{label}" for label in labels])
        table.to_csv(folder / f"set{place}.csv", index=False)
        recipe = Recipe(DataConfig(str(folder / f"set{place}.csv")), ModelConfig(hidden=(8,)), epochs=8, batch_size=32)
        found.append(train_study(recipe, folder / f"study{place}", runs=4, engine="serial", probe=False))
    return found


def signals_of(study, run):
    """The signals of one run, from its recorded arrays."""
    arrays = {name: study.recorded(name).to_numpy()[run] for name in ("margin", "confidence")}
    return single_run_signals(study.labels.to_numpy()[run], **arrays)


def calibrated_by_command(studies, path, capsys):
    """Runs the command; returns what it says beside the path."""
    with pytest.raises(SystemExit) as ended:
        main(["calibrate", *(str(study.path) for study in studies), "--out", str(path)])
    said = capsys.readouterr()
    assert (ended.value.code, said.out.strip()) == (0, str(path))
    return said.err


def test_calibration_learns_the_line_without_the_data_set_in_question(studies):
    """The line is that of shares which weights learnt on the other two data sets expect."""
    expected, actual = [], []
    for study in studies:
        others = calibrate([other for other in studies if other is not study])
        assert others.share is None
        final = study.final("labels")
        uncut = replace(others, cut=0.0)
        expected.append(np.array([np.mean(single_run_score(signals_of(study, run), uncut)) for run in range(4)]))
        actual.append(np.array([np.mean(label_entropy(np.delete(final, run, 0)) > 0) for run in range(4)]))
    line = fit_share_line(expected, actual, [len(study.samples) for study in studies])
    assert asdict(calibrate(studies).share) == pytest.approx(asdict(line))


def test_studies_of_few_data_sets_give_no_interval(studies, tmp_path, capsys):
    """Of two data sets there is no line: the share is the mean, without an interval, and the command says so."""
    said = calibrated_by_command(studies[:2], tmp_path / "two.json", capsys)
    assert "no interval of the share to expect: that takes studies of three data sets or more" in said
    model = SingleRunModel.read(tmp_path / "two.json")
    signals = signals_of(studies[2], 0)
    found = single_run_share(signals, model)
    assert found.value == pytest.approx(np.mean(single_run_score(signals, replace(model, cut=0.0))))
    assert np.isnan([found.low, found.high]).all()


def test_the_line_survives_json(studies, tmp_path, capsys):
    """The command writes the line, and what is read back gives the same share."""
    assert not calibrated_by_command(studies, tmp_path / "three.json", capsys)
    model, learnt = SingleRunModel.read(tmp_path / "three.json"), calibrate(studies)
    assert model == learnt
    signals = signals_of(studies[0], 1)
    assert single_run_share(signals, model) == single_run_share(signals, learnt)
    held = json.loads((tmp_path / "three.json").read_text())
    (tmp_path / "three.json").write_text(json.dumps(held | {"share": {"slope": 1.0}}))
    with pytest.raises(InputError, match="holds no weights of a single-run model"):
        SingleRunModel.read(tmp_path / "three.json")


def test_a_share_needs_samples():
    """No samples are refused."""
    with pytest.raises(InputError, match="signals hold no samples; a share needs one or more"):
        single_run_share({"log_late_flip_rate": np.zeros(0), "mean_margin": np.zeros(0)})


def test_the_shipped_line_is_the_benchmarks():
    """The line that comes with reseed goes through the committed shares of all studies of the benchmark."""
    held = json.loads(BENCHMARK.read_text())
    shares = [study["share"]["by_run"] for study in held["studies"].values()]
    line = fit_share_line(
        [np.array(each["expected"]) for each in shares],
        [np.array(each["actual"]) for each in shares],
        [study["samples"] for study in held["studies"].values()],
    )
    assert asdict(default_model().share) == pytest.approx(asdict(line))
    digits = held["studies"]["digits, mlp"]
    intervals = [line.predict(each, digits["samples"]) for each in digits["share"]["by_run"]["expected"]]
    assert np.median([found.high - found.low for found in intervals]) < 0.2


def test_the_benchmark_leaves_data_sets_out():
    """There are more than eight studies of six data sets or more, and most runs of each data set are covered."""
    held = json.loads(BENCHMARK.read_text())["studies"]
    families = {name.split(",")[0].split("-")[0] for name in held}
    assert len(held) > 8
    assert len(families) >= 6
    covered = sum(study["share"]["covered"] for study in held.values())
    assert covered > 0.85 * sum(study["runs"] for study in held.values())
