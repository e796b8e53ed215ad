"""`reseed gate`: exit codes, what is written, and whom it refuses to compare."""

import csv
import json
from xml.etree import ElementTree

import numpy as np
import pytest

import reseed
from reseed import Study

GOLD = np.arange(300) % 3
NAMES = np.array(["ape", "bee", "cat"])


def answers(share, seed):
    """Answers [sample] that are wrong for a share of samples."""
    generator = np.random.default_rng(seed)
    return np.where(generator.random(300) < share, (GOLD + 1) % 3, GOLD)


def write(path, labels, *, target=True, ids=None, text="Sample"):
    """A table of one run's answers."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["sample_id", "text", "label", *(["target"] if target else [])])
        for row, label in enumerate(labels):
            name = f"s{row}" if ids is None else ids[row]
            rows.writerow([name, f"={text} {row}", NAMES[label], *([NAMES[GOLD[row]]] if target else [])])
    return path


@pytest.fixture
def files(tmp_path):
    """Predictions of two models, the second worse, and of five retrainings of the first in a folder."""
    write(tmp_path / "old.csv", answers(0.05, 0))
    write(tmp_path / "new.csv", answers(0.25, 1))
    write(tmp_path / "same.csv", answers(0.05, 2))
    (tmp_path / "seeds").mkdir()
    for seed in range(5):
        write(tmp_path / "seeds" / f"seed{seed}.csv", answers(0.05, 10 + seed))
    return tmp_path


def test_a_worse_model_ends_with_3_and_the_outcome_in_the_first_line(cli, files):
    """The first line says what it is and why; limits that are not kept follow."""
    done = cli("gate", files / "old.csv", files / "new.csv", "--max-churn", 0.02, "--max-negative-flips", 0.01)
    assert done.status == 3
    first, second, third = done.out.splitlines()[:3]
    assert first.startswith("FAIL: worse: accuracy changed by -")
    assert second.startswith("also: churn: ")
    assert "is above the limit of 2.00 %" in second
    assert third.startswith("also: negative flips: ")
    assert "300 samples, a run each; 95 % intervals over other samples." in done.out
    assert "McNemar's exact test" in done.out
    assert "note: OLD: old.csv: sample ids from 'sample_id'" in done.out


def test_another_seed_passes_with_0(cli, files):
    """Against several runs of one recipe, one more of them is the same as reseeding, whatever the churn."""
    done = cli("gate", files / "seeds", files / "same.csv", "--max-churn", 0.03, "--beyond-reseeding")
    assert done.status == 0
    assert done.out.startswith("PASS: same as reseeding: churn is ")
    assert "runs of OLD differ by" in done.out


def test_what_is_written_says_the_same(cli, files):
    """JUnit has a test for the change and each limit, Markdown and CSV list who changed, JSON has all numbers."""
    written = {name: files / f"gate.{name}" for name in ("junit", "markdown", "changed")}
    options = [word for name, path in written.items() for word in (f"--{name}", path)]
    done = cli("gate", files / "old.csv", files / "new.csv", "--max-churn", 0.5, "--json", *options)
    found = json.loads(done.out)
    assert done.status == 3
    assert (found["outcome"], found["passed"], found["samples"]) == ("worse", False, 300)
    suite = ElementTree.parse(written["junit"]).getroot()  # noqa: S314  # our own
    assert {case.get("name"): case.find("failure") is None for case in suite.iter("testcase")} == {
        "change": False,
        "max_churn": True,
    }
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    markdown = written["markdown"].read_text()
    assert markdown.startswith("## reseed gate: fail, worse\n")
    assert f"### Changed: 20 of {found['changed_samples']} samples" in markdown
    rows = list(csv.DictReader(written["changed"].read_text().splitlines()))
    old, new = answers(0.05, 0), answers(0.25, 1)
    places = np.flatnonzero(old != new)
    assert [(row["sample_id"], row["gold"], row["old"], row["new"]) for row in rows] == [
        (f"s{place}", NAMES[GOLD[place]], NAMES[old[place]], NAMES[new[place]]) for place in places
    ]
    kinds = {"negative flip": (old == GOLD) & (new != GOLD), "win": (old != GOLD) & (new == GOLD)}
    for kind, where in kinds.items():
        assert sum(row["change"] == kind for row in rows) == where.sum()
    assert rows[0]["text"].startswith("'=")  # no formula for a spreadsheet


def test_markdown_shows_texts_as_they_are(files, cli):
    """What Markdown or HTML would obey in a text is escaped, and lines stay one."""
    write(files / "a.csv", answers(0.05, 0), text="<b>|x|\n`y`")
    write(files / "b.csv", answers(0.2, 1), text="<b>|x|\n`y`")
    cli("gate", files / "a.csv", files / "b.csv", "--markdown", files / "gate.md")
    assert r"| =\<b\>\|x\| \`y\` " in (files / "gate.md").read_text()


def test_samples_are_aligned_by_id_and_the_rest_is_counted(cli, files):
    """The order of rows does not matter; samples of one side only are left out and told."""
    order = np.random.default_rng(3).permutation(300)[:250]
    with (files / "old.csv").open() as file:
        header, *rows = file.read().splitlines()
    (files / "part.csv").write_text("\n".join([header, *(rows[place] for place in order)]) + "\n")
    done = cli("gate", files / "old.csv", files / "part.csv", "--json")
    found = json.loads(done.out)
    assert (done.status, found["samples"], found["churn"]) == (0, 250, 0)
    assert "50 of 300 samples are in OLD only and left out." in found["notes"]


def test_runs_of_one_study_against_each_other(cli, tmp_path):
    """Runs of a study can be a side; the same runs on both sides are refused."""
    labels = np.stack([answers(0.1, seed) for seed in range(6)])
    study = Study.from_predictions(labels, tmp_path / "study", targets=GOLD)
    done = cli("gate", study.path, study.path, "--old-runs", 0, 1, 2, 3, "--new-runs", 4, 5, "--json")
    found = json.loads(done.out)
    assert (found["old_runs"], found["new_runs"], found["outcome"]) == (4, 2, "same as reseeding")
    done = cli("gate", study.path, study.path, "--old-runs", 0, 1, "--new-runs", 1, 2)
    assert done.status == 2
    assert "A model is not compared with itself" in done.err
    done = cli("gate", study.path, tmp_path / "study", "--old-runs", 9)
    assert "--old-runs name 9, which is no complete run" in done.err


def test_a_study_against_a_file(cli, tmp_path):
    """A study of several runs is a baseline for a table of one, aligned by sample ids."""
    labels = np.stack([answers(0.1, seed) for seed in range(4)])
    ids = [f"s{row}" for row in range(300)]
    Study.from_predictions(labels, tmp_path / "study", targets=GOLD, class_names=NAMES, sample_ids=ids)
    write(tmp_path / "new.csv", answers(0.1, 9), target=False)
    found = json.loads(cli("gate", tmp_path / "study", tmp_path / "new.csv", "--json").out)
    assert (found["outcome"], found["samples_with_gold"]) == ("same as reseeding", 300)


def test_arrays_of_every_shape(cli, tmp_path):
    """An array of labels [sample] and one of probabilities [sample, class] are a run each."""
    np.save(tmp_path / "old.npy", answers(0.05, 0))
    np.save(tmp_path / "new.npy", np.eye(3)[answers(0.05, 0)] * 0.7 + 0.1)
    np.save(tmp_path / "gold.npy", GOLD)
    done = cli("gate", tmp_path / "old.npy", tmp_path / "new.npy", "--targets", tmp_path / "gold.npy", "--json")
    found = json.loads(done.out)
    assert (found["old_runs"], found["new_runs"], found["churn"]) == (1, 1, 0)
    assert found["old_accuracy"] == pytest.approx((answers(0.05, 0) == GOLD).mean())


def with_probabilities(path, seed):
    """A table of probabilities of one run."""
    found = np.random.default_rng(seed).dirichlet([1, 1, 1], 300)
    rows = [f"s{row},{','.join(map(repr, values.tolist()))},{NAMES[GOLD[row]]}" for row, values in enumerate(found)]
    path.write_text("\n".join(["sample_id,p_ape,p_bee,p_cat,target", *rows]) + "\n")
    return path


def test_equal_probabilities_are_one_model_unless_that_is_what_is_tested(cli, tmp_path):
    """Probabilities that are equal to the last bit are refused, and accepted on request."""
    old, new = (with_probabilities(tmp_path / name, 0) for name in ("old.csv", "new.csv"))
    done = cli("gate", old, new)
    assert done.status == 2
    assert "run 0 of OLD and run 0 of NEW give the same answers with the same probabilities" in done.err
    done = cli("gate", old, new, "--allow-identical")
    assert done.status == 0
    assert done.out.startswith("PASS: same as reseeding: no answer differs.")


def test_equal_labels_in_two_files_pass_and_are_told(cli, tmp_path):
    """Two files of equal labels have no churn; that they may be copies is told."""
    old, new = (write(tmp_path / name, answers(0.1, 0)) for name in ("old.csv", "new.csv"))
    done = cli("gate", old, new, "--max-churn", 0.02)
    assert done.status == 0
    assert "The files of OLD and NEW hold the same bytes." in done.out


def test_equal_runs_are_no_baseline(cli, files, tmp_path):
    """Runs of OLD that are equal, whatever their seeds, make it an unreliable baseline, and limits beyond it fail."""
    for copy in ("seed5.csv", "seed6.csv"):
        (files / "seeds" / copy).write_bytes((files / "seeds" / "seed0.csv").read_bytes())
    done = cli("gate", files / "seeds", files / "same.csv", "--max-churn", 0.5, "--beyond-reseeding")
    assert done.status == 3
    assert done.out.startswith(
        "FAIL: unreliable baseline: the 7 runs of OLD have 5 distinct results only (seed0.csv and seed5.csv and "
        "seed6.csv are equal)"
    )
    assert "also: churn beyond reseeding: it cannot be judged" in done.out


def test_studies_of_the_same_seeds_are_refused(cli, measured, tmp_path):
    """A copy of a study has its recipe and its seeds, so it is the same model."""
    import shutil

    shutil.copytree(measured, tmp_path / "copy")
    done = cli("gate", measured, tmp_path / "copy")
    assert done.status == 2
    assert "hold runs of the same seeds" in done.err


MISTAKES = [
    ("gate old.csv old.csv", "OLD and NEW are the same"),
    ("gate old.csv missing.csv", "no such file: missing.csv"),
    ("gate old.csv empty", "is a folder without a study and without files of predictions"),
    ("gate old.csv new.csv --max-churn 2", "--max-churn must be a share between 0 and 1, got 2.0"),
    ("gate old.csv new.csv --beyond-reseeding", "--beyond-reseeding says what limits are on"),
    ("gate old.csv new.csv --old-runs 1", "--old-runs are those of a study, but 'old.csv' is none"),
    ("gate bare.csv bare2.csv --max-negative-flips 0.1", "give files a column 'target'"),
    ("gate old.csv other.csv", "OLD and NEW share 0 sample ids; OLD has 300 (such as 's0')"),
    ("gate old.csv numbers.npy", "OLD and NEW share 0 sample ids"),
    ("gate old.csv gold.csv", "the gold label of sample 's0' is 'ape' in OLD and 'bee' in NEW (300 samples differ so)"),
    ("gate old.csv words.csv", "OLD and NEW share no label: OLD has 'ape', 'bee', 'cat', NEW 'no', 'yes'"),
    ("gate old.csv new.csv --id key", "has no column 'key'"),
]


@pytest.mark.parametrize(("line", "says"), MISTAKES, ids=[line for line, _ in MISTAKES])
def test_mistakes(cli, files, monkeypatch, line, says):
    """What cannot be compared is named, with status 2."""
    monkeypatch.chdir(files)
    (files / "empty").mkdir()
    for name in ("bare.csv", "bare2.csv"):
        write(files / name, answers(0.1, len(name)), target=False)
    write(files / "other.csv", answers(0.1, 1), ids=[f"t{row}" for row in range(300)])
    np.save(files / "numbers.npy", answers(0.1, 1))
    text = (files / "new.csv").read_text().splitlines()
    moved = {"ape": "bee", "bee": "cat", "cat": "ape"}
    (files / "gold.csv").write_text(
        "\n".join([text[0], *(f"{row.rpartition(',')[0]},{moved[row.rpartition(',')[2]]}" for row in text[1:])]) + "\n"
    )
    (files / "words.csv").write_text(
        "sample_id,label\n" + "".join(f"s{row},{'yes' if row % 2 else 'no'}\n" for row in range(300))
    )
    done = cli(*line.split())
    assert done.status == 2
    assert says in done.err


def test_python_says_what_the_command_says(files):
    """`reseed.gate` takes paths and lists of files, and returns what the command prints."""
    seeds = sorted((files / "seeds").iterdir())
    found = reseed.gate(seeds[:3], [files / "same.csv"], max_churn=0.2)
    assert found.passed
    assert found.headline.startswith("PASS: same as reseeding: ")
    assert found.summary["churn"] == found.found.churn.value
    assert found.changed.column_names == ["sample_id", "text", "gold", "old", "new", "differs", "change"]


def test_a_page_says_what_the_first_line_says(cli, files):
    """--html writes the outcome, the numbers, who changed, and the command; what comes from outside is escaped."""
    page = files / "gate.html"
    words = ("gate", files / "seeds", files / "new.csv", "--max-churn", 0.02, "--beyond-reseeding")
    assert cli(*words, "--html", page).status == 3
    html = page.read_text()
    assert '<p class="lead">Fail: worse.</p>' in html
    assert html.count('<figure class="drawing">') == 2
    assert f"reseed {' '.join(map(str, words))}" in html
    write(files / "hostile.csv", answers(0.05, 0), text="<img src=x>")
    assert cli("gate", files / "hostile.csv", files / "new.csv", "--html", page).status == 3
    html = page.read_text()
    assert "<img src=x>" not in html
    assert "&lt;img src=x&gt;" in html
    assert "Is it the change, or the seed?" in html
