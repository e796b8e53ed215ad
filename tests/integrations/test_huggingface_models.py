"""`InstabilityCallback` of `transformers.Trainer` with the models, rows and collations that people bring."""

import numpy as np
import pytest
import torch
from torch import nn

from reseed import InputError, Study
from reseed.integrations import _recorder

pytestmark = pytest.mark.text
transformers = pytest.importorskip("transformers", reason="needs the extra `trainer`: pip install 'reseed[trainer]'")
pytest.importorskip("accelerate", reason="needs the extra `trainer`: pip install 'reseed[trainer]'")

from reseed.integrations.huggingface import InstabilityCallback  # noqa: E402  # needs transformers

X = np.random.default_rng(0).normal(size=(24, 4)).astype(np.float32)
Y = [int(row[0] > 0) for row in X]
ROWS = [{"x": row.tolist(), "labels": label, "note": "a text"} for row, label in zip(X, Y, strict=True)]


class Tiny(nn.Module):
    """Two classes from four numbers, with dropout and batch normalisation; gives mappings."""

    accepts_loss_kwargs = False

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 2))

    def logits(self, x):
        """Logits [sample, class]."""
        return self.net(x)

    def forward(self, x=None, labels=None):
        """The logits, and the loss where there are targets."""
        logits = self.logits(x)
        return {"logits": logits} | (
            {} if labels is None else {"loss": nn.functional.cross_entropy(logits, labels.long())}
        )


class Tuples(Tiny):
    """Gives tuples, as `return_dict=False` does."""

    def forward(self, x=None, labels=None):
        """The loss, if there is one, the logits, and hidden states."""
        found = super().forward(x, labels)
        return (*([found["loss"]] if labels is not None else []), found["logits"], (x, x))


class NeedsLabels(Tiny):
    """Always computes the loss."""

    def forward(self, x, labels):
        """Loss and logits."""
        return super().forward(x, labels)


class Keywords(Tiny):
    """Takes anything by name, and needs labels."""

    def forward(self, **kwargs):
        """Loss and logits."""
        assert "note" not in kwargs
        return super().forward(kwargs["x"], kwargs["labels"])


class OtherName(Tiny):
    """Calls its targets otherwise."""

    def forward(self, x=None, gold=None):
        """Loss and logits."""
        return super().forward(x, gold)


def train(
    model, folder, data=ROWS, train_data=ROWS, *, collator=None, arguments=None, processing_class=None, **options
):
    """Train for two steps with a callback, unless `data` is None, and return the trainer."""
    arguments = transformers.TrainingArguments(
        str(folder / "out"),
        **{
            "max_steps": 2,
            "per_device_train_batch_size": 8,
            "learning_rate": 0.1,
            "save_strategy": "no",
            "report_to": [],
            "disable_tqdm": True,
            "use_cpu": True,
            "dataloader_pin_memory": False,
        }
        | (arguments or {}),
    )
    options = {"run": 0, "runs": 2, "data": data, "level": "full", "batch_size": 7, "on_error": "raise"} | options
    ours = transformers.Trainer(
        model,
        arguments,
        train_dataset=train_data,
        data_collator=collator,
        processing_class=processing_class,
        callbacks=[] if data is None else [InstabilityCallback(folder / "study", **options)],
    )
    ours.train()
    return ours


def made(model_class=Tiny):
    """A model of one seed."""
    transformers.set_seed(0)
    return model_class()


def recorded(folder):
    """The probabilities at the last checkpoint, [sample, class]."""
    return Study.open(folder / "study").final("probabilities")[0]


def said(model):
    """What a trained model says of the samples, [sample, class]."""
    with torch.no_grad():
        return model.eval().logits(torch.from_numpy(X)).softmax(1).numpy()


def stack(rows):
    """A collation as people write it, which needs the targets."""
    return {
        "x": torch.stack([torch.as_tensor(row["x"]) for row in rows]),
        "labels": torch.tensor([row["labels"] for row in rows]),
    }


def pairs(rows):
    """A collation of rows that are tuples."""
    return {"x": torch.stack([row[0] for row in rows]), "labels": torch.tensor([row[1] for row in rows])}


PAIRS = [(torch.from_numpy(row), label) for row, label in zip(X, Y, strict=True)]
GOLD = [{"x": row["x"], "gold": row["labels"]} for row in ROWS]
KEEPS = {"remove_unused_columns": False}


