"""`InstabilityCallback` in trainings by Lightning's `Trainer`."""

import warnings

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from reseed import InputError, Study

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what lightning imports
    lightning = pytest.importorskip("lightning.pytorch", reason="needs the extra `lightning`")
    from reseed.integrations.lightning import InstabilityCallback

# Lightning's advice on workers and checkpoints, and deprecations of what it imports.
pytestmark = pytest.mark.filterwarnings("ignore")

INPUTS, TARGETS = load_digits(return_X_y=True)
X, Y = torch.tensor(INPUTS, dtype=torch.float32) / 16, torch.tensor(TARGETS)
EVAL = X[1000:], Y[1000:]


class Network(lightning.LightningModule):
    """A small network with dropout."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 10))

    def forward(self, inputs):
        """Logits [sample, class]."""
        return self.layers(inputs)

    def training_step(self, batch, batch_idx):
        """The loss of a batch."""
        return nn.functional.cross_entropy(self(batch[0]), batch[1])

    def configure_optimizers(self):
        """Adam."""
        return torch.optim.Adam(self.parameters(), lr=0.01)


class Stop(lightning.Callback):
    """Breaks a training off at a step."""

    def __init__(self, step=14):
        self.step = step

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        """Raise once the step is reached."""
        if trainer.global_step == self.step:
            raise RuntimeError("stopped")


class Steps(lightning.Callback):
    """Keeps what the network says, by an independent count of the optimiser's steps, and the weights after each."""

    def __init__(self):
        self.said, self.weights, self.count = {}, {}, 0

    def on_before_optimizer_step(self, trainer, pl_module, optimizer):
        """Count a step."""
        self.count += 1

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        """Keep the probabilities and the weights after the steps so far."""
        self.weights[self.count] = [parameter.detach().clone() for parameter in pl_module.parameters()]
        pl_module.eval()
        with torch.no_grad():
            self.said[self.count] = pl_module(EVAL[0]).softmax(1).numpy()
        pl_module.train()


class Seeded(lightning.Callback):
    """Makes what a batch draws a function of its place in the training, as Lightning restores no random generator."""

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        """Seed the generator."""
        torch.manual_seed(1000 * trainer.global_step + batch_idx)


def fit(folder, callbacks=(), seed=0, epochs=2, resume=None, saves=False, accumulate=1, shuffle=True):
    """Train for some epochs of ten batches, and return the network and the trainer."""
    lightning.seed_everything(seed, verbose=False)
    network = Network()
    trainer = lightning.Trainer(
        max_epochs=epochs,
        accumulate_grad_batches=accumulate,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=saves,
        default_root_dir=folder,
        callbacks=list(callbacks),
    )
    loader = DataLoader(TensorDataset(X[:1000], Y[:1000]), batch_size=100, shuffle=shuffle)
    trainer.fit(network, loader, ckpt_path=resume)
    return network, trainer


def callback(out, run=0, **options):
    """A callback that records all probabilities."""
    return InstabilityCallback(out, **{"run": run, "runs": 2, "data": EVAL, "level": "full"} | options)


@pytest.mark.parametrize(("every", "steps"), [("epoch", (10, 20)), (8, (8, 16, 20)), ("final", (20,))])
def test_trainings_become_a_study(tmp_path, every, steps):
    """Two trainings are two runs whose last checkpoint is what the trained networks say."""
    final = []
    for run in (0, 1):
        network, _ = fit(tmp_path, [callback(tmp_path / "study", run, every=every, seed=run)], seed=run)
        with torch.no_grad():
            final.append(network.eval()(EVAL[0]).softmax(1).numpy())
    study = Study.open(tmp_path / "study")
    assert [manifest.steps for manifest in study.manifests] == [steps, steps]
    assert [manifest.seeds for manifest in study.manifests] == [{"fit": 0}, {"fit": 1}]
    np.testing.assert_allclose(study.final("probabilities"), final, atol=1e-6)


