"""The page in a real browser: it works, stays quiet, needs no network, and runs nothing from the data."""

import base64
import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from reseed.report import write
from reseed.scores import Chart, Picture, Scores, Series

CHROMIUM = Path("/usr/bin/chromium")
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="  # one grey pixel
)
EVIL = (
    "</script><script>window.__pwned=1</script><!--<script> <img src=x onerror=\"alert('1')\"> ' onfocus=alert(1) "
    '" autofocus onfocus="window.__pwned=1" \0\u2028\u2029 <a href="javascript:window.__pwned=1">x</a> %{x} &lt;b&gt;'
)

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium"),
]


def ids(page) -> list[str]:
    """The sample ids now in the table."""
    return page.locator("#samples-table .id").all_inner_texts()


def color(page, selector: str) -> str:
    """The computed background colour of an element."""
    return page.eval_on_selector(selector, "node => getComputedStyle(node).backgroundColor")


def test_charts_are_drawn(make_report, open_page):
    """The charts of the picture, of flips and of runs appear, with a dot for each sample."""
    page = open_page(make_report())
    assert page.locator("#picture figure svg").count() == 2
    assert page.locator(".dots circle[data-row]").count() == 120
    assert page.locator("#labels figure svg [data-place]").count() > 3


def test_search_filters_by_text_id_and_label(make_report, open_page):
    """Typing narrows the table by what texts, ids and labels contain."""
    data = make_report(texts=False)
    texts = tuple("a needle here" if index == 41 else f"hay {index}" for index in range(120))
    page = open_page(dataclasses.replace(data, texts=texts))
    page.get_by_label("Search").fill("NEEDLE")
    assert ids(page) == ["test-00041"]
    assert page.locator("#status").inner_text() == "1\u20131 of 1 (120 in all)"
    page.get_by_label("Search").fill("test-00007")
    assert ids(page) == ["test-00007"]
    page.get_by_label("Search").fill("card lost")
    assert "card lost" in page.locator("#samples-table tbody tr").first.inner_text()
    page.get_by_label("Search").fill("no such thing")
    assert page.get_by_text("No sample matches.").is_visible()


