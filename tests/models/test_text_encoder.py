"""The text encoder, on a tiny randomly initialised one that is saved to a folder."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from reseed._errors import InputError, MissingExtraError, ModelError
from reseed.data import Dataset, Splits
from reseed.models import (
    ModelConfig,
    Networks,
    architecture,
    check_continuous,
    draw_model,
    embedding_network,
    is_token_ids,
    parameter_origins,
)
from reseed.perturbations import pgd

pytestmark = pytest.mark.text
transformers = pytest.importorskip("transformers", reason="needs the extra `text`: pip install 'reseed[text]'")

TEXTS = ("book a table", "play some music please", "what is the weather", "table for two", "music", "weather now")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A folder with a two-layer BERT of width 16 and its tokenizer."""
    folder = tmp_path_factory.mktemp("encoder")
    words = sorted({word for text in TEXTS for word in text.split()})
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]))
    tokenizer = transformers.BertTokenizerFast(str(folder / "vocab.txt"))
    config = transformers.BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformers.BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture
def splits():
    """Six texts of three classes, as both splits."""
    labels = torch.arange(6) % 3
    return Splits(
        Dataset("toy", "train", TEXTS, labels, tuple("abcdef"), ("x", "y", "z")),
        Dataset("toy", "test", TEXTS[::-1], labels, tuple("abcdef"), ("x", "y", "z")),
    )


def reference_features(folder):
    """Mean hidden state of each text alone, without padding."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    rows = []
    for text in TEXTS:
        with torch.no_grad():
            rows.append(model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(0))
    return torch.stack(rows)


def test_frozen_features_are_means_over_tokens(encoder, splits, tmp_path):
    """Features equal each text's own mean hidden state: padding and batching leave no trace."""
    build = architecture(ModelConfig("text-encoder", encoder=encoder, max_length=16))
    prepared = build.prepare(splits, tmp_path, lambda _: None)
    torch.testing.assert_close(prepared.train, reference_features(encoder), atol=1e-5, rtol=1e-4)
    assert build.is_native


@pytest.mark.parametrize("fine_tune", [False, True])
def test_inputs_are_made_as_the_preparation_says(encoder, splits, fine_tune):
    """Whoever follows the steps with transformers alone gets the model's inputs."""
    build = architecture(ModelConfig("text-encoder", encoder=encoder, max_length=4, fine_tune=fine_tune))
    prepared = build.prepare(splits, None, lambda _: None)
    told = prepared.preprocessing
    assert (told["encoder"], told["max_length"], told["padding_id"]) == (encoder, 4, 0)
    tokenizer = transformers.AutoTokenizer.from_pretrained(told["encoder"])
    ids = [tokenizer(text, truncation=True, max_length=told["max_length"])["input_ids"] for text in TEXTS]
    assert max(map(len, ids)) == 4
    ids = torch.tensor([row + [told["padding_id"]] * (4 - len(row)) for row in ids])
    if fine_tune:
        assert len(told["steps"]) == 1
        assert torch.equal(prepared.train, ids)
        return
    mask = ids != told["padding_id"]
    with torch.no_grad():
        hidden = transformers.AutoModel.from_pretrained(encoder).eval()(ids, mask.long()).last_hidden_state
    means = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    torch.testing.assert_close(prepared.train, means, atol=1e-5, rtol=1e-4)


def test_features_are_computed_once(encoder, splits, tmp_path):
    """The second split has the same texts and the second call the same splits: nothing is computed, or announced."""
    build = architecture(ModelConfig("text-encoder", encoder=encoder, max_length=16))
    said = []
    first = build.prepare(splits, tmp_path, said.append)
    assert len(said) == 1
    assert "features of 6 texts (train), once" in said[0]
    again = build.prepare(splits, tmp_path, said.append)
    assert len(said) == 1
    assert torch.equal(first.train, again.train)
    assert torch.equal(first.evaluation, first.train.flip(0))
    assert all(np.load(path, allow_pickle=False).shape == (6, 16) for path in tmp_path.glob("features-*.npy"))


