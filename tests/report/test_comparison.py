"""A comparison's page and its tables in a terminal."""

import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import scipy.special
from rich.console import Console

from reseed import InputError, Study
from reseed.instability import compare_studies
from reseed.report import print_comparison, render_comparison, write_comparison_page
from reseed.report._changed_samples import judged

EVIL = '</script><img src=x onerror="alert(1)"> & <b>\u2028'
NAMES = ("a[red]", EVIL, "c")


def _study(folder, seed, noise, **options):
    """A study of made-up probabilities of texts that try to break out."""
    shared = np.random.default_rng(0).normal(size=(60, 3)) * 2
    scores = shared + noise * np.random.default_rng(seed).normal(size=(6, 60, 3))
    texts = [f"{EVIL} number {place}" for place in range(60)]
    options = {"class_names": NAMES, "texts": texts, "targets": shared.argmax(1)} | options
    return Study.from_predictions(scipy.special.softmax(scores, -1), folder, **options)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A comparison of a steadier method; tests only read it."""
    root = tmp_path_factory.mktemp("studies")
    control, method, null = (
        _study(root / str(place), place, noise) for place, noise in enumerate((0.8, 0.3, 0.8), start=1)
    )
    return compare_studies({"control": control, EVIL: method}, null=null)


class _Page(HTMLParser):
    """What a browser without scripts would see."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.words, self._inside = [], [], None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        """Counts elements."""
        self.tags.append(tag)
        self._inside = tag

    def handle_data(self, data):
        """Collects what is not script or style."""
        if self._inside not in ("script", "style"):
            self.words.append(data)

    def handle_endtag(self, tag):
        """Leaves scripts."""
        self._inside = None


def test_the_page_is_readable_without_scripts(found):
    """Recommendation, every number of the tables, and the samples are words of the page."""
    page = _Page(render_comparison(found))
    words = " ".join(page.words)
    assert found.recommendation in words.replace("\n", " ")
    effect = found.methods[0].effect
    for value, digits in ((effect.reduction.value, 1), (effect.beyond_null.low, 1), (100 * effect.jitter.value, 2)):
        assert f"{value:.{digits}f}".replace("-", "\u2212") in words
    for heading in ("Settles most", "Unsettles most", "distinguishable", "beyond chance", "label entropy falls by"):
        assert heading in words
    assert "number" in words


def test_what_comes_from_the_data_stays_text(found):
    """Texts, names and classes make no element and no script of their own, and nothing is loaded."""
    page = render_comparison(found)
    tags = _Page(page).tags
    assert "img" not in tags
    assert "script" not in tags
    assert "b" not in tags
    assert "default-src 'none'" in page
    assert not re.search(r'<(?:link|script|img)[^>]+(?:src|href)="(?!data:)', page)


def test_pictures_are_shown(found, tmp_path):
    """Samples that are images appear as such, a digit of the evaluation set for example."""
    from reseed import recipe_for
    from reseed.studies import train_study

    recipe = recipe_for("digits", changes={"epochs": 1, "model.hidden": [4]})
    options = {"runs": 2, "engine": "serial", "probe": False}
    one, other = (train_study(recipe, tmp_path / name, **options) for name in ("one", "other"))
    assert 'alt="sample' not in render_comparison(compare_studies({"a": one, "b": other}))
    changed = recipe_for("digits", changes={"epochs": 2, "model.hidden": [4]})
    third = train_study(changed, tmp_path / "third", **options)
    page = render_comparison(compare_studies({"a": one, "b": third}))
    assert re.search('<img src="data:image/png;base64,[^"]+" alt="sample', page)
    assert re.search(r'class="(right|wrong|tie)"', page)


def test_the_file_is_written_or_refused(found, tmp_path):
    """A missing folder is made; a folder as the path is refused with the name of a file."""
    path = write_comparison_page(found, tmp_path / "new" / "page.html")
    assert path.read_text(encoding="utf-8") == render_comparison(found)
    with pytest.raises(InputError, match=r"is a folder: pass the name of a file, such as .*comparison\.html"):
        write_comparison_page(found, tmp_path)


def test_terminal_shows_numbers_beside_their_intervals(found):
    """Tables hold each number with its interval, names as they are, notes and the recommendation."""
    console = Console(file=io.StringIO(), width=400)
    print_comparison(found, console, details=True)
    shown = console.file.getvalue()
    effect = found.methods[0].effect
    reduction = effect.reduction
    assert f"{reduction.value:.1f} [{reduction.low:.1f}, {reduction.high:.1f}]" in shown
    assert f"{effect.beyond_null.value:.1f}* [" in shown
    assert EVIL[:30] in shown
    assert "predictions, imported: 6 runs of each study, 60 samples" in shown
    assert "note: 6 runs of each study are few" in shown
    assert "recommendation: Of those whose cost is not known: " in shown


def test_what_was_not_recorded_is_a_dash(tmp_path):
    """Unknown costs and calibration are dashes, in the terminal and on the page."""
    labels = np.random.default_rng(0).integers(0, 2, (3, 20))
    one, other = (Study.from_predictions(labels[::step], tmp_path / str(step), targets=labels[0]) for step in (1, -1))
    found = compare_studies({"a": one, "b": other})
    console = Console(file=io.StringIO(), width=200)
    print_comparison(found, console)
    assert "nan" not in console.file.getvalue()
    assert "does not apply, or was not recorded" in render_comparison(found)


class _Table(HTMLParser):
    """The rows of the forest plot, as words."""

    def __init__(self, page):
        super().__init__()
        self.rows, self.marks = [], []
        self.feed(page.partition('<table class="forest">')[2].partition("</table>")[0])

    def handle_starttag(self, tag, attrs):
        """Begins rows, and collects what is drawn."""
        if tag == "tr":
            self.rows.append("")
            self.marks.append({})
        found = dict(attrs)
        if found.get("class") in ("dot", "whisker", "chance", "nothing"):
            numbers = tuple(float(number) for number in re.findall(r"[\d.]+(?=%)", found["style"]))
            self.marks[-1].setdefault(found["class"], numbers)

    def handle_data(self, data):
        """Collects words."""
        self.rows[-1] += data + " "


def test_the_forest_plot_draws_each_estimate_where_it_is(found):
    """Dots and intervals have the places of their numbers on one axis; the band is the second control's interval."""
    plot = _Table(render_comparison(found))
    method, null = plot.marks[1:]
    one, chance = found.methods[0].effect.reduction, found.null.effect.reduction
    scale = (method["dot"][0] - method["nothing"][0]) / one.value  # percent of the width for each percent of reduction
    assert scale > 0
    assert null["dot"][0] == pytest.approx(method["nothing"][0] + scale * chance.value, abs=0.05)
    left = method["nothing"][0] + scale * one.low
    assert method["whisker"] == pytest.approx((left, scale * (one.high - one.low)), abs=0.05)
    assert method["chance"] == null["whisker"] == null["chance"]
    assert EVIL.split("\u2028")[0] in plot.rows[1]
    assert f"{one.value:.1f}" in plot.rows[1]
    assert "second control" in plot.rows[2]


