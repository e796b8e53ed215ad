"""Small studies."""

import shutil

import pytest

from reseed.data import DataConfig
from reseed.models import ModelConfig
from reseed.studies import Study, train_study
from reseed.training import Recipe, RecordConfig

RECIPE = Recipe(model=ModelConfig("mlp", hidden=(16,), dropout=0.2), epochs=3, batch_size=64)


@pytest.fixture(scope="session")
def finished_study(tmp_path_factory):
    """The folder of four finished runs on digits, recorded in full on both splits; not to be changed."""
    root = tmp_path_factory.mktemp("studies") / "digits"
    train_study(RECIPE, root, runs=4, record=RecordConfig("12", level="full", train=True), engine="serial")
    return root


@pytest.fixture
def study(finished_study, tmp_path):
    """A copy of the finished study that a test may break."""
    return Study.open(shutil.copytree(finished_study, tmp_path / "copy"))


@pytest.fixture
def train(tmp_path):
    """A function that trains a small study below the test's folder."""

    def run(name="study", recipe=RECIPE, **options):
        # One thread: threads of one program wait for each other, which takes ages on a busy machine.
        options = {"runs": 3, "engine": "serial", "threads": 1} | options
        return train_study(recipe, tmp_path / name, **options)

    return run


@pytest.fixture
def texts(tmp_path):
    """A recipe over forty short texts with a tiny encoder in a folder."""
    transformers = pytest.importorskip("transformers", reason="needs the extra `text`: pip install 'reseed[text]'")
    import torch

    rows = [f"play song {i},music" if i % 2 else f"rain today {i},weather" for i in range(40)]
    (tmp_path / "texts.csv").write_text("\n".join(["text,label", *rows]))
    folder = tmp_path / "encoder"
    folder.mkdir()
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "play", "song", "rain", "today"]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    tokenizer = transformers.BertTokenizerFast(str(folder / "vocab.txt"))
    config = transformers.BertConfig(
        vocab_size=len(tokenizer), hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformers.BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    model = ModelConfig("text-encoder", encoder=str(folder), max_length=8)
    return Recipe(data=DataConfig(str(tmp_path / "texts.csv")), model=model, epochs=2, batch_size=8)


def without_weights(study):
    """Return a study whose files of weights were deleted."""
    for folder in study.path.glob("runs/*/weights-*"):
        shutil.rmtree(folder)
    return Study.open(study.path)
