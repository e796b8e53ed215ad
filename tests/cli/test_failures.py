"""How commands fail: one line that says what is wrong, and a status that scripts understand."""

import json
import sys

import numpy as np
import pytest

import reseed
from reseed._limits import MAX_BYTES, bytes_left
from reseed.cli._main import COMMANDS, command_class
from reseed.instability.one_run._single_run import default_model
from reseed.studies import replace_text


@pytest.fixture
def study(tmp_path):
    """The folder of a small study."""
    labels = np.random.default_rng(0).integers(0, 3, (3, 12))
    texts = [f"{'abcdef'[row % 6]} word and number {row}" for row in range(12)]
    reseed.Study.from_predictions(labels, tmp_path / "study", class_names="xyz", texts=texts)
    return tmp_path / "study"


@pytest.fixture
def failing(monkeypatch):
    """A function that lets `inspect` raise something."""

    def fail(error):
        def raises(*_, **__):
            raise error

        monkeypatch.setattr(reseed.workflows, "open_study_or_design", raises)

    return fail


def test_what_nobody_foresaw_is_told_in_two_lines(cli, failing, monkeypatch):
    """A fault of reseed itself ends with status 1, its kind, where to report it and how to see more."""
    monkeypatch.delenv("RESEED_TRACEBACK")
    failing(ZeroDivisionError("a fault\nof \x1b[31mtwo lines"))
    ended = cli("inspect", "study")
    assert ended.status == 1
    first, second = ended.err.splitlines()
    assert first == r"failed: ZeroDivisionError: a fault of \x1b[31mtwo lines"
    assert "Report it to its maintainers" in second
    assert "RESEED_TRACEBACK=1" in second
    assert "RESEED_TRACEBACK=1" in cli("--help").out


def test_the_traceback_is_shown_when_asked_for(cli, failing, monkeypatch):
    """With RESEED_TRACEBACK in the environment the error comes through, as it does in every test."""
    monkeypatch.setenv("RESEED_TRACEBACK", "1")
    failing(ZeroDivisionError("a fault"))
    with pytest.raises(ZeroDivisionError, match="a fault"):
        cli("inspect", "study")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        np._core._exceptions._ArrayMemoryError((10**9,), np.dtype(float)),
        RuntimeError("can't allocate memory"),
    ],
    ids=["python", "numpy", "torch"],
)
def test_memory_that_does_not_suffice_is_a_failure(cli, failing, error):
    """Whoever runs out of memory is told so."""
    failing(error)
    ended = cli("inspect", "study")
    assert ended.status == 1
    assert ended.err.startswith("failed: this takes more memory than there is. ")


@pytest.mark.parametrize(
    "words",
    [
        ("inspect", "a\0b"),
        ("inspect", "STUDY", "--metadata", "a\0b", "--by", "x"),
        ("inspect", "STUDY", "--weights", "a\0b", "--one-run"),
        ("report", "STUDY", "--out", "a\0b"),
        ("export", "STUDY", "a\0b.csv"),
        ("compare", "STUDY", "a\0b"),
        ("compare", "STUDY", "STUDY", "--null", "a\0b"),
        ("compare", "STUDY", "STUDY", "--out", "a\0b"),
        ("calibrate", "STUDY", "--out", "a\0b"),
        ("import", "a\0b.csv", "--out", "out"),
        ("import", "a.csv", "--out", "a\0b"),
        ("import", "a.npy", "--out", "out", "--targets", "a\0b"),
        ("measure", "a\0b.csv"),
        ("measure", "--recipe", "a\0b"),
        ("measure", "digits", "--eval-file", "a\0b"),
        ("measure", "digits", "--out", "a\0b"),
        ("mitigate", "digits", "--out", "a\0b"),
        ("tune", "digits", "--out", "a\0b"),
    ],
)
def test_names_with_a_nul_are_refused(cli, study, words):
    """No option that takes a name lets a NUL through to the operating system."""
    ended = cli(*(str(study) if word == "STUDY" else word for word in words))
    assert ended.status == 2
    assert r"holds a NUL character" in ended.err


def test_a_place_whose_name_is_no_text_is_refused(study, tmp_path):
    """A name that is not in UTF-8 is refused wherever something is written, since not all that write could use it."""
    for name in ("\udcff.csv", "\udcff.parquet", "\udcff.jsonl", "\udcff.zarr"):
        with pytest.raises(reseed.StorageError, match=r"cannot write '.*\\udcff.*': its name is not in UTF-8; choose"):
            reseed.export(study, tmp_path / name)
    with pytest.raises(reseed.StorageError, match="its name is not in UTF-8"):
        reseed.Study.from_predictions([[0, 1], [1, 1]], tmp_path / "\udcff")


def test_names_with_a_nul_are_refused_in_python(study, tmp_path):
    """The functions refuse them with reseed's own errors."""
    for call in (
        lambda: reseed.Study.open("a\0b"),
        lambda: reseed.inspect(study).write("a\0b"),
        lambda: reseed.export(study, "a\0b.zarr"),
        lambda: reseed.recipe_for(file="a\0b"),
        lambda: reseed.Study.from_predictions([[0, 1], [1, 1]], "a\0b"),
        lambda: reseed.instability.SingleRunModel.read("a\0b"),
        lambda: default_model().write(tmp_path / "a\0b"),
    ):
        with pytest.raises(reseed.ReseedError, match="NUL"):
            call()


