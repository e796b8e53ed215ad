"""A user's mistakes: each ends with one clear message and the right status, none with a traceback."""

import ast
import os
import re
from pathlib import Path

import numpy as np
import pytest

import reseed
from reseed.cli._main import COMMANDS, command_class
from reseed.cli._names import options_for
from reseed.cli._parse import options_of

SOURCES = Path(reseed.__file__).parent
# What the commands cannot be without.
_NEEDED = {
    "import": {"files": (), "out": ""},
    "inspect": {"study": ""},
    "robustness": {"model": ""},
    "curvature": {"model": ""},
    "report": {"study": ""},
    "export": {"study": "", "out": Path()},
    "calibrate": {"studies": (), "out": Path()},
    "compare": {"studies": ()},
    "gate": {"old": "", "new": ""},
}
TINY = ("--runs", "2", "--epochs", "1", "--engine", "serial", "--hidden", "4", "--no-probe")
MODELS = """
import torch

ONE = torch.nn.Linear(64, 10)
THING = 5

def shared(input_shape, num_classes):
    return ONE

def raises(input_shape, num_classes):
    raise RuntimeError("no such weights")

def number(input_shape, num_classes):
    return 3

def one_argument(input_shape):
    return ONE

def leaves(input_shape, num_classes):
    raise SystemExit(0)

def wrong_inputs(input_shape, num_classes):
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3, num_classes))

def wrong_outputs(input_shape, num_classes):
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, num_classes + 1))
"""


@pytest.fixture
def folder(here):
    """A folder with everything that a mistake needs."""
    (here / "plain").write_text("x")
    (here / "numbers.csv").write_text("a,b,label\n" + "".join(f"{row},{row % 7},{row % 2}\n" for row in range(30)))
    (here / "texts.csv").write_text("text,label\n" + "".join(f"hello {row},{row % 2}\n" for row in range(30)))
    (here / "garbage.csv").write_bytes(bytes(range(256)) * 20)
    (here / "garbage.parquet").write_bytes(bytes(range(256)) * 20)
    (here / "empty.csv").write_text("")
    (here / "folder.csv").mkdir()
    (here / "empty").mkdir()
    (here / "other").mkdir()
    (here / "other/precious.txt").write_text("mine")
    (here / "models_of_mine.py").write_text(MODELS)
    (here / "models_that_raise.py").write_text("raise ValueError('no licence')")
    (here / "models_misspelt.py").write_text("def f(:")
    (here / "latin.csv").write_bytes("größe,label\n1,a\n2,b\n".encode("latin-1"))
    for name, text in {
        "no_toml": "epochs = = 3",
        "unknown": "epoch = 3",
        "unknown_inner": "[optimizer]\nlearning_rate = 3",
        "text_for_number": 'epochs = "many"',
        "number_for_name": "[model]\nname = 3",
        "no_table": 'model = "mlp"',
        "no_data_table": 'data = "digits"',
        "float_for_int": "epochs = 2.5",
        "item": '[model]\nhidden = [1, "a"]',
        "nan": "[optimizer]\nlr = nan",
    }.items():
        (here / f"{name}.toml").write_text(text)
    (here / "binary.toml").write_bytes(b"\xff\xfe\x00")
    return here


