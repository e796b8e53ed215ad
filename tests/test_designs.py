"""Folders of several studies: their pages, what `inspect` and `report` make of them, and that nothing is trained."""

import json
import re
import shutil
from html import unescape
from pathlib import Path

import pytest

import reseed
from reseed._errors import StudyError
from reseed.cli import main
from reseed.mitigations import parse_mitigations
from reseed.models import ModelConfig
from reseed.report import make_design_page
from reseed.training import Recipe, mitigated
from reseed.workflows import DESIGNS, open_design, open_study_or_design
from reseed.workflows._tune_space import Candidate

CHROMIUM = Path("/usr/bin/chromium")
RECIPE = Recipe(model=ModelConfig("mlp", hidden=(8,)), epochs=1, batch_size=64)
SEARCHED = reseed.recipe_for("digits", changes={"epochs": 3, "model.hidden": [16]})
OPTIONS = {"recipe": RECIPE, "engine": "serial", "threads": 1, "probe": False, "announce": lambda line: None}
MAKE = {
    "attribution.html": lambda out: reseed.attribute(out=out, runs=3, **OPTIONS),
    "nested.html": lambda out: reseed.measure_nested(out=out, training_sets=3, runs=3, **OPTIONS),
    "bootstrap.html": lambda out: reseed.measure_bootstrap(out=out, bootstraps=4, base_runs=3, **OPTIONS),
    "randomization.html": lambda out: reseed.randomize(out=out, runs=2, levels=[0.5], draws=1, **OPTIONS),
    "stabilisation.html": lambda out: reseed.stabilise(out=out, remedies=["warmup"], rates=[0.1], runs=2, **OPTIONS),
    "tune.html": lambda out: reseed.tune(out=out, budget=19, **(OPTIONS | {"recipe": SEARCHED})),
    "comparison.html": lambda out: reseed.mitigate(out=out, methods=["label-smoothing"], runs=3, **OPTIONS),
}
PAGES = sorted(MAKE)
CUT_OFF = """Array.from(document.querySelectorAll("figure svg text")).filter((node) => {
  const [own, whole] = [node, node.ownerSVGElement].map((one) => one.getBoundingClientRect());
  return own.left < whole.left - 1 || own.right > whole.right + 1;
}).map((node) => node.textContent)"""
"""Labels of charts that do not fit into their drawing."""


