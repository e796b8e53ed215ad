"""The table of sources in a terminal."""

import io

import numpy as np
import pytest
from rich.console import Console

from reseed.instability import source_effects
from reseed.report import print_sources


def _printed(effects, **options):
    """What a terminal of 80 columns shows."""
    console = Console(file=io.StringIO(), width=80)
    print_sources(effects, console, **options)
    return console.file.getvalue()


def test_numbers_stand_beside_their_intervals():
    """Jitter, share and drop are printed in percent, in rows that fit 80 columns, with notes and names as they are."""
    rng = np.random.default_rng(0)
    everything, part = ((rng.random((6, 100)) < 0.3).astype(int) for _ in range(2))
    effects = source_effects(everything, {"[red]": part}, {"[red]": part})
    shown = _printed(effects, title="data, [model]", notes=["a [note]"])
    effect = effects.effects[0]
    for found in (effect.jitter, effect.share, effect.drop):
        digits = 2 if found is effect.jitter else 0
        ends = (f"{100 * value:.{digits}f}" for value in (found.value, found.low, found.high))
        assert "{} [{}, {}]".format(*ends) in shown
    assert "data, [model]: 6 runs in each study, 100 samples" in shown
    assert "[red] only" in shown
    assert "note: a [note]" in shown


def test_what_has_no_value_is_a_dash():
    """Where nothing is unstable, share and drop are dashes."""
    still = np.zeros((3, 4), int)
    with pytest.warns(RuntimeWarning, match="agree everywhere"):
        effects = source_effects(still, {"init": still}, {"init": still})
    assert "0.00 [0.00, 0.00]" in _printed(effects, title="data, model")
    assert "nan" not in _printed(effects, title="data, model")
