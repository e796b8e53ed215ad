"""Recording trainings that other people's loops drive.

`Recorder` is for any loop, `IndexedDataset` keeps sample ids through shuffling loaders. Trainers of other libraries
have modules of their own, such as `reseed.integrations.huggingface`, so that importing reseed loads none of them.
"""

from reseed.integrations._indexed import IndexedDataset
from reseed.integrations._recorder import Recorder

__all__ = ["IndexedDataset", "Recorder"]
