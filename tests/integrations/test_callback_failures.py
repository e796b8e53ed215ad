"""The callbacks of both trainers when recording fails: the training ends as it would have without them."""

import warnings
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from reseed import InputError, Recorder, Study, StudyError
from reseed.integrations import RecordingWarning
from reseed.studies._store import _Buffer

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what lightning imports
    lightning = pytest.importorskip("lightning.pytorch", reason="needs the extra `lightning`")
    transformers = pytest.importorskip("transformers", reason="needs the extra `trainer`")
    pytest.importorskip("accelerate", reason="needs the extra `trainer`")
    from reseed.integrations import huggingface
    from reseed.integrations import lightning as reseed_lightning

pytestmark = [
    pytest.mark.text,
    pytest.mark.filterwarnings("ignore:::lightning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec"),
]

X = torch.randn(32, 4, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()
ROWS = [{"x": row, "labels": label} for row, label in zip(X, Y.tolist(), strict=True)]


class Network(lightning.LightningModule):
    """A network with dropout and batch normalisation, which either trainer trains."""

    accepts_loss_kwargs = False

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 2))

    def forward(self, x=None, labels=None):
        """Logits, and a loss where there are targets."""
        logits = self.net(x)
        return logits if labels is None else (nn.functional.cross_entropy(logits, labels), logits)

    def training_step(self, batch, index):
        """The loss of a batch."""
        return self(*batch)[0]

    def configure_optimizers(self):
        """Plain descent."""
        return torch.optim.SGD(self.parameters(), lr=0.1)


def by_lightning(folder, callbacks, resume=None, steps=6, saves=False):
    """Train in Lightning, and return the weights and the steps taken."""
    lightning.seed_everything(0, verbose=False)
    network = Network()
    trainer = lightning.Trainer(
        max_steps=steps,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        default_root_dir=folder,
        callbacks=callbacks,
    )
    trainer.fit(network, DataLoader(TensorDataset(X, Y), batch_size=8, shuffle=True), ckpt_path=resume)
    if saves:
        trainer.save_checkpoint(folder / "checkpoint")
    return network.state_dict(), trainer.global_step


def by_transformers(folder, callbacks, resume=None, steps=6, saves=False):
    """Train in transformers, and return the weights and the steps taken."""
    transformers.set_seed(0)
    arguments = transformers.TrainingArguments(
        str(folder / "out"),
        max_steps=steps,
        per_device_train_batch_size=8,
        save_strategy="steps" if saves else "no",
        save_steps=steps,
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
        dataloader_pin_memory=False,
    )
    trainer = transformers.Trainer(Network(), arguments, train_dataset=ROWS, callbacks=callbacks)
    trainer.train(resume_from_checkpoint=resume)
    if saves:
        (folder / "out" / f"checkpoint-{steps}").rename(folder / "checkpoint")
    return trainer.model.state_dict(), trainer.state.global_step


TRAINERS = {
    "lightning": SimpleNamespace(
        train=by_lightning, callback=reseed_lightning.InstabilityCallback, base=lightning.Callback, data=(X, Y)
    ),
    "transformers": SimpleNamespace(
        train=by_transformers,
        callback=huggingface.InstabilityCallback,
        base=transformers.TrainerCallback,
        data=ROWS,
    ),
}
ANSWER = {
    "lightning": lambda model, inputs: model(inputs),
    "transformers": lambda model, inputs: model(**inputs),
}


@pytest.fixture(params=list(TRAINERS))
def ours(request, tmp_path):
    """One of the two trainers: `train(callbacks)`, `callback(...)` into a study, and a prediction to break."""
    kind = TRAINERS[request.param]

    def callback(run=0, **options):
        return kind.callback(
            tmp_path / "study", **{"run": run, "runs": 2, "data": kind.data, "batch_size": 32, "every": 2} | options
        )

    def train(*callbacks, **options):
        return kind.train(tmp_path, list(callbacks), **options)

    return SimpleNamespace(
        train=train, callback=callback, base=kind.base, answer=ANSWER[request.param], study=tmp_path / "study"
    )


def assert_complete(ours, found, steps=6):
    """The training came to its end with the weights that it has without a callback."""
    state, taken = found
    plain, _ = ours.train(steps=steps)
    assert taken == steps
    assert all(torch.equal(state[name], plain[name]) for name in plain)


