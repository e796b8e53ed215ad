"""`reseed inspect`: the scores that lenses keep with a study, listed and printed whichever lenses these are."""

import json

import numpy as np
import pytest

import reseed
from reseed import Study
from reseed.cli._output import show
from reseed.scores import Column, Scores, keep_scores


@pytest.fixture
def study(tmp_path):
    """Three runs on four samples, with the scores of two lenses."""
    study = Study.from_predictions([[0, 1, 1, 0], [1, 1, 0, 0], [0, 1, 0, 0]], tmp_path / "study")
    column = Column("distance to the boundary", "lower_is_worse", "[0, inf]", "logits", "lens")
    ids = study.samples.ids
    keep_scores(study, Scores(lens="margins", ids=ids, columns={"margin": column}, samples={"margin": np.arange(4.0)}))
    sharp = Scores(
        lens="curvature",
        ids=ids,
        columns={"sharpness": column},
        of_runs={"sharpness": np.array([1.0, np.nan, 4.0])},
        runs=(0, 1, 2),
        summary={"sharpness_mean": -2.5, "sharpness_ci95_runs": [-3.0, -2.0], "iterations": 1234},
        notes=("mind\x1b[31m this.",),
        options={"tolerance": 0.5},
        cost={"wall_s": 1.5},
    )
    keep_scores(study, sharp)
    return study


def test_kept_scores_are_listed(cli, study):
    """Each lens has a line with its runs and its first mean; a study without any has none."""
    out = cli("inspect", study.path).out.partition("Scores of lenses")[2]
    curvature, margins = (next(line for line in out.splitlines() if name in line) for name in ("curvature", "margins"))
    assert "0 to 2" in curvature
    assert "sharpness_mean -2.5" in curvature
    assert out.index("curvature") < out.index("margins")
    assert "evaluation" in margins


def test_json_lists_them_where_there_are_any(cli, study, labels, tmp_path):
    """--json has them beside what summary.json holds; where there are none it is that alone."""
    found = json.loads(cli("inspect", study.path, "--json").out)
    assert found["scores"] == [
        {"lens": "curvature", "split": "evaluation", "runs": [0, 1, 2], "columns": []},
        {"lens": "margins", "split": "evaluation", "runs": [], "columns": ["margin"]},
    ]
    cli("import", labels, "--out", tmp_path / "plain")
    assert "scores" not in json.loads(cli("inspect", tmp_path / "plain", "--json").out)


def test_one_lens_is_printed(cli, study):
    """--scores prints numbers with intervals and what they cover, what runs have, and notes that nothing obeys."""
    ended = cli("inspect", study.path, "--scores", "curvature")
    words = " ".join(ended.out.split())
    assert ended.status == 0
    assert words.startswith("curvature, evaluation: 4 samples, runs 0 to 2")
    assert "note: mind\\x1b[31m this." in ended.out
    for part in ("sharpness_mean", "-2.5", "[-3, -2]", "other runs", "logits", "1,234"):
        assert part in words
    row = next(line for line in ended.out.splitlines() if " sharpness " in line)
    assert [cell.strip() for cell in row.split("│")[1:-1]] == ["sharpness", "2.5", "1", "4", "2", "logits"]


def test_one_lens_as_json(cli, study):
    """--json has everything but the samples' values; what is not finite is null."""
    found = json.loads(cli("inspect", study.path, "--scores", "curvature", "--json").out)
    assert set(found) == {"lens", "evaluation"}
    whole = found["evaluation"]
    assert whole["of_runs"] == {"sharpness": [1.0, None, 4.0]}
    assert whole["summary"]["sharpness_ci95_runs"] == [-3.0, -2.0]
    assert whole["columns"]["sharpness"]["direction"] == "lower_is_worse"
    assert (whole["samples"], whole["runs"]) == (4, [0, 1, 2])
    assert (whole["options"], whole["cost"]) == ({"tolerance": 0.5}, {"wall_s": 1.5})


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--scores", "nothing"), "keeps no scores of the lens 'nothing', only of curvature, margins."),
        (("--scores", "margins", "--medoid"), "--medoid and --scores ask for different things; pass one"),
        (("--scores", "margins", "--by", "class"), "--by and --scores ask for different things; pass one"),
    ],
)
def test_mistakes(cli, study, options, text):
    """A lens that is not there, or two questions at once, end with status 2 and a reason."""
    ended = cli("inspect", study.path, *options)
    assert ended.status == 2
    assert text in ended.err


def test_damaged_scores_are_noted(cli, study):
    """Scores that cannot be read cost their line, and are refused where they are asked for."""
    (study.path / "scores" / "margins" / "evaluation.json").write_text("{")
    ended = cli("inspect", study.path)
    assert ended.status == 0
    assert "note: The scores of margins are missing: the scores " in ended.out
    assert "sharpness_mean" in ended.out
    found = cli("inspect", study.path, "--json")
    assert [row["lens"] for row in json.loads(found.out)["scores"]] == ["curvature"]
    assert "note: The scores of margins are missing" in found.err
    assert cli("inspect", study.path, "--scores", "margins").status == 2


def test_measure_ends_with_them(study, capsys):
    """What measure prints lists them too; its --json is summary.json as it is."""
    found = reseed.inspect(study)
    show(found, as_json=False)
    assert "Scores of lenses" in capsys.readouterr().out
    show(found, as_json=True)
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(found.summary))


def test_report_shows_them(cli, study):
    """The report is a page with a section of each lens."""
    assert cli("report", study.path).status == 0
    page = (study.path / "report.html").read_text(encoding="utf-8")
    assert 'id="scores-curvature"' in page
    assert 'id="scores-margins"' in page
