"""Charts drawn from plain data: everything lies where its value says, gaps stay gaps, hostile text stays text."""

import base64
import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reseed.report.chart._axis import make_axis
from reseed.report.chart._cells import level
from reseed.report.chart._svg import chart_html
from reseed.scores import Chart, Passage, Picture, Series

PNG = b"\x89PNG\r\n\x1a\n" + b"rest"
NAN = math.nan
EVIL = "</svg></title><script>window.__pwned=1</script> \"' onload=alert(1) & \0\x1b \ufffe \ud800 <!-- ]]>"


def _chart(kind="lines", *series, **parts):
    return Chart(kind, "Title", "A sentence.", series=series, **{"x": "step", "y": "value"} | parts)


def _drawn(chart):
    """The figure as a tree, which it only is if it is well-formed, and its drawing."""
    figure = ElementTree.fromstring(chart_html(chart))  # noqa: S314 (made here)
    return figure, figure.find("svg")


def _places(svg, anchor):
    """Where an axis's labels say that numbers lie, by number: y of the vertical axis, x of the horizontal one."""
    found = {}
    for text in svg.iter("text"):
        if text.get("text-anchor") == anchor and text.get("class") != "title":
            value = float(text.text.replace("\u2212", "-").replace(",", ""))
            found[value] = float(text.get("y" if anchor == "end" else "x"))
    return found


def _expected(places, value):
    (low, start), *_, (high, end) = sorted(places.items())
    return start + (value - low) / (high - low) * (end - start)


def test_points_lie_where_the_ticks_say():
    """A dot stands between two ticks of both axes in proportion to its value."""
    _, svg = _drawn(_chart("scatter", Series("a", (0.0, 2.5, 10.0), (0.0, 40.0, 7.0))))
    across, up = _places(svg, "middle"), _places(svg, "end")
    assert len(across) >= 4
    assert len(up) >= 4
    for circle, x, y in zip(svg.iter("circle"), (0.0, 2.5, 10.0), (0.0, 40.0, 7.0), strict=True):
        assert float(circle.get("cx")) == pytest.approx(_expected(across, x), abs=0.2)
        assert float(circle.get("cy")) == pytest.approx(_expected(up, y), abs=0.2)


def test_higher_values_are_higher_up():
    """The vertical axis of a drawing grows downwards, that of a chart upwards."""
    _, svg = _drawn(_chart("lines", Series("a", (1, 2), (0.0, 1.0))))
    (line,) = svg.iter("polyline")
    (x1, y1), (x2, y2) = (tuple(map(float, point.split(","))) for point in line.get("points").split())
    assert x1 < x2
    assert y1 > y2


def test_values_that_are_not_known_are_gaps():
    """A line breaks at NaN; a point alone between two gaps is a dot, however many points there are."""
    ys = [1.0, 2.0, NAN, 4.0, NAN, 6.0, 7.0, math.inf, *[1.0] * 100]
    _, svg = _drawn(_chart("lines", Series("a", tuple(range(108)), tuple(ys))))
    lengths = [len(line.get("points").split()) for line in svg.iter("polyline")]
    assert lengths == [2, 2, 100]
    assert len(list(svg.iter("circle"))) == 1
    assert "nan" not in ElementTree.tostring(svg, "unicode").lower()


def test_bands_reach_from_low_to_high():
    """The band has the ends of the intervals, and is left out where one is missing."""
    series = Series("a", (0, 1, 2, 3), (1.0, 2.0, 3.0, 4.0), (0.5, 1.0, NAN, 2.0), (1.5, 3.0, 3.5, 6.0))
    _, svg = _drawn(_chart("lines", series))
    up = _places(svg, "end")
    (band,) = [shape for shape in svg.iter("polygon") if shape.get("class") == "band"]
    heights = [float(point.split(",")[1]) for point in band.get("points").split()]
    assert heights == pytest.approx([_expected(up, value) for value in (1.5, 3.0, 1.0, 0.5)], abs=0.2)
    (alone,) = [shape for shape in svg.iter("path") if shape.get("class") == "interval"]
    assert alone.get("d").count("M") == 3


def test_bars_begin_at_zero():
    """Heights of bars are in proportion to their values, of either sign; no value is no bar."""
    _, svg = _drawn(_chart("bars", Series("", ("a", "b", "c", "d"), (2.0, 4.0, -1.0, NAN)), x=""))
    bars = [(float(bar.get("y")), float(bar.get("height"))) for bar in svg.iter("rect")]
    zero = _places_of_bars(svg)[0.0]
    assert len(bars) == 3
    assert bars[0][0] + bars[0][1] == pytest.approx(zero, abs=0.2)
    assert bars[2][0] == pytest.approx(zero, abs=0.2)
    assert bars[1][1] == pytest.approx(2 * bars[0][1], abs=0.3)
    assert bars[2][1] == pytest.approx(0.5 * bars[0][1], abs=0.3)