MEASURE = [
    ("measure nothing-known", "unknown data set 'nothing-known'"),
    ("measure digts", "Did you mean 'digits'?"),
    ("measure missing.csv", "no such file: missing.csv"),
    ("measure folder.csv", "folder.csv is a folder"),
    ("measure .", "is a folder"),
    ("measure plain", "plain has no extension"),
    ("measure empty.csv", "empty.csv is empty"),
    ("measure garbage.csv", "garbage.csv"),
    ("measure garbage.parquet", "garbage.parquet cannot be read as parquet"),
    ("measure numbers.csv --label gold", "has no column 'gold'"),
    ("measure texts.csv --text words", "has no column 'words'"),
    ("measure numbers.csv --features a c", "has no column 'c'"),
    ("measure numbers.csv --eval-file missing.csv", "no such file"),
    ("measure digits --model mpl", "Did you mean 'mlp'?"),
    ("measure digits --wat 3", "--wat"),
    ("measure digits --engine warp", "warp"),
    ("measure digits --device warp", "--device 'warp' cannot be used here; there are cpu, cuda, mps, xpu and auto."),
    ("measure digits --runs 0", "--runs must be 1 or more, got 0"),
    ("measure digits --runs 1 --every final", "--runs is 1, from which instability is estimated by margins along"),
    ("measure digits --runs 1 --attribute", "--runs must be 2 or more, got 1"),
    ("measure digits --runs -3", "--runs must be 1 or more, got -3"),
    ("measure digits --runs many", "many"),
    ("measure digits --runs", "--runs"),
    ("measure digits --vary seed", "--vary names unknown streams ['seed']"),
    ("measure digits --vary ,", "--vary is empty"),
    ("measure digits --every sometimes", "--every must be 'epoch', 'final' or a number of steps, got 'sometimes'"),
    ("measure digits --every 0", "--every must be"),
    ("measure digits --every -5", "--every must be"),
    ("measure digits --burn-in -1", "--burn-in must be zero or more"),
    ("measure digits --level all", "all"),
    ("measure digits --seed -1", "--seed must be a non-negative integer, got -1"),
    ("measure digits --threads 0", "--threads must be 1 or more, got 0"),
    ("measure digits --runs 2 --jobs 0 --out fresh", "--jobs must be 1 or more, got 0"),
    ("measure digits --lr -1", "--lr must be a positive number"),
    ("measure digits --lr nan", "--lr must be a positive number"),
    ("measure digits --batch-size 0", "--batch-size must be 1 or more"),
    ("measure digits --hidden 0", "--hidden must hold positive widths"),
    ("measure digits --dropout 1", "--dropout must be in [0, 1)"),
    ("measure digits --limit 5", "limit=5"),
    ("measure digits --out other", "'other' exists and holds no study"),
    ("measure digits --model text-tfidf --out o", "takes texts"),
    ("measure texts.csv --model cnn --out o", "takes numbers or images"),
    ("measure texts.csv --model mlp --out o", "takes numbers or images"),
    ("measure numbers.csv --model cnn --out o", "takes images"),
    ("measure digits --model no_such_module:f --out o", "cannot import the model factory"),
    ("measure digits --model models_of_mine:missing --out o", "has no attribute 'missing'"),
    ("measure digits --model models_of_mine:THING --out o", "not a function"),
    ("measure digits --model models_of_mine:raises --out o", "RuntimeError: no such weights"),
    ("measure digits --model models_of_mine:number --out o", "must return a torch.nn.Module, got int"),
    ("measure digits --model models_of_mine:one_argument --out o", "one_argument() takes 1 positional argument"),
    ("measure digits --model models_of_mine:shared --out o", "returned a shared instance"),
    ("measure digits --model models_of_mine:leaves --out o", "raised SystemExit: 0"),
    ("measure digits --model models_of_mine:wrong_inputs --out o", "cannot take inputs of shape (2, 1, 8, 8)"),
    ("measure digits --model models_of_mine:wrong_outputs --out o", "must return logits of shape [sample, class]"),
    ("measure digits --model models_that_raise:f --out o", "ValueError: no licence"),
    ("measure digits --model models_misspelt:f --out o", "SyntaxError"),
    ("measure digits --model :f --out o", "is not of the form MODULE:FUNCTION"),
    ("measure digits --model .models_of_mine:f --out o", "is not of the form MODULE:FUNCTION"),
    ("measure digits --model models_of_mine: --out o", "is not of the form MODULE:FUNCTION"),
    ("measure digits --device meta --out o", "--device 'meta' cannot be used here"),
    ("measure latin.csv --out o", "latin.csv: line 1 holds the byte 0xf6, which is no UTF-8"),
    ("measure --recipe missing.toml", "cannot read the recipe 'missing.toml'"),
    ("measure --recipe empty", "cannot read the recipe 'empty'"),
    ("measure --recipe binary.toml", "cannot read the recipe 'binary.toml'"),
    ("measure --recipe no_toml.toml", "cannot read the recipe 'no_toml.toml'"),
    ("measure --recipe unknown.toml", "unknown recipe field epoch. Did you mean 'epochs'?"),
    ("measure --recipe unknown_inner.toml", "unknown recipe field optimizer.learning_rate"),
    ("measure --recipe text_for_number.toml", "epochs must be of type int, got 'many'"),
    ("measure --recipe float_for_int.toml", "epochs must be of type int, got 2.5"),
    ("measure --recipe number_for_name.toml", "model.name must be of type str, got 3"),
    ("measure --recipe no_table.toml", "model must be a table, got 'mlp'"),
    ("measure --recipe no_data_table.toml", "data must be a table, got 'digits'"),
    ("measure digits --recipe no_data_table.toml", "data must be a table, got 'digits'"),
    ("measure --recipe item.toml", "model.hidden[1] must be of type int, got 'a'"),
    ("measure --recipe nan.toml", "optimizer.lr must be a positive number, got nan"),
]
NEAR = [
    ("mesure digits", "unknown command 'mesure'. Did you mean 'measure'?"),
    ("measure Digits", "unknown data set 'Digits'. Did you mean 'digits'?"),
    ("measure digits --model resent", "unknown model 'resent'. Did you mean 'resnet'?"),
    ("measure digits --mitigation swaa", "unknown mitigation 'swaa'. Did you mean 'swa'?"),
    ("measure digits --mitigation tgtss:exponnt=1", "has no option 'exponnt'. Did you mean 'exponent'?"),
    ("mitigate digits --methods control,tgts", "unknown mitigation 'tgts'. Did you mean 'tgtss'?"),
    ("measure digits --engine stackd", "--engine stackd: Did you mean 'stacked'?"),
    ("measure digits --level=score", "--level score: Did you mean 'scores'?"),
    ("measure digits --optimizer adm", "--optimizer adm: Did you mean 'adam'?"),
    ("measure digits --vary init,ordr", "unknown streams ['ordr']. Did you mean 'order'?"),
    ("measure digits --every finl", "Did you mean 'final'?"),
    ("measure digits --eval-split tst", "has no evaluation split 'tst'. Did you mean 'test'?"),
    ("measure digits --corrupt label:rate=0.1", "unknown corruption 'label'. Did you mean 'labels'?"),
    ("measure digits --corrupt labels:rat=0.1", "has no option 'rat'. Did you mean 'rate'?"),
    ("measure digits --corrupt labels:rate=0.1:mode=permut", "Did you mean 'permute'?"),
    ("measure digits --device cudaa", "Did you mean 'cuda'?"),
    ("measure numbers.csv --label lable", "has no column 'lable' (--label). Did you mean 'label'?"),
    ("measure --recipe unknown.toml", "unknown recipe field epoch. Did you mean 'epochs'?"),
    ("measure digits --epoch 3", "--epochs"),
    ("import labels.npy --out study --levl full", "--level"),
    ("inspect study --by clas", "Did you mean 'class'?"),
    ("inspect study --scores robustnes", "keeps no scores of the lens 'robustnes'"),
]
OTHERS = [
    (
        "warp",
        "unknown command 'warp'. Commands: measure, import, inspect, robustness, curvature, randomize, stabilise, ",
    ),
    ("mitigate digits --fresh-data 1.5 --out o", "--fresh-data must be the share of the training data that each run"),
    ("mitigate digits --fresh-data many --out o", "many"),
    ("mitigate digits --fresh-data 0.9 --vary init,data --out o", "--fresh-data 0.9 and data in --vary each say how"),
    ("mitigate digits --margin -1 --out o", "--margin must be a finite number of percentage points, 0 or more, got -1"),
    ("mitigate digits --margin inf --out o", "--margin must be a finite number of percentage points"),
    ("mitigate digits --margin wide --out o", "wide"),
    ("tune digits --fresh-data 0 --out o", "--fresh-data must be the share of the training data that each run"),
    ("tune digits --fresh-data 0.9 --budget 20 --out o", "--budget 20 is too small or no number; pass at least 34"),
    ("tune digits --margin nan --out o", "--margin must be a finite number of percentage points"),
    ("tune digits --vary ordr --out o", "unknown streams ['ordr']. Did you mean 'order'?"),
    ("tune digits --budget 18 --out o", "--budget 18 is too small or no number; pass at least 19 trainings"),
    ("tune digits --budget nan --out o", "--budget nan is too small or no number"),
    ("tune digits --budget many --out o", "many"),
    ("tune digits --max-cost 0.9 --out o", "--max-cost must be 1 or more, got 0.9"),
    ("tune digts --out o", "digts"),
    ("tune digits --model warp --out o", "warp"),
    ("tune digits --engine warp --out o", "warp"),
    ("tune digits --out other", "'other' exists and holds no search; choose another --out"),
    ("tune numbers.csv --out o", "a search needs 30 or more"),
    ("inspect empty", "'empty' holds no study"),
    ("inspect missing", "'missing' holds no study"),
    ("inspect plain", "'plain' holds no study"),
    ("inspect", "Required options"),
    ("inspect empty --top -1", "--top must be 0 or more, got -1"),
    ("inspect empty --top many", "many"),
    ("report empty", "'empty' holds no study"),
    ("import", "--out"),
    ("import --out o", "no file of predictions was given"),
    ("import missing.npy --out o", "no such file: missing.npy"),
    ("import missing.csv --out o", "no such file: missing.csv"),
    ("import folder.csv --out o", "folder.csv is a folder"),
    ("import plain --out o", "predictions are read from .npy or from .csv"),
    ("import garbage.csv --out o", "garbage.csv"),
    ("import garbage.parquet --out o", "garbage.parquet cannot be read as parquet"),
    ("import labels.npy texts.csv --out o", "all of one kind"),
    ("import labels.npy", "--out"),
    ("import labels.npy --out other", "'other' exists and holds no study"),
    ("import labels.npy --classes a b --out o", "predictions holds 2 at position (0, 2)"),
    ("import labels.npy --targets missing.npy --out o", "no such file: missing.npy"),
    ("import labels.npy --level all --out o", "all"),
]