def test_the_headline_is_what_to_use(found, tmp_path):
    """The method that is recommended first is named with what it does; where none helps the page says that."""
    page = render_comparison(found)
    lead = re.search(r'<p class="lead">(.*?)</p>', page)[1]
    assert lead.startswith("Use &lt;/script&gt;")
    assert f"label entropy falls by {found.methods[0].effect.reduction.value:.0f} %." in lead
    assert found.recommended is found.methods[0]
    one, other = (_study(tmp_path / str(seed), seed, 0.8) for seed in (4, 5))
    nothing = compare_studies({"control": one, "same": other})
    assert nothing.recommended is None
    assert "None of these methods keeps answers in place beyond chance" in render_comparison(nothing)


def test_settled_answers_are_told_right_from_wrong(tmp_path):
    """Of what a method settles it is counted what is right, of what it unsettles what the control had right."""
    before = [[0, 0, 1, 1, 0], [1, 1, 1, 1, 0]]
    after = [[0, 1, 0, 0, 0], [0, 1, 1, 1, 0]]
    targets = [0, 0, 1, 0, -1]
    one, other = (
        Study.from_predictions(labels, tmp_path / name, class_names=("a", "b"), targets=targets)
        for name, labels in (("one", before), ("other", after))
    )
    found = compare_studies({"control": one, "method": other})
    assert judged(found)["method"] == {"settles": "2 (1 right)", "unsettles": "2 (1 had been right)"}
    assert "method: settles 2 (1 right), unsettles 2 (1 had been right)" in " ".join(
        _Page(render_comparison(found)).words
    ).replace(" : ", ": ").replace("  ", " ")


def test_studies_with_a_report_are_linked(found, tmp_path):
    """A report in a study's folder is linked from where the page lies; of the others the command is told."""
    path = found.control.study.path / "report.html"
    path.write_text("a report")
    page = write_comparison_page(found, tmp_path / "page.html").read_text(encoding="utf-8")
    (link,) = re.findall(r'<a href="([^"#]*)">its report</a>', page)
    assert (tmp_path / link).resolve() == path.resolve()
    assert page.count("makes its report") == 2
    path.unlink()
    assert "its report</a>" not in render_comparison(found)


def test_the_terminal_begins_with_what_to_use_and_stays_narrow(found):
    """At 80 columns no line is longer, the recommendation comes before the table, and details only when asked for."""
    console = Console(file=io.StringIO(), width=80)
    print_comparison(found, console)
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1].startswith("recommendation: ")
    rows = [line for line in lines if re.match(r" ?(control|second control|</script)", line)]
    assert len(rows) == 2 * 3  # what each does to answers, then to confidence
    assert not any("NLL" in line for line in lines)
    assert any("--details prints every measure" in line for line in lines)
