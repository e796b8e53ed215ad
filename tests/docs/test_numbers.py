"""The check of the pages' numbers: what it finds, what it lets pass, what it mends, and that the pages are right."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from reseed.instability.evaluation._one_run import one_run_notes
from reseed.instability.one_run._single_run import default_model

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def scripts():
    """The check's modules; they import each other by name, as scripts of one folder do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "docs" / "_scripts"))
        import _check
        import _figures
        import _pages
        import _printed
        import check_numbers

        yield SimpleNamespace(
            check=_check, figures=_figures, pages=_pages, printed=_printed, check_numbers=check_numbers
        )
        for name, module in list(sys.modules.items()):
            if str(ROOT / "docs" / "_scripts") in (getattr(module, "__file__", None) or ""):
                del sys.modules[name]


@pytest.fixture
def faults(scripts, tmp_path):
    """Checks a page of this text, with the raw numbers of a made-up benchmark, and returns line and message."""
    figures = json.loads(
        '{"speed": 2.46, "loss": -0.31, "big": 1234.5, "ok": true, "runs": [{"name": "ema", "gone": 30.9}]}',
        object_hook=scripts.figures._objects,
    )

    def faults_of(text):
        page = tmp_path / "page.md"
        page.write_text(text, encoding="utf-8")
        check = scripts.check.Check({**scripts.figures.namespace(), "b": figures})
        check.page(scripts.pages.read_page(page), {})
        faults_of.edits, faults_of.page = check.edits, page
        return [(fault.line + 1, fault.message) for fault in check.faults]

    return faults_of


def test_every_number_of_the_pages_is_what_the_raw_numbers_say(scripts, capsys):
    """README, documentation and method cards print no measured figure that their benchmarks do not hold."""
    assert scripts.check_numbers.main([]) == 0, capsys.readouterr().out


def test_what_one_page_binds_says_nothing_of_another(scripts, tmp_path):
    """A page is dropped once it is checked, and the next may lie where it lay: its numbers are its own nevertheless."""
    first, page = tmp_path / "first.md", tmp_path / "page.md"
    first.write_text("7 days\n<!-- numbers 7 days: a week -->\n", encoding="utf-8")
    page.write_text("7 days\n", encoding="utf-8")
    check = scripts.check.Check({})
    for _ in range(20):
        check.page(scripts.pages.read_page(first), {})
        assert check.faults == []
        check.page(scripts.pages.read_page(page), {})
        assert [fault.message for fault in check.faults] == ["7 is bound to nothing: '7 days'"]
        check.faults.clear()


def test_a_wrong_number_is_named_with_its_line_and_the_right_one(faults):
    """A printed number that is not what the raw number rounds to fails, where it stands."""
    text = "# Speed\n\nIt is\n2.4 times as fast.\n<!-- numbers 2.4 times = b.speed -->\n"
    assert faults(text) == [(4, "printed 2.4 in '2.4 times', right 2.5 (b.speed: 2.46)")]