@pytest.mark.parametrize(("command", "expected"), [*MEASURE, *OTHERS])
def test_mistakes_are_answered_with_status_2(cli, folder, labels, command, expected):
    """Wrong usage and bad input end with status 2, and the message says what is wrong."""
    words = command.split()
    if words[0] == "measure" and "--engine" not in words:
        words += ["--engine", "serial"]
    if words[0] == "measure" and "--runs" not in words:
        words += ["--runs", "2"]
    ended = cli(*words)
    assert ended.status == 2, ended
    assert expected in " ".join((ended.err + ended.out).replace("│", " ").split())
    assert "Traceback" not in ended.err + ended.out
    assert (folder / "other/precious.txt").read_text() == "mine"


@pytest.mark.parametrize(("command", "expected"), NEAR)
def test_what_was_meant_is_suggested(cli, folder, labels, command, expected):
    """Whatever word is mistyped: a command, an option, a choice, a name of data, model, method or column."""
    if "inspect study" in command:
        assert cli("import", labels, "--out", "study").status == 0
    ended = cli(*command.split())
    assert ended.status == 2
    assert expected in " ".join((ended.err + ended.out).replace("│", " ").split())


@pytest.mark.parametrize("command", ["measure digits", "import labels.npy", "report study"])
@pytest.mark.parametrize("out", ["plain", "plain/below"])
def test_folder_that_cannot_be_written(cli, folder, labels, command, out):
    """--out at or below a regular file is refused by name, and the file is left alone."""
    assert cli("import", labels, "--out", "study").status == 0
    ended = cli(*command.split(), *(TINY if "measure" in command else ()), "--out", out)
    assert ended.status in (1, 2)
    assert ended.err.splitlines()[-1].startswith(("failed: cannot write 'plain", "error: 'plain"))
    assert "Traceback" not in ended.err
    assert (folder / "plain").read_text() == "x"


