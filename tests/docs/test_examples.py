"""The example pages of the documentation: they are there, lead to each other, and are quiet in a browser."""

import importlib
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the script writes, here of few runs and one method, beside the page that links it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DOCS / "_scripts"))
        script = importlib.import_module("examples")
        patch.setattr(script, "RUNS", 2)
        patch.setattr(script, "METHODS", ("swa",))
        root = tmp_path_factory.mktemp("built")
        script.write(root / "examples")
    return root


def hrefs(text):
    """Where a page's relative links lead."""
    return re.findall(r'href="(?!https?:|data:|#)([^"]+)"', text)


def test_links_lead_to_pages(folder):
    """The documentation's page leads to a report and a comparison, and that to the report of each study."""
    links = hrefs((DOCS / "examples.md").read_text(encoding="utf-8"))
    assert len(links) == 2
    assert [link for link in links if not (folder / link).is_file()] == []
    comparison = folder / "examples" / "methods" / "comparison.html"
    reports = hrefs(comparison.read_text(encoding="utf-8"))
    assert sorted(reports) == ["control/report.html", "method-swa/report.html", "second-control/report.html"]
    assert [link for link in reports if not (comparison.parent / link).is_file()] == []


def test_pages_name_no_folder_of_the_builder(folder):
    """Where the documentation was built is nobody's business."""
    pages = list(folder.rglob("*.html"))
    assert len(pages) == 5
    assert [page for page in pages if "/tmp" in page.read_text(encoding="utf-8")] == []  # noqa: S108


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium")
@pytest.mark.parametrize("width", [390, 1280])
def test_pages_are_quiet(folder, width):
    """Nothing is wider than the window, and the console has nothing to say."""
    playwright = pytest.importorskip("playwright.sync_api")
    troubles = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        for path in folder.rglob("*.html"):
            page = browser.new_page(viewport={"width": width, "height": 900})
            page.on("console", lambda message: troubles.append(message.text))
            page.on("pageerror", lambda error: troubles.append(str(error)))
            page.goto(path.as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        browser.close()
    assert troubles == []
