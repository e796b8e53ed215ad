"""Every mitigation on intent data with heads on frozen encoder features: what keeps answers, at what cost.

    python benchmarks/headline/headline.py --encoder sentence-transformers/all-MiniLM-L6-v2 --out studies

trains, for each data set, the control, a second control with other seeds (the null) and each method with `reseed
mitigate`, and writes `NAME.json` beside this file: the environment and `comparison.json` as it is. An interrupted call
continues. The recipe is the default one of `text-encoder`: one hidden layer of 256 units with dropout 0.1, Adam at
1e-3, batches of 256, 12 epochs, constant learning rate. `python docs/_scripts/check_numbers.py --write` puts the
figures into the pages.

    ... --fine-tune --data massive-domain --limit 1000 --runs 4

trains the encoder as well (AdamW at 5e-5, batches of 32, 3 epochs, linear decay), with fewer methods, and writes
`NAME-fine-tuned.json`.

    ... --one-network

compares methods of one network and at most two trainings alone, and the ensemble that they are held against, and
writes `NAME-one-network.json`. With `--fresh-data 0.9` each is also trained on another 90 % of the training data in
each run.
"""

import argparse
import sys
from pathlib import Path

import reseed

sys.path.insert(0, str(Path(__file__).parents[1]))
from _environment import write_comparison

DATA = ("massive-domain", "massive", "clinc150")
BEST = "cosine-decay+init-scale:factor=0.3"
ONE_NETWORK = (
    "ema",
    "ema+init-scale+label-smoothing",
    "fixed-init",
    "pca-init",
    "zero-init",
    "fixed-init+ema+label-smoothing",
    "fixed-init+ema+init-scale+label-smoothing",
    "pca-init+ema",
    "pca-init+ema+label-smoothing",
    "zero-init+ema+label-smoothing",
    "fixed-init+ema+distill:exponent=2",
    "prediction-ensemble",
)
RECIPES = (
    "label-smoothing",
    "label-smoothing:prior=unigram",
    "confidence-penalty",
    "disturb-label",
    "weight-decay:strength=0.001",
    "weight-decay:strength=0.01:decoupled=true",
    "swa",
    "ema",
    "dropout:p=0.3",
    "mixup",
    "sam",
    "gradient-clipping:norm=0.5",
    "warmup",
    "larger-batch",
    "linear-decay",
    "cosine-decay",
    "init-scale:factor=0.3",
    BEST,
    f"{BEST}+swa",
    "cosine-decay+init-scale:factor=0.1",
    f"{BEST}+learning-rate:factor=2",
    "swa+init-scale",
    "ema+init-scale",
    "ema+init-scale+label-smoothing",
)
METHODS = (
    *RECIPES,
    # teachers
    "tgtss",
    "tgtss:exponent=0.5",
    "tgtss:source=in_batch",
    "tgtss:teacher=shared",
    "tgtss:teacher=shared:exponent=0.5",
    "ema+tgtss:source=in_batch",
    "ema+tgtss:teacher=shared:exponent=0.5",
    "ema+init-scale+tgtss:teacher=shared:exponent=0.5",
    "ensemble-soft-labels",
    "ensemble-soft-labels:exponent=0.5",
    "knn-smoothing:teacher=shared",
    "snapshot-distillation",
    "late-branching",
    f"{BEST}+tgtss",
    f"{BEST}+tgtss:exponent=0.5",
    f"{BEST}+ensemble-soft-labels:exponent=0.5",
    # anchors
    "distill",
    "diplopia",
    "rcp",
    "focal-distillation",
    # several networks
    "co-distillation",
    f"{BEST}+co-distillation",
    "prediction-ensemble",
)
FINE_TUNED = ("label-smoothing", "ema", "ema:decay=0.9", "swa", "tgtss:teacher=shared:exponent=0.5")


def main() -> None:
    """Trains and compares on every data set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--called", help="the encoder's name in the JSON, where a folder's name does not tell it")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", nargs="*", default=DATA)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--methods", nargs="*", help="others than those of the committed files")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--fine-tune", action="store_true", help="train the encoder as well")
    kinds.add_argument("--one-network", action="store_true", help="the short list of methods of one network")
    parser.add_argument("--fresh-data", type=float, help="also on another share of the training data in each run")
    parser.add_argument("--limit", type=int, help="training samples, where not all of them")
    given = parser.parse_args()
    lists = ((given.fine_tune, ("-fine-tuned", FINE_TUNED)), (given.one_network, ("-one-network", ONE_NETWORK)))
    suffix, methods = next((kind for is_asked, kind in lists if is_asked), ("", METHODS))
    for data in given.data:
        changes = {"model.encoder": given.encoder, "model.fine_tune": given.fine_tune, "data.limit": given.limit}
        name = data + suffix
        found = reseed.mitigate(
            recipe=reseed.recipe_for(data, "text-encoder", changes=changes),
            methods=given.methods or methods,
            runs=given.runs,
            fresh_data=given.fresh_data,
            out=given.out / name,
            engine="processes" if given.fine_tune else "stacked",
            threads=1 if given.fine_tune else 2,
        )
        called = given.called or Path(given.encoder).name
        path = Path(__file__).with_name(f"{name}.json")
        write_comparison(path, found, encoder=called, limit=given.limit)


if __name__ == "__main__":
    main()