def test_study_is_not_mixed_with_another(cli, folder, labels):
    """Each change of what a study is made of is refused by name, and the study stays as it was."""
    begun = ("measure", "digits", *TINY, "--out", "study")
    assert cli(*begun).status == 0
    before = {path: path.stat().st_mtime_ns for path in Path("study").rglob("*") if path.is_file()}
    for change, expected in {
        "--epochs 3": "epochs: 1 there, 3 now",
        "--lr 0.5": "optimizer.lr",
        "--seed 4": "base_seed: 0 there, 4 now",
        "--vary init": "vary",
        "--level full": "record",
        "--limit 200": "data.limit",
    }.items():
        ended = cli(*begun, *change.split())
        assert ended.status == 2
        assert expected in ended.err
        assert "Choose another --out" in ended.err
    assert cli("import", labels, "--out", "study").status == 2
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_import_does_not_overwrite(cli, labels, tmp_path):
    """Importing other predictions into the same folder is refused; the same ones are there already."""
    assert cli("import", labels, "--out", tmp_path / "study").status == 0
    assert cli("import", labels, "--out", tmp_path / "study").status == 0
    np.save(tmp_path / "others.npy", (np.load(labels) + 1) % 3)
    ended = cli("import", tmp_path / "others.npy", "--out", tmp_path / "study")
    assert ended.status == 2
    assert "already holds another study" in ended.err


