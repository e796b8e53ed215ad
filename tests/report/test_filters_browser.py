"""Working in the page: filters that combine, their address, links that set them, and samples that open."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from reseed import Study
from reseed.instability import evaluate
from reseed.report import report_data
from reseed.report._data import History

CHROMIUM = Path("/usr/bin/chromium")
playwright = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium"),
]

RUNS, SAMPLES = 6, 60
NAMES = ("play", "alarm", "mail & more")
WORDS = ("play some loud music", "set an early alarm", "send a short mail")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A report of six runs on sixty texts of three themes, of which the last run is far from the others."""
    rng = np.random.default_rng(0)
    targets = np.arange(SAMPLES) % 3
    labels = np.where(rng.random((RUNS, SAMPLES)) < 0.1, (targets + 1) % 3, targets)
    labels[-1, ::2] = (targets[::2] + 2) % 3
    labels[:, 3] = [0, 0, 0, 1, 1, 1]
    texts = [f"{WORDS[theme]} number {place}" for place, theme in enumerate(targets)]
    folder = tmp_path_factory.mktemp("filters") / "study"
    study = Study.from_predictions(labels, folder, class_names=NAMES, texts=texts, targets=targets)
    found = report_data(study, evaluate(study))
    answers = {place: (((0, 2), (1, 4)), found.given(place)) for place in range(SAMPLES)}
    accuracy = np.tile([0.5, 0.9], (RUNS, 1))
    return dataclasses.replace(found, history=History((10, 20), accuracy, answers, (10, 20)))


def shown(page) -> set[str]:
    """The ids of the samples in the table, of which a page holds all."""
    return set(page.locator("#samples-table .id").all_inner_texts())


def wanted(data, passes) -> set[str]:
    """The ids of the samples that pass a test."""
    return {data.sample_ids[sample] for sample in range(SAMPLES) if passes(sample)}


def labels_of(data, sample) -> set[int]:
    """The labels that a sample was given."""
    return {label for label, _ in data.given(sample)}


def test_filters_combine(data, open_page):
    """Each filter narrows what the others leave, as a test of the samples one by one does."""
    page = open_page(data)
    page.get_by_role("combobox", name="Rows").select_option("100")
    page.get_by_label("Gold label").select_option("0")
    assert shown(page) == wanted(data, lambda sample: data.targets[sample] == 0)
    page.get_by_label("Answer of a run").select_option("0")
    page.get_by_label("and another answer").select_option("2")
    both = wanted(data, lambda sample: data.targets[sample] == 0 and {0, 2} <= labels_of(data, sample))
    assert shown(page) == both
    assert 0 < len(both) < 20
    page.get_by_label("Label entropy to").fill("0.5")
    low = {data.sample_ids[s] for s in range(SAMPLES) if data.label_entropy[s] <= 0.5}
    assert shown(page) == both & low
    page.get_by_label("Label entropy from").fill("0.46")
    assert shown(page) == set()
    assert page.get_by_text("No sample matches.").is_visible()
    page.get_by_role("button", name="Clear filters").click()
    assert len(shown(page)) == SAMPLES
    assert page.get_by_label("Gold label").input_value() == ""
    assert page.evaluate("location.hash") == "#samples"


@pytest.mark.parametrize("kind", ["right", "wrong", "tie"])
def test_ties_are_neither_right_nor_wrong(data, open_page, kind):
    """The filter by what the top answer is tells ties apart."""

    def judge(sample):
        if data.is_tied(sample):
            return "tie"
        return "right" if data.mode_label[sample] == data.targets[sample] else "wrong"

    page = open_page(data)
    page.get_by_role("combobox", name="Rows").select_option("100")
    page.get_by_label("Top answer is").select_option(kind)
    found = shown(page)
    assert found == wanted(data, lambda sample: judge(sample) == kind)
    if kind == "tie":
        assert data.sample_ids[3] in found


def test_a_run_that_answers_otherwise(data, open_page):
    """The filter by run leaves the samples on which it is not with the most frequent answer."""
    page = open_page(data)
    page.get_by_role("combobox", name="Rows").select_option("100")
    page.locator("#filter-run").select_option("5")
    assert shown(page) == wanted(data, lambda sample: data.run_labels[5, sample] != data.given(sample)[0][0])


def test_the_address_holds_filters_and_order(data, open_page):
    """What is filtered and sorted is in the address: opening that shows the same, and unknown parts are passed over."""
    page = open_page(data)
    page.get_by_label("Gold label").select_option("2")
    page.get_by_label("Search").fill("mail & 1")
    page.locator("th[data-key=sample] button").click()
    place, rows = page.evaluate("location.hash"), page.locator("#samples-table .id").all_inner_texts()
    assert place == "#samples?gold=2&q=mail%20%26%201&sort=sample"
    assert 1 < len(rows) < 20
    other = open_page(data)
    other.evaluate("place => { location.hash = place + '&nothing=1&constructor=2'; }", place)
    playwright.expect(other.get_by_label("Search")).to_have_value("mail & 1")
    assert other.locator("#samples-table .id").all_inner_texts() == rows
    assert other.get_by_label("Gold label").input_value() == "2"
    assert other.locator("th[data-key=sample]").get_attribute("aria-sort") == "ascending"


