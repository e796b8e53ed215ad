"""What describes a model in a recipe; no heavy imports here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from reseed._arguments import argument, recipe_field, setting
from reseed._bounds import check_bound
from reseed._choices import IN_MEMORY, OMITTED, UNWRITTEN
from reseed._errors import ModelError, RecipeError

BEGINNINGS = {
    "pca": ("mlp", "text-tfidf", "text-encoder"),
    "zero": ("mlp", "cnn", "resnet", "text-tfidf", "text-encoder"),
}
"""Models that can begin at principal directions, and at zeros and ones; what else there is begins anywhere."""


@dataclass(frozen=True)
class ModelConfig:
    """Which model, and its size. Options that a model does not have are ignored by it.

    Raises:
        RecipeError: A value is out of range; the message names the field.
    """

    name: str = "mlp"
    """mlp, cnn, resnet, small-inception, small-alexnet, text-tfidf, text-encoder, or of your own MODULE:FUNCTION or
    FILE.py:FUNCTION."""
    hidden: tuple[int, ...] = (64,)
    """Widths of the hidden layers of an MLP or of the head on text features."""
    dropout: float = 0.0
    """Dropout probability after each hidden layer."""
    init_scale: float = 1.0
    """Factor on every freshly drawn weight matrix or kernel."""
    norm: Literal["batch", "group", "layer", "none"] = "batch"
    """Normalisation layers of cnn, resnet and small-inception."""
    width: int = 16
    """Channels of the first stage of cnn and resnet."""
    depth: int = 8
    """Layers of resnet: 6 n + 2 for n blocks in each of its three stages."""
    vocabulary: int = 2048
    """Terms kept by text-tfidf."""
    encoder: str | None = None
    """Hub name or local folder of a transformers encoder, for text-encoder."""
    fine_tune: bool = False
    """Train text-encoder end to end; otherwise its features are computed once and shared by all runs."""
    max_length: int = 64
    """Tokens of a text that text-encoder reads."""
    crop: int | None = field(default=None, metadata=OMITTED)
    """Side in pixels of the square in the middle of images that mlp and networks on images look at; default: all."""
    whiten: bool = field(default=False, metadata=OMITTED)
    """Whether mlp and networks on images first give each image mean 0 and standard deviation 1."""
    init: Literal["drawn", "fixed", "pca", "zero"] = field(default="drawn", metadata=OMITTED)
    """Where initial weights come from: the run's seed, one seed for all runs, principal directions of the training
    features, or zeros and ones."""
    init_seed: int = field(default=0, metadata=OMITTED)
    """The seed of all runs' initial weights, for ``fixed``."""
    init_share: float = field(default=1.0, metadata=OMITTED)
    """How much of the initial weights no seed decides; the rest is drawn. 0: all are drawn."""
    is_trusted: bool = field(default=True, compare=False, repr=False, kw_only=True, metadata=UNWRITTEN)
    """Whether MODULE:FUNCTION may be imported; False where a file names it and nobody said that it may."""
    factory: Callable[..., Any] | None = field(
        default=None, compare=False, repr=False, kw_only=True, metadata=UNWRITTEN
    )
    """The function that makes the network, where no import finds it; a digest of its code is in the name."""

    def __post_init__(self) -> None:
        if any(width < 1 for width in self.hidden):
            raise RecipeError(f"{recipe_field('model.hidden')} must hold positive widths, got {self.hidden}.")
        if not 0 <= self.dropout < 1:
            raise RecipeError(f"{recipe_field('model.dropout')} must be in [0, 1), got {self.dropout}.")
        if not self.init_scale > 0:
            raise RecipeError(f"{recipe_field('model.init_scale')} must be positive, got {self.init_scale}.")
        if self.init not in ("drawn", "fixed", "pca", "zero"):
            raise RecipeError(
                f"{recipe_field('model.init')} must be one of drawn, fixed, pca, zero; got {self.init!r}."
            )
        if self.name not in BEGINNINGS.get(self.init, (self.name,)) or (self.init == "pca" and self.fine_tune):
            raise RecipeError(
                f"{recipe_field('model.init')} is {self.init!r}, which is for {', '.join(BEGINNINGS[self.init])}"
                f"{' whose encoder stays frozen' * (self.init == 'pca')}, and not for model "
                f"{self.name.removeprefix(IN_MEMORY)!r}{' that is fine-tuned' * self.fine_tune}; choose fixed "
                f"(fixed-init), which is for all models{', or zero (zero-init)' * (self.name in BEGINNINGS['zero'])}."
            )
        if not 0 <= self.init_seed < 1 << 32:
            raise RecipeError(f"{recipe_field('model.init_seed')} must be in [0, 2^32), got {self.init_seed}.")
        if not 0 <= self.init_share <= 1:
            raise RecipeError(f"{recipe_field('model.init_share')} must be in [0, 1], got {self.init_share}.")
        if self.norm not in ("batch", "group", "layer", "none"):
            raise RecipeError(
                f"{recipe_field('model.norm')} must be one of batch, group, layer, none; got {self.norm!r}."
            )
        if self.depth < 8 or (self.depth - 2) % 6:
            raise RecipeError(
                f"{recipe_field('model.depth')} must be 8, 14, 20, 26, 32, ... (6 n + 2), got {self.depth}."
            )
        for name in ("width", "vocabulary", "max_length"):
            if getattr(self, name) < 1:
                raise RecipeError(f"{recipe_field(f'model.{name}')} must be 1 or more, got {getattr(self, name)}.")
            check_bound(name, getattr(self, name), recipe_field(f"model.{name}"), RecipeError)
        if self.crop is not None and self.crop < 1:
            raise RecipeError(f"{recipe_field('model.crop')} must be 1 or more, got {self.crop}.")
        check_bound("layers", self.depth, recipe_field("model.depth"), RecipeError)
        check_bound("layers", len(self.hidden), f"the length of {recipe_field('model.hidden')}", RecipeError)
        for width in self.hidden:
            check_bound("width", width, f"a width of {recipe_field('model.hidden')}", RecipeError)

    def check_trusted(self, named_by: Literal["recipe", "study"] = "recipe") -> None:
        """Accept a model of reseed's own, or code that the user named or trusts.

        Args:
            named_by: What names the model.

        Raises:
            ModelError: A file names code to import, or a function that was in memory when the recipe was made.
        """
        if self.name.startswith(IN_MEMORY) and self.factory is None:
            raise ModelError(
                f"the model {self.name!r} was a function of the session that made the {named_by}, which does not hold "
                "it; pass that function again, or write it into a file and name it as FILE.py:FUNCTION."
            )
        if ":" in self.name and self.factory is None and not self.is_trusted:
            where, otherwise = "its networks are asked for", ""
            if named_by == "recipe":
                where, otherwise = "the recipe is read", f", or name that model yourself with {argument('model')}"
            raise ModelError(
                f"the {named_by} names code to run as its model, {self.name!r}. If you trust whoever wrote it, pass "
                f"{setting('trust_code', True)} where {where}{otherwise}."
            )
