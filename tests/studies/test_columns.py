"""Frames and texts as the data of trainings of one's own."""

import datasets
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline

from reseed import InputError
from reseed.studies import run

WORDS = ["hello", "bye"] * 20
FRAME = pd.DataFrame({"said": [f"{word} {row}" for row, word in enumerate(WORDS)], "kind": WORDS, "length": range(40)})
TRAIN, EVAL = FRAME[:30], FRAME[30:]
PIPELINE = make_pipeline(TfidfVectorizer(), SGDClassifier())


def texts(study):
    """What the study shows of its samples."""
    return list(study.samples.texts)


@pytest.mark.parametrize("form", ["frame", "data set", "pair", "series"])
def test_raw_strings_are_shown(tmp_path, form):
    """However they come, the inputs are what a reader recognises the samples by."""
    named = {"text": "said", "label": "kind"}
    data, options = {
        "frame": ((TRAIN, EVAL), named),
        "data set": ([datasets.Dataset.from_pandas(part, preserve_index=False) for part in (TRAIN, EVAL)], named),
        "pair": ([(list(part["said"]), list(part["kind"])) for part in (TRAIN, EVAL)], {}),
        "series": ([(part["said"], part["kind"]) for part in (TRAIN, EVAL)], {}),
    }[form]
    study = run(
        PIPELINE, train_data=data[0], eval_data=data[1], runs=2, out=tmp_path / "study", engine="serial", **options
    )
    assert texts(study) == list(EVAL["said"])
    assert (study.final() == study.targets).all()


def test_a_frame_goes_to_a_pipeline_that_wants_one(tmp_path):
    """Without a text column it is handed on without its labels."""
    transformer = make_column_transformer((TfidfVectorizer(), "said"), ("passthrough", ["length"]))
    pipeline = make_pipeline(transformer, SGDClassifier())
    study = run(pipeline, train_data=TRAIN, eval_data=EVAL, label="kind", runs=2, out=tmp_path / "a", engine="serial")
    assert study.samples.texts is None
    assert study.header.class_names == ("bye", "hello")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"eval_data": EVAL, "train_data": TRAIN},
            "pass label=, the column with the targets: one of said",
        ),
        ({"eval_data": EVAL, "train_data": TRAIN, "label": "sort"}, "has no column 'sort'"),
        ({"eval_data": (WORDS, WORDS), "text": "said"}, "which eval_data, a tuple, has not"),
        ({"eval_data": datasets.Dataset.from_pandas(EVAL), "label": "kind"}, "pass text="),
        ({"fit": torch.nn.Linear(2, 2), "eval_data": (np.eye(2), [0, 1])}, "one network; pass a function fit"),
    ],
)
def test_what_cannot_be_taken_is_told(tmp_path, arguments, message):
    """In reseed's words."""
    with pytest.raises(InputError, match=message):
        run(**{"fit": PIPELINE, "out": tmp_path / "study"} | arguments)