def _places_of_bars(svg):
    numbers = [text for text in svg.iter("text") if text.get("text-anchor") == "end" and text.get("transform") is None]
    return {float(text.text.replace("\u2212", "-")): float(text.get("y")) for text in numbers}


def test_bars_of_several_series_stand_side_by_side():
    """Bars under one name do not cover each other, and those of the next name come after."""
    _, svg = _drawn(_chart("bars", Series("one", ("a", "b"), (1.0, 2.0)), Series("two", ("b", "a"), (4.0, 3.0))))
    bars = sorted((float(bar.get("x")), float(bar.get("width")), float(bar.get("height"))) for bar in svg.iter("rect"))
    for (x, wide, _), (after, _, _) in pairwise(bars):
        assert x + wide <= after + 0.2
    heights = [height for _, _, height in bars]
    assert [height / heights[0] for height in heights] == pytest.approx([1, 3, 2, 4], abs=0.05)


def test_bars_at_numbers_stand_on_an_axis():
    """A histogram's bars are where their numbers are, the next one's place at most as wide as the distance."""
    _, svg = _drawn(_chart("bars", Series("", (5.0, 15.0, 45.0), (3.0, 8.0, 1.0))))
    across = _places(svg, "middle")
    for bar, x in zip(svg.iter("rect"), (5.0, 15.0, 45.0), strict=True):
        middle = float(bar.get("x")) + float(bar.get("width")) / 2
        assert middle == pytest.approx(_expected(across, x), abs=0.3)
        assert float(bar.get("width")) < _expected(across, 10.0) - _expected(across, 0.0)


def _map(cells, **parts):
    rows, columns = (
        tuple(f"r{place}" for place in range(len(cells))),
        tuple(f"c{place}" for place in range(len(cells[0]))),
    )
    return Chart("heat map", "Map", "See.", y="share", **{"rows": rows, "columns": columns, "cells": cells} | parts)


def test_cells_have_their_places_and_colours():
    """Rows are from the top, columns from the left; the lowest and the highest value have the ends of the scale."""
    _, svg = _drawn(_map(((0.0, NAN, 3.0), (1.5, 3.0, 0.0))))
    found = {}
    for cell in svg.iter("rect"):
        if cell.find("title") is not None:
            name, value = cell.find("title").text.split(": ")
            found[name] = (float(cell.get("x")), float(cell.get("y")), cell.get("class"), value)
    assert set(found) == {"r0, c0", "r0, c2", "r1, c0", "r1, c1", "r1, c2"}
    assert found["r0, c0"][2] == found["r1, c2"][2] == "heat-0"
    assert found["r0, c2"][2] == found["r1, c1"][2] == "heat-15"
    assert found["r0, c0"][0] == found["r1, c0"][0] < found["r1, c1"][0] < found["r1, c2"][0]
    assert found["r0, c0"][1] < found["r1, c0"][1]
    words = " ".join(svg.itertext())
    assert "empty: no value" in words
    assert "share" in words


@pytest.mark.parametrize("cells", [((NAN,),), ((2.0, 2.0),), ((1e308, -1e308),)])
def test_maps_of_nothing_and_of_one_value(cells):
    """A map without values says so; one value has one colour; the widest range there is has two ends."""
    _, svg = _drawn(_map(cells))
    colours = {cell.get("class") for cell in svg.iter("rect") if cell.find("title") is not None}
    assert len(colours) == len({value for row in cells for value in row if value == value})
    assert ("no cell has a value" in " ".join(svg.itertext())) == (not colours)


def test_levels_are_in_order():
    """More is never drawn as less."""
    levels = [level(value / 100, 0.0, 1.0) for value in range(101)]
    assert levels == sorted(levels)
    assert set(levels) == set(range(16))


