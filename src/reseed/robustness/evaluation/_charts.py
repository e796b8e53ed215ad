"""The charts of the robustness lens, as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from reseed.robustness.evaluation._protocol import Protocol
from reseed.robustness.evaluation._subject import Subject
from reseed.scores import Chart, Part, Passage, Picture, Series
from reseed.statistics import Estimate, mean_of_cells

_POINTS = 41


def charts_of(subject: Subject, protocol: Protocol, parts: Mapping[str, Part], ids: tuple[str, ...]) -> Iterator[Chart]:
    """Yield what the parts that there are allow to draw."""
    attacks, boundary = parts.get("attacks"), parts.get("boundary")
    has_labels = bool((subject.targets >= 0).any())
    if attacks is not None and boundary is not None and "boundary_distance" in boundary.cells and has_labels:
        yield _against_epsilon(subject, protocol, attacks, boundary)
    if attacks is not None and has_labels:
        yield _by_attack(attacks, protocol)
    if "corruptions" in parts and "errors" in parts["corruptions"].arrays:
        yield _by_corruption(parts["corruptions"])
    if attacks is not None and "shown.clean" in attacks.arrays:
        yield _pictures(subject, attacks, ids)
    if "corruptions" in parts and "shown.words" in parts["corruptions"].arrays:
        yield _texts(subject, parts["corruptions"], ids)


def _against_epsilon(subject: Subject, protocol: Protocol, attacks: Part, boundary: Part) -> Chart:
    """Draw the accuracy that is left at each budget: right answers with no other answer found nearer."""
    distances, right = boundary.cells["boundary_distance"], attacks.cells["accuracy_clean"]
    reach = max(2 * protocol.epsilon, float(np.nanquantile(np.where(np.isfinite(distances), distances, np.nan), 0.9)))
    budgets = np.linspace(0, reach, _POINTS)
    found = [_share(np.where(np.isnan(right), np.nan, right * (distances > budget))) for budget in budgets]
    line = Series(
        "accuracy",
        tuple(map(float, budgets)),
        tuple(each.value for each in found),
        tuple(each.low for each in found),
        tuple(each.high for each in found),
    )
    at = _share(attacks.cells["accuracy_worst_case"])
    point = Series("worst of all attacks", (protocol.epsilon,), (at.value,), (at.low,), (at.high,))
    sentence = (
        f"{at.value:.1%} of all answers are right and stay so at the budget {protocol.epsilon:.3g}; the line counts an "
        "answer as lost where a nearer input with another answer was found, and true accuracy is at most that."
    )
    x = f"budget, norm {protocol.norm}"
    return Chart("lines", "Accuracy against the budget of attacks", sentence, x, "accuracy", (line, point))


def _by_attack(attacks: Part, protocol: Protocol) -> Chart:
    """Draw the accuracy that each attack leaves by itself, and all together."""
    cells = {"none": attacks.cells["accuracy_clean"]}
    cells |= {
        name.partition(".")[2]: attacks.arrays[name] for name in attacks.arrays if name.startswith("accuracy_of.")
    }
    cells["worst of all"] = attacks.cells["accuracy_worst_case"]
    found = {name: _share(values) for name, values in cells.items()}
    sentence = (
        f"At the budget {protocol.epsilon:.3g} accuracy falls from {found['none'].value:.1%} to "
        f"{found['worst of all'].value:.1%}; an attack that leaves much more than others is weak, not the network "
        "strong."
    )
    values, lows, highs = zip(*((each.value, each.low, each.high) for each in found.values()), strict=True)
    series = Series("", tuple(found), values, lows, highs)
    return Chart("bars", "Accuracy under each attack", sentence, "attack", "accuracy", (series,))


def _share(values: NDArray[np.float64]) -> Estimate:
    return mean_of_cells(values, bottom=0.0, top=1.0)


def _by_corruption(part: Part) -> Chart:
    names, severities = part.arrays["names"].tolist(), part.arrays["severities"].tolist()
    errors = np.asarray(part.arrays["errors"]).mean(0)  # over runs
    worst = int(errors.mean(1).argmax())
    sentence = f"{names[worst].replace('_', ' ')} costs most: {errors[worst].mean():.1%} of answers are wrong under it."
    return Chart(
        "heat map",
        "Wrong answers by corruption and severity",
        sentence,
        "severity",
        "share of wrong answers",
        rows=tuple(name.replace("_", " ") for name in names),
        columns=tuple(map(str, severities)),
        cells=tuple(tuple(map(float, row)) for row in errors),
    )


def _pictures(subject: Subject, part: Part, ids: tuple[str, ...]) -> Chart:
    pictures = []
    low, high = subject.value_range
    for place, clean, attacked in zip(
        *(part.arrays[f"shown.{name}"] for name in ("numbers", "clean", "attacked")), strict=True
    ):
        sample = ids[subject.numbers[int(place)]]
        for words, image in (("clean", clean), ("attacked", attacked)):
            pictures.append(Picture(_png((image - low) / (high - low)), f"{sample}, {words}", sample))
    sentence = "Samples that attacks fool most networks on, each clean and as one network was fooled."
    return Chart("images", "Clean and attacked", sentence, pictures=tuple(pictures))


def _png(image: NDArray[np.floating]) -> bytes:
    from PIL import Image

    levels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    picture = (
        Image.fromarray(levels[0]) if len(levels) not in (3, 4) else Image.fromarray(levels[:3].transpose(1, 2, 0))
    )
    picture.thumbnail((128, 128))
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _texts(subject: Subject, part: Part, ids: tuple[str, ...]) -> Chart:
    passages = []
    arrays = part.arrays
    marks, words, of = arrays["shown.mark"].tolist(), arrays["shown.words"].tolist(), arrays["shown.of"]
    for number, place in enumerate(arrays["shown.numbers"]):
        pieces = tuple((marks[piece], words[piece]) for piece in np.flatnonzero(of == number))
        share, how = float(arrays["shown.share"][number]), str(arrays["shown.how"][number])
        sample = ids[subject.numbers[int(place)]]
        caption = f"{sample}: {how.replace('_', ' ')} changes the answer of {share:.0%} of runs"
        passages.append(Passage(pieces, caption, sample))
    sentence = "Texts whose answers change most often under errors in writing, each with the one that changes most."
    return Chart("texts", "Clean and changed texts", sentence, passages=tuple(passages))
