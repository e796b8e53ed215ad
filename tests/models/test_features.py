"""Features of texts that are kept, and found again for parts of these texts."""

import numpy as np
import pytest
import torch

from reseed._errors import ModelError
from reseed.models._features import kept_features, text_marks

IDS = torch.tensor([[5, 6, 0, 0], [5, 7, 8, 0], [9, 0, 0, 0], [6, 6, 6, 6], [7, 5, 0, 0]])
MARKS = text_marks("encoder", IDS, 0)


@pytest.fixture
def keep(tmp_path):
    """A function that asks for features of rows of the texts and also returns the rows that were computed."""

    def asked(key, rows):
        computed = []

        def compute(places):
            computed.extend(np.asarray(rows)[places].tolist())
            return IDS[torch.tensor(rows)[torch.from_numpy(places)]].float() ** 2

        return kept_features(tmp_path, key, MARKS[rows], compute), computed

    return asked


def test_parts_and_unions_of_sets_are_computed_once(keep):
    """A part, all of two sets in another order, and one with a single new text, which alone is computed."""
    for key, rows, expected in [
        ("first", [0, 1], [0, 1]),
        ("second", [2, 3], [2, 3]),
        ("part", [1], []),
        ("both", [3, 0, 2, 1, 0], []),
        ("more", [4, 3, 1], [4]),
        ("first", [0, 1], []),
    ]:
        features, computed = keep(key, rows)
        assert computed == expected
        assert torch.equal(features, IDS[rows].float() ** 2)


def test_texts_are_told_apart_by_encoder_and_tokens():
    """More padding is the same text, another encoder is not, and no two of these texts are the same."""
    assert len(set(MARKS.tolist())) == len(MARKS)
    assert (text_marks("encoder", torch.nn.functional.pad(IDS, (0, 3)), 0) == MARKS).all()
    assert not set(text_marks("other", IDS, 0).tolist()) & set(MARKS.tolist())


@pytest.mark.parametrize("name", ["features-first.npy", "texts-first.npy"])
def test_damaged_files_are_named(keep, tmp_path, name):
    """The message says which file to delete."""
    keep("first", [0, 1])
    (tmp_path / name).write_bytes(b"nothing")
    with pytest.raises(ModelError, match=rf"{name}' cannot be read: .* Delete the file"):
        keep("part", [1])


def test_files_that_do_not_belong_together_are_refused(keep, tmp_path):
    """As many texts as features."""
    keep("first", [0, 1])
    np.save(tmp_path / "texts-first.npy", MARKS[:1])
    with pytest.raises(ModelError, match="it has 2 rows for 1 texts"):
        keep("part", [0])
