"""Charts as plain data."""

import json
import math
import re

import pytest

from reseed import InputError
from reseed.scores import Chart, Passage, Picture, Series

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 8
CHARTS = {
    "lines": Chart("lines", "t", "s", "x", "y", (Series("a", (1, 2), (0.5, math.inf), (0.1, 0.2), (0.9, 1.0)),)),
    "bars": Chart("bars", "t", "s", "x", "y", (Series("a", ("one", "two"), (0.5, 1.5)),)),
    "scatter": Chart("scatter", "t", "s", "x", "y", (Series("a", (1, 2), (0.5, 1.5)), Series("b", (3,), (4.0,)))),
    "heat map": Chart("heat map", "t", "s", rows=("r",), columns=("c", "d"), cells=((1.0, math.nan),)),
    "images": Chart("images", "t", "s", pictures=(Picture(PNG, "a bee"),)),
    "texts": Chart("texts", "t", "s", passages=(Passage((("", "a "), ("removed", "b"), ("added", "c")), "one"),)),
}


@pytest.mark.parametrize("kind", CHARTS)
def test_charts_go_through_json(kind):
    """Numbers that JSON does not hold become gaps; all others stay."""
    tree = json.loads(json.dumps(CHARTS[kind].tree, allow_nan=False))
    again = Chart.from_tree(tree)
    assert json.dumps(again.tree) == json.dumps(tree)
    assert (again.kind, again.title, again.sentence) == (kind, "t", "s")
    if kind == "lines":
        assert again.series[0].y[0] == 0.5
        assert math.isnan(again.series[0].y[1])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "pie"}, "must be one of lines, bars, heat map, scatter, images, texts, got 'pie'"),
        ({"sentence": ""}, "a chart needs a title and a sentence"),
        ({"series": ()}, "is of the kind 'lines'; give it series and no other"),
        ({"series": (Series("a", (1,), (1.0, 2.0)),)}, "the points 'a' of the chart 't' differ in number of x and y"),
        ({"series": (Series("a", ("b",), (1.0,)),)}, "whose x are numbers"),
        ({"series": (Series("a", (1.0,) * 10_001, (1.0,) * 10_001),)}, "has 10,001 points, more than 10,000"),
        ({"kind": "heat map", "series": (), "cells": ((1.0,),), "rows": ("a", "b"), "columns": ("c",)}, "2 names of"),
        ({"kind": "images", "series": (), "pictures": (Picture(b"GIF", "a"),)}, "'a' is no PNG file of at most 256"),
        ({"kind": "texts", "series": (), "passages": (Passage((("bold", "b"),), "a"),)}, "'a' has a mark 'bold'"),
        ({"kind": "texts", "series": (), "passages": (Passage((("", "b" * 20_001),), "a"),)}, "more than 20,000 lett"),
    ],
)
def test_charts_that_cannot_be_drawn_are_refused(given, message):
    """Before anything is kept."""
    parts = {"kind": "lines", "title": "t", "sentence": "s", "series": (Series("a", (1,), (1.0,)),)}
    with pytest.raises(InputError, match=re.escape(message)):
        Chart(**parts | given)


@pytest.mark.parametrize(
    "broken", [{}, {"kind": "pie"}, {"title": 3}, {"series": [{"name": "a", "x": [True], "y": [1]}]}, {"pictures": [1]}]
)
def test_damaged_charts_are_told(broken):
    """As the one kind of error that readers of files expect."""
    tree = CHARTS["lines"].tree | broken if broken else {}
    with pytest.raises(ValueError, match="chart"):
        Chart.from_tree(tree)
