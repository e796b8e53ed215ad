"""Both callbacks keep weights, from which `Study.networks` builds what the trainers trained."""

import sys
import warnings

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from reseed import InputError, Study, StudyError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what lightning imports
    lightning = pytest.importorskip("lightning.pytorch", reason="needs the extra `lightning`")
    transformers = pytest.importorskip("transformers", reason="needs the extra `trainer`")
    pytest.importorskip("accelerate", reason="needs the extra `trainer`")
    from reseed.integrations import huggingface
    from reseed.integrations import lightning as reseed_lightning

pytestmark = [pytest.mark.text, pytest.mark.filterwarnings("ignore")]  # advice and deprecations of both

BY_LIGHTNING = """
import torch
from lightning.pytorch import LightningModule
from torch import nn


class Network(LightningModule):
    def __init__(self, inputs, classes):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, classes))

    def forward(self, x):
        return self.layers(x)

    def training_step(self, batch, index):
        return nn.functional.cross_entropy(self(batch[0]), batch[1])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def network(input_shape, num_classes):
    return Network(*input_shape, num_classes)


def in_double(input_shape, num_classes):
    return network(input_shape, num_classes).double()
"""

BY_TRANSFORMERS = """
from transformers import DistilBertConfig, DistilBertForSequenceClassification


class OfOneTensor(DistilBertForSequenceClassification):
    def forward(self, input_ids):
        return super().forward(input_ids=input_ids, attention_mask=(input_ids > 0).long()).logits


def config(num_classes):
    return DistilBertConfig(
        vocab_size=30, dim=16, hidden_dim=32, n_layers=1, n_heads=2, max_position_embeddings=8, num_labels=num_classes
    )


def one_tensor(input_shape, num_classes):
    assert input_shape == ()
    return OfOneTensor(config(num_classes))
"""

X = torch.randn(40, 4, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()
WORDS = torch.randint(1, 30, (24, 6), generator=torch.Generator().manual_seed(1))
WORDS[:, 4:] *= torch.randint(0, 2, (24, 1), generator=torch.Generator().manual_seed(2))
ROWS = [
    {"input_ids": row.tolist(), "attention_mask": (row > 0).long().tolist(), "labels": int(row[0] > 15)}
    for row in WORDS
]


class Stop(lightning.Callback):
    """Breaks a training off."""

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        """Raise after the sixth step."""
        if trainer.global_step == 6:
            raise RuntimeError("stopped")


@pytest.fixture
def module(tmp_path, monkeypatch, request):
    """A module with a model, which is found by its name alone."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "their_model.py").write_text(request.param)
    monkeypatch.syspath_prepend(str(folder))
    sys.modules.pop("their_model", None)
    import their_model

    yield their_model
    del sys.modules["their_model"]


def fit(module, out, run, factory="network", stop=False, resume=None, precision="32-true", **options):
    """Train for three epochs of four steps in Lightning, recorded."""
    lightning.seed_everything(run, verbose=False)
    ours = reseed_lightning.InstabilityCallback(
        out, run=run, runs=2, data=(X[24:], Y[24:]), factory=f"their_model:{factory}", on_error="raise", **options
    )
    saving = lightning.callbacks.ModelCheckpoint(out.parent, "{epoch}", save_top_k=-1, save_on_train_epoch_end=True)
    trainer = lightning.Trainer(
        max_epochs=3,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=out.parent,
        callbacks=[ours, saving, *([Stop()] if stop else [])],
        precision=precision,
    )
    network = module.Network(4, 2)
    trainer.fit(network, DataLoader(TensorDataset(X[:24], Y[:24]), batch_size=6), ckpt_path=resume)
    return network


@pytest.mark.parametrize("module", [BY_LIGHTNING], indirect=True)
def test_lightning(module, tmp_path):
    """The factory makes the LightningModule anew; of every checkpoint, also of a training that was resumed."""
    out = tmp_path / "study"
    fit(module, out, 0, weights="checkpoints")
    with pytest.raises(RuntimeError, match="stopped"):
        fit(module, out, 1, weights="checkpoints", stop=True)
    assert len(list(out.rglob("unfinished/*.safetensors"))) == 1
    fit(module, out, 1, weights="checkpoints", resume=str(next(tmp_path.glob("epoch=0*.ckpt"))))
    study = Study.open(out)
    assert study.kept_weights == {0: (4, 8, 12), 1: (4, 8, 12)}
    for mark, step in enumerate((4, 8, 12)):
        networks = study.networks(checkpoint=step, trust_code=True)
        found = networks.predict(study.inputs().inputs).argmax(-1).numpy()
        assert np.array_equal(found, study.labels[:, mark])


@pytest.mark.parametrize("module", [BY_LIGHTNING], indirect=True)
def test_lightning_at_another_precision(module, tmp_path):
    """The factory makes it at that precision, which is checked, and the inputs are kept at it."""
    out = tmp_path / "study"
    with pytest.raises(InputError, match=r"'layers.0.bias' is float64 .* in that, and float32"):
        fit(module, out, 0, weights=True, precision="64-true")
    fit(module, out, 0, "in_double", weights=True, precision="64-true")
    study = Study.open(out)
    assert study.inputs().inputs.dtype == torch.float64
    found = study.networks(trust_code=True).predict(study.inputs().inputs).argmax(-1).numpy()
    assert np.array_equal(found, study.final())


@pytest.mark.parametrize("module", [BY_TRANSFORMERS], indirect=True)
def test_transformers(module, tmp_path):
    """Networks of one tensor, of a class derived from the trainer's model, answer as that did with several inputs."""
    out = tmp_path / "study"
    for run in range(2):
        transformers.set_seed(run)
        ours = huggingface.InstabilityCallback(
            out, run=run, runs=2, data=ROWS, weights=True, factory="their_model:one_tensor", on_error="raise"
        )
        arguments = transformers.TrainingArguments(
            str(tmp_path / "out"),
            max_steps=6,
            learning_rate=0.01,
            per_device_train_batch_size=8,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            use_cpu=True,
            dataloader_pin_memory=False,
        )
        model = transformers.DistilBertForSequenceClassification(module.config(2))
        transformers.Trainer(model, arguments, train_dataset=ROWS, callbacks=[ours]).train()
    study = Study.open(out)
    assert set(study.kept_weights) == {0, 1}
    with pytest.raises(StudyError, match="keeps no inputs: they were several arrays, rows or texts"):
        study.inputs()
    found = study.networks(trust_code=True).predict(WORDS)
    assert np.array_equal(found.argmax(-1).numpy(), study.final())
    np.testing.assert_allclose(found.softmax(-1).amax(-1).numpy(), study.final("confidence"), atol=1e-5)
