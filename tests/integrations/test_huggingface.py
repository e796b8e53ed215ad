"""`InstabilityCallback` in trainings by `transformers.Trainer`, with a tiny network of random weights."""

import numpy as np
import pytest
import torch

from reseed import InputError, Study, StudyError

pytestmark = pytest.mark.text
transformers = pytest.importorskip("transformers", reason="needs the extra `trainer`: pip install 'reseed[trainer]'")
pytest.importorskip("accelerate", reason="needs the extra `trainer`: pip install 'reseed[trainer]'")

from reseed.integrations.huggingface import InstabilityCallback  # noqa: E402  # needs transformers

RANDOM = np.random.default_rng(0)


def _rows(count):
    words = RANDOM.integers(2, 30, size=(count, 6))
    return [
        {"input_ids": row.tolist(), "attention_mask": [1] * 6, "labels": int(row[0] > 15), "text": "ignored"}
        for row in words
    ]


TRAIN, EVAL = _rows(32), _rows(20)


class Stop(transformers.TrainerCallback):
    """Breaks a training off at a step, as a killed process does."""

    def __init__(self, step):
        self.step = step

    def on_step_begin(self, args, state, control, **kwargs):
        """Raise once the step is reached."""
        if state.global_step == self.step:
            raise KeyboardInterrupt


def trainer(folder, callbacks=(), seed=0, **options):
    """A trainer of a tiny DistilBERT with dropout: 4 steps an epoch, 3 epochs."""
    transformers.set_seed(seed)
    config = transformers.DistilBertConfig(
        vocab_size=30, dim=16, hidden_dim=32, n_layers=1, n_heads=2, max_position_embeddings=8, dropout=0.3
    )
    options = {
        "num_train_epochs": 3,
        "per_device_train_batch_size": 8,
        "learning_rate": 0.01,
        "save_strategy": "no",
        "report_to": [],
        "disable_tqdm": True,
        "use_cpu": True,
        "dataloader_pin_memory": False,
    } | options
    arguments = transformers.TrainingArguments(output_dir=str(folder), seed=seed, **options)
    return transformers.Trainer(
        model=transformers.DistilBertForSequenceClassification(config),
        args=arguments,
        train_dataset=TRAIN,
        callbacks=list(callbacks),
    )


def callback(out, run=0, **options):
    """A callback that records all probabilities of the evaluation rows."""
    return InstabilityCallback(out, **{"run": run, "runs": 2, "data": EVAL, "level": "full", "batch_size": 7} | options)


def probabilities(model):
    """What the model says of the evaluation rows in one batch, [sample, class]."""
    model.eval()
    inputs = torch.tensor([row["input_ids"] for row in EVAL])
    with torch.no_grad():
        return model(input_ids=inputs, attention_mask=torch.ones_like(inputs)).logits.softmax(1).numpy()


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({}, (4, 8, 12)),
        ({"every": 5}, (5, 10, 12)),
        ({"every": "final"}, (12,)),
    ],
)
def test_trainings_become_a_study(tmp_path, options, steps):
    """Two trainings are two runs whose last checkpoint is what the trained models say."""
    final = []
    for run in (0, 1):
        ours = trainer(tmp_path / "out", [callback(tmp_path / "study", run, **options)], seed=run)
        ours.train()
        final.append(probabilities(ours.model))
    study = Study.open(tmp_path / "study")
    assert [manifest.steps for manifest in study.manifests] == [steps, steps]
    assert [manifest.seeds["fit"] for manifest in study.manifests] == [0, 1]
    np.testing.assert_allclose(study.final("probabilities"), final, atol=1e-6)
    assert study.targets.tolist() == [row["labels"] for row in EVAL]


