"""Each architecture by name."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from reseed._errors import InputError, ModelError
from reseed.data import Dataset, Splits
from reseed.models import MODELS, ModelConfig, architecture, draw_model, parameter_origins, suggested_model


def dataset(inputs, split="train", count=12):
    """A data set of three classes."""
    labels = torch.arange(count) % 3
    return Dataset("toy", split, inputs, labels, tuple(map(str, range(count))), ("a", "b", "c"))


def splits(inputs):
    """The same samples as both splits."""
    return Splits(dataset(inputs), dataset(inputs, "test"))


IMAGES = torch.rand(12, 3, 16, 16, generator=torch.Generator().manual_seed(0))
TEXTS = tuple(f"word{i % 3} and number {i}" for i in range(12))
CASES = {
    "mlp": (ModelConfig("mlp", hidden=(8, 4), dropout=0.1), IMAGES),
    "cnn": (ModelConfig("cnn", width=4, hidden=(8,)), IMAGES),
    "resnet": (ModelConfig("resnet", width=4), IMAGES),
    "small-inception": (ModelConfig("small-inception", crop=8, whiten=True), IMAGES),
    "small-alexnet": (ModelConfig("small-alexnet", crop=7, dropout=0.1), IMAGES),
    "text-tfidf": (ModelConfig("text-tfidf", hidden=(8,), vocabulary=20), TEXTS),
}


def test_every_model_has_a_case():
    """No registered model is left out of these tests (the text encoder has a file of its own)."""
    assert set(CASES) | {"text-encoder"} == set(MODELS)


@pytest.mark.parametrize("name", CASES)
def test_models_give_logits_and_learn_from_every_parameter(name):
    """Prepared inputs give finite logits [sample, class], and every parameter gets a gradient."""
    config, inputs = CASES[name]
    build = architecture(config)
    prepared = build.prepare(splits(inputs), None, print)
    model = draw_model(build, tuple(prepared.train.shape[1:]), 3, word=1)
    logits = model(prepared.train)
    assert logits.shape == (12, 3)
    assert torch.isfinite(logits).all()
    nn.functional.cross_entropy(logits, torch.arange(12) % 3).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert build.is_native


@pytest.mark.parametrize("norm", ["batch", "group", "layer", "none"])
@pytest.mark.parametrize("name", ["cnn", "resnet"])
def test_norm_layers(name, norm):
    """The norm layer is the one asked for, and convolutions have a bias only without one."""
    model = architecture(ModelConfig(name, norm=norm, width=6)).build((1, 16, 16), 3)
    kinds = {type(module) for module in model.modules()}
    expected = {"batch": nn.BatchNorm2d, "group": nn.GroupNorm, "layer": nn.GroupNorm, "none": nn.Identity}
    assert expected[norm] in kinds
    assert all((m.bias is not None) == (norm == "none") for m in model.modules() if isinstance(m, nn.Conv2d))
    assert model(torch.rand(2, 1, 16, 16)).shape == (2, 3)


def test_resnet_depth_counts_its_layers():
    """A resnet of depth d has d - 1 convolutions on its main path and one linear layer."""
    for depth in (8, 14, 20):
        model = architecture(ModelConfig("resnet", depth=depth)).build((3, 32, 32), 10)
        main = [m for m in model.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)]
        assert len(main) == depth - 1


@pytest.mark.parametrize("texts", [TEXTS, tuple(f"今日は{i % 3}時に天気がよい" for i in range(12))])
def test_features_are_made_as_the_preparation_says(texts):
    """Whoever follows the steps with scikit-learn alone gets the model's inputs, of words and of characters."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    found = architecture(ModelConfig("text-tfidf", vocabulary=9)).prepare(splits(texts), None, print)
    told = json.loads(json.dumps(found.preprocessing))
    options = told["options"] | {"ngram_range": tuple(told["options"]["ngram_range"])}
    assert options["analyzer"] == ("word" if texts is TEXTS else "char")
    vectorizer = TfidfVectorizer(**options, vocabulary=told["terms"])
    vectorizer.idf_ = np.array(told["idf"])
    torch.testing.assert_close(torch.from_numpy(vectorizer.transform(texts).toarray()).float(), found.evaluation)