def test_sorting_by_click_and_keyboard(make_report, open_page):
    """Headings are buttons: a click or Enter sorts, again reverses, and `aria-sort` follows."""
    page = open_page(make_report())
    heading = page.locator("th[data-key=sample]")
    assert page.locator("th[data-key=entropy]").get_attribute("aria-sort") == "descending"
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert ids(page)[:2] == ["test-00000", "test-00001"]
    heading.get_by_role("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    assert ids(page)[0] == "test-00119"
    assert page.locator("th[aria-sort]").count() == 1


def test_undefined_values_sort_last_both_ways(make_report, open_page):
    """Samples whose value is undefined are at the end, whichever way a column is sorted."""
    data = make_report(samples=10)
    entropy = data.label_entropy.copy()
    entropy[4] = np.nan
    page = open_page(dataclasses.replace(data, label_entropy=entropy))
    assert ids(page)[-1] == "test-00004"
    page.locator("th[data-key=entropy] button").click()
    assert ids(page)[-1] == "test-00004"


def test_only_unstable(make_report, open_page):
    """The filter leaves the samples with at least two labels."""
    data = make_report()
    page = open_page(data)
    page.get_by_label("only unstable").check()
    assert f"of {data.unstable.sum()} (120 in all)" in page.locator("#status").inner_text()


def test_paging_by_keyboard(make_report, open_page):
    """Pages turn with the buttons and, in the table, with Page Down and Page Up; focus is never lost."""
    page = open_page(make_report())
    first = ids(page)
    page.locator("#samples-box").focus()
    page.keyboard.press("PageDown")
    assert page.locator("#status").inner_text() == "26\u201350 of 120"
    page.keyboard.press("PageUp")
    assert ids(page) == first
    page.get_by_role("button", name="Last").press("Enter")
    assert page.locator("#status").inner_text() == "101\u2013120 of 120"
    assert page.evaluate("document.activeElement.id") == "page-previous"
    page.get_by_role("combobox", name="Rows").select_option("100")
    assert len(ids(page)) == 100


def test_static_and_scripted_rows_are_the_same(make_report, open_page):
    """The rows that the script draws read and look like the ones in the file."""
    data = make_report(samples=20)
    targets = data.targets.copy()
    targets[:3] = -1
    texts = tuple("long words " * 40 if index % 2 else "short" for index in range(20))
    tied = next(index for index in range(3, 20) if len(data.answers[index]) > 1)
    answers = [*data.answers]
    answers[tied] = tuple((label, 5) for label, _ in answers[tied][:2])
    data = dataclasses.replace(data, targets=targets, texts=texts, answers=tuple(answers))
    rows = {}
    for scripts in (True, False):
        shown = open_page(data, java_script_enabled=scripts).locator("#samples-table tbody tr")
        rows[scripts] = [shown.nth(index).inner_html() for index in range(shown.count())]
    assert len(rows[True]) == 20
    assert any("= tie" in row for row in rows[True])
    assert [re.sub(r'style="flex-grow: (\d+);"', r'style="flex-grow:\1"', row) for row in rows[True]] == rows[False]


def test_hover_shows_the_sample(make_report, open_page):
    """Pointing at a dot of the data map shows its id, answers and confidence."""
    page = open_page(make_report())
    tip = page.locator("#tip")
    assert not tip.is_visible()
    page.locator(".dots circle").last.hover(force=True)
    assert ids(page)[0] in tip.inner_text()
    assert "confidence" in tip.inner_text()
    page.locator("h1").hover()
    assert not tip.is_visible()


def test_click_on_a_dot_opens_the_sample(make_report, open_page):
    """A click on a dot opens that sample, by its id, whatever the filters are, and leaves the page where it was."""
    page = open_page(make_report())
    page.get_by_label("Search").fill("no such thing")
    dot = page.locator(".dots circle").last
    dot.scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    dot.click(force=True)
    dialog = page.get_by_role("dialog")
    assert dialog.is_visible()
    least = page.evaluate("JSON.parse(document.getElementById('samples-data').textContent).ids[0]")
    assert f"Sample {least}" in dialog.get_by_role("heading", level=2).inner_text()
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert page.evaluate("scrollY") == before
    assert page.get_by_label("Search").input_value() == "no such thing"


@pytest.mark.parametrize("width", [320, 360, 768])
def test_narrow_windows_do_not_scroll_sideways(make_report, open_page, width):
    """The page never gets wider than the window, whatever the ids, names and texts are."""
    data = make_report(samples=30, class_names=("x" * 300, "y" * 50, "a", "b", "c", "d"), title="W" * 200)
    data = dataclasses.replace(data, sample_ids=tuple(f"{index}" * 60 for index in range(30)))
    page = open_page(data, viewport={"width": width, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("#samples-box").evaluate("node => node.scrollWidth > node.clientWidth")


def test_dark_mode_reaches_page_and_charts(make_report, open_page):
    """Page and charts follow the colour scheme, also when it changes while the page is open."""
    page = open_page(make_report(), color_scheme="dark")
    tick = "#picture figure svg text"
    fill = "node => getComputedStyle(node).fill"
    dark, dark_text = color(page, "body"), page.eval_on_selector(tick, fill)
    assert dark == "rgb(20, 23, 27)"
    page.emulate_media(color_scheme="light")
    playwright.expect(page.locator(tick).first).not_to_have_css("fill", dark_text)
    assert color(page, "body") == "rgb(251, 250, 247)"


def test_focus_is_visible(make_report, open_page):
    """The element in focus has an outline."""
    page = open_page(make_report())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_readable_without_scripts(make_report, open_page):
    """Without scripts the numbers, the least stable samples, and the charts with their words are visible."""
    data = make_report(samples=150)
    page = open_page(data, java_script_enabled=False)
    words = page.locator("main").inner_text()
    assert "depend on the seed" in words
    assert "One dot per sample" in words
    assert "Without scripts the table shows the 100 least stable samples of 150." in words
    assert page.locator("#samples-table tbody tr").count() == 100
    assert not page.locator("#controls").is_visible()
    assert page.locator(".dots circle").first.is_visible()
    assert page.get_by_role("img", name="Scatter plot of 150 samples").count() == 1
    assert not page.locator("#sample").is_visible()


def evil_report(make_report):
    """A report with hostile text in every field."""
    evil = [EVIL] * 12
    return make_report(
        samples=12,
        unstable=1.0,
        title=EVIL,
        sample_ids=tuple(f"{index} {EVIL}" for index in range(12)),
        texts=tuple(evil),
        class_names=tuple(evil[:6]),
        recipe_toml=EVIL,
        notes=(EVIL,),
        provenance={EVIL: {EVIL: EVIL, "list": [EVIL], "map": {EVIL: EVIL}}},
        images=tuple([b'"><script>window.__pwned=1</script>'] * 12),
    )


def test_hostile_text_never_runs(make_report, open_page):
    """Script, attributes, NULs and line separators in every field are shown as text and run nowhere."""
    data = evil_report(make_report)
    data = dataclasses.replace(
        data,
        summary={
            **data.summary,
            "dataset": EVIL,
            "model": EVIL,
            "label_entropy_ci_method": EVIL,
            "accuracy_mean": EVIL,
        },
    )
    page = open_page(data)
    dot = page.locator(".dots circle").last
    dot.hover(force=True)
    assert "</script><script>" in page.locator("#tip").inner_text()
    dot.click(force=True)
    assert page.locator("dialog h2").inner_text().count("<script>") == 2
    page.keyboard.press("Escape")
    page.get_by_label("Search").fill("<script>window")
    assert len(ids(page)) == 12
    page.locator("details summary").last.click()
    assert page.evaluate("window.__pwned") is None
    assert page.locator("main [onerror], main [onfocus], main [autofocus], main a[href^=javascript]").count() == 0
    assert page.locator("script").count() == 2
    assert "\u2400" in page.locator("h1").inner_text()
    assert "\0" not in page.content()


def test_policy_stops_a_script_that_slips_in(make_report, browser, tmp_path):
    """Even if markup got into the page unescaped, the content security policy would not let it run."""
    target = write(make_report(samples=3), tmp_path / "report.html")
    holed = target.read_text(encoding="utf-8").replace("<main>", "<main><script>window.__pwned=1</script>", 1)
    holed = holed.replace("<header>", '<header onclick="window.__pwned=1">', 1)
    target.write_text(holed, encoding="utf-8")
    page = browser.new_page()
    page.goto(target.as_uri())
    page.locator("h1").click()
    assert page.evaluate("window.__pwned") is None
    assert page.locator("#status").inner_text() == "1\u20133 of 3"
    page.close()


def test_ten_thousand_rows_stay_quick(make_report, open_page):
    """With 10,000 samples only a page of rows is in the document, and search and sort still work."""
    page = open_page(make_report(samples=10_000, runs=5))
    assert len(ids(page)) == 25
    page.get_by_label("Search").fill("test-09999")
    assert ids(page) == ["test-09999"]
    page.get_by_label("Search").fill("")
    page.locator("th[data-key=sample] button").click()
    assert ids(page)[0] == "test-00000"


def _scores():
    """Scores with a chart of every kind and long names."""
    name = "a rather long name that no axis has room for "
    steps, names = tuple(range(0, 3000, 250)), tuple(f"{name}{place}" for place in range(9))
    lines = tuple(Series(f"{name}{k}", steps, tuple(1e-3 * k - step for step in steps)) for k in range(5))
    charts = (
        Chart("lines", "Lines", "They fall.", name * 3, name * 3, lines),
        Chart("bars", "Bars", "They rise.", name, name, (Series("", names, tuple(range(9))),)),
        Chart("scatter", "Dots", "They scatter.", name, name, (Series("", (1.0, 2.0), (-1e-9, 1e-9)),)),
        Chart("heat map", "Map", "It is warm.", name, name, (), names, names, (tuple(range(9)),) * 9),
        Chart("images", "Pictures", "They look alike.", pictures=(Picture(PNG, name),) * 5),
    )
    summary = {f"{'long_name_' * 8}mean": 1.5, f"{'long_name_' * 8}ci95": [1, 2], "words": EVIL}
    return Scores(lens="a" + "_lens" * 12, ids=("a",), columns={}, summary=summary, notes=(EVIL,), charts=charts)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_charts_of_scores_need_no_scripts(make_report, open_page, scheme, width):
    """Without scripts charts are drawn in the page's colours, inside windows of every width, with nothing cut."""
    options = {"viewport": {"width": width, "height": 740}, "color_scheme": scheme, "java_script_enabled": False}
    page = open_page(dataclasses.replace(make_report(samples=5), scores=(_scores(),)), **options)
    figures = page.locator("section[id^=scores] figure.drawing")
    assert figures.count() == 5
    boxes = [figures.nth(place).bounding_box() for place in range(5)]
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
    images = page.locator("section[id^=scores] figure.drawing img")
    assert images.count() == 5
    assert images.first.bounding_box()["height"] > 50
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("Array.from(document.images).every(image => image.naturalWidth > 0)")
    cut = """figures => figures.flatMap(figure => Array.from(figure.querySelectorAll(':scope > svg')).flatMap(svg => {
        const outer = svg.getBoundingClientRect();
        return Array.from(svg.querySelectorAll('text')).filter(text => {
          const box = text.getBoundingClientRect();
          return box.left < outer.left - 1 || box.right > outer.right + 1 || box.bottom > outer.bottom + 1;
        }).map(text => text.textContent);
    }))"""
    assert figures.evaluate_all(cut) == []
    ink = page.eval_on_selector("figure.drawing text.title", "node => getComputedStyle(node).fill")
    assert ink == {"light": "rgb(29, 33, 38)", "dark": "rgb(232, 230, 225)"}[scheme]
    low, high = (color_of(page, f"section[id^=scores] rect.heat-{step}") for step in (0, 15))
    assert (sum(low) > sum(high)) == (scheme == "light")
    assert page.evaluate("window.__pwned") is None


def color_of(page, selector: str) -> list[int]:
    """The computed fill of an element."""
    return [
        int(part) for part in re.findall(r"\d+", page.eval_on_selector(selector, "node => getComputedStyle(node).fill"))
    ]


def test_prints(make_report, open_page):
    """The page can be printed: controls vanish and the tables are whole."""
    page = open_page(make_report())
    page.emulate_media(media="print")
    assert not page.locator("#controls").is_visible()
    assert page.pdf().startswith(b"%PDF")