@pytest.mark.parametrize(
    ("model_class", "data", "options"),
    [
        (Tiny, ROWS, {}),
        (Tuples, ROWS, {}),
        (NeedsLabels, ROWS, {}),
        (Keywords, ROWS, {"arguments": KEEPS}),
        (Tiny, ROWS, {"collator": stack}),
        (Tiny, ROWS, {"collator": stack, "arguments": KEEPS}),
        (NeedsLabels, ROWS, {"collator": stack}),
        (Tiny, PAIRS, {"collator": pairs, "arguments": KEEPS, "targets": Y}),
        (OtherName, GOLD, {"targets": "gold", "arguments": {"label_names": ["gold"]}}),
        (Tiny, ROWS, {"arguments": {"bf16": True}}),
        (Tiny, ROWS, {"predict": lambda model, batch: model.logits(batch["x"])}),
        (Tiny, ROWS, {"collate": lambda rows: {"x": torch.tensor([row.pop("x") for row in rows])}}),
    ],
)
def test_models_and_rows_of_many_kinds(tmp_path, model_class, data, options):
    """What the trainer can train is recorded: the last checkpoint is what the trained model says."""
    atol = 0.02 if options.get("arguments") == {"bf16": True} else 1e-6
    ours = train(made(model_class), tmp_path, data, data, **options)
    np.testing.assert_allclose(recorded(tmp_path), said(ours.model), atol=atol)


@pytest.mark.parametrize("model_class", [Tiny, NeedsLabels])
def test_weights_and_statistics_are_those_of_the_unrecorded_training(tmp_path, model_class):
    """With dropout and batch normalisation, however often the model is asked, no bit is another."""
    ours = train(made(model_class), tmp_path, every=1).model.state_dict()
    plain = train(made(model_class), tmp_path, None).model.state_dict()
    assert all(torch.equal(ours[name], plain[name]) for name in plain)


class Wrapped(Tiny):
    """Says, as models with adapters do, which model is within."""

    def __init__(self):
        super().__init__()
        self.base = Tiny()
        self.net = None

    def get_base_model(self):
        """The model within."""
        return self.base

    def logits(self, x):
        """Logits of the model within."""
        return self.base.logits(x)

    def forward(self, *args, **kwargs):
        """What the model within gives."""
        return self.base(*args, **kwargs)


@pytest.mark.parametrize(
    "wrapped", [lambda: torch.compile(made(), backend="eager"), lambda: nn.DataParallel(made()), lambda: made(Wrapped)]
)
def test_wrapped_models(tmp_path, wrapped):
    """Of a model that is compiled, split over devices or has adapters, the one within says which columns it takes."""
    ours = train(
        wrapped(), tmp_path, ROWS, [{name: row[name] for name in ("x", "labels")} for row in ROWS], arguments=KEEPS
    )
    inner = getattr(ours.model, "_orig_mod", getattr(ours.model, "module", ours.model))
    np.testing.assert_allclose(recorded(tmp_path), said(inner), atol=1e-6)


def test_an_image_processor_pads_nothing(tmp_path):
    """A `processing_class` that is no tokenizer leaves rows to the trainer's own collation."""
    rows = [{"pixel_values": image.reshape(1, 2, 2), "labels": label} for image, label in PAIRS]

    class Image(Tiny):
        """Takes images."""

        def forward(self, pixel_values=None, labels=None):
            """Loss and logits."""
            return super().forward(pixel_values.flatten(1), labels)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transformers.utils.logging.get_logger("transformers"), "disabled", True)
        processor = transformers.ViTImageProcessor(size={"height": 2, "width": 2})
    ours = train(made(Image), tmp_path, rows, rows, processing_class=processor)
    np.testing.assert_allclose(recorded(tmp_path), said(ours.model), atol=1e-6)


def test_labels_behind_transforms_and_formats(tmp_path):
    """Targets are found where a function makes them, where a format makes tensors, and where one hides the column."""
    datasets = pytest.importorskip("datasets")
    names = datasets.Features(
        {"x": datasets.List(datasets.Value("float32")), "label": datasets.ClassLabel(names=["low", "high"])}
    )
    data = datasets.Dataset.from_dict({"x": X, "label": Y}, features=names)

    def renamed(batch):
        return {"x": batch["x"], "labels": batch["label"]}

    def turned(batch):
        return {"x": batch["x"], "labels": [1 - label for label in batch["label"]]}

    for count, (given, targets, classes) in enumerate(
        [
            (data.with_transform(renamed), Y, ("low", "high")),
            (data.with_transform(turned), [1 - label for label in Y], ("0", "1")),
            (data.with_format("torch"), Y, ("low", "high")),
            (data.with_format("torch", columns=["x"]), Y, ("low", "high")),
        ]
    ):
        folder = tmp_path / str(count)
        train(made(), folder, given, ROWS, arguments={"max_steps": 1})
        study = Study.open(folder / "study")
        assert study.targets.tolist() == targets
        assert study.header.class_names == classes


