"""A factory of synthetic reports, with numbers that fit each other, and a browser that opens them."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reseed.report import ReportData, write

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("transfer", "balance", "pay bill", "card lost", "pin change", "exchange rate")
WORDS = (
    "please",
    "can",
    "you",
    "tell",
    "me",
    "how",
    "to",
    "send",
    "money",
    "from",
    "my",
    "other",
    "account",
    "before",
    "friday",
    "or",
    "is",
    "it",
    "too",
    "late",
)

MakeReport = Callable[..., ReportData]


def _labels(rng: np.random.Generator, runs: int, samples: int, classes: int, unstable: float) -> np.ndarray:
    """Labels [run, sample]: each sample has a home, and some are torn between two or three labels."""
    home = rng.integers(classes, size=samples)
    torn = rng.random(samples) < unstable
    pull = np.where(torn, rng.beta(1.0, 2.0, samples), 0.0)
    away = (home + 1 + (rng.random((runs, samples)) < 0.15)) % classes
    return np.where(rng.random((runs, samples)) < pull, away, home)


def make_report(
    *,
    samples: int = 120,
    runs: int = 20,
    unstable: float = 0.3,
    texts: bool | tuple[str, ...] = True,
    seed: int = 7,
    **changes: Any,
) -> ReportData:
    """A report about made-up runs; `changes` replace fields of the result."""
    rng = np.random.default_rng(seed)
    classes = len(NAMES)
    labels = _labels(rng, runs, samples, classes, unstable)
    answers = tuple(tuple(Counter(map(int, column)).most_common()) for column in labels.T)
    shares = [np.array([times for _, times in answer]) / runs for answer in answers]
    entropy = np.array([max(0.0, float(-(share * np.log(share)).sum())) for share in shares])
    sizes = tuple(range(1, runs + 1))
    curve = tuple(
        float(np.mean([1 - sum(comb(times, size) for _, times in answer) / comb(runs, size) for answer in answers]))
        for size in sizes
    )
    pairs = runs * (runs - 1)
    jitter = np.array(
        [(runs**2 - sum(t * t for _, t in answer)) / pairs if runs > 1 else np.nan for answer in answers],
        dtype=float,
    )
    mode = np.array([answer[0][0] for answer in answers])
    targets = np.where(rng.random(samples) < 0.93, mode, (mode + 1) % classes)
    mean = np.clip(0.98 - 0.45 * entropy + rng.normal(0, 0.03, samples), 0.2, 1.0)
    both: Counter[tuple[int, int]] = Counter()
    for answer in answers:
        both.update(combinations(sorted(label for label, _ in answer), 2))
    everything = sum(both.values()) or 1
    words = tuple(" ".join(rng.choice(WORDS, rng.integers(5, 18))) for _ in range(samples))
    accuracy = (labels == targets).mean(axis=1)
    values: dict[str, Any] = {
        "title": "Bank intents, logistic model",
        "summary": {
            "dataset": "bank-intents",
            "model": "bag of words, one layer",
            "runs": runs,
            "samples": samples,
            "classes": classes,
            "accuracy_mean": float(accuracy.mean()),
            "accuracy_std": float(accuracy.std()),
            "accuracy_ci95": [float(accuracy.mean() - 0.004), float(accuracy.mean() + 0.004)],
            "label_entropy_mean": float(entropy.mean()),
            "label_entropy_ci95": [float(entropy.mean() * 0.8), float(entropy.mean() * 1.2)],
            "label_entropy_ci_method": "jackknife over runs",
            "unstable_fraction": float((entropy > 0).mean()),
            "unstable_fraction_ci95": [float((entropy > 0).mean() * 0.8), float((entropy > 0).mean() * 1.2)],
            "jitter": float(jitter.mean()) if runs > 1 else float("nan"),
            "jitter_ci95": [float(jitter.mean() * 0.8), float(jitter.mean() * 1.2)] if runs > 2 else None,
            "flip_upper_bound": 1 - 0.05 ** (1 / runs),
            "cost_runs": runs,
            "cost_runs_per_program": [1, 1],
            "cost_steps": 4500 * runs,
            "cost_steps_median": 4500,
            "cost_steps_range": [4500, 4500],
            "cost_wall_s": 12.5 * runs,
            "cost_wall_s_median": 12.5,
            "cost_wall_s_range": [11.25, 190.0],
            "cost_peak_memory_bytes": 505e6,
            "cost_peak_memory_bytes_median": 5e8,
            "cost_peak_memory_bytes_range": [4.9e8, 5.05e8],
        },
        "sample_ids": tuple(f"test-{index:05d}" for index in range(samples)),
        "targets": targets,
        "label_entropy": entropy,
        "mode_label": mode,
        "mode_share": np.array([share[0] for share in shares]),
        "jitter": jitter,
        "confidence_mean": mean,
        "confidence_std": np.clip(0.02 + 0.3 * entropy + rng.normal(0, 0.01, samples), 0.001, 0.5),
        "answers": answers,
        "class_names": NAMES,
        "texts": (words if texts is True else None) if isinstance(texts, bool) else texts,
        "classes": tuple(
            sorted(
                (
                    (
                        k,
                        int((targets == k).sum()),
                        float(accuracy.mean()),
                        float(entropy[targets == k].mean()),
                    )
                    for k in range(classes)
                    if (targets == k).any()
                ),
                key=lambda row: -row[3],
            )
        ),
        "pairs": tuple((a, b, times / everything, times) for (a, b), times in both.most_common()),
        "rarefaction": (sizes, curve),
        "recipe_toml": 'model = "bag-of-words"\nepochs = 5\n\n[optimizer]\nname = "adam"\nlr = 0.001\n',
        "provenance": {
            "seeds": {"root": 7, "vary": ["init", "order"], "runs": list(range(runs))},
            "versions": {"python": "3.11", "torch": "2.6"},
            "hardware": {"processor": "abacus", "device": None},
        },
    }
    return ReportData(**(values | changes))


@pytest.fixture(name="make_report")
def make_report_fixture() -> MakeReport:
    """The factory: `make_report(samples=..., runs=..., texts=..., **fields)`."""
    return make_report


@pytest.fixture(name="browser", scope="module")
def browser_fixture() -> Iterator[Any]:
    """One browser for all tests of a file."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(name="open_page")
def open_page_fixture(browser, tmp_path) -> Iterator[Callable[..., Any]]:
    """Open a report; at the end fail on console errors, dialogs and requests other than the page itself."""
    troubles: list[str] = []
    contexts = []

    def open_page(data, **options):
        address = write(data, tmp_path / "report.html").as_uri()
        options.setdefault("viewport", {"width": 1200, "height": 900})
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()

        def request(event):
            if event.url != address and not event.url.startswith("data:"):
                troubles.append(f"request: {event.url}")

        def dialog(event):
            troubles.append(f"dialog: {event.message}")
            event.dismiss()

        page.on("request", request)
        page.on("dialog", dialog)
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        page.on(
            "console",
            lambda message: (
                troubles.append(f"console: {message.text}") if message.type in ("error", "warning") else None
            ),
        )
        page.goto(address)
        if options.get("java_script_enabled", True):
            page.wait_for_selector("#status:not(:empty)")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []
