"""What is learned: labelled samples that keep their ids, by name, from the hub or from the user's own files.

`load` turns a `DataConfig` into `Splits`: a training and an evaluation `Dataset` that share their classes.
Every sample has an id that stays the same across retrainings, which is what makes predictions comparable.
Nothing that is read here is ever unpickled or executed.
"""

from reseed.data._column_names import find_column
from reseed.data._config import DataConfig
from reseed.data._dataset import UNKNOWN_LABEL, Dataset
from reseed.data._formats import TABLES as TABLE_EXTENSIONS
from reseed.data._formats import extension as file_extension
from reseed.data._index_columns import without_index
from reseed.data._json_lines import json_rows
from reseed.data._load import data_config, load
from reseed.data._memory import digest_of, in_memory, is_table
from reseed.data._named import DATA_NAMES
from reseed.data._opened import check_file
from reseed.data._pixels import pixels
from reseed.data._preview import preview, previews, shows_numbers
from reseed.data._splits import Splits
from reseed.data._tables import read_table, table_notes
from reseed.data._values import column_texts
from reseed.data.corruption._config import KINDS as CORRUPTIONS
from reseed.data.corruption._config import CorruptionConfig, parse_corruption
from reseed.data.corruption._gaussian import gaussian_inputs
from reseed.data.corruption._inputs import CorruptedInputs
from reseed.data.corruption._labels import CorruptedLabels, corrupt_labels
from reseed.data.corruption._pixels import random_pixels, shuffle_pixels
from reseed.data.corruption._record import CorruptionRecord
from reseed.data.corruption._structured import structured_inputs

__all__ = [
    "CORRUPTIONS",
    "DATA_NAMES",
    "TABLE_EXTENSIONS",
    "UNKNOWN_LABEL",
    "CorruptedInputs",
    "CorruptedLabels",
    "CorruptionConfig",
    "CorruptionRecord",
    "DataConfig",
    "Dataset",
    "Splits",
    "check_file",
    "column_texts",
    "corrupt_labels",
    "data_config",
    "digest_of",
    "file_extension",
    "find_column",
    "gaussian_inputs",
    "in_memory",
    "is_table",
    "json_rows",
    "load",
    "parse_corruption",
    "pixels",
    "preview",
    "previews",
    "random_pixels",
    "read_table",
    "shows_numbers",
    "shuffle_pixels",
    "structured_inputs",
    "table_notes",
    "without_index",
]
