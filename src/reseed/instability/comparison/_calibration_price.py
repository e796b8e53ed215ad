"""What a method does to calibration, where that is a price."""

from __future__ import annotations

from reseed.instability.comparison._method_effect import MethodEffect


def calibration_price(effect: MethodEffect) -> str:
    """Returns by how much a method raises the calibration error, and whether temperature scaling takes that away.

    Empty where it does not raise it by more than its interval, or where calibration is not known.
    """
    error, more, tempered = effect.ece, effect.ece_difference, effect.tempered_ece
    if error is None or more is None or not more.low > 0:
        return ""
    told = f"raises the calibration error from {100 * (error.value - more.value):.1f} to {100 * error.value:.1f} %"
    if tempered is None or tempered.value == error.value:  # equal where the method scales by a temperature itself
        return told
    advice = ": add temperature" if tempered.high < error.low else ""
    return f"{told}, after temperature scaling {100 * tempered.value:.1f} %{advice}"
