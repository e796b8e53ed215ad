"""What common corruptions do to answers: of images, of features, or of texts as people mistype them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from reseed.perturbations.features import FEATURE_CORRUPTIONS, corrupt_features
from reseed.perturbations.images import CORRUPTIONS, SEQUENCES, corrupt, perturbation_frames
from reseed.perturbations.texts import TEXT_CORRUPTIONS, corrupt_texts, marked_differences
from reseed.robustness.corruptions._flip_probability import flip_probability
from reseed.robustness.evaluation._protocol import Protocol
from reseed.robustness.evaluation._subject import Subject
from reseed.scores import Part, Told

_SHOWN = 8  # texts that are kept for the page


def corruptions_of(subject: Subject) -> tuple[str, ...]:
    """Return the names of the corruptions that a subject's samples can have; none of unknown kinds of inputs."""
    if subject.texts is not None:
        return tuple(TEXT_CORRUPTIONS)
    if subject.kind == "images":
        return tuple(CORRUPTIONS) if tuple(subject.bounds) == (0.0, 1.0) else ()
    return tuple(FEATURE_CORRUPTIONS) if subject.kind == "features" else ()


def corruptions_part(subject: Subject, protocol: Protocol, told: Told) -> Part:
    """Ask about every sample under every corruption and severity.

    Args:
        subject: It has corruptions, see `corruptions_of`.
        protocol: The severities and the seed.
        told: Takes the share that is done.
    """
    began, names, severities = time.perf_counter(), corruptions_of(subject), protocol.severities
    shape = (subject.runs, len(names), len(severities))
    flips = np.zeros((subject.runs, subject.samples))
    wrong = np.full((*shape, subject.samples), False)
    for row, name in enumerate(names):
        for column, severity in enumerate(severities):
            for span in subject.batches:
                answers = subject.answered(_corrupted(subject, name, severity, protocol.seed, span))
                flips[:, span] += answers != subject.answers[:, span]
                wrong[:, row, column, span] = answers != subject.targets[span]
            told((row * len(severities) + column + 1) / (len(names) * len(severities)))
    known = subject.targets >= 0
    cells: dict[str, NDArray[Any]] = {"corruption_flip_rate": flips / (len(names) * len(severities))}
    arrays: dict[str, NDArray[Any]] = {"names": np.array(names), "severities": np.array(severities)}
    if known.any():
        errors = wrong[..., known].mean(-1)  # [run, corruption, severity]
        of_sample = wrong.mean((1, 2)).astype(np.float64)
        cells["corruption_error"] = np.where(known, of_sample, np.nan)
        cells["corruption_error_added"] = cells["corruption_error"] - (1 - subject.is_right)
        arrays["errors"] = errors
    return Part(
        cells=cells,
        arrays=arrays | _shown(subject, protocol, flips),
        cost={
            "forward_passes": float(subject.runs * subject.samples * len(names) * len(severities)),
            "wall_s": time.perf_counter() - began,
        },
    )


def sequences_part(subject: Subject, protocol: Protocol, told: Told) -> Part:
    """Ask about every frame of every perturbation sequence of images, and count how often answers change along it."""
    began, passes = time.perf_counter(), 0
    rates = np.zeros((len(SEQUENCES), subject.runs, subject.samples))
    for row, (name, sequence) in enumerate(SEQUENCES.items()):
        for span in subject.batches:
            numbers = subject.numbers[span]
            frames = [
                subject.answered(torch.as_tensor(frame))
                for frame in perturbation_frames(subject.inputs[span], name, seed=protocol.seed, items=numbers)
            ]
            labels = np.stack(frames, axis=1)  # [run, frame, sample]
            passes += labels.size
            for run in range(subject.runs):
                rates[row, run, span] = flip_probability(
                    labels[run], noise=sequence.reference == "first", reduction="none"
                )
        told((row + 1) / len(SEQUENCES))
    return Part(
        cells={"sequence_flip_rate": rates.mean(0)},
        arrays={"names": np.array(list(SEQUENCES)), "rates": rates.mean(-1).T},
        cost={"forward_passes": float(passes), "wall_s": time.perf_counter() - began},
    )


def _corrupted(subject: Subject, name: str, severity: int, seed: int, span: slice) -> torch.Tensor:
    numbers = subject.numbers[span]
    if subject.texts is not None and subject.transform is not None:
        return subject.transform(corrupt_texts(subject.texts[span], name, severity, seed=seed, items=numbers))
    inputs = subject.inputs[span]
    if subject.kind == "images":
        return torch.as_tensor(corrupt(inputs, name, severity, seed=seed, items=numbers))
    flat = inputs.flatten(1)  # in standard deviations
    frozen = None if subject.frozen is None else subject.frozen.flatten()
    known = subject.inputs if subject.train is None else subject.train
    changed = corrupt_features(
        flat, name, severity, scale=1.0, seed=seed, items=numbers, frozen=frozen, columns=known.flatten(1)
    )
    return torch.as_tensor(changed).view_as(inputs)


def _shown(subject: Subject, protocol: Protocol, flips: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """Return the texts whose answers change most often, each with one change that changes it in most runs."""
    if subject.texts is None or subject.transform is None or not flips.any():
        return {}
    places = np.argsort(-flips.mean(0), kind="stable")[:_SHOWN]
    places = places[flips[:, places].any(0)]
    texts, kept = tuple(subject.texts[place] for place in places), subject.answers[:, places]
    best: list[tuple[float, str, str]] = [(-1.0, "", "")] * len(places)
    for name, severity in _each(subject, protocol):
        changed = corrupt_texts(texts, name, severity, seed=protocol.seed, items=subject.numbers[places])
        share = (subject.answered(subject.transform(changed)) != kept).mean(0)
        for place, (found, text) in enumerate(zip(share, changed, strict=True)):
            if found > best[place][0]:
                best[place] = (float(found), text, f"{name}, severity {severity}")
    pieces = [marked_differences(text, changed) for text, (_, changed, _) in zip(texts, best, strict=True)]
    return {
        "shown.numbers": places,
        "shown.share": np.array([found for found, _, _ in best]),
        "shown.how": np.array([how for _, _, how in best]),
        "shown.of": np.array([place for place, parts in enumerate(pieces) for _ in parts], np.int64),
        "shown.mark": np.array(["" if mark == "same" else mark for parts in pieces for mark, _ in parts]),
        "shown.words": np.array([words for parts in pieces for _, words in parts]),
    }


def _each(subject: Subject, protocol: Protocol) -> Iterator[tuple[str, int]]:
    return ((name, severity) for name in corruptions_of(subject) for severity in protocol.severities[:3])