def test_unknown_sample_shows_what_ids_look_like(cli, measured):
    """An id that the study has not is answered with ids that it has."""
    ended = cli("inspect", measured, "--sample", "nobody")
    assert ended.status == 2
    assert "no sample 'nobody'" in ended.err
    assert "21" in ended.err


def test_runs_that_all_diverge_are_a_failure(cli, tmp_path):
    """A learning rate that blows up ends with status 1 and counts the diverged runs."""
    ended = cli("measure", "digits", *TINY, "--lr", "1e38", "--out", tmp_path / "study")
    assert ended.status == 1
    assert "2 diverged" in ended.err
    assert "Traceback" not in ended.err


def test_control_characters_of_a_file_do_not_reach_the_terminal(cli, tmp_path):
    """An error message that quotes a file spells out its escape sequences."""
    (tmp_path / "data.csv").write_bytes(b"text,label\nhel\x1b[2J\0lo,1,2\n")
    ended = cli("measure", tmp_path / "data.csv")
    assert ended.status == 2
    assert "hel" in ended.err
    assert not set("\x1b\x9b\x9d\0") & set(ended.err)


def test_escape_sequences_in_a_column_name_are_spelled_out(cli, tmp_path):
    """The name of a column is quoted in a way that shows its control characters."""
    (tmp_path / "data.csv").write_text("\x1b[2Jtext,a\nhello,1\n")
    ended = cli("measure", tmp_path / "data.csv", "--label", "gold")
    assert ended.status == 2
    assert r"\x1b[2Jtext" in ended.err
    assert "\x1b" not in ended.err


@pytest.mark.skipif(os.name != "posix", reason="names of files are bytes on POSIX systems only")
def test_file_name_that_is_no_text(cli, tmp_path):
    """A file whose name is no UTF-8 is imported or refused, never a traceback."""
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.npy")
    np.save(path, [[0, 1], [1, 1]])
    ended = cli("import", path, "--out", tmp_path / "study")
    assert ended.status in (0, 2)
    assert "Traceback" not in ended.err


def _marked() -> set[str]:
    """Return the names of arguments and fields that messages of the library mark as such."""
    names = set()
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                first = node.args[0]
                if node.func.id in ("argument", "setting") and isinstance(first, ast.Constant):
                    names.add(str(first.value))
    return names


def test_marked_arguments_have_options():
    """What a message would call an option is one, of some command: a name that no command has cannot be given."""
    words = {option.called for name in COMMANDS for option in options_of(command_class(name))}
    commands = [command_class(name)(**_NEEDED.get(name, {})) for name in COMMANDS]
    assert len(_marked()) > 60
    for marked in _marked():
        assert words & {options_for(command)(marked) for command in commands}, marked


