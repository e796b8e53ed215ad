"""What is learned: labelled samples that keep their ids, by name, from the hub or from the user's own files.

`load` turns a `DataConfig` into `Splits`: a training and an evaluation `Dataset` that share their classes.
Every sample has an id that stays the same across retrainings, which is what makes predictions comparable.
Nothing that is read here is ever unpickled or executed.
"""

from reseed.data._config import DataConfig
from reseed.data._dataset import UNKNOWN_LABEL, Dataset
from reseed.data._formats import TABLES as TABLE_EXTENSIONS
from reseed.data._formats import extension as file_extension
from reseed.data._load import load
from reseed.data._named import DATA_NAMES
from reseed.data._pixels import pixels
from reseed.data._preview import preview, previews, shows_numbers
from reseed.data._splits import Splits
from reseed.data._tables import read_table

__all__ = [
    "DATA_NAMES",
    "TABLE_EXTENSIONS",
    "UNKNOWN_LABEL",
    "DataConfig",
    "Dataset",
    "Splits",
    "file_extension",
    "load",
    "pixels",
    "preview",
    "previews",
    "read_table",
    "shows_numbers",
]
