"""Makes what the documentation shows: the page of a study and that of a comparison, and a picture of the former.

    python docs/_scripts/examples.py                # docs/_static/report.png anew; needs playwright and Chromium

`conf.py` calls `write` whenever the documentation is built, so that the pages are those of this version. They are of
digits, which come with scikit-learn, and take about half a minute.
"""

from __future__ import annotations

import io
import shutil
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

import reseed
from reseed.report import write_comparison_page

PICTURE = Path(__file__).parents[1] / "_static" / "report.png"
CHROMIUM = "/usr/bin/chromium"
RUNS, METHODS = 10, ("swa", "ema", "cosine-decay+init-scale")
WIDTH, TOP, SAMPLES, COLOURS = 1280, 672, 640, 64


def _quiet(line: str) -> None:
    """Take what is said before long work, and say nothing."""


def _report() -> Path:
    """Train the study in this folder, and return its page."""
    reseed.measure("digits", runs=RUNS, out="my-study", announce=_quiet)
    return Path("my-study/report.html")


def _comparison() -> list[Path]:
    """Train the studies in this folder, and return the page that compares them and those of each."""
    compared = reseed.mitigate("digits", runs=RUNS, methods=METHODS, out="methods", announce=_quiet)
    for row in compared.rows:
        reseed.inspect(row.study).write()
    page = write_comparison_page(compared, Path("methods/comparison.html"))  # anew, since it links the reports
    return [page, *sorted(page.parent.glob("*/report.html"))]


def write(folder: Path) -> None:
    """Write the pages into a folder, at the places that they have beside the studies."""
    with TemporaryDirectory() as temporary, chdir(temporary):
        for page in (_report(), *_comparison()):
            target = folder / page
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(page, target)


def draw(page: Path) -> bytes:
    """Return the top of a page and of its table of samples, one above the other, as a PNG of few colours."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        window = browser.new_page(viewport={"width": WIDTH, "height": TOP}, color_scheme="light")
        window.goto(page.resolve().as_uri())
        window.wait_for_selector("#status:not(:empty)")
        samples = window.locator("#samples").bounding_box()
        ends = ((0, TOP), (samples["y"], SAMPLES))
        clips = [{"x": 0, "y": start, "width": WIDTH, "height": height} for start, height in ends]
        seen = [Image.open(io.BytesIO(window.screenshot(full_page=True, clip=clip))) for clip in clips]
        browser.close()
    whole = Image.new("RGB", (WIDTH, TOP + SAMPLES))
    whole.paste(seen[0], (0, 0))
    whole.paste(seen[1], (0, TOP))
    shown = io.BytesIO()
    whole.quantize(COLOURS).save(shown, "PNG", optimize=True)
    return shown.getvalue()


if __name__ == "__main__":
    with TemporaryDirectory() as temporary, chdir(temporary):
        PICTURE.write_bytes(draw(_report()))