def test_the_training_is_bit_for_bit_the_unrecorded_one(tmp_path):
    """With dropout, shuffling and a prediction that draws, recording changes no bit of the weights."""

    def predict(module, inputs):
        torch.rand(3)
        return module(inputs)

    recorded, _ = fit(tmp_path, [callback(tmp_path / "study", every=3, predict=predict)])
    plain, _ = fit(tmp_path)
    for one, other in zip(recorded.parameters(), plain.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_resumed_training_keeps_what_was_recorded(tmp_path):
    """A training that breaks off and goes on from its checkpoint has all checkpoints of the whole run."""
    saving = lightning.callbacks.ModelCheckpoint(dirpath=tmp_path, filename="one", save_on_train_epoch_end=True)
    with pytest.raises(RuntimeError, match="stopped"):
        fit(tmp_path, [callback(tmp_path / "study"), Stop(), saving], saves=True)
    assert Study.open(tmp_path / "study").missing == (0, 1)
    assert not list(tmp_path.rglob("predictions-*"))
    fit(tmp_path, [callback(tmp_path / "study")], resume=str(tmp_path / "one.ckpt"))
    assert Study.open(tmp_path / "study").manifests[0].steps == (10, 20)


@pytest.mark.parametrize(
    ("every", "steps"), [("epoch", (4, 8)), (1, (1, 2, 3, 4, 5, 6, 7, 8)), (3, (3, 6, 8)), ("final", (8,))]
)
def test_accumulated_gradients_are_recorded_by_optimiser_step(tmp_path, every, steps):
    """Three batches to a step, of ten the last alone: checkpoints stand at the optimiser's steps, once each."""
    kept = Steps()
    recorded, _ = fit(tmp_path, [kept, callback(tmp_path / "study", every=every)], accumulate=3)
    plain = Steps()
    unrecorded, _ = fit(tmp_path, [plain], accumulate=3)
    assert kept.count == plain.count == 8  # 3 + 3 + 3 + 1 batches an epoch
    for one, other in zip(recorded.parameters(), unrecorded.parameters(), strict=True):
        assert torch.equal(one, other)
    study = Study.open(tmp_path / "study")
    assert study.manifests[0].steps == steps
    for place, step in enumerate(steps):
        assert all(torch.equal(*pair) for pair in zip(kept.weights[step], plain.weights[step], strict=True))
        found = study.recorded("probabilities").to_numpy()[0, place]
        np.testing.assert_allclose(found, plain.said[step], atol=1e-6)


@pytest.mark.parametrize("every", ["epoch", 1, 3, "final"])
@pytest.mark.parametrize("accumulate", [1, 3])
def test_a_resumed_training_records_what_the_whole_one_does(tmp_path, every, accumulate):
    """Broken off in its second epoch and resumed from its checkpoint, a training has the whole one's trajectory."""
    options = {"accumulate": accumulate, "epochs": 3, "shuffle": False}
    whole, _ = fit(tmp_path, [Seeded(), callback(tmp_path / "study", every=every)], **options)
    saving = lightning.callbacks.ModelCheckpoint(dirpath=tmp_path, filename="one", save_on_train_epoch_end=True)
    stop = Stop(14 if accumulate == 1 else 6)
    with pytest.raises(RuntimeError, match="stopped"):
        fit(tmp_path, [Seeded(), callback(tmp_path / "study", 1, every=every), stop, saving], saves=True, **options)
    checkpoint = str(tmp_path / "one.ckpt")
    resumed, _ = fit(tmp_path, [Seeded(), callback(tmp_path / "study", 1, every=every)], resume=checkpoint, **options)
    plain, _ = fit(tmp_path, [Seeded()], resume=checkpoint, **options)
    for weights in zip(whole.parameters(), resumed.parameters(), plain.parameters(), strict=True):
        assert all(torch.equal(weights[0], other) for other in weights[1:])
    study = Study.open(tmp_path / "study")
    one, other = study.manifests
    assert one.steps == other.steps
    assert one.steps[-1] == (30 if accumulate == 1 else 12)
    found = study.recorded("probabilities").to_numpy()
    assert np.array_equal(found[0], found[1])


@pytest.mark.parametrize("accumulate", [1, 3])
def test_a_training_resumed_within_an_epoch_keeps_its_steps(tmp_path, accumulate):
    """From a checkpoint in the middle of an epoch, recording goes on at the optimiser's steps, each once."""
    saving = lightning.callbacks.ModelCheckpoint(dirpath=tmp_path, filename="one", every_n_train_steps=6)
    stop = Stop(8 if accumulate == 1 else 7)
    options = {"accumulate": accumulate, "shuffle": False}
    with pytest.raises(RuntimeError, match="stopped"):
        fit(tmp_path, [callback(tmp_path / "study", every=1), stop, saving], saves=True, **options)
    assert torch.load(tmp_path / "one.ckpt", weights_only=False)["global_step"] == 6
    _, trainer = fit(tmp_path, [callback(tmp_path / "study", every=1)], resume=str(tmp_path / "one.ckpt"), **options)
    assert Study.open(tmp_path / "study").manifests[0].steps == tuple(range(1, trainer.global_step + 1))


def test_mistakes_are_found_before_the_training(tmp_path):
    """Bad arguments are refused when the callback is made, and nothing is written."""
    with pytest.raises(InputError, match="runs must be 1 or more, got 0"):
        callback(tmp_path / "study", runs=0)
    assert not list(tmp_path.iterdir())
