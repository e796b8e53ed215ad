"""`InstabilityCallback` of Lightning with the precisions, modules and inputs that people bring."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from reseed import InputError, Study

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what lightning imports
    lightning = pytest.importorskip("lightning.pytorch", reason="needs the extra `lightning`")
    from reseed.integrations.lightning import InstabilityCallback

# Lightning's advice on workers and checkpoints, and deprecations of what it imports.
pytestmark = pytest.mark.filterwarnings("ignore", "error::reseed.integrations.RecordingWarning")

X = torch.randn(32, 4, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()


class Network(lightning.LightningModule):
    """A network with dropout and batch normalisation."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 2))

    def forward(self, x):
        """Logits [sample, class]."""
        return self.net(x)

    def training_step(self, batch, index):
        """The loss of a batch."""
        return nn.functional.cross_entropy(self.net(batch[0]), batch[1])

    def configure_optimizers(self):
        """Plain descent."""
        return torch.optim.SGD(self.parameters(), lr=0.1)


class Parts(Network):
    """Takes its inputs in two parts."""

    def forward(self, left, right=None):
        """Logits [sample, class]."""
        return self.net(torch.cat([left, right], 1))


class Packed(Network):
    """Takes its inputs as one mapping or tuple."""

    def forward(self, batch):
        """Logits [sample, class]."""
        return self.net(torch.cat(list(batch.values() if isinstance(batch, dict) else batch), 1))


class Rows(Network):
    """Takes a list of samples."""

    def forward(self, batch):
        """Logits [sample, class]."""
        return self.net(torch.stack(batch))


class Logged(Network):
    """Logs its loss."""

    def training_step(self, batch, index):
        """The loss of a batch."""
        loss = super().training_step(batch, index)
        self.log("loss", loss)
        return loss


class NoForward(Network):
    """Is only called in its steps."""

    forward = nn.Module.forward


def fit(folder, network=Network, inputs=X, callbacks=(), trainer=None, compiled=False, **options):
    """Train for two epochs of four batches, recorded unless `inputs` is None, and return the module."""
    lightning.seed_everything(0, verbose=False)
    module = network()
    options = {"run": 0, "runs": 2, "data": (inputs, Y), "level": "full", "batch_size": 20} | options
    ours = [] if inputs is None else [InstabilityCallback(folder / "study", **options)]
    lightning.Trainer(
        **{"max_epochs": 2, "accelerator": "cpu", "logger": False, "enable_progress_bar": False}
        | {"enable_model_summary": False, "enable_checkpointing": False, "default_root_dir": folder}
        | (trainer or {}),
        callbacks=[*callbacks, *ours],
    ).fit(
        torch.compile(module, backend="eager") if compiled else module,
        DataLoader(TensorDataset(X, Y), batch_size=8, shuffle=True),
    )
    return module


def assert_recorded(folder, module, atol=1e-6):
    """The last checkpoint is what the trained module says."""
    with torch.no_grad():
        said = module.eval().net(X.to(next(module.parameters()).dtype)).float().softmax(1).numpy()
    np.testing.assert_allclose(Study.open(folder / "study").final("probabilities")[0], said, atol=atol)


@pytest.mark.parametrize("precision", ["bf16-true", "64-true", "bf16-mixed", "32-true", "16-true"])
def test_precisions(tmp_path, precision):
    """Inputs get the training's precision, and the weights those bits that they have without a callback."""
    trainer = {"precision": precision}
    ours = fit(tmp_path, trainer=trainer)
    assert_recorded(tmp_path, ours, 0.02 if "bf16" in precision else 1e-6)
    plain = fit(tmp_path, inputs=None, trainer=trainer).state_dict()
    assert all(torch.equal(value, plain[name]) for name, value in ours.state_dict().items())
    assert torch.get_default_dtype() == torch.float32


@pytest.mark.parametrize(
    ("network", "inputs", "options"),
    [
        (Parts, {"left": X[:, :2], "right": X[:, 2:]}, {}),
        (Parts, (X[:, :2], X[:, 2:]), {"trainer": {"precision": "bf16-true"}}),
        (Packed, {"left": X[:, :2], "right": X[:, 2:]}, {"trainer": {"precision": "bf16-true"}}),
        (Packed, (X[:, :2], X[:, 2:]), {}),
        (Rows, list(X), {}),
        (Network, X, {"compiled": True}),
        (NoForward, X, {"predict": lambda module, batch: module.net(batch)}),
    ],
)
def test_modules_and_inputs_of_many_kinds(tmp_path, network, inputs, options):
    """Mappings, tuples and lists reach modules that take them in either way, at the training's precision."""
    assert_recorded(tmp_path, fit(tmp_path, network, inputs, **options), 0.02 if "trainer" in options else 1e-6)


@pytest.mark.parametrize(
    ("network", "data", "message"),
    [
        (
            NoForward,
            (X, Y),
            r"raised NotImplementedError: .*missing the required .forward. function; a function of your",
        ),
        (Network, DataLoader(TensorDataset(X)), "must give pairs"),
        (Network, (DataLoader(TensorDataset(X)), Y), "data holds a DataLoader, whose samples have no fixed order"),
        (Network, (X.numpy(), Y), "asked for 8 samples before the training it raised TypeError"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_the_first_step(tmp_path, network, data, message):
    """A module without `forward`, a loader, inputs that the module does not take: nothing is trained or written."""
    with pytest.raises(InputError, match=message):
        fit(tmp_path, network, data=data)
    assert not (tmp_path / "study").exists()


def test_early_stopping(tmp_path):
    """A training that stops early is recorded with its last step, in the weights that it has without a callback."""

    def stops():
        return lightning.callbacks.EarlyStopping("loss", mode="max", patience=1, check_on_train_epoch_end=True)

    trainer = {"max_epochs": 20}
    ours = fit(tmp_path, Logged, callbacks=[stops()], trainer=trainer, every="final")
    assert_recorded(tmp_path, ours)
    (steps,) = [manifest.steps for manifest in Study.open(tmp_path / "study").manifests]
    assert steps[0] < 80
    plain = fit(tmp_path, Logged, None, callbacks=[stops()], trainer=trainer).state_dict()
    assert all(torch.equal(value, plain[name]) for name, value in ours.state_dict().items())