@pytest.mark.parametrize(
    ("inputs", "divisor", "step"),
    [
        (IMAGES, 255, "Divide its values by 255, so that they are in [0, 1]."),
        (IMAGES, None, "Its values are in [0, 1]."),
        (IMAGES[:, :2], None, "Take an image of 16 x 16 pixels as [channel, height, width], with 2 channels."),
        (IMAGES[:, 0, 0], None, "Put the 16 numbers of a sample in the order that they have in the data, as they are"),
    ],
)
def test_the_preparation_says_what_is_done_to_values(inputs, divisor, step):
    """Of images what they were divided by, of features in which order they are."""
    data = replace(dataset(inputs), divisor=divisor)
    found = architecture(ModelConfig("mlp")).prepare(Splits(data, replace(data, split="test")), None, print)
    assert any(told.startswith(step) for told in found.preprocessing["steps"])


def test_tfidf_is_fitted_on_training_texts_only():
    """Words that only evaluation texts hold are not in the vocabulary."""
    build = architecture(ModelConfig("text-tfidf", vocabulary=1000))
    train = dataset(TEXTS)
    seen = build.prepare(Splits(train, dataset(TEXTS, "test")), None, print)
    unseen = build.prepare(Splits(train, dataset(("zebra",) * 12, "test")), None, print)
    assert torch.equal(seen.train, unseen.train)
    assert not unseen.evaluation.any()
    assert torch.equal(seen.evaluation, seen.train)


CHINESE = ("天气怎么样", "明天天气好吗", "放一首音乐", "我想听音乐", "今天天气如何", "来点音乐吧") * 2


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (CHINESE, "have no blanks between words"),
        (tuple(f"你好,{text}" for text in CHINESE[:6]) * 2, "have no blanks between words"),
        (("👍", "😀", "!", "?", "👍👍", "?!") * 2, "share no word with another"),
        (tuple(f"{word}{word}" for word in "abcdefghijkl"), "share no word with another"),
    ],
)
def test_texts_that_share_no_words_are_told_apart_by_characters(texts, why):
    """Where words fail, every text still has terms that the model knows, and a note says of which kind they are."""
    found = architecture(ModelConfig("text-tfidf")).prepare(splits(texts), None, print)
    assert found.evaluation.any(1).all()
    assert found.notes == (
        f"Most training texts {why}, so the terms of text-tfidf are runs of one to three characters.",
    )


@pytest.mark.parametrize("texts", [TEXTS, ("a", "b", "c", "I") * 3, ("今天 天气 怎么样", "明天 天气 好 吗") * 6])
def test_words_stay_the_terms_where_they_work(texts):
    """Vectors are those of words and word pairs, bit for bit, as long as texts share words."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    found = architecture(ModelConfig("text-tfidf", vocabulary=20)).prepare(splits(texts), None, print)
    words = TfidfVectorizer(ngram_range=(1, 2), max_features=20, sublinear_tf=True, token_pattern=r"\w+")  # noqa: S106
    expected = words.fit_transform(texts).toarray().astype("float32")
    assert (found.train.numpy() == expected).all()
    assert (found.evaluation.numpy() == expected).all()
    assert found.notes == ()


def test_texts_without_a_known_term_are_counted():
    """A note says how many texts the model cannot tell apart, in either split."""
    unknown = dataset((*TEXTS[:9], "zebra", "!?", "crossing"), "test")
    found = architecture(ModelConfig("text-tfidf")).prepare(Splits(dataset(TEXTS), unknown), None, print)
    assert found.notes == ("text-tfidf knows no term of 3 of 12 evaluation texts: to the model these are all alike.",)
    train = dataset((*TEXTS[:11], "?!"))
    found = architecture(ModelConfig("text-tfidf")).prepare(Splits(train, unknown), None, print)
    assert "no term of 1 of 12 training texts and 3 of 12 evaluation texts" in found.notes[0]


@pytest.mark.parametrize(
    ("config", "inputs", "message"),
    [
        (ModelConfig("mlp"), TEXTS, "model 'mlp' takes numbers or images, but data set 'toy' holds texts"),
        (ModelConfig("text-tfidf"), IMAGES, "model 'text-tfidf' takes texts, but data set 'toy' holds numbers"),
        (ModelConfig("cnn"), torch.rand(12, 5), r"model 'cnn' takes images .* has inputs of shape \(12, 5\)"),
    ],
)
def test_data_that_does_not_fit_is_refused(config, inputs, message):
    """A model refuses the wrong kind of input and says which models take it."""
    with pytest.raises(ModelError, match=message):
        architecture(config).prepare(splits(inputs), None, print)


def test_too_small_images_are_refused():
    """Two pixels a side cannot be pooled twice."""
    with pytest.raises(ModelError, match="needs images of at least 4 x 4 pixels, got 2 x 2"):
        architecture(ModelConfig("cnn")).build((1, 2, 2), 3)


def test_text_encoder_needs_an_encoder():
    """The model without a default says what to pass."""
    with pytest.raises(ModelError, match="model 'text-encoder' needs an encoder: pass encoder"):
        architecture(ModelConfig("text-encoder"))


@pytest.mark.parametrize(
    ("inputs", "name"),
    [
        (TEXTS, "text-tfidf"),
        (torch.rand(12, 1, 8, 8), "mlp"),
        (torch.rand(12, 1, 28, 28), "cnn"),
        (torch.rand(12, 3, 32, 32), "resnet"),
        (torch.rand(12, 5), "mlp"),
    ],
)
def test_suggested_models(inputs, name):
    """The default model suits the kind of data."""
    assert suggested_model(dataset(inputs)) == name


def test_unknown_model_names_the_nearest():
    """A typo is answered with the known names."""
    with pytest.raises(ModelError, match=r"unknown model 'resnett'. Did you mean 'resnet'\? Known models: mlp, cnn"):
        architecture(ModelConfig("resnett"))


def test_parameter_origins_tell_drawn_from_constant():
    """Weights are re-drawn; batch norm's scale and shift start constant whatever the seed."""
    origins = parameter_origins(architecture(ModelConfig("cnn", width=4, hidden=(8,))), (1, 8, 8), 3)
    assert {"0.weight", "9.weight", "9.bias"} <= set(origins.redrawn)
    assert {"1.weight", "1.bias"} <= set(origins.constant)
    assert origins.shared == ()
    model = architecture(ModelConfig("cnn", width=4, hidden=(8,))).build((1, 8, 8), 3)
    total = sum(parameter.numel() for parameter in model.parameters())
    assert origins.redrawn_count + origins.constant_count == total