def test_fine_tuning_starts_from_shared_weights(encoder, splits):
    """End to end, the encoder's weights are shared and the head's are re-drawn; gradients reach the embeddings."""
    config = ModelConfig("text-encoder", encoder=encoder, max_length=16, fine_tune=True, hidden=())
    build = architecture(config)
    prepared = build.prepare(splits, None, lambda _: None)
    shape = tuple(prepared.train.shape[1:])
    origins = parameter_origins(build, shape, 3)
    assert all(name.startswith("model.head.") for name in origins.redrawn)
    assert any(name.startswith("model.encoder.encoder.layer.0") for name in origins.shared)
    model = draw_model(build, shape, 3, word=1).eval()
    torch.testing.assert_close(
        model(prepared.train), model.model.head(reference_features(encoder)), atol=1e-5, rtol=1e-4
    )
    model(prepared.train).sum().backward()
    assert model.model.encoder.embeddings.word_embeddings.weight.grad.abs().sum() > 0
    assert not build.is_native


def test_padding_changes_nothing_but_is_cut(encoder, splits):
    """More padding gives the same logits bit for bit, and the masks of transformers are built as before afterwards."""
    from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS

    config = ModelConfig("text-encoder", encoder=encoder, max_length=16, fine_tune=True, hidden=())
    build = architecture(config)
    token_ids = build.prepare(splits, None, lambda _: None).train
    before = dict(ALL_MASK_ATTENTION_FUNCTIONS)
    model = draw_model(build, (16,), 3, word=1).eval()
    assert torch.equal(model(token_ids), model(torch.nn.functional.pad(token_ids, (0, 4), value=model.padding_id)))
    assert dict(ALL_MASK_ATTENTION_FUNCTIONS) == before


@pytest.mark.parametrize("fine_tune", [False, True])
def test_raw_texts_become_inputs_as_they_were_prepared(encoder, splits, tmp_path, fine_tune):
    """The transformation of a split's texts is that split's inputs, bit for bit, computed or read from the cache."""
    build = architecture(ModelConfig("text-encoder", encoder=encoder, max_length=16, fine_tune=fine_tune))
    for _ in range(2):
        prepared = build.prepare(splits, tmp_path, lambda _: None)
        assert torch.equal(prepared.transform(TEXTS), prepared.train)
        assert torch.equal(prepared.transform(TEXTS[::-1]), prepared.evaluation)
        assert prepared.transform([]).shape == (0, *prepared.train.shape[1:])
        assert prepared.transform(["music for two"]).dtype == prepared.train.dtype
        with pytest.raises(InputError, match=r"raw samples must be texts, one for each sample, got 'music'"):
            prepared.transform("music")
    assert is_token_ids(prepared.preprocessing) == fine_tune


def test_transforming_loads_an_encoder_only_when_it_is_asked(encoder, splits, tmp_path):
    """Where features are kept nothing of the encoder's weights is read, until other texts come."""
    folder = shutil.copytree(encoder, tmp_path / "copy")
    build = architecture(ModelConfig("text-encoder", encoder=str(folder), max_length=16))
    build.prepare(splits, tmp_path, lambda _: None)
    (folder / "model.safetensors").unlink()
    prepared = build.prepare(splits, tmp_path, lambda _: None)
    with pytest.raises(ModelError, match="cannot load the encoder"):
        prepared.transform(["music for two"])


@pytest.fixture
def tuned(encoder, splits):
    """Three fine-tuned networks with heads of their own, and token ids."""
    build = architecture(ModelConfig("text-encoder", encoder=encoder, max_length=16, fine_tune=True, hidden=(8,)))
    token_ids = build.prepare(splits, None, lambda _: None).train
    return [draw_model(build, (16,), 3, word=word).eval() for word in range(3)], token_ids


def test_embeddings_answer_as_their_token_ids(tuned):
    """Logits of the embeddings are those of the token ids, of one network and of several that are asked together."""
    networks, token_ids = tuned
    with torch.no_grad():  # as if each had learned its own
        for number, network in enumerate(networks):
            network.model.encoder.embeddings.word_embeddings.weight.mul_(1 + number)
    pairs = [embedding_network(network) for network in networks]
    embeddings = torch.stack([embed(token_ids) for embed, _ in pairs])
    assert embeddings.shape == (3, 6, 16, 16)
    expected = torch.stack([network(token_ids) for network in networks])
    for number, (_, network) in enumerate(pairs):
        torch.testing.assert_close(network(embeddings[number]), expected[number], atol=1e-6, rtol=1e-5)
        cut = embeddings[number, :, :6]  # what is cut off is padding alone
        torch.testing.assert_close(network(cut), expected[number], atol=1e-6, rtol=1e-5)
    together = Networks([network for _, network in pairs])
    torch.testing.assert_close(together(embeddings, own=True), expected, atol=1e-6, rtol=1e-5)