def _averages(recipe, *_):
    """One candidate, whose weights are averaged: it wins a search of few runs."""
    return (Candidate("swa", mitigated(recipe, parse_mitigations("swa")), 1.0),)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder of each design, by the name of its page; what tests change, they copy first."""
    root = tmp_path_factory.mktemp("designs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reseed.workflows._tune.candidates", _averages)
        for page, make in MAKE.items():
            make(root / page.removesuffix(".html"))
    return {page: root / page.removesuffix(".html") for page in MAKE}


def _words(page):
    """What a reader of a page reads, in one line."""
    return unescape(" ".join(re.sub("<[^>]+>", " ", re.sub("(?s)<(style|script).*?</\\1>", "", page)).split()))


def test_the_registry_has_a_design_for_each_page():
    """Each is marked by a file of its own."""
    assert sorted(design.page for design in DESIGNS) == PAGES
    assert len({design.file for design in DESIGNS}) == len(DESIGNS)


@pytest.mark.parametrize("page", PAGES)
def test_what_is_opened_again_says_the_same(made, page):
    """The numbers of a folder that is opened are those that were written when it was trained."""
    opened = open_design(made[page])
    written = json.loads((made[page] / opened.design.file).read_text())
    strict = json.loads(json.dumps(opened.result.summary), parse_constant=lambda _: None)
    assert strict == written
    assert opened.design.page == page


@pytest.mark.parametrize("page", PAGES)
def test_the_page_comes_back_and_nothing_is_trained(made, page, tmp_path, capsys):
    """`reseed report` writes the page that the training wrote, with no run touched."""
    root = tmp_path / "design"
    shutil.copytree(made[page], root)
    before = {file: file.stat().st_mtime_ns for file in root.glob("**/runs/**/*") if file.is_file()}
    first = (root / page).read_text()
    (root / page).unlink()
    with pytest.raises(SystemExit, match="0"):
        main(["report", str(root)])
    assert capsys.readouterr().out == f"{root / page}\n"
    assert before == {file: file.stat().st_mtime_ns for file in root.glob("**/runs/**/*") if file.is_file()}
    again = (root / page).read_text()
    assert _words(again).replace(str(root), "") == _words(first).replace(str(made[page]), "")


@pytest.mark.parametrize("page", PAGES)
def test_inspect_says_what_is_in_the_folder(made, page, capsys):
    """The first line names the design, the last ones the command for each study below it; --json is the file."""
    opened = open_design(made[page])
    with pytest.raises(SystemExit, match="0"):
        main(["inspect", str(made[page])])
    lines = capsys.readouterr().out.splitlines()
    assert f"holds {opened.design.name} ({opened.design.command}): {len(opened.studies)} studies" in lines[0]
    assert f"report:  {made[page] / page}" in lines
    assert lines[-len(opened.studies) :] == [f"  reseed inspect {path}" for path in opened.studies]
    with pytest.raises(SystemExit, match="0"):
        main(["inspect", str(made[page]), "--json"])
    assert json.loads(capsys.readouterr().out) == json.loads((made[page] / opened.design.file).read_text())


@pytest.mark.parametrize("page", [page for page in PAGES if page != "comparison.html"])
def test_a_page_has_all_its_parts(made, page):
    """The answer, what to do next with commands that are there, the studies, words, and how it was made."""
    html = (made[page] / page).read_text()
    for part in ('class="lead"', 'id="picture"', 'id="details"', 'id="next"', 'id="words"', "<footer>"):
        assert part in html
    words = _words(html)
    assert f"reseed report {made[page]}" in words
    for name in re.findall('href="#term-([a-z-]+)"', html):
        assert f'id="term-{name}"' in html
    assert "<script>" not in html


def test_numbers_stand_on_the_page_with_their_intervals(made):
    """The page of an attribution has the jitter and every drop of the file, rounded."""
    told = json.loads((made["attribution.html"] / "attribution.json").read_text())
    words = _words((made["attribution.html"] / "attribution.html").read_text()).replace("\u2212", "-")
    low, high = told["jitter_ci95"]
    assert f"{100 * told['jitter']:.2f} {100 * low:.2f} to {100 * high:.2f}" in words
    for source in told["sources"]:
        low, high = source["drop_ci95"]
        assert f"{100 * source['drop']:.0f} {100 * low:.0f} to {100 * high:.0f}" in words


def test_plot_and_page_draw_the_same_charts(made):
    """Titles of the figure's axes are those of the page's charts."""
    pytest.importorskip("matplotlib")
    for page in PAGES:
        result = open_design(made[page]).result
        if page == "comparison.html":
            continue
        titles = [axes.get_title(loc="left") for axes in result.plot().axes if axes.get_title(loc="left")]
        assert titles == [chart.title for chart in result.page.charts]


def test_every_command_of_a_page_is_one(made):
    """What pages propose are commands of reseed with options that exist."""
    import tyro

    from reseed.cli._main import command_class

    for page in PAGES:
        if page == "comparison.html":
            continue
        data = open_design(made[page]).result.page
        commands = [step.command for step in data.steps if step.command] + [data.made["page made again by"]]
        commands += [data.made["trained by"]] if "trained by" in data.made else []
        for command in commands:
            program, name, *words = command.split()
            assert program == "reseed"
            tyro.cli(command_class(name), args=words, config=(tyro.conf.FlagCreatePairsOff,))


def test_a_search_goes_on_by_the_command_on_its_page(made, monkeypatch):
    """It has the search's own seed, not that of its confirmation, so that nothing is trained again."""
    monkeypatch.setattr("reseed.workflows._tune.candidates", _averages)
    root = made["tune.html"]
    command = open_design(root).result.page.made["trained by"]
    before = {path.name for path in (root / "search").iterdir()}
    with pytest.raises(SystemExit, match="0"):
        main([*command.split()[1:], "--engine", "serial", "--no-probe", "--threads", "1"])
    assert {path.name for path in (root / "search").iterdir()} == before


def test_samples_and_texts_are_shown_as_they_are(made):
    """What comes from outside cannot become markup."""
    data = open_design(made["nested.html"]).result.page
    hostile = type(data)(**(vars(data) | {"title": "<script>alert(1)</script>", "lead": "<b>"}))
    html = make_design_page(hostile).html
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_the_comparison_leads_to_the_report_of_each_study(made):
    """Studies of `mitigate` and of a confirmation have their reports, and pages link them."""
    for page, pattern in (("comparison.html", "*"), ("tune.html", "confirm/*")):
        root = made[page]
        studies = [path.parent for path in root.glob(f"{pattern}/study.json")]
        links = re.findall('href="([^"#]+report.html)"', (root / page).read_text())
        assert len(links) == len(studies) == 3
        assert all((root / link).is_file() for link in links)


def test_reports_are_written_where_runs_are_new_and_only_there(made, tmp_path):
    """The same call leaves them alone; more runs write them anew."""
    root = tmp_path / "methods"
    shutil.copytree(made["comparison.html"], root)
    reports = sorted(root.glob("*/report.html"))
    assert len(reports) == 3
    before = [report.stat().st_mtime_ns for report in reports]
    reseed.mitigate(out=root, methods=["label-smoothing"], runs=3, **OPTIONS)
    assert [report.stat().st_mtime_ns for report in reports] == before
    reseed.mitigate(out=root, methods=["label-smoothing"], runs=4, **OPTIONS)
    assert all(report.stat().st_mtime_ns > time for report, time in zip(reports, before, strict=True))