@pytest.mark.parametrize("words", [(), ("--by", "class")])
def test_more_rows_than_there_are(cli, study, words):
    """However many samples are asked for, all there are is what comes."""
    asked, all_there_are = (cli("inspect", study, *words, "--top", top) for top in (10**30, 12))
    assert asked.status == 0
    assert asked.out == all_there_are.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_the_limit(cli, monkeypatch, name):
    """--max-bytes is there in each command, holds while it runs, and says what sizes are where it is none."""
    seen = []
    monkeypatch.setattr(command_class(name), "execute", lambda _: seen.append(bytes_left()))
    given = {
        "import": ("a.csv", "--out", "o"),
        "export": ("s", "o.csv"),
        "calibrate": ("s", "--out", "o"),
        "gate": ("a", "b"),
    }
    words = (name, *given.get(name, ("s",)))
    for size in ("500", "512MiB", "8 gib", "3T", "10kB"):
        assert cli(*words, "--max-bytes", size).status == 0
    assert cli(*words).status == 0
    assert seen == [500, 512 << 20, 8 << 30, 3 << 40, 10 << 10, MAX_BYTES]
    assert bytes_left() == MAX_BYTES
    for size in ("0", "-1", "many", "1e9", "1" * 400, "0GiB", ""):
        ended = cli(*words, "--max-bytes", size)
        assert ended.status == 2
        assert "--max-bytes" in ended.err


def test_the_limit_is_the_users(cli, study):
    """A study that takes more than is allowed is refused with the flag that lifts it."""
    ended = cli("inspect", study, "--max-bytes", "10KiB")
    assert ended.status == 2
    assert "raise the limit with --max-bytes" in ended.err
    assert cli("inspect", study, "--max-bytes", "1MiB").status == 0


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "null",
        "{}",
        json.dumps({"signals": ["a"]}),
        '{"intercept": 1' + "0" * 400 + "}",
        '{"intercept": NaN}',
        '{"signals": ["\\ud800"]}',
        "\xff",
    ],
)
def test_weights_that_are_none(cli, study, tmp_path, text):
    """A file that holds no weights is refused by name, whatever is in it."""
    path = tmp_path / "weights.json"
    path.write_text(text, encoding="latin-1")
    ended = cli("inspect", study, "--one-run", "--weights", path)
    assert ended.status == 2
    assert "holds no weights of a single-run model" in ended.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = " + "[" * 100_000, "it is nested too deeply"),
        ("a." * 100_000 + "b = 1", "it holds a name of 64 parts or more"),
        (f"epochs = 0x{'f' * 5000}", "it holds a whole number of 20000 bits"),
        (f"epochs = 1{'0' * 300}", "recipe field epochs must be a number up to 9223372036854775807"),
        (f"[optimizer]\nlr = 1{'0' * 400}", "it holds a whole number"),
        (f"[[mitigations]]\nname = 'swa'\nlast = 1{'0' * 400}", "it holds a whole number"),
        ("[[mitigations]]\nname = ['swa']", "recipe field mitigations must hold tables with a name"),
        ("mitigations = [[]]", "recipe field mitigations must hold tables with a name"),
    ],
)
def test_recipes_that_are_none(cli, tmp_path, text, message):
    """A recipe that no parser should be asked to finish is refused in one line."""
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    ended = cli("measure", "digits", "--model", "mlp", "--recipe", path, "--print-config")
    assert ended.status == 2, ended
    assert message in ended.err
    assert len(ended.err.splitlines()) == 1


def test_names_of_files_that_are_no_text(cli, tmp_path):
    """A file whose name is no text is refused, and so is writing down any such name."""
    path = tmp_path / "\udcff.csv"
    path.write_text("x,label\n" + "".join(f"{row},{'ab'[row % 2]}\n" for row in range(20)))
    ended = cli(
        "measure", path, "--runs", "2", "--epochs", "1", "--engine", "serial", "--no-probe", "--out", tmp_path / "o"
    )
    assert ended.status == 2
    assert r"\udcff" in ended.err
    with pytest.raises(
        reseed.InputError, match=r"^a\.toml would hold '\\udcff', which cannot be written as UTF-8; it stands"
    ):
        replace_text(tmp_path / "a.toml", "name = \udcff")


@pytest.mark.skipif(sys.platform == "win32", reason="the system has no such files")
def test_options_take_regular_files_only(cli, study, tmp_path):
    """A pipe that nobody writes to is not waited for."""
    import os

    os.mkfifo(tmp_path / "pipe")
    for words in (("measure", "--recipe"), ("inspect", study, "--one-run", "--weights")):
        ended = cli(*words, tmp_path / "pipe")
        assert ended.status == 2
        assert "it is no regular file" in ended.err


def test_code_of_a_recipe_waits_for_leave(cli, tmp_path, monkeypatch):
    """A model that --recipe names is imported with --trust-code, or when --model names it, and not before."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "code_of_theirs.py").write_text("raise ValueError('imported')\n")
    (tmp_path / "theirs.toml").write_text('[model]\nname = "code_of_theirs:net"\n')
    begun = ("measure", "digits", "--recipe", "theirs.toml", "--runs", "2", "--out", "o")
    ended = cli(*begun)
    assert ended.status == 2
    assert "pass --trust-code" in ended.err
    for leave in (("--trust-code",), ("--model", "code_of_theirs:net")):
        assert "ValueError: imported" in cli(*begun, *leave).err
    assert cli(*begun, "--print-config").status == 0
