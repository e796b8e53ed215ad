"""The data sets that go by a name."""

import os
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from reseed._arguments import argument
from reseed._errors import DataError
from reseed._near import did_you_mean
from reseed.data._config import DataConfig
from reseed.data._hub import HubData, fetch, hub_rows
from reseed.data._local import CIFAR10, read_cifar10, read_clinc150, read_digits, read_massive, read_mnist
from reseed.data._rows import Rows, split_rows, to_splits
from reseed.data._splits import Splits

DATA_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "digits": "1,797 handwritten digits of 8 x 8 pixels, embedded in scikit-learn; 10 classes",
        "mnist": "70,000 handwritten digits of 28 x 28 pixels; 10 classes",
        "cifar10": "60,000 colour photographs of 32 x 32 pixels; 10 classes",
        "clinc150": "22,500 questions to an assistant, and 1,200 that are out of its scope; 150 intents",
        "massive": "16,521 requests to a voice assistant, in US English; 60 intents",
        "massive-domain": "the same requests as massive; 18 domains",
    }
)
"""Name of each known data set, with one line that describes it."""

_EVAL_SPLITS = {
    "digits": ("test",),
    "mnist": ("test",),
    "cifar10": ("test",),
    "clinc150": ("test", "validation", "oos_test", "oos_val"),
    "massive": ("test", "validation"),
    "massive-domain": ("test", "validation"),
}
_CLASSES = {"mnist": tuple("0123456789"), "cifar10": CIFAR10}
_READERS = {
    "mnist": read_mnist,
    "cifar10": read_cifar10,
    "clinc150": read_clinc150,
    "massive": read_massive,
    "massive-domain": read_massive,
}
_OUT_OF_SCOPE = "oos"


def load_named(name: str, config: DataConfig) -> Splits:
    """Loads a known data set.

    Samples are identified by their row number in the original split (`train-17`), or by the data set's own
    id.

    Raises:
        DataError: an option does not apply, the evaluation split does not exist, or a file is missing.
    """
    for option in ("text", "features", "label", "id", "split", "eval_file"):
        if getattr(config, option) is not None:
            raise DataError(
                f"{option}={getattr(config, option)!r} is for your own files; {name} knows its columns and splits."
            )
    eval_split = config.eval_split or "test"
    if eval_split not in _EVAL_SPLITS[name]:
        hint = did_you_mean(eval_split, _EVAL_SPLITS[name])
        raise DataError(
            f"{name} has no evaluation split {eval_split!r}.{hint} Set {argument('eval_split')} to one of "
            f"{', '.join(_EVAL_SPLITS[name])}."
        )
    if name == "digits":
        train, evaluation = split_rows(name, read_digits(), config)
    else:
        train, evaluation = _from_folder_or_hub(name, eval_split)
    if name == "massive-domain":
        train, evaluation = (rows.relabel(_domain) for rows in (train, evaluation))
    return to_splits(name, train, evaluation, config, _CLASSES.get(name))


def _from_folder_or_hub(name: str, eval_split: str) -> tuple[Rows, Rows]:
    named = os.environ.get("RESEED_DATA")
    if not named:
        read = _hub_reader(name)
        return read("train"), read(eval_split)
    folder = Path(named).expanduser()
    reader = _READERS[name]
    try:
        return reader(folder, "train"), reader(folder, eval_split)
    except DataError:
        raise
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{name} in RESEED_DATA ({named!r}) is damaged: {error}") from error


def _hub_reader(name: str) -> Callable[[str], Rows]:
    """Fetches a known data set from the hub, and gives the function that reads one of its splits."""
    if name == "mnist":
        return partial(hub_rows, fetch("ylecun/mnist"), label="label", image="image")
    if name == "cifar10":
        return partial(hub_rows, fetch("uoft-cs/cifar10"), label="label", image="img")
    if name == "clinc150":
        return partial(_clinc150, fetch("clinc/clinc_oos", "plus"))
    found = fetch("mteb/amazon_massive_intent", "en")
    columns = next(iter(found.values())).column_names
    label = "label_text" if "label_text" in columns else "label"
    return partial(hub_rows, found, label=label, text="text", id="id" if "id" in columns else None)


def _clinc150(found: HubData, split: str) -> Rows:
    """In-scope and out-of-scope questions share a split on the hub, with `oos` as a class of its own."""
    hub_split = {"oos_test": "test", "oos_val": "validation"}.get(split, split)
    rows = hub_rows(found, hub_split, label="intent", text="text")
    out = [label == _OUT_OF_SCOPE for label in rows.labels]
    rows = rows.where(out if split != hub_split else [not is_out for is_out in out], split).renumbered()
    return rows.relabel(lambda intent: None if intent == _OUT_OF_SCOPE else intent)


def _domain(intent: str) -> str:
    return intent.split("_", 1)[0]