def test_reports_of_large_studies_are_left_to_those_who_ask(tmp_path, monkeypatch):
    """Then the page names the command."""
    monkeypatch.setattr("reseed.workflows._child_reports.MOST", 10)
    found = MAKE["comparison.html"](tmp_path / "methods")
    assert not list(tmp_path.glob("**/report.html"))
    assert f"reseed report {found.control.study.path}" in _words((tmp_path / "methods" / "comparison.html").read_text())


def test_what_is_none_of_these_is_told_with_what_it_could_be(made, tmp_path, capsys):
    """The error names every kind of folder, and the studies that lie below."""
    with pytest.raises(StudyError, match=r"holds no study.*attribution\.json.*tune\.json.*comparison\.json"):
        open_study_or_design(tmp_path)
    above = made["nested.html"].parent
    with pytest.raises(StudyError, match="Studies lie below it: attribution/vary-init, "):
        open_study_or_design(above)
    assert open_design(made["nested.html"] / "sample-0") is None
    with pytest.raises(SystemExit, match="2"):
        main(["inspect", str(made["nested.html"]), "--by", "class"])
    assert "--by asks one study" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["report", str(made["nested.html"]), "--out", str(tmp_path / "elsewhere")])
    assert "--out is for the report of one study" in capsys.readouterr().err
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("text", ["", "[]", "{}", '{"studies": 3}', '{"studies": {"a": "../../x"}}'])
def test_damaged_numbers_are_a_study_error(made, page, text, tmp_path):
    """Whatever stands in the file that marks a folder, opening it ends in a typed error or what is kept."""
    root = tmp_path / "design"
    shutil.copytree(made[page], root, ignore=shutil.ignore_patterns("report.html"))
    design = next(design for design in DESIGNS if design.page == page)
    (root / design.file).write_text(text)
    if page == "tune.html":
        (root / "comparison.json").unlink(missing_ok=True)
    if page == "bootstrap.html" and text.startswith("{"):
        assert open_design(root).result.summary["bootstraps"] == 4  # it needs nothing of the file
        return
    with pytest.raises(StudyError):
        open_design(root)


def test_a_comparison_of_studies_elsewhere_names_the_command(made, tmp_path):
    """`reseed compare` writes where no study lies; what it compared is not looked for."""
    studies = [made["comparison.html"] / name for name in ("control", "method-label-smoothing")]
    reseed.compare(studies, out=tmp_path / "beside")
    with pytest.raises(StudyError, match="reseed compare, with the same studies, writes it anew"):
        open_design(tmp_path / "beside")


def test_a_bootstrap_of_ones_own_training_has_its_page_beside_the_study(tmp_path, capsys):
    """Its folder is a study's: `inspect` says what lies beside, `report` writes both pages."""
    from sklearn.datasets import load_wine
    from sklearn.naive_bayes import GaussianNB

    root = tmp_path / "wine"
    wine = load_wine(return_X_y=True)
    found = reseed.bootstrap(GaussianNB(), train_data=wine, bootstraps=5, out=root, engine="serial")
    first = json.loads((root / "bootstrap.json").read_text())
    (root / "bootstrap.html").unlink()
    with pytest.raises(SystemExit, match="0"):
        main(["inspect", str(root)])
    assert f"a bootstrap measurement lies beside it: {root / 'bootstrap.json'}" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="0"):
        main(["report", str(root)])
    assert capsys.readouterr().out.splitlines() == [f"{root / 'report.html'}", f"{root / 'bootstrap.html'}"]
    assert json.loads((root / "bootstrap.json").read_text()) == first
    assert f"Another training sample changes {100 * found.instability.mean_index:.1f}" in _words(
        (root / "bootstrap.html").read_text()
    ).replace("\u00a0", " ")


def test_suspects_are_named_where_memorize_left_them(tmp_path, capsys):
    """`inspect` of the study says where the table is."""
    reseed.memorize(out=tmp_path / "study", folds=2, **OPTIONS)
    with pytest.raises(SystemExit, match="0"):
        main(["inspect", str(tmp_path / "study")])
    assert f"as reseed memorize ranks them: {tmp_path / 'study' / 'suspects.csv'}" in capsys.readouterr().out


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium")
def test_pages_in_a_browser(made):
    """No page says anything to the console, asks for anything, or is wider than a window of 390 or 1,280 pixels."""
    playwright = pytest.importorskip("playwright.sync_api")
    troubles = []

    def trouble(kind):
        return lambda event: troubles.append(f"{kind}: {getattr(event, 'text', event)}")

    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        for name, root in made.items():
            for width, scheme in ((390, "dark"), (1280, "light")):
                page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
                page.on("pageerror", trouble("error"))
                page.on("console", trouble("console"))
                page.on("requestfailed", trouble("request"))
                page.goto((root / name).as_uri())
                assert page.locator(".lead").is_visible()
                assert page.evaluate("document.documentElement.scrollWidth") <= width, name
                assert page.evaluate(CUT_OFF) == [], f"{name} at {width}"
                page.close()
        browser.close()
    assert troubles == []