@pytest.mark.parametrize(
    "text",
    [
        "2.5 times <!-- x -->\n<!-- numbers 2.5 times = b.speed -->",
        "2 times\n<!-- numbers 2 = b.speed -->",
        "\N{MINUS SIGN}0.3 points\n<!-- numbers \N{MINUS SIGN}0.3 = b.loss -->",
        "1,235 or 1,234 steps\n<!-- numbers\n1,235 = b.big\n1,234 = b.big\n-->",
        "2.46 and -0.31, then -0.3\n<!-- numbers\n2.46 and -0.31 = b.speed, b.loss\n-0.3 = b.loss\n-->",
        "1.2 \N{MULTIPLICATION SIGN} 10³ steps\n<!-- numbers 1.2 \N{MULTIPLICATION SIGN} 10³ = b.big -->",
        "two of them\n<!-- numbers two = len('ab') -->",
        "- a list\n  of 30.9 %\n  <!-- numbers\n  30.9 % =\n    b.runs['ema'].gone\n  -->",
        "All is well.\n<!-- numbers All is well = b.ok -->",
        "torch 2.13.0 was used\n<!-- numbers torch 2.13.0 = '2.13.0' -->",
    ],
)
def test_numbers_that_agree_pass(faults, text):
    """Values are rounded as printed: decimals, signs, thousands, powers of ten, several at once, words, sentences."""
    assert faults(text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("It takes 7 s.", "7 is bound to nothing"),
        ("| a | 7 % |\n|---|---|", "7 is bound to nothing"),
        ("```text\nit took 7 s\n```", "7 is bound to nothing"),
        (
            "2.5\n<!-- numbers 2.5 = b.nothing -->",
            "b.nothing cannot be computed: AttributeError: there is no 'nothing'",
        ),
        ("2.5\n<!-- numbers 2.6 = b.speed -->", "'2.6' is not in the text from line 1 of page.md on"),
        ("2.5 and 3\n<!-- numbers 2.5 and 3 = b.speed -->", "'2.5 and 3' has 2 numbers, b.speed has 1"),
        ("All is well.\n<!-- numbers All is well = not b.ok -->", "'All is well' is not so: not b.ok"),
        ("torch 2.13.0\n<!-- numbers torch 2.13.0 = '2.14.0' -->", "printed 'torch 2.13.0', right '2.14.0'"),
        ("three of them\n<!-- numbers three = len('ab') -->", "printed three in 'three', right two"),
        ("<!-- printed ['one', 'two'] -->\none\n2", "printed '2', right 'two'"),
        ("<!-- printed ['one', 'two'] -->\none", "1 lines printed, right 2"),
        ("<!-- card Nobody\n*: nothing\n-->", "there is no card 'Nobody'"),
    ],
)
def test_what_is_wrong_is_said(faults, text, said):
    """Unbound numbers, expressions and texts that fail, false sentences, and tables that differ are faults."""
    assert any(message.startswith(said) for _, message in faults(text)), faults(text)


@pytest.mark.parametrize(
    "text",
    [
        "Run `tool --runs 7` and read [this](page.md#7) of CIFAR-10 in version 2.13.0.",
        "```python\nruns = 7\n```",
        "7 days\n<!-- numbers 7 days: a week -->",
        "7 days, 24 hours\n<!-- numbers *: of the calendar -->",
        "The 95 % interval excludes 0.",
        "1. first\n2. second",
    ],
)
def test_what_is_no_measurement_passes(faults, text):
    """Code, addresses, names, versions, places in lists and numbers with a reason need no expression."""
    assert faults(text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2.5\n<!-- numbers 2.5 -->", "page.md:2: expected TEXT = EXPRESSION or TEXT: REASON, found '2.5'"),
        ("<!-- let\nx: 3\n-->", "page.md:2: expected NAME = EXPRESSION, found 'x: 3'"),
        ("<!-- numbers\n2.5 = 1", "page.md:1: what begins here has no end"),
        ("<!-- numbers 2.5 = 1 -->", "page.md:1: there is nothing above that the comment could bind"),
        ("<!-- printed ['a'] -->", "page.md:1: there is nothing below that could be printed"),
    ],
)
def test_comments_that_cannot_be_read_are_refused(scripts, tmp_path, text, said):
    """A comment of another form is no comment that is silently passed over."""
    (tmp_path / "page.md").write_text(text)
    with pytest.raises(scripts.pages.PageError) as refused:
        scripts.pages.read_page(tmp_path / "page.md")
    assert str(refused.value).endswith(said)


def test_what_is_wrong_is_mended(scripts, faults):
    """Numbers in prose, in their comments and whole tables are put right as they are printed; then nothing is wrong."""
    text = (
        "<!-- let\nx = b.speed\n-->\n\n- It is 2.4 to\n  +7 points.\n"
        "  <!-- numbers\n  2.4 to +7 points = x, b.big\n  -->\n\n"
        "<!-- printed ['| a |', '|---|', f'| {x} |'] -->\n| a |\n|---|\n"
    )
    assert len(faults(text)) == 3
    scripts.check_numbers.write(faults.edits)
    mended = faults.page.read_text()
    assert mended == text.replace("2.4 to", "2.5 to").replace("+7", "+1234").replace("|---|\n", "|---|\n| 2.46 |\n")
    assert faults(mended) == []


