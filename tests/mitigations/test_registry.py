"""Text that names methods, folders that are named by it, and which methods go together."""

import pytest

from reseed import RecipeError
from reseed.mitigations import (
    Distill,
    InitScale,
    LabelSmoothing,
    SelectiveEnsembling,
    described,
    mitigation,
    parse_mitigations,
)
from reseed.training import Recipe, mitigated
from reseed.workflows._compare import method_folder, method_name


@pytest.mark.parametrize(
    "method",
    [
        Distill(anchor="out/method-ema+init-scale"),
        Distill(anchor="C:/studies/50 %"),
        Distill(anchor="s3://bucket/study"),
        Distill(anchor="out/method-sam,rho=0.1"),
        LabelSmoothing(0.1, prior=(0.25, 0.75)),
    ],
)
def test_signs_in_values_survive(method):
    """Signs that separate methods and options are no separators in a value; a folder's name gives the text back."""
    text = described((method, InitScale(0.5)))
    assert parse_mitigations(text) == (method, InitScale(0.5))
    folder = method_folder(text)
    assert not set(folder) & set("/:")
    assert method_name(folder) == text


@pytest.mark.parametrize("value", ["inf", "nan", "1.5", "many"])
def test_numbers_that_are_not_whole_are_refused(value):
    """Where a whole number is wanted, nothing else is taken or ends in another error."""
    with pytest.raises(RecipeError, match="larger-batch: factor must be"):
        parse_mitigations(f"larger-batch:factor={value}")


def test_whole_numbers_may_be_written_with_a_point():
    """As TOML has them."""
    assert parse_mitigations("larger-batch:factor=4.0") == (mitigation("larger-batch", factor=4),)


def test_defaults_that_are_none_may_be_given():
    """None is a value of the fields whose default it is."""
    assert mitigation("confidence-penalty", threshold=None) == mitigation("confidence-penalty")


@pytest.mark.parametrize("text", ["sam:rho=inf", "weight-decay:strength=inf", "co-distillation:weight=inf"])
def test_infinite_strengths_are_refused(text):
    """They would make the loss, or the step, no number."""
    with pytest.raises(RecipeError, match="must be zero or more, got inf"):
        parse_mitigations(text)


def test_blended_samples_have_no_anchor_of_their_own():
    """A penalty that holds a sample against its anchor cannot be for the blend of two samples."""
    with pytest.raises(RecipeError, match="one blends samples, the other's penalty is about unblended ones"):
        mitigated(Recipe(), parse_mitigations("focal-distillation+mixup"))


def test_large_ensembles_are_tested_as_well():
    """Binomial coefficients of a thousand members are beyond floating point."""
    assert SelectiveEnsembling(1100).is_active
