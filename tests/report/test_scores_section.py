"""The scores of any lens on a study's page: whatever is kept is shown, and nothing of it breaks the page."""

import json
import re
from itertools import pairwise

import numpy as np
import pytest
from rich.console import Console

import reseed
from reseed import Study
from reseed.report import make_page, print_scores, report_data
from reseed.scores import Chart, Column, Passage, Picture, Scores, Series, keep_scores, readable_scores, scores_of

PNG = b"\x89PNG\r\n\x1a\n" + b"rest"
EVIL = "</section><script>window.__pwned=1</script> \"' onload=alert(1) \0\x1b[31m"
RUNS, SAMPLES = 4, 6
CHARTS = (
    Chart("lines", "Loss", "It falls.", "step", "loss", (Series("run 0", (1, 2), (2.0, 1.0), (1.5, 0.5), (2.5, 1.5)),)),
    Chart("bars", "Flips", "Blur flips most.", "corruption", "share", (Series("", ("blur", "fog"), (0.5, 0.25)),)),
    Chart("scatter", "Margins", "Small ones flip.", "margin", "entropy", (Series("", (0.5, 1.0), (0.75, 0.0)),)),
    Chart("heat map", "Becomes", "Fours become nines.", rows=("4", "9"), columns=("4", "9"), cells=((0, 1), (2, 3))),
    Chart("images", "Examples", "Hardly changed.", pictures=(Picture(PNG, "sample a"),)),
    Chart("texts", "Words", "One was changed.", passages=(Passage((("removed", "on"), ("added", "off")), "b"),)),
)


@pytest.fixture
def study(tmp_path):
    """Four runs on six samples."""
    return Study.from_predictions(np.random.default_rng(0).integers(0, 3, (RUNS, SAMPLES)), tmp_path / "study")


@pytest.fixture
def keep(study):
    """A function that keeps scores of the study with everything there can be, but for what is asked otherwise."""

    def keep(lens="weight_noise", **changed):
        words = {"noise": "share of noisy passes", "sharpness": "the largest eigenvalue", "loss": "loss of training"}
        columns = {
            f"{lens}_{name}": Column(about, "higher_is_worse", "[0, 1]", "nats", "lens")
            for name, about in words.items()
        }
        parts = {
            "lens": lens,
            "ids": study.samples.ids,
            "columns": columns,
            "by_run": {f"{lens}_noise": np.full((3, SAMPLES), 0.5)},
            "of_runs": {f"{lens}_sharpness": np.array([1.0, np.nan, 4.0])},
            "series": {f"{lens}_loss": np.ones((3, 2))},
            "runs": (0, 1, 3),
            "steps": (1, 2),
            "summary": {f"{lens}_noise_mean": 0.125, f"{lens}_noise_ci95_samples": [0.0625, 0.25], "passes": 12345}
            | {"odd": -3, "odd_ci95": [-4, -2], "lone_ci95": [1, 2]},
            "notes": ("one run kept no weights.",),
            "options": {"sigma": [0.1, 0.2]},
            "cost": {"wall_s": 1.5},
            "charts": CHARTS,
        }
        keep_scores(study, Scores(**parts | changed))

    return keep


def _page(study):
    page = make_page(report_data(study, reseed.inspect(study).stability))
    sections = dict(re.findall(r'<section id="(scores-[^"]*)".*?>(.*?)</section>', page.html, re.DOTALL))
    return page, sections


def _words(html):
    return " ".join(re.sub(r"<[^>]*>", " ", html.replace("<wbr>", "")).split())


