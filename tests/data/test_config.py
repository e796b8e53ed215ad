"""What a data configuration refuses by itself."""

import re

import pytest

from reseed._errors import DataError
from reseed.data import DataConfig


def test_defaults_need_no_file_and_no_network():
    """Without any option the embedded digits are meant."""
    assert DataConfig() == DataConfig(name="digits", eval_fraction=0.2, split_seed=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": ""}, "name is empty"),
        ({"eval_fraction": 1.0}, "eval_fraction is 1.0; give a share between 0 and 1"),
        ({"eval_fraction": 0.0}, "eval_fraction is 0.0;"),
        ({"eval_fraction": float("nan")}, "eval_fraction is nan;"),
        ({"holdout": 0.0}, "holdout is 0.0; give a share between 0 and 1, such as 0.2"),
        ({"holdout": 1.0}, "holdout is 1.0;"),
        ({"holdout": float("nan")}, "holdout is nan;"),
        ({"split_seed": -1}, "split_seed is -1; give an integer from 0 to 4294967295"),
        ({"limit": 0}, "limit is 0; give a positive number"),
        ({"features": ()}, "features is empty; name at least one numeric column"),
        ({"text": "t", "features": ("x",)}, "text='t' and features=('x',) are both given"),
    ],
)
def test_refuses_values_out_of_range(options, message):
    """The message names the option, shows its value and says what to give."""
    with pytest.raises(DataError, match=re.escape(message)):
        DataConfig(**options)
