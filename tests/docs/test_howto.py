"""The how-to pages: what is to be copied runs as it stands, on files that have the names of the page."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import reseed
from reseed.cli import main

PAGES = Path(__file__).parents[2] / "docs" / "howto"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WORDS = {"alarm": ("wake", "me", "up"), "music": ("play", "some", "jazz")}


def shown(name, language):
    """The blocks of a page in one language."""
    return [body for found, body in FENCE.findall((PAGES / f"{name}.md").read_text("utf-8")) if found == language]


def write_csv(path, columns, rows):
    """A table of texts."""
    path.write_text("\n".join([columns, *(",".join(map(str, row)) for row in rows)]) + "\n")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a table of requests."""
    monkeypatch.chdir(tmp_path)
    rows = [(f"{' '.join(words)} {row}", label) for row in range(20) for label, words in WORDS.items()]
    write_csv(tmp_path / "requests.csv", "text,label", rows)
    return tmp_path


def run_commands(*blocks):
    """Runs every line of the blocks in this process."""
    for line in "".join(blocks).splitlines():
        with pytest.raises(SystemExit) as ended:
            main(shlex.split(line, comments=True)[1:])
        assert ended.value.code == 0, line


def run_python(folder, block, *options):
    """Runs a block as a script of its own, and returns what it prints."""
    (folder / "block.py").write_text(block)
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "cache"), "TQDM_DISABLE": "1"}
    done = subprocess.run(
        [sys.executable, *options, "block.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | offline,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def runs_of(folder):
    """How many complete runs a study has."""
    return len(reseed.Study.open(folder).manifests)


def test_csv(folder):
    """Texts, numbers with a column of the split, and a file for evaluation, each a study with a report."""
    said = {"good": "a fine and pleasant thing", "bad": "a dull and broken thing"}
    reviews = [(f"{stars}{row}", f"{text} number {row}", stars) for row in range(20) for stars, text in said.items()]
    write_csv(folder / "reviews.csv", "id,review,stars", reviews)
    for name, rows in (("train", range(20)), ("test", range(20, 25))):
        requests = [(f"{' '.join(words)} {row}", label) for row in rows for label, words in WORDS.items()]
        write_csv(folder / f"{name}.csv", "utterance,intent", requests)
    numbers = np.random.default_rng(0).normal(size=(3, 60))
    columns = dict(zip(("age", "height", "weight"), numbers, strict=True))
    words = {"group": np.where(numbers[0] > 0, "old", "young"), "part": ["train", "train", "test"] * 20}
    parquet.write_table(pa.table(columns | words), folder / "table.parquet")
    run_commands(*shown("csv", "bash"))
    assert {name: runs_of(name) for name in ("reviews", "table", "intents")} == {
        "reviews": 10,
        "table": 10,
        "intents": 10,
    }
    assert (folder / "reviews" / "report.html").exists()
    assert not run_python(folder, *shown("csv", "python"), "-Werror")
    assert runs_of("reviews-3") == 3


def test_scikit_learn(folder):
    """Texts are shown; any training with a seed, and an estimator alone."""
    pipeline, *others = shown("scikit-learn", "python")
    run_python(folder, pipeline)
    study = reseed.Study.open(folder / "pipeline")
    assert (len(study.manifests), len(study.samples)) == (5, 12)
    assert study.samples.texts[0].startswith(("wake me up", "play some jazz"))
    assert (study.path / "report.html").exists()
    run_python(folder, "\n".join(others), "-Werror")
    assert (runs_of("forest"), runs_of("forest-again")) == (5, 5)


def tiny_model(folder):
    """A tokenizer of a few words and a network of random weights, as `from_pretrained` reads them."""
    transformers = pytest.importorskip("transformers", reason="needs the extra `trainer`")
    pytest.importorskip("accelerate", reason="needs the extra `trainer`")
    pytest.importorskip("datasets", reason="needs the extra `text`")
    tokenizers = pytest.importorskip("tokenizers")
    words = ["[PAD]", "[UNK]", *(word for several in WORDS.values() for word in several), *map(str, range(40))]
    tokenizer = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]")  # noqa: S106
    )
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]")  # noqa: S106
    fast.save_pretrained(folder)
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    transformers.BertForSequenceClassification(config).save_pretrained(folder)


