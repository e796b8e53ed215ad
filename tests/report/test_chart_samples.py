"""Points, pictures and passages of charts that are samples: they open those in the page that has them."""

from pathlib import Path

import numpy as np
import pytest

from reseed._errors import InputError
from reseed.report import render
from reseed.report.chart._svg import chart_html
from reseed.scores import Chart, Column, Passage, Scores, Series

CHROMIUM = Path("/usr/bin/chromium")


def _scores(ids, split="evaluation"):
    """A lens with one chart of dots that are samples, and one of texts."""
    dots = Series("samples", tuple(map(float, range(len(ids)))), (0.5,) * len(ids), ids=ids)
    charts = (
        Chart("scatter", "Dots of a lens", "One dot a sample.", "place", "height", (dots,)),
        Chart("texts", "Texts of a lens", "One text.", passages=(Passage((("", "a text"),), "the caption", ids[0]),)),
    )
    about = {"height": Column("how high", "none", "[0, 1]", "share", "dots")}
    return Scores(
        lens="dots", ids=ids, columns=about, samples={"height": np.full(len(ids), 0.5)}, split=split, charts=charts
    )


def test_ids_are_kept_and_checked():
    """A chart that is written and read has its ids; a number of them that is not that of the points is refused."""
    for chart in _scores(("a", "b")).charts:
        assert Chart.from_tree(chart.tree) == chart
    old = {**_scores(("a", "b")).charts[0].tree, "series": [{"name": "", "x": [1.0], "y": [2.0]}]}
    assert Chart.from_tree(old).series[0].ids == ()
    with pytest.raises(InputError, match="are 2 with 1 ids; give the id of a sample for each of them, or none"):
        Chart("scatter", "Dots", "Dots.", series=(Series("", (1.0, 2.0), (1.0, 2.0), ids=("a",)),))


def test_only_evaluation_samples_open(make_report):
    """A page has the evaluation samples: ids of the training split, which may be alike, lead nowhere."""
    ids = make_report().sample_ids[:3]
    assert 'data-sample="test-00000"' in render(make_report(scores=(_scores(ids),)))
    assert "data-sample=" not in render(make_report(scores=(_scores(ids, "train"),)))


@pytest.mark.parametrize("kind", ["lines", "bars", "scatter"])
def test_every_kind_of_point_opens_its_sample_or_says_it(kind):
    """Where the page opens samples a point names its own, escaped; elsewhere it says the id under the pointer."""
    points = Series("samples", (1.0, 2.0), (1.0, 2.0), ids=('"<a>', "b"))
    chart = Chart(kind, "Points", "Points.", series=(points,))
    assert chart_html(chart, opens=True).count("data-sample=") == 2
    assert 'data-sample="&quot;&lt;a&gt;"' in chart_html(chart, opens=True)
    plain = chart_html(chart)
    assert "data-sample=" not in plain
    assert "<title>b; samples, 2: 2</title>" in plain


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium")
def test_a_dot_and_a_caption_open_the_sample(make_report, open_page):
    """A click opens the sample by its id, whatever its row; a dot whose sample the table lacks does nothing."""
    ids = (*make_report().sample_ids[40:43], "@0")
    page = open_page(make_report(scores=(_scores(ids),)))
    page.locator('[data-sample="test-00041"]').click()
    assert page.locator("#sample-title").inner_text() == "Sample test-00041"
    assert page.evaluate("location.hash") == "#samples?sample=test-00041"
    page.keyboard.press("Escape")
    page.get_by_role("link", name="the caption").click()
    assert page.locator("#sample-title").inner_text() == "Sample test-00040"
    page.keyboard.press("Escape")
    page.locator('[data-sample="@0"]').click()
    assert not page.locator("#sample").is_visible()
