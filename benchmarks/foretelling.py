"""Measures which look at one network foretells best which samples the other networks answer differently.

    python benchmarks/foretelling.py --out studies [--encoder FOLDER] [--only digits mnist]

`RESEED_DATA` names the folder with the data sets. Trains the studies of `_foretelling_studies.CASES` in a folder, 10
runs each, 8 of CIFAR-10, one thread; evaluates each with `reseed.robustness.evaluate`; prints what every column of
single runs foretells, and writes `foretelling.json` beside this file. What is trained, evaluated and priced in the
folder is not made again, so an interrupted call goes on where it stopped. `--encoder` names a folder with
all-MiniLM-L6-v2; without it the two studies of its features are left out. The studies of digits, MNIST and
MASSIVE with tf-idf take about seven minutes of one core, all of them perhaps half an hour.

The target: whether the networks other than the one looked at differ on a sample. Every look is compared with the
softmax margin of the same network on the same samples, paired over runs and samples; see `_paired` for intervals.
Holm's correction is over all looks and data sets of a question, intervals called corrected are at 0.05 over their
number:

- `looks`: columns of single runs of all lenses, and the logit margin;
- `second_network`: a second training. The target then leaves out both networks, for the margin too, which is averaged
  over the two;
- `with_margin`: the margin and a column of the robustness lens, as the mean of the normal scores of their ranks, and
  as a logistic combination with weights learnt on other data sets alone;
- `with_score`: the signals of the one-run score with a column, against the same without it, both with weights learnt
  on other data sets alone; `with_score_over_margin` compares both with the margin.

Texts of one data set are one family: neither of its two models learns from the other. Prices are passes and processor
time of one network on a hundred samples, an answer each.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _environment import write_result
from _foretelling_looks import LENS, MARGIN, Subject, averaged, learnt, second_network, subject_of
from _foretelling_prices import prices
from _foretelling_studies import CASES, scores_of, study_of
from _paired import FIGURES, Asked, Found, correct

from reseed.scores import Scores
from reseed.studies import Study, replace_json

Rows = list[dict[str, Any]]


def compared(asked: Asked, values: Any, baseline: Any, family: int) -> dict[str, Any]:
    """Return a look's figures, and their paired differences from the baseline's."""
    known = ~(np.isnan(values).any(0) | np.isnan(baseline).any(0))
    if not known.all():
        asked, values, baseline = Asked(asked.labels[:, known]), values[:, known], baseline[:, known]
    return _row(asked.of_runs(values), asked.of_runs(baseline), family) | {"samples": int(known.sum())}


def _row(found: dict[str, Found], base: dict[str, Found], family: int) -> dict[str, Any]:
    row: dict[str, Any] = {name: found[name].tree() for name in FIGURES}
    return row | {f"{name}_difference": (found[name] - base[name]).tree(compared=family) for name in FIGURES}


def of_looks(subjects: Sequence[Subject]) -> Rows:
    """Return what each look at one network foretells."""
    asked = [(each, key) for each in subjects for key in each.looks if key[1] != MARGIN]
    return [
        {"case": each.name, "lens": key[0], "look": key[1]}
        | compared(each.asked, each.looks[key], each.margin, len(asked))
        for each, key in asked
    ]


def of_second_networks(subjects: Sequence[Subject]) -> Rows:
    """Return what two networks foretell, beside the margin of one of them against the same target."""
    rows: Rows = []
    for each in subjects:
        base, looks = each.asked.of_either(each.margin), second_network(each)
        for name, values in looks.items():
            row = _row(each.asked.of_pairs(values), base, len(looks) * len(subjects))
            rows.append({"case": each.name, "look": name, **row, "auroc_of_margin": base["auroc"].tree()})
    return rows


def of_margins(subjects: Sequence[Subject]) -> Rows:
    """Return what the margin and a column foretell together."""
    made: list[tuple[Subject, str, str, Any]] = []
    for each in subjects:
        for name in _whole(each):
            made.append((each, name, "ranks", averaged(each, name)))
            made.append((each, name, "learnt", learnt(each, subjects, [name], with_score=False)))
        made.append((each, "all", "learnt", learnt(each, subjects, _shared(subjects), with_score=False)))
    made = [each for each in made if each[3] is not None]
    return [
        {"case": each.name, "look": name, "way": way, **compared(each.asked, values, each.margin, len(made))}
        for each, name, way, values in made
    ]


def of_scores(subjects: Sequence[Subject]) -> tuple[Rows, Rows]:
    """Return what the one-run score's signals and a column foretell together: over the score alone, and the margin."""
    made: list[tuple[Subject, str, Any, Any]] = []
    alone: list[tuple[Subject, Any]] = []
    for each in subjects:
        score = learnt(each, subjects, [], with_score=True)
        if score is None:
            continue
        alone.append((each, score))
        for name in _whole(each):
            made.append((each, name, learnt(each, subjects, [name], with_score=True), score))
        made.append((each, "all", learnt(each, subjects, _shared(subjects), with_score=True), score))
    made = [each for each in made if each[2] is not None]
    rows = [
        {"case": each.name, "look": name, **compared(each.asked, values, score, len(made))}
        for each, name, values, score in made
    ]
    with_margin = [*((each, name, values) for each, name, values, _ in made), *((s, "", v) for s, v in alone)]
    over = [
        {"case": each.name, "look": name, **compared(each.asked, values, each.margin, len(with_margin))}
        for each, name, values in with_margin
    ]
    return rows, over