@pytest.mark.text
def test_hugging_face(folder):
    """The trainer's evaluation set, the model's names of classes, the rows' texts, and a report."""
    tiny_model(folder / "tiny")
    (shown_block,) = shown("hugging-face", "python")
    block = shown_block.replace('"distilbert-base-uncased"', '"./tiny"')
    assert block != shown_block
    assert "runs" in run_python(folder, block)
    study = reseed.Study.open(folder / "requests-study")
    assert len(study.manifests) == 3
    assert study.header.class_names == ("alarm", "music")
    assert {text.rpartition(" ")[0] for text in study.samples.texts} == {"wake me up", "play some jazz"}
    assert (study.path / "report.html").exists()


def test_lightning(folder):
    """The validation loader, and a report."""
    pytest.importorskip("lightning", reason="needs the extra `lightning`")
    block, yours = shown("lightning", "python")
    (folder / "my_training.py").write_text(yours)
    assert "accuracy" in run_python(folder, block)
    study = reseed.Study.open(folder / "digits-study")
    assert (len(study.manifests), len(study.samples)) == (3, 539)
    assert (study.path / "report.html").exists()


def test_notebook(folder, monkeypatch):
    """In a kernel, a cell a block: the bar and a link, the result's HTML, a frame, and a figure."""
    nbformat = pytest.importorskip("nbformat", reason="nbclient, which runs notebooks, is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient, which runs notebooks, is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel, in which notebooks run, is not installed")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(PAGES.parents[1] / "src"), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("IPYTHONDIR", str(folder / "ipython"))
    cells = [nbformat.v4.new_code_cell(block) for block in shown("notebook", "python")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    first, table, figure = ([output.get("data", {}) for output in cell.outputs] for cell in notebook.cells)
    bar, link, result = (data["text/html"] for data in first if data)  # beside the line that says what is trained
    assert re.search(r'<progress value="(\d+)" max="\1"></progress> runs 5/5', bar)
    assert '<a href="requests/report.html"' in link
    assert "Measurement(" in result
    assert table[0]["text/html"].count("<tr") == 1 + 8  # a fifth of forty
    assert ["image/png" in data for data in figure] == [True]


def test_own_loop(folder):
    """The recorder makes the runs that are missing."""
    assert float(run_python(folder, *shown("own-loop", "python"), "-Werror")) > 0
    assert runs_of("own-loop") == 3


def test_predictions(folder):
    """Each command makes a study of the same three runs; arrays need none."""
    answers = np.array([["spam", "ham", "ham"], ["spam", "ham", "spam"], ["spam", "ham", "ham"]])
    for seed, labels in enumerate(answers):
        write_csv(folder / f"seed{seed}.csv", "id,prediction", enumerate(labels))
    np.save(folder / "predictions.npy", answers)
    np.save(folder / "gold.npy", answers[0])
    seeds, samples = np.indices(answers.shape)
    long = {"seed": seeds.ravel(), "sample": samples.ravel(), "answer": answers.ravel()}
    parquet.write_table(pa.table(long), folder / "long.parquet")
    run_commands(*shown("predictions", "bash"))
    assert {name: runs_of(name) for name in ("held", "array", "long")} == {"held": 3, "array": 3, "long": 3}
    run_python(folder, "\n".join(shown("predictions", "python")), "-Werror")
    assert runs_of("spam") == 3


@pytest.mark.cluster
def test_cluster(folder):
    """A Ray of this machine trains the runs; the other commands name a cluster and a bucket that nobody has here."""
    pytest.importorskip("ray", reason="needs the extra `cluster`")
    run_commands(shown("cluster", "bash")[0])
    assert runs_of("on-ray") == 10


def test_gate(folder):
    """One more seed of the same model passes, in commands and under pytest."""
    gold = np.arange(400) % 4
    (folder / "old-runs").mkdir()
    for seed, place in enumerate(["old.csv", "new.csv", *(f"old-runs/seed{seed}.csv" for seed in range(5))]):
        labels = np.where(np.random.default_rng(seed).random(400) < 0.02, (gold + 1) % 4, gold)
        write_csv(folder / place, "sample_id,label,target", zip(range(400), labels, gold, strict=True))
    run_commands(*shown("gate", "bash"))
    assert (folder / "gate.xml").exists()
    assert (folder / "gate.md").exists()
    (folder / "test_gate.py").write_text(*shown("gate", "python"))
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "test_gate.py"], capture_output=True, text=True)
    assert "1 passed" in done.stdout, done.stdout


def test_which_run(folder):
    """The weights are those of the medoid, and the networks in Python are those of the page's last block."""
    run_commands(*shown("which-run", "bash"))
    (block,) = shown("which-run", "python")
    assert json.loads((folder / "model.safetensors.json").read_text())["runs"] == [int(run_python(folder, block))]