def test_everything_of_a_lens_is_shown(study, keep):
    """Numbers with their intervals, units and directions, what runs have, charts, notes, columns, options and cost."""
    keep()
    page, sections = _page(study)
    assert not any("missing" in note for note in page.notes)
    html = sections["scores-weight_noise"]
    words = _words(html)
    assert words.startswith("Weight noise")
    assert "3 runs alone (0, 1, 3), of the study's 4." in words
    assert (
        "weight_noise_noise_mean share of noisy passes 0.125 0.0625 to 0.25, other samples nats higher is worse"
        in words
    )
    assert "passes 12,345" in words
    assert "odd \u22123 \u22124 to \u22122, other samples and runs" in words
    assert "lone_ci95 [1, 2]" in words
    assert "weight_noise_sharpness the largest eigenvalue 2.5 1 4 2 nats" in words
    assert "one run kept no weights." in words
    assert "sigma [0.1, 0.2]" in words
    assert "wall_s 1.5" in words
    assert html.count("<figure") == len(CHARTS)
    for chart in CHARTS:
        assert chart.title in words
        assert chart.sentence in words
    assert '<a href="#scores-weight_noise">Weight noise</a>' in page.html


def test_lenses_are_in_order_and_none_is_named(study, keep):
    """Sections and links come by the lens's name, after what the study itself says."""
    for lens in ("zeal", "alpha", "the_middle"):
        keep(lens)
    page, sections = _page(study)
    assert list(sections) == ["scores-alpha", "scores-the_middle", "scores-zeal"]
    links = re.findall(r'<a href="#([^"]*)">', re.search(r"<nav.*?</nav>", page.html)[0])
    assert [link for link in links if link.startswith("scores-")] == list(sections)
    assert links.index("samples") < links.index("scores-alpha") < links.index("made")


def test_all_runs_and_none(study, keep):
    """Scores of all runs say so; scores that are of no single run speak of samples alone."""
    keep("all_runs", by_run={}, of_runs={}, series={}, runs=(0, 1, 2, 3))
    keep("samples_only", by_run={}, of_runs={}, series={}, runs=(), samples={"samples_only_noise": np.ones(SAMPLES)})
    _, sections = _page(study)
    assert "and of all 4 complete runs." in _words(sections["scores-all_runs"])
    assert "Of 6 samples that the runs were evaluated on." in _words(sections["scores-samples_only"])


def test_a_study_of_one_run_has_them_too(tmp_path, study, keep):
    """Where instability is only estimated, a lens's scores are shown as well."""
    keep()
    data = report_data(study, reseed.inspect(study).stability)
    assert data.complete_runs == (0, 1, 2, 3)
    unknown = np.full(SAMPLES, np.nan)
    parts = {
        name: getattr(data, name) for name in ("title", "summary", "sample_ids", "targets", "mode_label", "answers")
    }
    parts |= {name: unknown for name in ("label_entropy", "mode_share", "jitter", "confidence_mean", "confidence_std")}
    one = reseed.report.ReportData(
        **parts, class_names=data.class_names, flip_probability=np.full(SAMPLES, 0.5), scores=data.scores
    )
    assert 'id="scores-weight_noise"' in make_page(one).html


def test_hostile_words_stay_words(study, keep):
    """Text in every place of the scores can neither end an element nor run."""
    chart = Chart("bars", EVIL, EVIL, EVIL, EVIL, (Series(EVIL, (EVIL,), (1.0,)), Series("b", (EVIL,), (1.0,))))
    keep(
        columns={name: Column(EVIL, "none", EVIL, EVIL, EVIL) for name in ("plain", EVIL)},
        by_run={"plain": np.ones((3, SAMPLES))},
        of_runs={"plain": np.ones(3)},
        series={},
        summary={EVIL: EVIL, "list": [EVIL], f"{EVIL}_mean": 1, f"{EVIL}_ci95_{EVIL}": [0, 1]},
        notes=(EVIL,),
        options={EVIL: {EVIL: EVIL}},
        cost={EVIL: 1.0},
        charts=(chart,),
    )
    page, _ = _page(study)
    assert "<script>window" not in page.html
    assert page.html.count("<script") == 2
    assert page.html.count("<section") == page.html.count("</section>")
    assert "\0" not in page.html
    assert "\x1b" not in page.html
    assert "window.__pwned=1" in page.html


def test_damaged_scores_cost_their_section_alone(study, keep):
    """A lens whose files cannot be read is a note with the reason; the study and the other lenses are shown."""
    keep("bad")
    keep("good")
    (study.path / "scores" / "bad" / "evaluation.json").write_text("{")
    page, sections = _page(study)
    assert list(sections) == ["scores-good"]
    (note,) = [note for note in page.notes if "of bad" in note]
    assert note.startswith("The scores of bad are missing: the scores ")
    assert "are damaged" in note
    found, gaps = readable_scores(study)
    assert [scores.lens for scores in found] == ["good"]
    assert gaps == (note,)


