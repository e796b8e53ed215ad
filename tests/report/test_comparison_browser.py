"""A comparison's page in a real browser: it draws its plot, stays quiet and needs no network."""

from pathlib import Path

import numpy as np
import pytest

from reseed import SeedPlan, recipe_for
from reseed.instability import compare_studies
from reseed.report import write_comparison_page
from reseed.studies import train_study

CHROMIUM = Path("/usr/bin/chromium")
playwright = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A folder of its own."""
    return tmp_path_factory.mktemp("compared")


@pytest.fixture(scope="module")
def compared(root):
    """A comparison of tiny studies of digits."""
    studies = {
        name: train_study(
            recipe_for("digits", changes={"epochs": epochs, "model.hidden": [4]}),
            root / name,
            runs=3,
            plan=SeedPlan(seed),
            engine="serial",
            probe=False,
            announce=lambda line: None,
        )
        for name, epochs, seed in (("control", 1, 0), ("longer", 2, 0), ("again", 1, 1))
    }
    return compare_studies(studies, null=studies.pop("again"))


@pytest.fixture(scope="module")
def page_path(root, compared):
    """The comparison's page."""
    return write_comparison_page(compared, root / "comparison.html")


@pytest.mark.parametrize("width", [390, 700])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_plot_is_drawn_and_nothing_is_requested(page_path, scheme, width):
    """The forest plot appears in either colour scheme, without errors, requests or a page wider than the window."""
    troubles = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda message: troubles.append(message.text))
        page.on("request", lambda event: troubles.append(event.url) if "comparison.html" not in event.url else None)
        page.goto(page_path.as_uri())
        assert page.locator(".forest .dot").first.is_visible()
        assert (
            page.locator(".forest .dot").first.evaluate("node => getComputedStyle(node).backgroundColor")
            == {
                "light": "rgb(163, 62, 15)",
                "dark": "rgb(242, 153, 95)",
            }[scheme]
        )
        page.locator("#samples details summary").first.click()
        assert page.locator("#samples img").first.is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        browser.close()
    assert [item for item in troubles if not item.startswith("data:")] == []


@pytest.mark.parametrize("width", [390, 1280])
def test_marks_stand_where_the_numbers_are(page_path, compared, width):
    """Dots, ends of intervals and the band lie on one scale, by the numbers of the comparison."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.goto(page_path.as_uri())
        shown = {}
        for row in page.locator(".forest tbody tr").all():
            track = row.locator(".track").first
            boxes = {kind: track.locator(f".{kind}").bounding_box() for kind in ("dot", "whisker", "chance", "nothing")}
            shown[row.get_by_role("rowheader").inner_text()] = boxes
        browser.close()
    assert set(shown) == {"longer", "second control"}
    numbers, places = [0.0], [middle(shown["longer"]["nothing"])]
    for method in compared.rows[1:]:
        boxes, found = shown[method.name], method.effect.reduction
        numbers += [found.value, found.low, found.high]
        places += [middle(boxes["dot"]), boxes["whisker"]["x"], boxes["whisker"]["x"] + boxes["whisker"]["width"]]
        assert boxes["chance"]["x"] == pytest.approx(shown["second control"]["whisker"]["x"], abs=1)
        assert boxes["chance"]["width"] == pytest.approx(shown["second control"]["whisker"]["width"], abs=1)
    drawn = [place for place, number in enumerate(numbers) if -200 < number < 100]
    assert len(drawn) >= 4
    scale = np.polyfit(np.array(numbers)[drawn], np.array(places)[drawn], 1)
    assert scale[0] > 0.1
    assert np.abs(np.polyval(scale, np.array(numbers)[drawn]) - np.array(places)[drawn]).max() < 2


def middle(box):
    """The middle of a box, from left to right."""
    return box["x"] + box["width"] / 2


def test_without_scripts_the_words_remain(page_path):
    """The recommendation, the plot and the tables can be read with scripts turned off."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(java_script_enabled=False)
        page.goto(page_path.as_uri())
        assert page.get_by_role("rowheader", name="longer").is_visible()
        assert page.locator(".lead").is_visible()
        assert page.get_by_role("cell", name="longer").first.is_visible()
        browser.close()