def later(answer, happens, call=3):
    """A prediction at whose third call, the second checkpoint after the trial, something else happens."""
    calls = []

    def predict(model, inputs):
        calls.append(None)
        return happens(answer(model, inputs)) if len(calls) >= call else answer(model, inputs)

    return predict


def fails(_):
    """Raise."""
    raise ZeroDivisionError("division by zero")


@pytest.mark.parametrize(
    ("happens", "message"),
    [
        (fails, "since step 4: ZeroDivisionError: division by zero. The training is left alone; on_error='raise'"),
        (lambda logits: logits[:, :1], "since step 4: predictions have 1 columns for the 2 classes"),
        (lambda logits: logits * float("nan"), "predictions at step 4 are not finite: run 0 counts as diverged"),
    ],
)
def test_predictions_that_fail_in_the_middle(ours, happens, message):
    """An exception, another shape or NaN at the second checkpoint leaves the training complete."""
    with pytest.warns(RecordingWarning, match=message):
        found = ours.train(ours.callback(predict=later(ours.answer, happens)))
    study = Study.open(ours.study)
    assert [manifest.diverged_at for manifest in study.diverged] == ([4] if "diverged" in message else [])
    assert not study.manifests
    assert_complete(ours, found)


def test_a_full_disk(ours, monkeypatch):
    """Nothing can be written: the training is complete, the run is not there."""

    def full(self, *arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_Buffer, "append", full)
    with pytest.warns(RecordingWarning, match="since step 2: cannot write .* No space left on device"):
        found = ours.train(ours.callback())
    assert_complete(ours, found)
    assert Recorder.missing(ours.study, 2) == (0, 1)


def test_other_steps_than_those_of_finished_runs(ours):
    """A run whose steps are others, or that stops earlier, is not kept, and its training is complete."""
    ours.train(ours.callback(), steps=5)
    with pytest.warns(RecordingWarning, match="since step 6: run 1 records step 6 as its checkpoint 3, but"):
        found = ours.train(ours.callback(1))
    assert_complete(ours, found)
    with pytest.warns(RecordingWarning, match="run 1 is not finished: run 1 was recorded at 2 checkpoints"):
        found = ours.train(ours.callback(1), steps=4)
    assert_complete(ours, found, steps=4)
    assert Recorder.missing(ours.study, 2) == (1,)


def test_errors_end_the_training_where_that_is_asked(ours):
    """With `on_error='raise'` the error comes as it is."""
    with pytest.raises(ZeroDivisionError):
        ours.train(ours.callback(predict=later(ours.answer, fails), on_error="raise"))
    with pytest.raises(InputError, match="on_error must be 'report' or 'raise'"):
        ours.callback(on_error="no")


def test_what_cannot_work_is_refused_before_the_first_step(ours):
    """A finished run, another study, a prediction that fails at once: each costs no step."""
    began = []

    class Begins(ours.base):
        """Notes that a step has begun, by the name it has in either trainer."""

        def on_step_begin(self, *arguments, **options):
            """Note it."""
            began.append(None)

        def on_train_batch_start(self, *arguments, **options):
            """Note it."""
            began.append(None)

    ours.train(ours.callback(), steps=2)
    for options, error, message in (
        ({}, StudyError, "run 0 of the study .* is finished; record one that is missing"),
        ({"run": 1, "level": "full"}, StudyError, "already holds another study"),
        (
            {"run": 1, "predict": later(ours.answer, fails, 1)},
            InputError,
            "asked for 8 samples before the training it raised ZeroDivisionError",
        ),
    ):
        with pytest.raises(error, match=message):
            ours.train(Begins(), ours.callback(**options))
    assert not began


@pytest.mark.filterwarnings("ignore::UserWarning")  # of loading checkpoints
def test_a_resumed_training_is_not_ended_by_a_record_that_cannot_go_on(ours, tmp_path):
    """What was recorded is gone: the training goes on from its checkpoint with a warning, unless it shall be raised."""
    ours.train(steps=2, saves=True)
    resume = {"resume": str(tmp_path / "checkpoint")}
    with pytest.warns(RecordingWarning, match=r"run 0 is not recorded from step 2 on: run 0 goes on from step 2, but"):
        found, steps = ours.train(ours.callback(), **resume)
    plain, _ = ours.train(**resume)
    assert steps == 6
    assert all(torch.equal(found[name], plain[name]) for name in plain)
    with pytest.raises(StudyError, match="goes on from step 2, but"):
        ours.train(ours.callback(on_error="raise"), **resume)
