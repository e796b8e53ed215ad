"""Models by name."""

from __future__ import annotations

from reseed._errors import ModelError
from reseed._near import did_you_mean
from reseed.data import Dataset
from reseed.models._architecture import AbstractArchitecture
from reseed.models._config import ModelConfig
from reseed.models._encoder import TextEncoder
from reseed.models._mlp import Mlp
from reseed.models._small import SmallAlexnet, SmallInception
from reseed.models._tfidf import TextTfidf
from reseed.models._user import UserModel
from reseed.models._vision import Cnn, Resnet

MODELS: dict[str, type[AbstractArchitecture]] = {
    "mlp": Mlp,
    "cnn": Cnn,
    "resnet": Resnet,
    "small-inception": SmallInception,
    "small-alexnet": SmallAlexnet,
    "text-tfidf": TextTfidf,
    "text-encoder": TextEncoder,
}


def check_model_name(name: str) -> None:
    """Accept a known name, MODULE:FUNCTION or FILE.py:FUNCTION.

    Raises:
        ModelError: The name is neither; the message lists the known names and the nearest.
    """
    if name in MODELS or ":" in name:
        return
    raise ModelError(
        f"unknown model {name!r}.{did_you_mean(name, MODELS)} Known models: {', '.join(MODELS)}; or "
        "MODULE:FUNCTION or FILE.py:FUNCTION of your own."
    )


def architecture(config: ModelConfig) -> AbstractArchitecture:
    """Return the architecture that a config names.

    Raises:
        ModelError: The name is unknown, or the config lacks what the model needs.

    Examples:
        >>> architecture(ModelConfig("mlp", hidden=(8,))).build((4,), 3)[-1]
        Linear(in_features=8, out_features=3, bias=True)
    """
    check_model_name(config.name)
    return MODELS.get(config.name, UserModel)(config)


def suggested_model(dataset: Dataset) -> str:
    """Return the name of a sensible model for a data set that came without one.

    Texts: ``text-tfidf``. Images of 16 pixels a side or more: ``resnet`` with three channels, else ``cnn``.
    Everything else: ``mlp``.
    """
    shape = dataset.input_shape
    if shape is None:
        return "text-tfidf"
    if len(shape) == 3 and min(shape[1:]) >= 16:
        return "resnet" if shape[0] == 3 else "cnn"
    return "mlp"
