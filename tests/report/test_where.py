"""Where instability lives, on the page and in the terminal."""

import io

import numpy as np
import pytest
from rich.console import Console

from reseed import Study
from reseed.instability import evaluate, where_unstable
from reseed.report import print_where, render, report_data


@pytest.fixture
def study(tmp_path):
    """A study of texts where only those about <music> flip."""
    flips = (np.arange(120) % 2 == 1) & (np.random.default_rng(0).random((4, 120)) < 0.5)
    texts = ["play the <music> loud" if i % 2 else "set an early alarm" for i in range(120)]
    return Study.from_predictions(flips.astype(int), tmp_path / "study", class_names=("0", "1"), texts=texts)


def test_the_page_names_the_unstable_group(study):
    """The section shows each grouping's test and its worst groups, with texts escaped."""
    data = report_data(study, evaluate(study))
    assert [found.title for found in data.groupings] == ["class", "cluster"]  # all texts are of one length
    assert "music" in data.groupings[1].rows[0][0]
    page = render(data)
    section = page.partition('<section id="where"')[2].partition("</section>")[0]
    assert "Where instability lives" in section
    assert "from 999 permutations" in section
    assert '<a href="#where">' in page


def test_groups_have_intervals(study):
    """Each group's mean stands over its interval; where nothing flipped there is none, since it would be a point."""
    data = report_data(study, evaluate(study))
    rows = {row["group"]: row for row in where_unstable(study, "cluster").table.to_pylist()}
    section = render(data).partition("<h3>By cluster</h3>")[2].partition("</table>")[0]
    worst = rows[data.groupings[1].rows[0][0]]
    assert f'<span class="spread">{worst["low"]:.3f} to {worst["high"]:.3f}</span>' in section
    assert '0.000<span class="spread">no flip seen</span>' in section


def test_what_cannot_be_grouped_is_said(tmp_path):
    """Texts that share no words cannot be clustered: a note gives the reason, and the other groupings stay."""
    labels = np.random.default_rng(0).integers(0, 2, (4, 12))
    texts = [f"only{number}" for number in range(12)]
    study = Study.from_predictions(labels, tmp_path / "study", class_names=("0", "1"), texts=texts)
    data = report_data(study, evaluate(study))
    assert [found.title for found in data.groupings] == ["class"]
    assert data.notes[-1].startswith("Samples are not grouped by cluster: the 12 texts share too few words")


def test_nothing_to_locate_is_not_shown(tmp_path):
    """Where no prediction changes there is neither a section nor a link to it."""
    study = Study.from_predictions(np.zeros((3, 6), int), tmp_path / "study", class_names=("0", "1"))
    page = render(report_data(study, evaluate(study)))
    assert '<section id="where"' not in page
    assert '<a href="#where">' not in page


def test_large_studies_are_not_grouped_unasked(study, monkeypatch):
    """Above the cap the report says that the section is left out and how to see it."""
    monkeypatch.setattr("reseed.report._from_study._MOST_GROUPED", 50)
    data = report_data(study, evaluate(study))
    assert data.groupings == ()
    assert data.notes[-1].startswith("Where instability lives is left out of the report above 50 samples;")


def test_many_samples_are_dealt_less_often(study, monkeypatch):
    """Among very many samples the report makes do with fewer permutations, and says how many."""
    monkeypatch.setattr("reseed.report._from_study._MANY", 50)
    assert all("from 199 permutations" in found.verdict for found in report_data(study, evaluate(study)).groupings)


def test_the_terminal_says_how_many_groups_are_shown(study):
    """Groups beyond the number asked for are counted."""
    stream = io.StringIO()
    print_where(where_unstable(study, "cluster"), Console(file=stream, width=200), top=1)
    printed = stream.getvalue()
    assert "; 1 of 2 are shown" in printed
    assert "of the variance of label entropy; chance would explain" in printed
