"""A comparison's page in a real browser: it draws its plot, stays quiet and needs no network."""

from pathlib import Path

import pytest

from reseed import recipe_for
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
def page_path(tmp_path_factory):
    """The page of two tiny studies of digits."""
    root = tmp_path_factory.mktemp("compared")
    studies = {
        name: train_study(
            recipe_for("digits", changes={"epochs": epochs, "model.hidden": [4]}),
            root / name,
            runs=2,
            engine="serial",
            probe=False,
            announce=lambda line: None,
        )
        for name, epochs in (("control", 1), ("longer", 2))
    }
    return write_comparison_page(compare_studies(studies), root / "comparison.html")


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
