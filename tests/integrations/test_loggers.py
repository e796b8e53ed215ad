"""`log_study` and its adapters, with the trackers themselves where they are installed."""

import math
import struct

import numpy as np
import pytest

import reseed
from reseed import InputError, Study
from reseed.integrations import MLflowLogger, TensorBoardLogger, WandbLogger, log_study

SUMMARY = {
    "jitter": 0.25,
    "jitter_ci95": [0.125, 0.5],
    "runs": 4,
    "share": np.float32(0.5),
    "model": "mlp",
    "vary": ["init", "order"],
    "accuracy_mean": None,
    "undefined": math.nan,
    "is_good": True,
}
FIGURES = {"jitter": 0.25, "jitter_ci95_low": 0.125, "jitter_ci95_high": 0.5, "runs": 4.0, "share": 0.5}


class Kept:
    """Keeps what it is given."""

    def __init__(self):
        self.calls = []

    def log(self, values, step):
        """Take figures at a step."""
        self.calls.append((dict(values), step))


def test_only_finite_numbers_are_logged():
    """Texts, truth values and undefined figures are left out; pairs become two figures."""
    logger = Kept()
    assert log_study(SUMMARY, logger, step=3, prefix="") == FIGURES
    assert logger.calls == [(FIGURES, 3)]


def test_a_measured_study_is_logged(tmp_path):
    """What `reseed.inspect` returns is taken as it is, and no value is per sample."""
    study = Study.from_predictions([[0, 1, 1], [1, 1, 1], [0, 1, 0]], tmp_path / "mine", targets=[0, 1, 1])
    found = reseed.inspect(study)
    logged = log_study(found, Kept())
    assert logged["reseed/label_entropy_mean"] == found.summary["label_entropy_mean"]
    assert logged["reseed/unstable_samples"] == 2.0
    assert all(isinstance(value, float) for value in logged.values())


def test_what_has_no_summary_is_refused():
    """The message says what to pass."""
    with pytest.raises(InputError, match="found must be a measurement or its summary, got list; pass it through"):
        log_study([1, 2], Kept())


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # of what it imports
def test_tensorboard_shows_the_figures(tmp_path):
    """TensorBoard's own reader finds every figure at its step."""
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        log_study(SUMMARY, TensorBoardLogger(writer), step=3, prefix="reseed/")
    events = EventAccumulator(str(tmp_path)).Reload()
    found = {name: [(item.step, item.value) for item in events.Scalars(name)] for name in events.Tags()["scalars"]}
    assert found == {f"reseed/{name}": [(3, value)] for name, value in FIGURES.items()}


@pytest.mark.filterwarnings("ignore")  # MLflow's own, of where it keeps its files
def test_mlflow_keeps_the_figures(tmp_path, monkeypatch):
    """MLflow's client finds every figure of the run at its step."""
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.chdir(tmp_path)
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    try:
        with mlflow.start_run() as run:
            log_study(SUMMARY, MLflowLogger(run.info.run_id), step=3)
            log_study({"jitter": 0.5}, MLflowLogger(), step=4)
        client = mlflow.MlflowClient()
        histories = {name: client.get_metric_history(run.info.run_id, f"reseed/{name}") for name in FIGURES}
    finally:
        mlflow.set_tracking_uri(before)
    found = {name: [(item.step, item.value) for item in history] for name, history in histories.items()}
    expected = {name: [(3, value)] for name, value in FIGURES.items()}
    expected["jitter"].append((4, 0.5))
    assert found == expected


def test_wandb_gets_one_call():
    """The adapter hands all figures of a step to the run's `log` at once."""
    calls = []

    class Run:
        """Has the method of a run of Weights & Biases."""

        def log(self, data, step=None):
            """Keep the call."""
            calls.append((data, step))

    log_study(SUMMARY, WandbLogger(Run()), step=3, prefix="")
    assert calls == [(FIGURES, 3)]


def test_wandb_itself_keeps_the_figures(tmp_path, monkeypatch):
    """What an offline run of the real library has written is the figures at their steps."""
    wandb = pytest.importorskip("wandb", reason="needs wandb, which reseed does not install: pip install wandb")
    from wandb.proto import wandb_internal_pb2

    for name in ("WANDB_CONFIG_DIR", "WANDB_CACHE_DIR", "WANDB_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "own"))
    settings = wandb.Settings(silent=True, console="off", x_disable_stats=True, x_disable_meta=True, disable_git=True)
    run = wandb.init(project="reseed", mode="offline", dir=tmp_path, settings=settings)
    try:
        for step in (3, 7):
            log_study(SUMMARY | {"runs": step}, WandbLogger(run), step=step)
    finally:
        run.finish()
        wandb.teardown()
    written = next(tmp_path.glob("wandb/offline-run-*/*.wandb")).read_bytes()
    rows, place = [], 7  # behind the head of the file, records in the framing of LevelDB's log
    while place < len(written):
        length, kind = struct.unpack("<HB", written[place + 4 : place + 7])
        assert kind == 1  # whole in one block
        record = wandb_internal_pb2.Record.FromString(written[place + 7 : place + 7 + length])
        if record.WhichOneof("record_type") == "history":
            values = {"/".join(item.nested_key) or item.key: item.value_json for item in record.history.item}
            rows.append({name: float(value) for name, value in values.items()})
        place += 7 + length
    assert [row.pop("_step") for row in rows] == [3, 7]
    figures = [{name: value for name, value in row.items() if name.startswith("reseed/")} for row in rows]
    assert figures == [
        {f"reseed/{name}": value for name, value in (FIGURES | {"runs": step}).items()} for step in (3, 7)
    ]
