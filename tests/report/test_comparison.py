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