def test_init_scale_multiplies_drawn_matrices_only():
    """Scaling touches weights of two or more axes that the seed draws, nothing else."""
    plain = draw_model(architecture(ModelConfig("cnn", width=4)), (1, 8, 8), 3, word=5)
    scaled = draw_model(architecture(ModelConfig("cnn", width=4, init_scale=0.3)), (1, 8, 8), 3, word=5)
    others = dict(scaled.named_parameters())
    for name, parameter in plain.named_parameters():
        factor = 0.3 if parameter.ndim >= 2 else 1.0
        assert torch.equal(parameter * factor, others[name]), name


@pytest.mark.parametrize("name", CASES)
def test_raw_samples_become_inputs_as_they_were_prepared(name):
    """The transformation of a split's raw samples is that split's inputs, bit for bit, whatever they are asked with."""
    config, inputs = CASES[name]
    data = splits(inputs if isinstance(inputs, torch.Tensor) else (*inputs[3:], "zebra", "word1", "and number"))
    prepared = architecture(config).prepare(Splits(dataset(inputs), data.evaluation), None, print)
    for part, own in ((data.evaluation.inputs, prepared.evaluation), (inputs, prepared.train)):
        assert torch.equal(prepared.transform(part), own)
        assert torch.equal(prepared.transform(part[2:3]), own[2:3])
        assert torch.equal(prepared.transform(part[:0]), own[:0])


def test_raw_features_stay_differentiable():
    """Of features the transformation is the tensor itself."""
    features = torch.rand(12, 5)
    prepared = architecture(ModelConfig("mlp")).prepare(splits(features), None, print)
    changed = features.clone().requires_grad_()
    assert prepared.transform(changed) is changed


@pytest.mark.parametrize(
    ("name", "raw", "message"),
    [
        ("mlp", ["a"], r"raw samples must be a tensor \[sample, 3, 16, 16\], got \['a'\]"),
        (
            "cnn",
            IMAGES[:, :1],
            r"numbers \[sample, 3, 16, 16\], as the training split's are; got float32\[12, 1, 16, 16",
        ),
        ("cnn", IMAGES.byte(), r"raw samples must be floating-point numbers .* got uint8\[12, 3, 16, 16\]"),
        ("text-tfidf", IMAGES, r"raw samples must be texts, one for each sample, got float32\[12, 3, 16, 16\]"),
        ("text-tfidf", "one text", "raw samples must be texts, one for each sample, got 'one text'"),
        ("text-tfidf", ["a", 3], r"raw samples must be texts, one for each sample, got \['a', 3\]"),
    ],
)
def test_raw_samples_of_another_kind_are_refused(name, raw, message):
    """The message says what the model takes, and shows what came."""
    config, inputs = CASES[name]
    prepared = architecture(config).prepare(splits(inputs), None, print)
    with pytest.raises(InputError, match=message):
        prepared.transform(raw)
