"""Evaluations of language models: every layout, what is taken for a label, and what is told of it."""

import json
import math

import numpy as np
import pytest
from tests.studies.logs import choice_row, inspect_sample, text_row, write_inspect, write_rows

from reseed import DataError, InputError, MissingExtraError, Study, gate, import_predictions
from reseed.studies import LogOptions


def test_multiple_choice_is_the_likeliest_choice(tmp_path):
    """The label is the number of the choice of the highest log-probability; texts and gold answers come along."""
    scores = np.log([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2], [0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
    paths = []
    for run in range(2):
        moved = [np.roll(values, run * (row == 3)).tolist() for row, values in enumerate(scores)]
        rows = [choice_row(row, moved[row], target) for row, target in enumerate((1, 1, 2, 0))]
        paths.append(write_rows(tmp_path / f"samples_task_{run}.jsonl", rows))
    study = import_predictions(paths, tmp_path / "study")
    assert study.header.class_names == ("0", "1", "2")
    assert study.final().tolist() == [[1, 0, 2, 0], [1, 0, 2, 1]]
    assert study.targets.tolist() == [1, 1, 2, 0]
    assert study.samples.ids == ("0", "1", "2", "3")
    assert study.samples.texts[1] == "question 1\nAnswer:"
    told = " ".join(study.header.notes)
    assert "answers: the choice of the highest log-probability, counted from 0" in told
    assert "Labels are the answers as they were given, which are the target exactly where 'acc' says right." in told


def test_a_target_by_its_text_is_found_among_the_choices(tmp_path):
    """Tasks name the gold choice by its number or by its text; requests without the question are not choices."""
    beside = {"target": "choice 0", "metrics": ["acc", "acc_mutual_info"], "acc_mutual_info": 1.0}
    rows = [choice_row(row, [-1.0, -2.0, -0.5, -0.1], 0, **beside) for row in range(2)]
    rows[1]["filtered_resps"][1][0] = "-0.5"
    rows[0]["acc"] = 1.0
    paths = [write_rows(tmp_path / f"samples_{run}.jsonl", rows) for run in range(2)]
    study = import_predictions(paths, tmp_path / "study")
    assert study.final().tolist() == [[0, 1], [0, 1]]
    assert study.targets.tolist() == [0, 0]


def test_generated_answers_are_labels_where_they_are_what_is_judged(tmp_path):
    """Where the metric says right exactly where the answer is the target, answers are labels."""
    answers = (["18", "3", "7"], ["18", "4", "7"])
    gold = ["18", "3", "9"]
    paths = []
    for run, given in enumerate(answers):
        rows = [text_row(row, given[row], right, float(given[row] == right)) for row, right in enumerate(gold)]
        paths.append(write_rows(tmp_path / f"samples_{run}.jsonl", rows))
    study = import_predictions(paths, tmp_path / "study")
    names = np.array(study.header.class_names)
    assert names[study.final()].tolist() == [list(given) for given in answers]
    assert names[study.targets].tolist() == gold
    assert any("answers are those of the filter 'strict-match'" in note for note in study.header.notes)


def test_free_text_is_right_or_wrong(tmp_path):
    """Where the metric judges by more than equality, labels are right and wrong, and how often it did is told."""
    rows = [text_row(row, f"So it is {row}.", f"... #### {row}", float(row < 2)) for row in range(4)]
    paths = [write_rows(tmp_path / f"samples_{run}.jsonl", rows) for run in range(2)]
    study = import_predictions(paths, tmp_path / "study")
    assert study.header.class_names == ("right", "wrong")
    assert study.final().tolist() == [[0, 0, 1, 1]] * 2
    assert study.targets.tolist() == [0] * 4
    assert "since 4 of 8 answers are judged otherwise than by their being the target." in study.header.notes[-1]
    given = import_predictions(paths, tmp_path / "given", log=LogOptions(answers="given"))
    assert len(given.header.class_names) == 8


def test_repeats_are_runs(tmp_path):
    """Several answers that a filter keeps are repeats, each a run."""
    rows = [text_row(row, ["a", "b", "a"], "a", 1.0, filter="none") for row in range(3)]
    study = import_predictions([write_rows(tmp_path / "samples_x.jsonl", rows)], tmp_path / "study")
    assert study.final().tolist() == [[0] * 3, [1] * 3, [0] * 3]


def test_of_repeats_that_a_filter_made_one_that_is_told(tmp_path):
    """Where the raw responses are more than the filter's answers, a note says so."""
    rows = [text_row(row, "a" if row else "b", "a", float(row > 0), resps=[["a", "b"]]) for row in range(3)]
    paths = [write_rows(tmp_path / f"samples_{run}.jsonl", rows) for run in range(2)]
    study = import_predictions(paths, tmp_path / "study")
    assert "samples_0.jsonl: of several repeats the filter made one answer, which alone is read." in study.header.notes


def test_a_single_continuation_is_right_or_wrong(tmp_path):
    """A log-probability of one continuation is no answer; the metric says what is right."""
    rows = [text_row(row, ["-1.5", "True"], "word", float(row), metrics=["acc"], acc=row % 2) for row in range(4)]
    paths = [write_rows(tmp_path / f"samples_{run}.jsonl", rows) for run in range(2)]
    study = import_predictions(paths, tmp_path / "study")
    assert study.final().tolist() == [[1, 0, 1, 0]] * 2
    assert study.header.notes[-1].endswith("since answers are no labels.")


def two_filters():
    """Lines of two filters, as a task with a strict and a flexible one has them."""
    return [
        text_row(row, answer, "a", float(answer == "a"), filter=name)
        for name, answers in (("strict", "ab"), ("flexible", "aa"))
        for row, answer in enumerate(answers)
    ]


def test_filters_are_chosen_by_name(tmp_path):
    """The answers of the filter that is named are read."""
    paths = [write_rows(tmp_path / f"samples_{run}.jsonl", two_filters()) for run in range(2)]
    study = import_predictions(paths, tmp_path / "study", log=LogOptions(filter="strict"))
    assert study.final().tolist() == [[0, 1]] * 2


def epochs(values=("C", "I", "C", "C"), *, target="yes", answer="yes"):
    """Two samples of two epochs, by epoch."""
    places = [(number, epoch) for epoch in (1, 2) for number in (1, 2)]
    return [
        inspect_sample(number, answer if value == "C" else "no", value, target, epoch)
        for (number, epoch), value in zip(places, values, strict=True)
    ]


def test_epochs_of_inspect_are_runs(tmp_path):
    """A log with epochs is a study by itself: sample ids, answers, targets and the user's last message."""
    study = import_predictions([write_inspect(tmp_path / "log.json", epochs())], tmp_path / "study")
    names = np.array(study.header.class_names)
    assert names[study.final()].tolist() == [["yes", "no"], ["yes", "yes"]]
    assert (study.samples.ids, study.samples.texts) == (("1", "2"), ("question 1", "question 2"))
    assert names[study.targets].tolist() == ["yes", "yes"]
    assert "log.json: sample ids from 'id', runs from 'epoch'; what is right from the scorer 'match'." in (
        study.header.notes
    )


@pytest.mark.parametrize(
    ("values", "right"),
    [((1.0, 0, True, False), "1010"), (("C", "P", "N", "I"), "1000"), (("C", "I", "C", "C"), "1011")],
)
def test_scores_of_inspect_are_right_or_wrong(tmp_path, values, right):
    """C, I, P, N, numbers and truth values are read; partly right and not answered are told and count as wrong."""
    samples = epochs(values, answer="free text")
    study = import_predictions([write_inspect(tmp_path / "log.json", samples)], tmp_path / "study")
    assert "".join("10"[label] for label in study.final().ravel()) == right
    told = " ".join(study.header.notes)
    assert ("1 answers are partly right (P), which counts as wrong." in told) is ("P" in values)
    assert ("1 answers are not answered (N), which counts as wrong." in told) is ("N" in values)


def test_failed_and_unscored_samples_are_left_out_and_told(tmp_path):
    """A sample with an error or without a score in some epoch is in no run."""
    samples = [
        *epochs(),
        inspect_sample(3, "yes", math.nan, "yes"),
        inspect_sample(3, "no", "I", "yes", 2),
        inspect_sample(4, None, "C", "yes", error={"message": "timeout"}),
        inspect_sample(5, "a", "C", "yes"),
    ]
    study = import_predictions([write_inspect(tmp_path / "log.json", samples, "cancelled")], tmp_path / "study")
    assert study.samples.ids == ("1", "2")
    told = " ".join(study.header.notes)
    assert "log.json: 2 of 8 answers failed or have no score, left out." in told
    assert "2 of 4 samples are not in every run and left out." in told
    assert "the evaluation's status is 'cancelled', not 'success'." in told


def test_several_right_answers_are_judged_by_the_scorer(tmp_path):
    """Where the target is a list, only the scorer knows what is right."""
    samples = epochs(target=["yes", "yep"])
    study = import_predictions([write_inspect(tmp_path / "log.json", samples)], tmp_path / "study")
    assert study.header.class_names == ("right", "wrong")


def test_a_scorer_is_chosen_by_name(tmp_path):
    """Of several scorers the one that is named says what is right."""
    samples = epochs()
    for sample in samples:
        sample["scores"] = {"length": {"value": 12.5}, **sample["scores"], "judge": {"value": "I"}}
    path = write_inspect(tmp_path / "log.json", samples)
    assert import_predictions([path], tmp_path / "usual").header.notes[0].endswith("the scorer 'match'.")
    judged = import_predictions([path], tmp_path / "judged", log=LogOptions(metric="judge"))
    assert judged.final().tolist() == [[1, 1], [1, 1]]
    with pytest.raises(DataError, match=r"log.json has no scorer 'length' whose values are .*: match, judge\."):
        import_predictions([path], tmp_path / "other", log=LogOptions(metric="length"))


def test_packed_logs_are_read_by_inspect_itself(tmp_path):
    """What Inspect wrote as `.eval` and as `.json` is read alike."""
    log = pytest.importorskip("inspect_ai.log", reason="needs the extra inspect")
    path = write_inspect(tmp_path / "log.json", epochs())
    content = json.loads(path.read_text())
    content["eval"] |= {"created": "2026-01-01T00:00:00+00:00", "dataset": {"name": "d"}}
    path.write_text(json.dumps(content))
    log.write_eval_log(log.read_eval_log(str(path)), str(tmp_path / "log.eval"))
    plain, packed = (import_predictions([tmp_path / f"log.{kind}"], tmp_path / kind) for kind in ("json", "eval"))
    assert plain.final().tolist() == packed.final().tolist()
    assert plain.samples.digest == packed.samples.digest


def test_packed_logs_without_inspect_name_the_extra(tmp_path, monkeypatch):
    """Without Inspect the message names the extra, and how to do without."""
    monkeypatch.setitem(__import__("sys").modules, "inspect_ai.log", None)
    (tmp_path / "log.eval").write_bytes(b"PK\x03\x04")
    with pytest.raises(MissingExtraError, match=r"pip install 'reseed\[inspect\]'; or convert it"):
        import_predictions([tmp_path / "log.eval"], tmp_path / "study")


def rows_of(right, answer="a"):
    """Lines of free text of which some are right."""
    return [text_row(row, f"{answer} {row}", "...", float(is_right)) for row, is_right in enumerate(right)]


def test_a_gate_of_two_evaluations(tmp_path):
    """Two evaluations of one task are set side by side, item by item."""
    right = np.arange(200) >= 20
    old = write_rows(tmp_path / "old.jsonl", rows_of(right))
    new = write_rows(tmp_path / "new.jsonl", rows_of(np.roll(right, 10)))
    found = gate(old, new)
    assert (found.found.churn.value, found.found.correctness.negative_flips.value) == (0.1, 0.05)
    assert found.found.correctness.p_value == 1


def test_a_gate_speaks_of_right_and_wrong_where_one_side_does(tmp_path):
    """Where the answers of one side alone could be labels, both sides are right or wrong."""
    old = write_rows(tmp_path / "old.jsonl", [text_row(row, "a", "a", 1.0) for row in range(60)])
    new = [text_row(row, "a" if row % 2 else "A.", "a", 1.0) for row in range(60)]
    found = gate(old, write_rows(tmp_path / "new.jsonl", new))
    assert (found.found.churn.value, found.found.correctness.new_accuracy.value) == (0, 1)


def test_a_gate_refuses_another_version_of_the_task_and_the_same_evaluation(tmp_path):
    """Items of equal number that ask something else are named, and so are two copies of one evaluation."""
    old = write_rows(tmp_path / "old.jsonl", rows_of([True] * 40 + [False] * 10))
    moved = [row | {"doc_hash": "other"} if row["doc_id"] == 7 else row for row in rows_of([True] * 45 + [False] * 5)]
    with pytest.raises(
        InputError, match="1 of 50 samples with the same id ask something else in NEW than in OLD, such as '7'"
    ):
        gate(old, write_rows(tmp_path / "new.jsonl", moved))
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(old.read_bytes())
    with pytest.raises(InputError, match="hold the same bytes"):
        gate(old, copy)
    assert gate(old, copy, allow_identical=True).passed


MISTAKES = [
    (two_filters(), {}, "holds answers of several filters: strict, flexible; name one with filter"),
    (two_filters(), {"filter": "x"}, "has no filter 'x'; it has: strict, flexible"),
    (
        rows_of([True, False]),
        {"metric": "f1"},
        "'f1' is no metric that is 0 or 1 of every sample; such are: exact_match",
    ),
    ([*rows_of([True]), {"doc_id": 1}], {}, "line 2 is no sample that lm-evaluation-harness logged"),
    (rows_of([True]) * 2, {}, "sample '0' stands more than once in a run"),
    ([text_row(0, ["-1", "True"], "w", 0.5)], {}, "has neither answers that can be labels nor a metric"),
    (
        [text_row(0, ["-1", "True"], "w", 1.0)],
        {"answers": "given"},
        "has no answers that can be labels, but answers is",
    ),
    ([text_row(0, "a", "a", 0.5)], {"answers": "correct"}, "has no metric that says"),
]


@pytest.mark.parametrize(("rows", "options", "says"), MISTAKES, ids=[says for _, _, says in MISTAKES])
def test_mistakes_of_lm_evaluation_harness(tmp_path, rows, options, says):
    """What a file lacks is named."""
    path = write_rows(tmp_path / "samples_task.jsonl", rows)
    with pytest.raises(DataError, match=says):
        import_predictions([path, path], tmp_path / "study", log=LogOptions(**options))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[1]", "is no log of Inspect; tables are read from JSON lines"),
        ("{", "cannot be read as a log of Inspect"),
        ('{"eval": {}, "samples": 3}', "is no log of Inspect with samples"),
        ('{"eval": {}, "samples": []}', "has no scorer whose values are right or wrong"),
    ],
)
def test_mistakes_of_inspect(tmp_path, text, says):
    """What is no log is named."""
    (tmp_path / "log.json").write_text(text)
    with pytest.raises(DataError, match=says):
        import_predictions([tmp_path / "log.json"], tmp_path / "study")


def test_runs_that_were_asked_otherwise_are_refused(tmp_path):
    """Two files of a study must ask the same."""
    one = write_rows(tmp_path / "a.jsonl", rows_of([True, False]))
    other = write_rows(tmp_path / "b.jsonl", [row | {"doc_hash": "x"} for row in rows_of([True, False])])
    with pytest.raises(DataError, match="sample '0' is not the same in all runs"):
        import_predictions([one, other], tmp_path / "study")
    assert not (tmp_path / "study").exists()
    with pytest.raises(InputError, match="no study"):
        Study.open(tmp_path / "study")
