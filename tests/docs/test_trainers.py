"""The blocks of `trainers.md`, each copied into a file of its own and run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import reseed

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "trainers.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^## (\w[\w-]*)\n.*?^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
WORDS = {"alarm": ("wake", "me", "up"), "music": ("play", "some", "jazz")}


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


def run(folder, block):
    """Runs a block where a table of requests is."""
    rows = [f"{' '.join(words)} {row},{label}" for row in range(20) for label, words in WORDS.items()]
    (folder / "requests.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    (folder / "block.py").write_text(block)
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "cache"), "TQDM_DISABLE": "1"}
    done = subprocess.run(
        [sys.executable, "block.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | offline,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.text
def test_transformers(tmp_path):
    """The trainer's evaluation set, the model's names of classes, the rows' texts, and a report."""
    tiny_model(tmp_path / "tiny")
    block = BLOCKS["Transformers"].replace('"distilbert-base-uncased"', '"./tiny"')
    assert block != BLOCKS["Transformers"]
    assert "runs" in run(tmp_path, block)
    study = reseed.Study.open(tmp_path / "requests-study")
    assert len(study.manifests) == 3
    assert study.header.class_names == ("alarm", "music")
    assert {text.rpartition(" ")[0] for text in study.samples.texts} == {"wake me up", "play some jazz"}
    assert (study.path / "report.html").exists()


def test_lightning(tmp_path):
    """The validation loader, and a report."""
    pytest.importorskip("lightning", reason="needs the extra `lightning`")
    assert "accuracy" in run(tmp_path, BLOCKS["Lightning"])
    study = reseed.Study.open(tmp_path / "digits-study")
    assert (len(study.manifests), len(study.samples)) == (3, 539)
    assert (study.path / "report.html").exists()


def test_scikit_learn(tmp_path):
    """Texts are shown."""
    run(tmp_path, BLOCKS["scikit-learn"])
    study = reseed.Study.open(tmp_path / "pipeline-study")
    assert (len(study.manifests), len(study.samples)) == (5, 12)
    assert study.samples.texts[0].startswith(("wake me up", "play some jazz"))