def test_the_example_of_contributing_is_right(scripts, tmp_path):
    """What CONTRIBUTING shows as a binding binds."""
    shown = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("```markdown\n")[2].partition("```")[0]
    (tmp_path / "page.md").write_text(shown, encoding="utf-8")
    check = scripts.check_numbers.check([tmp_path / "page.md"])
    assert check.faults == []
    assert check.count == 4


def test_a_card_s_prose_is_checked_and_its_formulas_are_not(scripts, tmp_path):
    """What a method's card says is held against the raw numbers like a page; formulas and sections hold no figures."""
    (tmp_path / "_method.py").write_text(
        '"""A method."""\n\n\nclass Method:\n    """It helps by 30 %.\n\n        q = 0.5 p\n\n'
        "    Use it when: always.\n\n"
        '    References:\n        Paper, 2020.\n    """\n'
    )
    cards = scripts.pages.read_cards(tmp_path)
    assert cards["Method"].flat == "It helps by 30 %. Use it when: always."
    check = scripts.check.Check({})
    check.left_over(cards["Method"])
    assert [(fault.line + 1, fault.message.partition(":")[0]) for fault in check.faults] == [
        (5, "30 is bound to nothing")
    ]
    (tmp_path / "page.md").write_text("# Cards\n\n<!-- card Method\nIt helps by 30 % = 31.2\n-->\n")
    check = scripts.check.Check({})
    check.page(scripts.pages.read_page(tmp_path / "page.md"), cards)
    scripts.check_numbers.write(check.edits)
    assert "It helps by 31 %." in (tmp_path / "_method.py").read_text()


def test_the_command_names_the_fault_and_fails(scripts, tmp_path, capsys):
    """The command ends with status 1 and names file, line, printed and right value."""
    (tmp_path / "page.md").write_text("Ten\n\n11 runs\n<!-- numbers 11 runs = len('ab') -->\n")
    assert scripts.check_numbers.main([str(tmp_path / "page.md")]) == 1
    assert f"{tmp_path / 'page.md'}:3: printed 11 in '11 runs', right 2 (" in capsys.readouterr().out


def test_the_shipped_weights_are_those_of_the_benchmark():
    """The weights that come with reseed are what the benchmark learnt, on its lessons and on nothing else."""
    found = json.loads((ROOT / "benchmarks" / "single_run.json").read_text())
    shipped = json.loads((ROOT / "src" / "reseed" / "instability" / "single_run.json").read_text())
    assert shipped == found["learnt"]
    assert tuple(found["learnt"]["trained_on"]) == default_model().trained_on
    unseen = set(found["studies"]) - set(found["lessons"])
    assert "cifar10, mlp" in unseen
    for study in (*found["studies"].values(), {"weights": shipped}):
        assert not unseen & set(study["weights"]["trained_on"])


def test_no_study_is_tested_with_weights_learnt_on_its_own_data():
    """Neither a study's data set nor another task on its samples is among those that its weights come from."""
    for name in ("single_run", "single_run_dropout"):
        for study, found in json.loads((ROOT / "benchmarks" / f"{name}.json").read_text())["studies"].items():
            learnt = {other.split(",")[0].split("-")[0] for other in found["weights"]["trained_on"]}
            assert study.split(",")[0].split("-")[0] not in learnt | {""}


def test_what_a_single_run_says_of_its_estimate_is_the_benchmark():
    """The note on an estimate from one run prints the correlations that the benchmark found."""
    studies = json.loads((ROOT / "benchmarks" / "single_run.json").read_text())["studies"]
    rank = {name: found["signals"]["score"]["spearman"]["mean"] for name, found in studies.items()}
    header = SimpleNamespace(notes=())
    study = SimpleNamespace(
        header=header, manifests=(), missing=(), diverged=(), labels=SimpleNamespace(sizes={"checkpoint": 20})
    )
    said = " ".join(one_run_notes(study))
    intents = (f"{rank[name]:.2f}" for name in ("massive, text-encoder", "clinc150, text-encoder"))
    assert f"Spearman correlations of {' and '.join(intents)}" in said
    assert f"on CIFAR-10 with {rank['cifar10, mlp']:.2f}." in said