@pytest.mark.parametrize("options", [{}, {"gradient_accumulation_steps": 2}])
def test_the_training_is_bit_for_bit_the_unrecorded_one(tmp_path, options):
    """With dropout, shuffling and a collation that draws, recording at every step changes no bit of the weights."""

    def collate(rows):
        torch.rand(3)
        return transformers.default_data_collator(rows)

    recorded = trainer(tmp_path / "a", [callback(tmp_path / "study", every=1, collate=collate)], **options)
    recorded.train()
    assert recorded.model.training
    plain = trainer(tmp_path / "b", **options)
    plain.train()
    assert recorded.state.global_step == plain.state.global_step == (6 if options else 12)
    assert Study.open(tmp_path / "study").manifests[0].steps == tuple(range(1, recorded.state.global_step + 1))
    for one, other in zip(recorded.model.parameters(), plain.model.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")  # of loading checkpoints, not ours
def test_a_resumed_training_records_what_an_uninterrupted_one_does(tmp_path):
    """Cut off at step 7 and resumed from the checkpoint at step 5, the run equals one that was not."""
    saving = {"save_strategy": "steps", "save_steps": 5}
    trainer(tmp_path / "a", [callback(tmp_path / "whole", every=2)], **saving).train()
    with pytest.raises(KeyboardInterrupt):
        trainer(tmp_path / "b", [callback(tmp_path / "cut", every=2), Stop(7)], **saving).train()
    assert Study.open(tmp_path / "cut").missing == (0, 1)
    resumed = trainer(tmp_path / "b", [callback(tmp_path / "cut", every=2)], **saving)
    resumed.train(resume_from_checkpoint=str(tmp_path / "b" / "checkpoint-5"))
    whole, cut = Study.open(tmp_path / "whole"), Study.open(tmp_path / "cut")
    assert whole.manifests[0].steps == cut.manifests[0].steps == (2, 4, 6, 8, 10, 12)
    np.testing.assert_array_equal(whole.recorded("probabilities"), cut.recorded("probabilities"))
    assert len(list((tmp_path / "cut").rglob("predictions-*"))) == 1


def test_a_training_that_begins_anew_records_anew(tmp_path):
    """After an interruption without a checkpoint nothing of the first attempt is in the run."""
    with pytest.raises(KeyboardInterrupt):
        trainer(tmp_path / "a", [callback(tmp_path / "study"), Stop(5)]).train()
    trainer(tmp_path / "a", [callback(tmp_path / "study")]).train()
    assert Study.open(tmp_path / "study").manifests[0].steps == (4, 8, 12)
    with pytest.raises(StudyError, match=r"run 0 of the study .* is finished"):
        trainer(tmp_path / "a", [callback(tmp_path / "study")]).train()


def test_class_names_come_from_the_data(tmp_path):
    """A data set of `datasets` brings the names of its classes, and its columns are read by row."""
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        {
            "input_ids": datasets.List(datasets.Value("int64")),
            "attention_mask": datasets.List(datasets.Value("int64")),
            "label": datasets.ClassLabel(names=["small", "large"]),
        }
    )
    rows = [{"label": row["labels"], **{name: row[name] for name in ("input_ids", "attention_mask")}} for row in EVAL]
    data = datasets.Dataset.from_list(rows, features=features)
    ours = trainer(tmp_path / "a", [callback(tmp_path / "study", data=data)])
    ours.train()
    study = Study.open(tmp_path / "study")
    assert study.header.class_names == ("small", "large")
    np.testing.assert_allclose(study.final("probabilities")[0], probabilities(ours.model), atol=1e-6)


@pytest.mark.parametrize("mark", [-1, -100])
def test_rows_without_a_label_are_unknown(tmp_path, mark):
    """Rows whose label says that none is known count for stability and not for accuracy, and a note says so."""
    rows = [row | {"labels": mark if place < 5 else row["labels"]} for place, row in enumerate(EVAL)]
    ours = trainer(tmp_path / "a", [callback(tmp_path / "study", data=rows, class_names=["small", "large"])])
    ours.train()
    study = Study.open(tmp_path / "study")
    assert study.targets.tolist() == [-1] * 5 + [row["labels"] for row in EVAL[5:]]
    assert study.manifests[0].accuracy == pytest.approx((study.final()[0] == study.targets)[5:].mean())
    assert f"5 of 20 gold labels are {mark}" in study.header.notes[-1]


def test_mistakes_are_found_before_the_training(tmp_path):
    """Bad arguments are refused when the callback is made, and nothing is written."""
    with pytest.raises(InputError, match="data must be rows that are mappings with the targets under 'labels'"):
        callback(tmp_path / "study", data=[{"input_ids": [1]}])
    with pytest.raises(InputError, match="every must be 'epoch', 'final' or a number of steps, got 'step'"):
        callback(tmp_path / "study", every="step")
    with pytest.raises(InputError, match="runs must be 1 or more, got 0"):
        callback(tmp_path / "study", runs=0)
    assert not list(tmp_path.iterdir())