def _whole(subject: Subject) -> list[str]:
    """Return the columns of the robustness lens that have a value of every run and sample."""
    return [name for name, values in subject.columns.items() if not np.isnan(values).any()]


def _shared(subjects: Sequence[Subject]) -> list[str]:
    return [name for name in _whole(subjects[0]) if all(name in _whole(each) for each in subjects)]


def facts(study: Study, scores: Scores, subject: Subject, priced: dict[str, Any]) -> dict[str, Any]:
    """Return what a study is, what the evaluation took, and what each look costs."""
    case = CASES[subject.name]
    seconds = [manifest.cost["wall_s"] for manifest in study.manifests]
    return {
        "title": case.title,
        "data": case.data,
        "model": case.model,
        "changes": case.changes,
        "runs": len(study.manifests),
        "checkpoints": len(study.manifests[0].steps),
        "samples": subject.asked.samples,
        "classes": subject.logits.shape[-1],
        "accuracy": float(np.mean([manifest.accuracy for manifest in study.manifests])),
        "flipping": subject.asked.flipping(),
        "margin": {name: found.tree() for name, found in subject.asked.of_runs(subject.margin).items()},
        "effort": case.effort,
        "asked": {name: scores.summary.get(name) for name in ("epsilon", "norm", "sigma")},
        "evaluation_cost": dict(scores.cost),
        "training_wall_s_per_run": float(np.median(seconds)),
        "prices": priced,
        "notes": list(scores.notes),
    }


def ready(folder: Path, encoder: str | None, only: Sequence[str]) -> Iterator[tuple[Study, Scores, Subject, Any]]:
    """Yield each study as it is looked at; what is missing is trained, evaluated and priced first."""
    for name in only:
        study = study_of(name, folder, encoder)
        if study is None:
            print(f"{name}: left out, since --encoder is missing", flush=True)
            continue
        scores = scores_of(name, study)
        kept = folder / f"{name}-prices.json"
        if not kept.exists():
            replace_json(kept, prices(study, CASES[name].effort, scores.by_run))
        subject = subject_of(name, CASES[name].data, study, scores)
        print(f"{name}: {subject.asked.runs} runs, {subject.asked.samples} samples", flush=True)
        yield study, scores, subject, json.loads(kept.read_text())


def shown(title: str, rows: Rows) -> None:
    """Correct and print rows, the largest gain first."""
    correct([row["auroc_difference"] for row in rows])
    print(f"\n{title}: {len(rows)} comparisons")
    for row in sorted(rows, key=lambda row: (row["case"], -row["auroc"]["value"])):
        found, gain = row["auroc"], row["auroc_difference"]
        told = f"{row['case']:15s} {row.get('way', row.get('lens', '')):10s} {row['look'] or 'alone':28s}"
        print(
            f"{told} AUROC {found['value']:.3f}  over {gain['value']:+.4f} [{gain['low']:+.4f}, {gain['high']:+.4f}]  "
            f"corrected [{gain['corrected_low']:+.4f}, {gain['corrected_high']:+.4f}] p {gain['p_holm']:.2g}  "
            f"lift {row['lift']['value']:.2f}",
            flush=True,
        )


def main() -> None:
    """Make what is missing, measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--encoder", help="folder of an encoder of sentences")
    parser.add_argument("--only", nargs="+", choices=tuple(CASES), default=tuple(CASES))
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.out.mkdir(parents=True, exist_ok=True)
    made = list(ready(given.out, given.encoder, given.only))
    subjects = [subject for _, _, subject, _ in made]
    scores, over_margin = of_scores(subjects)
    questions = {
        "looks": of_looks(subjects),
        "second_network": of_second_networks(subjects),
        "with_margin": of_margins(subjects),
        "with_score": scores,
        "with_score_over_margin": over_margin,
    }
    for title, rows in questions.items():
        shown(title, rows)
    studies = {subject.name: facts(study, found, subject, priced) for study, found, subject, priced in made}
    write_result("foretelling", {"threads": 1, "lens": LENS, "studies": studies, **questions})


if __name__ == "__main__":
    main()