@pytest.mark.parametrize("unknown", [-1, -100])
@pytest.mark.parametrize("cast", [list, np.asarray, torch.tensor])
def test_unknown_targets_reach_the_study_as_they_are(monkeypatch, unknown, cast):
    """Targets of -1 or -100 beside others, and columns of one, are left to the reader of evaluation data."""
    seen = []

    def read(data, argument, **options):
        seen.append(list(data[1]))
        raise InputError("seen")

    monkeypatch.setattr(_recorder, "evaluation_data", read)
    labels = cast([0, 1, unknown])
    for given in (
        {"data": [{"x": [0.0], "labels": label} for label in labels]},
        {"data": [{"x": [0.0], "labels": [label]} for label in labels]},
        {"data": [[0.0]] * 3, "targets": labels},
    ):
        with pytest.raises(InputError, match="seen"):
            InstabilityCallback("unused", run=0, runs=2, **given)
    assert seen == [[0, 1, unknown], [[0], [1], [unknown]], [0, 1, unknown]]


def stream():
    """Rows, one after another."""
    yield from ROWS


class Stream(torch.utils.data.IterableDataset):
    """A data set without rows."""

    def __iter__(self):
        return stream()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (stream(), "data must have a length and be indexed by row, got generator; make a list of a stream's rows"),
        (Stream(), "must have a length and be indexed by row, got Stream"),
        ([], "data has no rows: list of length 0"),
        ({"test": ROWS}, "indexed by row, but the first row of dict raised KeyError: 0"),
        (
            PAIRS,
            "data must be rows that are mappings with the targets under 'labels' or 'label', got list .* targets= t",
        ),
        (GOLD, "targets= takes the name of another column, or the targets themselves"),
    ],
)
def test_data_without_rows_or_targets_is_refused(data, message):
    """Streams, whole dictionaries of splits and rows without targets are refused when the callback is made."""
    with pytest.raises(InputError, match=message):
        InstabilityCallback("unused", run=0, runs=2, data=data)


class Leaks(NeedsLabels):
    """Shows the targets in its answers."""

    def forward(self, x, labels):
        """Loss and logits."""
        found = super().forward(x, labels)
        return found | {"logits": found["logits"] + nn.functional.one_hot(labels.long(), 2)}


class Tokens(Tiny):
    """Answers for several tokens."""

    def forward(self, x=None, labels=None):
        """Loss and logits."""
        found = super().forward(x, labels)
        return found | {"logits": found["logits"][:, None].expand(-1, 3, -1)}


class Hidden(Tiny):
    """Gives hidden states alone."""

    def forward(self, x=None, labels=None):
        """Loss and states."""
        found = super().forward(x, labels)
        return {name: found[name] for name in found if name != "logits"} | {"last_hidden_state": found["logits"]}


class Single(Tiny):
    """Has one output, as heads of regressions have."""

    def forward(self, x=None, labels=None):
        """Loss and logits."""
        found = super().forward(x, labels)
        return found | {"logits": found["logits"][:, :1]}


class MultiLabel(Tiny):
    """Says that several classes may be right."""

    config = transformers.PretrainedConfig(problem_type="multi_label_classification")


@pytest.mark.parametrize(
    ("model_class", "message"),
    [
        (Leaks, "Leaks answers otherwise when the targets in its batch are other ones; pass predict"),
        (Tokens, r"got \(7, 3, 2\); answers for tokens, pixels or sequences must become one for each sample"),
        (Hidden, "the model gives last_hidden_state, and no 'logits'"),
        (Single, "have 1 columns for the 2 classes"),
        (MultiLabel, "the model's problem_type is 'multi_label_classification', whose answers are not one class"),
    ],
)
def test_models_that_cannot_be_recorded_are_refused_before_the_first_step(tmp_path, model_class, message):
    """Heads that choose no class for each sample, and answers that show the targets, cost no step."""
    model = made(model_class)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(InputError, match=message):
        train(model, tmp_path, on_error="report")
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not (tmp_path / "study").exists()