def test_gradients_reach_tokens_and_no_padding(tuned):
    """Every token's embedding moves the answer, and padding's does not, whatever is added to it."""
    (network, *_), token_ids = tuned
    embed, asked = embedding_network(network)
    embeddings = embed(token_ids).requires_grad_()
    assert embeddings.is_leaf
    logits = asked(embeddings)
    logits[:, 0].sum().backward()
    is_padding = token_ids == network.padding_id
    assert torch.equal(embeddings.grad.abs().sum(-1) > 0, ~is_padding)
    noise = embeddings.detach().std() * torch.randn(embeddings.shape, generator=torch.Generator().manual_seed(0))
    noisy = embeddings.detach() + noise
    assert torch.equal(asked.is_padding(noisy), is_padding)
    assert torch.equal(asked(torch.where(is_padding[..., None], noisy, embeddings)), logits)
    assert not torch.allclose(asked(noisy), logits)


def test_embeddings_are_attacked(tuned):
    """Projected gradient descent with a random start changes answers in embedding space, within its budget."""
    (network, *_), token_ids = tuned
    embed, asked = embedding_network(network)
    embeddings = embed(token_ids)
    targets = asked(embeddings).argmax(-1)
    found = pgd(asked, embeddings, targets, epsilon=0.1, bounds=None, steps=20, restarts=2)
    assert not found.was_wrong.any()
    assert found.success.any()
    assert torch.equal(asked(found.inputs).argmax(-1) != targets, found.success)
    assert (found.inputs - embeddings).abs().max() <= 0.1 * (1 + 1e-6)
    assert torch.equal(asked.is_padding(found.inputs), token_ids == network.padding_id)


def test_other_networks_have_no_embeddings():
    """A network of numbers is attacked as it is, which the message says."""
    with pytest.raises(ModelError, match=r"Linear is no fine-tuned text-encoder.* which are attacked as they are"):
        embedding_network(torch.nn.Linear(2, 2))


def test_token_ids_are_refused_where_inputs_are_changed_a_little(tuned):
    """The message says what can be changed instead, of token ids and of other whole numbers."""
    token_ids = tuned[1]
    with pytest.raises(
        InputError, match=r"inputs are token ids \(int64\[6, 16\]\).*embedding_network.*substitute_words"
    ):
        check_continuous(token_ids, {"kind": "token ids"})
    with pytest.raises(InputError, match=r"must be floating-point numbers.* got int64\[6, 16\].*embedding_network"):
        check_continuous(token_ids)
    check_continuous(torch.rand(2, 3), {"kind": "features"})


def test_missing_encoder_is_named(splits, monkeypatch):
    """A folder that is not there is an error about the encoder."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    build = architecture(ModelConfig("text-encoder", encoder="./no-such-folder"))
    with pytest.raises(ModelError, match=r"cannot load the encoder './no-such-folder'.*Pass a hub name or a local"):
        build.prepare(splits, None, print)


def test_code_of_an_encoder_is_not_run(encoder, splits, tmp_path):
    """An encoder that comes with code of its own is refused, without a question and without running any of it."""
    folder = Path(shutil.copytree(encoder, tmp_path / "strange"))
    (folder / "wicked.py").write_text(f"import pathlib\n\npathlib.Path({str(tmp_path / 'run')!r}).touch()\n")
    for name, key in (("config", "AutoConfig"), ("config", "AutoModel"), ("tokenizer_config", "AutoTokenizer")):
        path = folder / f"{name}.json"
        tree = json.loads(path.read_text())
        tree["auto_map"] = tree.get("auto_map", {}) | {key: "wicked.Wicked"}
        path.write_text(json.dumps(tree | {"model_type": "wicked", "tokenizer_class": "Wicked"}))
    with pytest.raises(ModelError, match="cannot load the encoder"):
        architecture(ModelConfig("text-encoder", encoder=str(folder))).prepare(splits, None, lambda _: None)
    assert not (tmp_path / "run").exists()


def test_missing_extra_is_named(splits, monkeypatch):
    """Without transformers the error names the extra to install."""
    monkeypatch.setitem(sys.modules, "transformers", None)
    build = architecture(ModelConfig("text-encoder", encoder="any"))
    with pytest.raises(MissingExtraError, match=r"needs the package transformers; .* pip install 'reseed\[text\]'"):
        build.prepare(splits, None, print)