def test_rows_of_tables_set_filters(data, open_page):
    """A click on a pair, a class or a group shows its samples; the way back undoes it."""
    page = open_page(data)
    page.get_by_role("combobox", name="Rows").select_option("100")
    first, second, *_ = data.pairs[0]
    page.locator("#labels a.set").first.click()
    pair = wanted(data, lambda sample: {first, second} <= labels_of(data, sample))
    playwright.expect(page.locator("#status")).to_contain_text(f"of {len(pair)} ")
    assert shown(page) == pair
    page.locator("#where a.set", has_text="alarm").last.click()
    groups = next(found for found in data.groupings if found.title == "cluster")
    number = next(place for place, name in enumerate(groups.names) if "alarm" in name)
    cluster = wanted(data, lambda sample: groups.place[sample] == number)
    playwright.expect(page.locator("#status")).to_contain_text(f"of {len(cluster)} ")
    assert shown(page) == cluster
    page.go_back()
    playwright.expect(page.locator("#status")).to_contain_text(f"of {len(pair)} ")


def test_a_cell_of_the_map_of_flips_sets_its_pair(data, open_page):
    """A click on a cell shows the samples that got both labels."""
    page = open_page(data)
    page.get_by_role("combobox", name="Rows").select_option("100")
    cell = page.locator("#labels [data-place]").first
    place = cell.get_attribute("data-place")
    cell.click()
    first, second = (int(part.partition("=")[2]) for part in place.partition("?")[2].split("&"))
    pair = wanted(data, lambda sample: {first, second} <= labels_of(data, sample))
    playwright.expect(page.locator("#status")).to_contain_text(f"of {len(pair)} ")
    assert shown(page) == pair


def test_a_sample_opens_with_all_that_is_known(data, open_page):
    """Text, votes of each run, answers along training and neighbours are in the dialog, which has an address."""
    page = open_page(data)
    page.goto(f"{page.url.partition('#')[0]}#samples?sample={data.sample_ids[3]}")
    page.reload()
    page.locator("dialog[open]").wait_for()
    dialog = page.get_by_role("dialog", name=f"Sample {data.sample_ids[3]}")
    words = dialog.inner_text()
    for part in (
        WORDS[0],
        "Tie of\nplay, alarm",
        "3 runs: 0, 1, 2",
        "3 runs: 3, 4, 5",
        "step 10",
        "alarm\u00a0\u00d74",
    ):
        assert part in words
    near = dialog.locator(".near a.id")
    assert near.count() == 5
    target = near.first.inner_text()
    near.first.click()
    playwright.expect(page.locator("dialog h2")).to_have_text(f"Sample {target}")
    page.keyboard.press("Escape")
    assert not page.locator("dialog").is_visible()
    page.wait_for_function("!location.hash.includes('sample=')")  # the dialog's event comes after it is closed


def test_samples_are_paged_in_the_dialog_by_keyboard(data, open_page):
    """A link opens the sample; Next and Before walk the rows that the filters leave; Escape gives the focus back."""
    page = open_page(data)
    page.get_by_label("Gold label").select_option("1")
    rows = page.locator("#samples-table .id").all_inner_texts()
    page.locator("#samples-table a.id").first.press("Enter")
    title = page.locator("dialog h2")
    playwright.expect(title).to_have_text(f"Sample {rows[0]}")
    assert page.get_by_role("button", name="Before").is_disabled()
    page.get_by_role("button", name="Next").last.press("Enter")
    playwright.expect(title).to_have_text(f"Sample {rows[1]}")
    assert page.evaluate("location.hash") == f"#samples?gold=1&sample={rows[1]}"
    page.keyboard.press("Escape")
    page.wait_for_function("location.hash === '#samples?gold=1'")
    assert page.evaluate("document.activeElement.className") == "id"


def test_equal_ids_open_the_sample_that_was_clicked(make_report, open_page):
    """Samples whose ids are alike once they are cut have addresses of their own."""
    page = open_page(make_report(samples=3, sample_ids=("x" * 100, "x" * 200, "y"), texts=("one", "two", "three")))
    links = page.locator("#samples-table a.id", has_text="x")
    texts = page.locator("#samples-table tr", has=page.locator("a.id", has_text="x")).locator(".text").all_inner_texts()
    for place, text in enumerate(texts):
        links.nth(place).click()
        playwright.expect(page.locator("dialog .words")).to_have_text(text)
        page.keyboard.press("Escape")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_dialog_fits_narrow_windows(data, open_page, scheme):
    """At 360 pixels neither page nor dialog scrolls sideways, and the dialog has the page's colours."""
    page = open_page(data, viewport={"width": 360, "height": 700}, color_scheme=scheme)
    page.locator("#samples-table a.id").first.click()
    dialog = page.locator("dialog")
    assert dialog.evaluate("node => node.scrollWidth <= node.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    colour = {"light": "rgb(251, 250, 247)", "dark": "rgb(20, 23, 27)"}[scheme]
    assert dialog.evaluate("node => getComputedStyle(node).backgroundColor") == colour


def test_runs_are_drawn_and_the_outlier_is_named(data, open_page):
    """Accuracy, learning curves and disagreement are charts; the run far from the others is named."""
    page = open_page(data)
    runs = page.locator("#runs")
    assert runs.locator("figure > svg").count() == 4
    assert runs.locator("svg [class^=heat-][x]").count() > RUNS * (RUNS - 1)
    assert "run 5 (" in runs.locator("figcaption").all_inner_texts()[2]
    assert "Medoid" in runs.get_by_role("table").last.inner_text()


def test_the_navigation_stays_in_view(data, open_page):
    """Far down the page the navigation is at the top of the window and marks the section."""
    page = open_page(data)
    page.evaluate("document.getElementById('words').scrollIntoView({ behavior: 'instant' })")
    assert page.locator("nav").bounding_box()["y"] == 0
    playwright.expect(page.locator("nav a[aria-current]")).to_have_text("Words")