def test_pictures_are_inside_the_page():
    """Images are data, under their captions."""
    figure, svg = _drawn(Chart("images", "Seen", "Look.", pictures=(Picture(PNG, "a four"), Picture(PNG, "a nine"))))
    assert svg is None
    sources = [image.get("src") for image in figure.iter("img")]
    assert sources == ["data:image/png;base64," + base64.b64encode(PNG).decode()] * 2
    assert [image.get("alt") for image in figure.iter("img")] == ["a four", "a nine"]


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.0, 0.5, ("0.0", "0.1", "0.2", "0.3", "0.4", "0.5")),
        (0.0, 7.0, ("0", "2", "4", "6")),
        (-2.5e-9, 2.5e-9, ("\u22122e\u22129", "\u22121e\u22129", "0", "1e\u22129", "2e\u22129")),
        (1e7, 1.3e7, ("1e7", "1.05e7", "1.1e7", "1.15e7", "1.2e7", "1.25e7", "1.3e7")),
    ],
)
def test_ticks_are_round(low, high, labels):
    """Ticks are multiples of 1, 2 or 5 times a power of ten, written as short as they are."""
    assert make_axis([low, high], padding=0).labels == labels


def test_whole_numbers_have_whole_ticks():
    """Two epochs have no half one between them."""
    assert make_axis([1, 2], padding=0.03).ticks == (1.0, 2.0)


def test_series_have_a_legend_where_there_are_several():
    """One needs none; of very many the first are named, and how many more there are."""
    figure, _ = _drawn(_chart("lines", Series("only", (1, 2), (1.0, 2.0))))
    assert figure.find("ul") is None
    many = [Series(f"run {place}", (1, 2), (1.0, place)) for place in range(40)]
    figure, _ = _drawn(_chart("lines", *many))
    names = ["".join(item.itertext()) for item in figure.find("ul")]
    assert names == [*(f"run {place}" for place in range(24)), "16 more"]


def test_lines_look_different_without_colours():
    """The first 24 lines differ in colour or dashes, and neighbours in dashes."""
    figure, svg = _drawn(_chart("lines", *(Series(f"run {place}", (1, 2), (1.0, place)) for place in range(24))))
    kinds = [group.get("class") for group in svg.iter("g")]
    assert len(set(kinds)) == 24
    assert all(one.split()[1] != other.split()[1] for one, other in pairwise(kinds[:6]))
    assert [group.get("class") for group in figure.find("ul").iter("g")] == kinds


@pytest.mark.parametrize("kind", ["lines", "bars", "scatter"])
def test_values_are_in_a_table(kind):
    """Those who cannot see the drawing read its name, the sentence, and every value in a table, the first of many."""
    series = Series("a", (1.0, 2.0), (0.25, NAN), (0.125, NAN), (0.5, NAN))
    figure, svg = _drawn(_chart(kind, series))
    assert (svg.get("role"), svg.get("aria-label")) == ("img", "Title. A sentence.")
    rows = [["".join(cell.itertext()) for cell in row] for row in figure.iter("tr")]
    assert rows[:2] == [["step", "value", "from (interval)", "to (interval)"], ["1", "0.25", "0.125", "0.5"]]
    assert "no value" in rows[2][1]
    figure, _ = _drawn(_chart(kind, *(Series(name, tuple(range(150)), (1.0,) * 150) for name in "ab")))
    assert len(list(figure.iter("tr"))) == 101
    assert "The first 100 of 300 points." in " ".join(figure.itertext())


def test_a_large_map_has_a_part_of_its_table():
    """The table of a map is bounded in both directions, and says so."""
    figure, _ = _drawn(_map(((0.5,) * 80,) * 120))
    table = list(figure.iter("tr"))
    assert (len(table), len(table[0])) == (101, 25)
    words = " ".join(figure.itertext())
    assert "The first 100 of 120 rows." in words
    assert "The first 24 of 80 columns." in words


def test_changed_texts_are_marked():
    """What was taken out and what was put in are elements of their own, and long texts are cut."""
    parts = (("", "call me "), ("removed", "now"), ("added", "later"), ("", "x" * 5_000))
    page = chart_html(Chart("texts", "Seen", "Look.", passages=(Passage(parts, "id 3"),)))
    figure = ElementTree.fromstring(page)  # noqa: S314 (made here)
    assert ["".join(node.itertext()) for node in figure.iter("del")] == ["now"]
    assert ["".join(node.itertext()) for node in figure.iter("ins")] == ["later"]
    assert len("".join(figure.itertext())) < 1_000
    assert "id 3" in "".join(figure.itertext())


def _evil(kind):
    words = {"x": EVIL, "y": EVIL}
    if kind == "images":
        return Chart(kind, EVIL, EVIL, pictures=(Picture(PNG + b'"><script>', EVIL),))
    if kind == "texts":
        return Chart(kind, EVIL, EVIL, passages=(Passage((("removed", EVIL), ("added", EVIL), ("", EVIL)), EVIL),))
    if kind == "heat map":
        return Chart(kind, EVIL, EVIL, rows=(EVIL, EVIL), columns=(EVIL,), cells=((1.0,), (2.0,)), **words)
    xs = (EVIL, "b") if kind == "bars" else (1.0, 2.0)
    return Chart(kind, EVIL, EVIL, series=(Series(EVIL, xs, (1.0, 2.0)), Series(EVIL, xs, (3.0, 4.0))), **words)


