"""Tables of predictions: what each column is taken for, and what is left alone."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import reseed
from reseed import DataError, InputError
from reseed.studies import ColumnNames

WIDE = """\
sample_id,target,seed0,seed1,seed2
q0,cat,cat,cat,cat
q1,dog,dog,dog,dog
q2,cat,cat,cat,cat
q3,dog,dog,dog,dog
q4,cat,cat,dog,cat
q5,dog,cat,cat,cat
"""


@pytest.fixture
def imported(tmp_path):
    """Writes files, imports them, and gives what the study says."""

    def read(*files, extension="csv", names=None, **given):
        paths = []
        for number, content in enumerate(files):
            is_table = isinstance(content, pa.Table)
            paths.append(tmp_path / f"file{number}.{'parquet' if is_table else extension}")
            if is_table:
                pq.write_table(content, paths[-1])
            else:
                paths[-1].write_text(content)
        return reseed.inspect(
            reseed.import_predictions(paths, tmp_path / "study", columns=ColumnNames(**(names or {})), **given)
        )

    return read


def _notes(found):
    return " ".join(found.stability.notes)


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "__index_level_0__"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_an_index_of_pandas_is_no_run(imported, name, kind):
    """The row numbers that pandas writes along are left out, and a note says so."""
    rows = [line.split(",") for line in WIDE.splitlines()]
    rows = [[name, *rows[0]], *([str(row), *cells] for row, cells in enumerate(rows[1:]))]
    content = "".join(",".join(cells) + "\n" for cells in rows)
    if kind == "parquet":
        content = pa.table({column[0]: column[1:] for column in map(list, zip(*rows, strict=True))})
    found = imported(content)
    assert (found.summary["runs"], round(found.summary["jitter"], 4)) == (3, 0.1111)
    assert "was left out, an index that pandas wrote" in _notes(found)


def test_wide_tables_say_what_each_column_is(imported):
    """The runs, the other columns that were used, and those that were not, stand in the notes."""
    found = imported(WIDE, names={"runs": ("seed0", "SEED2")})
    assert (found.summary["runs"], found.summary["accuracy_mean"]) == (2, pytest.approx(5 / 6))
    assert "Each of these columns was read as one run: seed0, seed2." in _notes(found)
    assert "sample ids from 'sample_id'; gold labels from 'target'; not used: 'seed1'" in _notes(found)


@pytest.mark.parametrize(
    ("header", "rows", "expected"),
    [
        ("sample_id,question,a,b", ["q0,what,x,y", "q1,who,x,x", "q2,where,y,y"], "'question' .* 0 of its 3 rows"),
        ("sample_id,a,b,split", ["q0,x,y,test", "q1,x,x,test"], "'split' .* pass columns.runs a b; else"),
        ("sample_id,target,a,b,n_agree", ["q0,1,1,1,2", "q1,0,0,0,2", "q2,1,0,1,1"], "'n_agree' .* 1 of its 3 rows"),
        ("seed,id,pred,gold", ["0,0,1,1", "0,1,0,0", "1,0,0,1", "1,1,0,0"], "pass run='seed' id='id' label='pred'"),
        ("number,a,b", [f"{row},{row % 3},{row % 2}" for row in range(6)], "'number' .* 3 of its 6|its 6 rows all"),
        ("p_a,p_b", ["1,0", "0,1"], r"called like probabilities \(p_CLASS\).*one file a run"),
        ("sample_id,a,b", ["q0,x,0", "q1,y,1"], "'a' .* 0 of its 2 rows"),
    ],
)
def test_columns_that_are_no_run_are_refused(imported, header, rows, expected):
    """A column that hardly shares a label with the others, or is called otherwise, is not taken for a run."""
    with pytest.raises(DataError, match=expected):
        imported("\n".join([header, *rows]) + "\n")


def test_columns_that_are_named_are_runs(imported):
    """Who lists the runs, or the classes, has them as they are."""
    rows = "sample_id,a,b\nq0,x,0\nq1,y,1\n"
    assert imported(rows, names={"runs": ("a", "b")}).summary["jitter"] == 1.0
    with pytest.raises(DataError, match=r"has no column 'c'\. It has: sample_id, a, b"):
        imported(rows, names={"runs": ("a", "c")})


LONG = """\
run,sample_id,target,decision,p_neg,p_pos
0,a,pos,neg,0.72,0.28
0,b,pos,pos,0.40,0.60
0,c,pos,pos,0.67,0.33
0,d,neg,neg,0.90,0.10
1,a,pos,pos,0.68,0.32
1,b,pos,pos,0.42,0.58
1,c,pos,neg,0.73,0.27
1,d,neg,neg,0.88,0.12
"""


@pytest.mark.parametrize("name", ["decision", "label"])
def test_labels_are_the_answers_beside_probabilities(imported, name):
    """Where labels and probabilities stand side by side, labels are the answers, and both are kept."""
    found = imported(LONG.replace("decision", name), names={"label": name}, level="full")
    assert (found.summary["jitter"], found.summary["accuracy_mean"]) == (0.5, 0.75)
    np.testing.assert_allclose(found.study.final("probabilities")[0, 0], [0.72, 0.28], rtol=1e-6)
    np.testing.assert_allclose(found.study.final("confidence")[0], [0.72, 0.60, 0.67, 0.90], rtol=1e-6)
    assert "2 of 8 answers are not the most probable class" in _notes(found)


def test_probabilities_alone_are_answers(imported):
    """Without a column of labels the most probable class is the answer, and the unused column is named."""
    found = imported(LONG)
    assert found.summary["jitter"] == 0.0
    assert "not used: 'decision'" in _notes(found)


@pytest.mark.parametrize(
    ("column", "values", "reason"),
    [
        ("p_pos", ["0.1", "0.2"], "there is one column"),
        ("p_value", ["0.1", "0.2"], "there is one column"),
        ("p_neg,p_pos", ["0.5,0.6", "0.5,0.5"], r"a row sums to 1.1"),
        ("p_neg,p_other", ["0.5,0.5", "0.5,0.5"], "none is for the label 'pos'"),
        ("p_neg,p_pos", ["low,high", "0.5,0.5"], "must hold probabilities"),
    ],
)
def test_columns_that_are_no_probabilities_are_left_alone(imported, column, values, reason):
    """Beside labels, columns that only begin like probabilities change nothing, and a note says why."""
    rows = [f"{run},{sample},{label},{value}" for run in (0, 1)
            for sample, label, value in zip("ab", ("neg", "pos"), values, strict=True)]  # fmt: skip
    found = imported("\n".join([f"run,sample_id,label,{column}", *rows]))
    assert (found.summary["jitter"], found.study.recorded_names()) == (0.0, ("labels",))
    assert "left alone, since these are no probabilities: " in _notes(found)
    assert reason in _notes(found)
    with pytest.raises(InputError):
        imported("\n".join([f"run,sample_id,label,{column.replace('p_', 'q_')}", *rows]),
                 names={"probability_prefix": "q_"})  # fmt: skip


def test_labels_that_look_like_gold_are_refused(imported):
    """Labels that are the same in all runs, where probabilities differ from them, are not taken for answers unasked."""
    rows = LONG.replace("target,decision", "label,other")
    with pytest.raises(DataError, match=r"'label' is the same in all runs.*pass target='label'"):
        imported(rows)
    found = imported(rows, names={"target": "label"})
    assert (found.summary["jitter"], found.summary["accuracy_mean"]) == (0.0, 0.5)


def test_named_classes_say_that_labels_are_answers(imported):
    """Who lists the classes has labels that are the same in all runs as answers."""
    found = imported(LONG.replace("target,decision", "label,other"), class_names=["neg", "pos"])
    assert found.summary["jitter"] == 0.0
    assert "4 of 8 answers are not the most probable class" in _notes(found)


def test_probability_columns_follow_the_class_names(imported):
    """Columns are matched with class_names by name, else by position; other names are refused."""
    found = imported(LONG, class_names=["pos", "neg"], level="full")
    np.testing.assert_allclose(found.study.final("probabilities")[0, 0], [0.28, 0.72], rtol=1e-6)
    assert found.summary["accuracy_mean"] == 0.5


def test_probability_columns_may_be_called_by_position(imported):
    """p_0, p_1, ... p_10 are the classes in their order, also where class_names call them otherwise."""
    header = ",".join(f"p_{place}" for place in range(11))
    one_hot = np.eye(11, dtype=int)
    rows = [f"{run},{row},{row}," + ",".join(map(str, one_hot[row])) for run in (0, 1) for row in range(11)]
    table = "\n".join([f"run,sample_id,target,{header}", *rows])
    names = [f"class {place}" for place in range(11)]
    found = imported(table, class_names=names)
    assert found.study.header.class_names == tuple(names)
    assert (found.study.final()[0].tolist(), found.summary["accuracy_mean"]) == (list(range(11)), 1.0)


def test_probability_columns_of_other_classes_are_refused(imported):
    """Names that fit no column are refused with both lists."""
    with pytest.raises(DataError, match="columns are for neg, pos, the classes are no, yes"):
        imported(LONG, class_names=["no", "yes"])


@pytest.mark.parametrize("header", ["Run,Sample_ID,Label", "RUN,SAMPLE_ID,LABEL", "run, sample_id, label"])
def test_columns_are_found_without_regard_to_case(imported, header):
    """Headers in another case, or with blanks after the comma, are the usual columns."""
    assert imported(f"{header}\n0,a,cat\n0,b,dog\n1,a,cat\n1,b,cat\n").summary["jitter"] == 0.5


def test_other_names_are_taken_from_the_user(imported):
    """A table with columns of its own is read by the names that are given."""
    rows = ["seed,id,pred,gold", "0,s0,dog,dog", "0,s1,cat,cat", "1,s0,cat,dog", "1,s1,cat,cat"]
    found = imported("\n".join(rows), names={"run": "seed", "id": "ID", "label": "pred", "target": "gold"})
    assert (found.summary["jitter"], found.summary["accuracy_mean"]) == (0.5, 0.75)
    assert "runs from 'seed'; sample ids from 'id'; answers from 'pred'; gold labels from 'gold'" in _notes(found)


@pytest.mark.parametrize(
    ("labels", "classes", "accuracy"),
    [
        ("01 02 10 01 02 10", ("01", "02", "10"), 0.75),
        ("1e5 2e5 100000 1e5 2e5 100000", ("100000", "1e5", "2e5"), 0.75),
        ("09:00 10:30 11:15 09:00 10:30 11:15", ("09:00", "10:30", "11:15"), 0.75),
        ("NA NaN null NA NaN null", ("NA", "NaN", "null"), 0.75),
        ("true false TRUE true false TRUE", ("TRUE", "false", "true"), 0.75),
        ("12345678901234567890 12345678901234567891 7 12345678901234567890 12345678901234567891 7",
         ("7", "12345678901234567890", "12345678901234567891"), 0.75),
    ],
)  # fmt: skip
@pytest.mark.parametrize("shape", ["wide", "long"])
def test_labels_are_text_as_it_is_written(imported, labels, classes, accuracy, shape):
    """Leading zeros, exponents, times, words for nothing and long numbers stay apart, in long and wide tables alike."""
    gold = labels.split()
    runs = [[*gold[:5], gold[0]], [*gold[:4], gold[2], gold[0]]]
    if shape == "wide":
        rows = ["sample_id,target,seed0,seed1"]
        rows += [f"q{row},{gold[row]},{runs[0][row]},{runs[1][row]}" for row in range(6)]
    else:
        rows = ["run,sample_id,target,label"]
        rows += [f"{run},q{row},{gold[row]},{runs[run][row]}" for run in (0, 1) for row in range(6)]
    found = imported("\n".join(rows))
    assert found.study.header.class_names == classes
    assert (found.summary["accuracy_mean"], found.summary["jitter"]) == (accuracy, pytest.approx(1 / 6))


def test_one_and_one_point_zero_are_one_label(imported):
    """What pandas writes with a point in one file and without in another is one label, and a note says so."""
    names = {"id": "id", "label": "prediction"}
    one, other = "id,prediction,target\n0,1,1\n1,2,1\n", "id,prediction,target\n0.0,1.0,1\n1.0,2.0,1\n"
    found = imported(one, other, names=names)
    assert (found.summary["jitter"], found.study.header.class_names) == (0.0, ("1", "2"))
    assert "Labels such as 1.0 were read as 1." in _notes(found)
    assert "Sample ids such as 0.0 were read as 0." in _notes(found)


def test_versions_with_a_point_stay_apart(imported):
    """A point is left out only where all labels are whole numbers."""
    found = imported("sample_id,a,b\nx,1.0,1.0\ny,1.0-rc,1.0\nz,2,2\n")
    assert found.study.header.class_names == ("1.0", "1.0-rc", "2")


def test_blanks_around_labels_are_left_out(imported):
    """A blank at the end of a label is no other class, and a note says so."""
    found = imported("run,sample_id,label\n0,a,cat\n0,b,dog\n1,a,cat \n1,b,dog\n")
    assert found.summary["jitter"] == 0.0
    assert "Blanks around labels were left out, as those of 'cat '." in _notes(found)


def test_runs_that_share_no_label_are_refused(imported):
    """A run in another spelling is named, unless the classes are given."""
    one, other = "sample_id,label\na,cat\nb,dog\n", "sample_id,label\na,Katze\nb,Hund\n"
    with pytest.raises(DataError, match=r"file0.csv shares no label .* 'cat', 'dog', they have 'Hund', 'Katze'.*class"):
        imported(one, other)
    assert imported(one, other, class_names=["cat", "dog", "Hund", "Katze"]).summary["jitter"] == 1.0


def test_numbers_in_tables_may_be_positions(imported):
    """With class names, labels that are whole numbers throughout are names or positions, in runs and targets alike."""
    found = imported("sample_id,target,a,b\nx,0,0,0\ny,1,1,1\nz,2,2,1\n", class_names=["1", "2", "3"])
    assert found.study.final().tolist() == [[0, 1, 2], [0, 1, 1]]
    assert "positions: 0 is '1'" in _notes(found)


def test_typed_columns_are_the_same_text(imported):
    """Integers, whole floats and decimals of Parquet are the labels that a text file would hold."""
    table = pa.table({"sample_id": [0, 1], "target": pa.array([1, 2], pa.decimal128(5, 2)), "a": [1.0, 2.0],
                      "b": pa.array([1, 1], pa.uint8())})  # fmt: skip
    found = imported(table)
    assert (found.study.header.class_names, found.summary["jitter"]) == (("1", "2"), 0.5)


def test_empty_names_are_refused(imported):
    """A column without a name cannot be asked for."""
    with pytest.raises(DataError, match="the name of the id column is empty"):
        imported(WIDE, names={"id": ""})