@pytest.mark.parametrize("damage", [{"charts": [{"kind": "pie"}]}, {"summary": {"a_mean": 1}}, {"runs": [0, 1, 99]}])
def test_scores_of_another_form_are_noted(study, keep, damage):
    """What is JSON, but nothing that a lens writes, is damaged too."""
    keep()
    file = study.path / "scores" / "weight_noise" / "evaluation.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | damage))
    page, sections = _page(study)
    assert not sections
    assert any("weight_noise are missing" in note for note in page.notes)


def test_a_link_out_of_the_study_is_noted(study, keep, tmp_path):
    """A folder of scores that lies elsewhere is not followed, and the report is made."""
    keep()
    (study.path / "scores").rename(tmp_path / "elsewhere")
    (study.path / "scores").symlink_to(tmp_path / "elsewhere")
    page, sections = _page(study)
    assert not sections
    assert any(note.startswith("The scores of lenses are missing: ") for note in page.notes)


def test_very_much_is_bounded(study, keep):
    """Of many numbers, notes and charts the first are shown, and what is left out is said."""
    keep(
        summary={f"number_{place}": place for place in range(90)},
        notes=tuple(f"note {place}." for place in range(30)),
        charts=CHARTS * 4,
    )
    _, sections = _page(study)
    words = _words(sections["scores-weight_noise"])
    assert "number_79" in words
    assert "number_80" not in words
    assert "10 further numbers: see reseed inspect STUDY --scores LENS --json." in words
    assert "10 further notes: see" in words
    assert sections["scores-weight_noise"].count("<figure") == 16
    assert "8 further charts are not drawn." in words


def test_a_lens_that_is_not_there_is_refused_by_name(study, keep):
    """The error names the lenses that are there."""
    with pytest.raises(reseed.StudyError, match=r"keeps no scores of the lens 'nothing', of no lens\."):
        scores_of(study, "nothing")
    keep("alpha")
    keep("beta")
    with pytest.raises(reseed.StudyError, match=r"keeps no scores of the lens '\.\./x', only of alpha, beta\."):
        scores_of(study, "../x")
    assert [scores.lens for scores in scores_of(study, "beta")] == ["beta"]


def test_sections_follow_in_the_pages_order(study, keep):
    """A section is nested in no other."""
    keep("alpha")
    page, _ = _page(study)
    places = [match.start() for match in re.finditer(r"<section|</section>", page.html)]
    kinds = [page.html[place : place + 2] for place in places]
    assert all(one != other for one, other in pairwise(kinds))


def test_training_samples_have_a_section_of_their_own(make_report):
    """The scores of both splits of a lens stand apart, under headings that tell them."""
    both = tuple(Scores(lens="memory", ids=("a", "b"), columns={}, split=split) for split in ("evaluation", "train"))
    page = make_page(make_report(samples=5, scores=both)).html
    assert ">Memory</h2>" in page
    assert ">Memory (training samples)</h2>" in page
    assert '<a href="#scores-memory-train">Memory (training samples)</a>' in page
    assert "Of 2 samples that the runs were trained on." in page


def test_numbers_stand_in_their_groups(study, keep, capsys):
    """Under their titles on the page and in the terminal; those in no group come first."""
    summary = {"last": 3, "first": 1, "lonely": 2}
    keep(summary=summary, groups={"Near": ("first",), "Far": ("last",)})
    _, sections = _page(study)
    words = _words(sections["scores-weight_noise"])
    places = [words.index(word) for word in ("lonely", "Near", "first", "Far", "last")]
    assert places == sorted(places)
    print_scores(scores_of(study, "weight_noise")[0], Console(width=120))
    printed = capsys.readouterr().out
    places = [printed.index(word) for word in ("lonely", "Near", "first", "Far", "last")]
    assert places == sorted(places)