@pytest.mark.parametrize("kind", ["lines", "bars", "scatter", "heat map", "images", "texts"])
def test_hostile_text_stays_text(kind):
    """Names, titles and captions can neither end an element nor add one or an attribute."""
    page = chart_html(_evil(kind))
    tree = ElementTree.fromstring(page)  # noqa: S314 (made here)
    drawn = {"svg", "g", "title", "polyline", "circle", "rect", "path", "text"}
    around = {
        "figure",
        "h3",
        "ul",
        "li",
        "bdi",
        "figcaption",
        "details",
        "summary",
        "p",
        "div",
        "span",
        "img",
        "del",
        "ins",
    }
    known = drawn | around | {"table", "thead", "tbody", "tr", "th", "td"}
    assert {node.tag for node in tree.iter()} <= known
    assert not [name for node in tree.iter() for name in node.attrib if name.startswith("on")]
    assert "<script" not in page
    assert "\0" not in page
    page.encode()  # no half of a surrogate pair
    assert "</svg></title><script>" in tree.find("h3").text


@pytest.mark.parametrize("kind", ["lines", "bars", "scatter"])
def test_nothing_known_is_an_empty_chart(kind):
    """Series without a value, and without a point, are drawn as axes alone."""
    for series in (Series("a", (1.0,), (NAN,)), Series("a", (), ()), Series("a", (NAN,), (1.0,))):
        _, svg = _drawn(_chart(kind, series))
        assert not [*svg.iter("circle"), *svg.iter("polyline"), *svg.iter("rect")]


NUMBER = st.floats(allow_nan=True, allow_infinity=True) | st.integers(-3, 3).map(float)
TEXT = st.text(max_size=60)


@st.composite
def charts(draw):
    """Any chart of numbers."""
    kind = draw(st.sampled_from(["lines", "bars", "scatter", "heat map"]))
    title = {"x": draw(TEXT), "y": draw(TEXT)}
    if kind == "heat map":
        rows, columns = draw(st.integers(1, 12)), draw(st.integers(1, 30))
        cells = tuple(tuple(draw(NUMBER) for _ in range(columns)) for _ in range(rows))
        names = {"rows": tuple(draw(TEXT) for _ in range(rows)), "columns": tuple(draw(TEXT) for _ in range(columns))}
        return Chart(kind, "t", "s", cells=cells, **names, **title)
    series = []
    for _ in range(draw(st.integers(1, 3))):
        size = draw(st.integers(0, 6))
        x = TEXT if kind == "bars" and draw(st.booleans()) else NUMBER
        parts = [tuple(draw(kind_) for _ in range(size)) for kind_ in (x, NUMBER, NUMBER, NUMBER)]
        series.append(Series(draw(TEXT), *parts) if draw(st.booleans()) else Series(draw(TEXT), *parts[:2]))
    return Chart(kind, "t", "s", series=tuple(series), **title)


@settings(max_examples=100, deadline=None)
@given(charts())
@example(Chart("lines", "t", "s", series=(Series("", (0.0,), (1.7512e308,)),)))
@example(Chart("scatter", "t", "s", series=(Series("", (-1.79e308,), (0.0,)),)))
def test_everything_lies_inside_the_drawing(chart):
    """Whatever the numbers, drawings are well-formed, and what is drawn for values lies inside."""
    _, svg = _drawn(chart)
    _, _, wide, high = map(float, svg.get("viewBox").split())
    places = []
    for node in svg.iter():
        if node.tag == "circle":
            places.append((float(node.get("cx")), float(node.get("cy"))))
        elif node.tag == "rect":
            x, y = float(node.get("x")), float(node.get("y"))
            places += [(x, y), (x + float(node.get("width")), y + float(node.get("height")))]
        elif node.tag in ("polyline", "polygon"):
            places += [tuple(map(float, point.split(","))) for point in node.get("points").split()]
        elif node.tag == "path":
            assert all(math.isfinite(float(found)) for found in re.findall(r"[MHVv ]([^MHVv ]+)", node.get("d")))
        elif node.tag == "text":
            places.append((float(node.get("x")), float(node.get("y"))))
    assert all(-0.6 <= x <= wide + 0.6 and -0.6 <= y <= high + 0.6 for x, y in places)
