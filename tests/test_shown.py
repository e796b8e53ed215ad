"""How results show themselves: a line, HTML, pandas, the terminal's text, drawings."""

import re
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

import reseed
from reseed import InputError, MissingExtraError
from reseed._shown import AbstractResult
from reseed.cli import main

EVIL = '<script>alert("1")</script>'
QUICK = {"epochs": 1, "hidden": [4], "limit": 300, "engine": "serial", "probe": False, "announce": lambda line: None}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """One of each."""
    root = tmp_path_factory.mktemp("results")
    measured = reseed.measure("digits", runs=3, out=root / "measured", **QUICK)
    bootstrap = reseed.measure_bootstrap("digits", bootstraps=3, base_runs=2, out=root / "bootstrap", **QUICK)
    return {
        "Measurement": measured,
        "Study": measured.study,
        "Recipe": measured.study.recipe,
        "WhereUnstable": reseed.where_unstable(measured.study, permutations=19),
        "Comparison": reseed.mitigate("digits", methods=["ema"], runs=3, out=root / "methods", **QUICK),
        "Tuning": reseed.tune("digits", budget=30, out=root / "tuned", **QUICK),
        "Attribution": reseed.attribute("digits", runs=3, out=root / "sources", **QUICK),
        "NestedMeasurement": reseed.measure_nested("digits", training_sets=2, runs=2, out=root / "nested", **QUICK),
        "BootstrapMeasurement": bootstrap,
        "Memorized": reseed.memorize("digits", folds=2, out=root / "labels", **QUICK),
        "Randomization": reseed.randomize("digits", runs=2, levels=[0.5], out=root / "randomized", **QUICK),
        "Stabilisation": reseed.stabilise(
            "digits", remedies=["warmup"], rates=[0.1], runs=2, out=root / "stabilised", **QUICK
        ),
    }


NAMES = (
    "Measurement", "Study", "Recipe", "WhereUnstable", "Comparison", "Tuning", "Attribution", "NestedMeasurement",
    "BootstrapMeasurement", "Memorized", "Randomization", "Stabilisation",
)  # fmt: skip


class _Tags(HTMLParser):
    """Counts what opens and what closes."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def tags(html):
    """The tags of a page, all of which are closed in order."""
    parser = _Tags()
    parser.feed(html)
    assert not parser.open
    return parser.seen


@pytest.mark.parametrize("name", NAMES)
def test_every_result_shows_itself(results, name):
    """A line that begins with its name, HTML around it, a table and a text."""
    found = results[name]
    assert isinstance(found, AbstractResult)
    line = repr(found)
    assert line.startswith(f"{name}(")
    assert "\n" not in line
    html = found._repr_html_()
    assert {"table", "strong"} <= set(tags(html))
    assert len(found.to_pandas()) > 0
    text = found.report()
    assert len(text.splitlines()) > 2
    assert "\x1b" not in text


def test_rows_are_those_of_the_result(results):
    """As many as there are samples, runs, methods or candidates."""
    measured = results["Measurement"]
    assert len(measured.to_pandas()) == len(measured.study.samples)
    assert measured.to_pandas().columns.tolist() == measured.samples.column_names
    assert results["Study"].to_pandas()["run"].tolist() == [0, 1, 2]
    assert results["Comparison"].to_pandas()["name"].tolist() == ["control", "second control", "ema"]
    frame = results["Comparison"].to_pandas()
    assert (frame["label_entropy_low"] <= frame["label_entropy"]).all()
    fields = dict(results["Recipe"].to_pandas().itertuples(index=False))
    assert (fields["epochs"], fields["data.name"]) == ("1", "digits")
    assert results["Recipe"].report().strip() == results["Recipe"].to_toml().strip()


def test_the_text_is_that_of_the_command(results, capsys):
    """`report` says what `reseed inspect` prints."""
    with pytest.raises(SystemExit):
        main(["inspect", str(results["Study"].path)])
    printed = capsys.readouterr().out
    words = set(re.findall(r"[\w.]+", results["Measurement"].report()))
    assert len(words - set(re.findall(r"[\w.]+", printed))) <= 3


def test_a_page_shows_pictures_and_leads_to_the_report(results, tmp_path, monkeypatch):
    """Ten samples with their pictures; the link is relative to where one is."""
    monkeypatch.chdir(results["Study"].path.parent)
    html = results["Measurement"]._repr_html_()
    assert html.count("<img") == 10
    assert 'href="measured/report.html"' in html
    for name in ("accuracy", "label_entropy"):
        low, high = results["Measurement"].summary[f"{name}_ci95"]
        assert f"[{low:.4f}, {high:.4f}]" in html
    (results["Study"].path / "report.html").rename(tmp_path / "report.html")
    assert "href" not in results["Measurement"]._repr_html_()
    (tmp_path / "report.html").rename(results["Study"].path / "report.html")


def test_nothing_from_outside_is_a_tag(tmp_path):
    """Names, texts, ids and folders may be a stranger's."""
    labels = np.random.default_rng(0).integers(0, 2, (4, 30))
    ids = [f"{number}{EVIL}" for number in range(30)]
    described = {"class_names": [EVIL, "b"], "texts": [EVIL] * 30, "sample_ids": ids}
    study = reseed.Study.from_predictions(labels, tmp_path / EVIL.replace("/", ""), **described)
    for found in (study, reseed.inspect(study), reseed.where_unstable(study, permutations=19)):
        html = found._repr_html_()
        assert "script" not in tags(html)
        assert "&lt;script&gt;" in html


def test_without_pandas_the_message_names_it(results, monkeypatch):
    """It is the user's, not reseed's."""
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match="to_pandas needs pandas"):
        results["Study"].to_pandas()


def test_without_matplotlib_the_message_names_the_extra(results, monkeypatch):
    """Drawing is an extra."""
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.delitem(sys.modules, "reseed.report.chart._figure", raising=False)  # another test may have drawn
    with pytest.raises(MissingExtraError, match=r"reseed\[plot\]"):
        results["Measurement"].plot()


@pytest.mark.parametrize("name", NAMES)
def test_every_result_is_drawn(results, name):
    """The charts of the report, with their titles; a recipe has none."""
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    if name == "Recipe":
        with pytest.raises(InputError, match="nothing to draw"):
            results[name].plot()
        return
    if name == "Tuning" and results[name].comparison is None:
        with pytest.raises(InputError, match="without a winner has no chart"):
            results[name].plot()
        return
    figure = results[name].plot()
    figure.draw_without_rendering()
    assert figure.axes[0].get_title(loc="left")


def test_the_drawing_has_the_numbers_of_the_report(results):
    """The dots of the map are those of the page, and every kind of chart is drawn."""
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    found = results["Measurement"]
    data = reseed.report.report_data(found.study, found.stability, found.groups)
    charts = reseed.report.page_charts(data)
    figure = found.plot()
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert [title for title in titles if title] == [chart.title for chart in charts]  # a scale of colours has none
    (dots,) = figure.axes[0].collections
    assert np.allclose(dots.get_offsets(), np.stack([charts[0].series[0].x, charts[0].series[0].y], -1))
    bars = [bar.get_height() for bar in figure.axes[1].patches]
    assert bars == list(charts[1].series[0].y)
