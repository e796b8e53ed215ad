"""Recording trainings that other people's loops drive, and handing figures to experiment trackers.

`Recorder` is for any loop, `IndexedDataset` keeps sample ids through shuffling loaders, `log_study` and its adapters
write a study's figures to a tracker. Trainers of other libraries have modules of their own, such as
`reseed.integrations.huggingface`, so that importing reseed loads none of them.
"""

from reseed.integrations._failures import RecordingWarning
from reseed.integrations._indexed import IndexedDataset
from reseed.integrations._loggers import MetricLogger, MLflowLogger, TensorBoardLogger, WandbLogger, log_study
from reseed.integrations._recorder import Recorder

__all__ = [
    "IndexedDataset",
    "MLflowLogger",
    "MetricLogger",
    "Recorder",
    "RecordingWarning",
    "TensorBoardLogger",
    "WandbLogger",
    "log_study",
]