BAD = [
    *(f"measure digits --{name} -1" for name in ("until", "burn-in", "dropout-passes", "split-seed", "limit", "seed")),
    *(f"measure digits --{name} -1" for name in ("eval-fraction", "dropout", "init-scale", "hidden", "lr", "epochs")),
    *(f"measure digits --{name} -1" for name in ("steps", "batch-size", "momentum", "weight-decay", "clip-norm")),
    *(f"measure digits --{name} -1" for name in ("warmup", "threads", "jobs", "group", "nested", "vocabulary")),
    *(f"measure digits --model resnet --{name} -1" for name in ("width", "depth", "crop")),
    *(f"measure digits --average ema --{name} -1" for name in ("average-start", "average-decay")),
    "measure digits --schedule exponential --gamma -1",
    "measure digits --nested 2 --epsilon -1",
    "measure digits --device abacus",
    "measure digits --vary weather",
    "measure digits --every never",
    *(f"measure numbers.csv --{name} nothing" for name in ("label", "id", "split", "features", "text")),
    *(f"tune digits --{name} -1" for name in ("budget", "max-cost", "margin", "fresh-data", "seed")),
    *(f"memorize digits --{name} -1" for name in ("folds", "share", "repeats", "seed")),
    *(f"randomize digits --{name} -1" for name in ("runs", "levels", "draws", "level", "seed")),
    *(f"stabilise digits --{name} -1" for name in ("runs", "rates", "level", "seed")),
    *(f"mitigate digits --{name} -1" for name in ("runs", "every", "vary", "margin", "fresh-data", "seed")),
    "mitigate digits --methods control",
    *(f"robustness study --{name} -1" for name in ("epsilon", "samples", "seed")),
    *(f"curvature study --{name} -1" for name in ("samples", "eigenvalues", "probes", "steps", "seed")),
    *(f"gate study study --{name} -1" for name in ("max-churn", "max-negative-flips", "old-runs", "new-runs")),
    "gate labels.npy labels.npy --classes one",
    "gate labels.npy study --old-runs 0",
    "inspect study --by nothing",
    "inspect study --top -1",
    "export study table.txt",
    "export study table.csv --run 0",
    "compare study study --names one",
    "compare study study --names one,two --margin -1",
    "compare study study --names one,two --fresh study",
    "compare study study --names one,two --fresh-null study",
]


@pytest.mark.parametrize("command", BAD)
def test_messages_name_options(cli, folder, labels, command):
    """Whatever option has an unusable value, the message calls it as the user wrote it."""
    if "study" in command:
        assert cli("import", labels, "--out", "study").status == 0
    words = command.split()
    named = "OUT" if words[-1] == "table.txt" else words[-2]
    ended = cli(*words)
    assert ended.status == 2
    assert re.search(rf"(?<![\w-]){named}(?![\w-])", ended.err), ended.err


def test_fields_that_a_file_sets_keep_their_names(cli, folder):
    """Of options beside a recipe file those are named that are given; the file's fields are called as in the file."""
    (folder / "own.toml").write_text("[optimizer]\nlr = -1.0\n")
    ended = cli("measure", "digits", "--recipe", "own.toml")
    assert "recipe field optimizer.lr must be a positive number, got -1.0" in ended.err
    ended = cli("measure", "digits", "--recipe", "own.toml", "--lr", "-2")
    assert ended.status == 2
    assert "--lr must be a positive number, got -2.0" in ended.err


def test_in_python_the_same_messages_name_arguments(tmp_path):
    """Outside of a command there are no options."""
    for named, arguments in {
        "runs must be 1 or more": {"runs": 0},
        "threads must be 1 or more": {"threads": 0},
        "recipe field optimizer.lr must be a positive number": {"lr": -1.0},
        "split_seed is -1": {"split_seed": -1},
        "device 'abacus' cannot be used": {"device": "abacus"},
    }.items():
        with pytest.raises(reseed.InputError) as refused:
            reseed.measure("digits", out=tmp_path / "study", **arguments)
        assert str(refused.value).startswith(named)
        assert "--" not in str(refused.value)
