"""How fast attacks are, as ratios in one run: against foolbox and torchattacks, and networks together against a loop.

1. PGD-50 on a CNN of MNIST and one of CIFAR-10: `reseed.perturbations.pgd` beside foolbox's LinfPGD and torchattacks'
   PGD, with the same budget, the same step (2.5 budgets over 50) and random starts. Each peer gets the batch size and
   the memory layout that are fastest for it, found before by trying all of BATCHES and LAYOUTS.
2. Ten fully connected networks of digits, attacked together through `Networks` and one after the other.
3. CNNs of MNIST, the same two ways: on a CPU they go one by one in either, so that being together must cost nothing.

Robust accuracy is the share of samples that are answered rightly at what an attack gives back. Ours counts a sample as
fooled at any iterate, and leaves it then; the libraries take all steps and count the last iterate alone. So ours is
never above theirs but for random starts, and is the faster the more samples a budget fools.

All is timed on one thread, in turns. Ratios are of the processor's time, which others on the machine disturb less than
the clock; medians of both are in the JSON, with the least and the largest.

    python benchmarks/attacks.py --studies FOLDER

FOLDER keeps the trained networks for the next time. `mnist` and `cifar10` are read from the folder in RESEED_DATA. The
peers are not among reseed's requirements; torchattacks 3.5.1 wants an old version of requests that nothing here uses:

    python -m pip install foolbox==3.3.4 && python -m pip install --no-deps torchattacks==3.5.1
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import torch
from _environment import write_result
from torch import Tensor, nn

from reseed.data import DataConfig
from reseed.models import Networks
from reseed.perturbations import pgd
from reseed.studies import Study, train_study
from reseed.training import RecordConfig, default_recipe

STEPS = 50
BATCHES, LAYOUTS = (50, 250, 1000), ("contiguous", "channels_last")
BUDGETS = {"mnist": (0.3, 0.1, 0.03), "cifar10": (8 / 255, 2 / 255, 0.5 / 255), "digits": (0.3, 0.1, 0.03)}
RUNS, EPOCHS = {"digits": 10, "mnist": 2, "cifar10": 2}, {"mnist": 2, "cifar10": 2}

Attack = Callable[[nn.Module, Tensor, Tensor, float], Tensor]


def ours(model: nn.Module, inputs: Tensor, targets: Tensor, epsilon: float) -> Tensor:
    """Return what reseed finds, with the batches that it chooses itself."""
    return pgd(model, inputs, targets, epsilon=epsilon, steps=STEPS).inputs


def of_foolbox(steps: int) -> Attack:
    """Return foolbox's attack."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import foolbox
    attack = foolbox.attacks.LinfPGD(steps=steps, rel_stepsize=2.5 / STEPS, random_start=True)

    def found(model: nn.Module, inputs: Tensor, targets: Tensor, epsilon: float) -> Tensor:
        return attack(foolbox.PyTorchModel(model, bounds=(0, 1)), inputs, targets, epsilons=epsilon)[1]

    return found


def of_torchattacks(steps: int) -> Attack:
    """Return torchattacks' attack."""
    import torchattacks

    def found(model: nn.Module, inputs: Tensor, targets: Tensor, epsilon: float) -> Tensor:
        return torchattacks.PGD(model, eps=epsilon, alpha=2.5 / STEPS * epsilon, steps=steps)(inputs, targets)

    return found


PEERS: dict[str, Callable[[int], Attack]] = {"foolbox": of_foolbox, "torchattacks": of_torchattacks}


def in_batches(attack: Attack, size: int, layout: str) -> Attack:
    """Return an attack that takes some samples at a time, in a memory layout."""

    def found(model: nn.Module, inputs: Tensor, targets: Tensor, epsilon: float) -> Tensor:
        kept = getattr(torch, "channels_last" if layout == "channels_last" else "contiguous_format")
        there, inputs = model.to(memory_format=kept), inputs.contiguous(memory_format=kept)
        parts = zip(torch.split(inputs, size), torch.split(targets, size), strict=True)
        return torch.cat([attack(there, part, own, epsilon) for part, own in parts])

    return found


def timed(work: Callable[[], Tensor]) -> tuple[Tensor, float, float]:
    """Return what was found, and seconds of the processor and of the clock."""
    clock, processor = time.perf_counter(), time.process_time()
    found = work()
    return found, time.process_time() - processor, time.perf_counter() - clock


def in_turns(ways: dict[str, Callable[[], Tensor]], rounds: int, measure: Callable[[Tensor], float]) -> dict[str, dict]:
    """Return of each way what it cost and what it found, as medians over rounds in turns."""
    kept: dict[str, list[tuple[float, float, float]]] = {way: [] for way in ways}
    for number in range(rounds):
        for way in sorted(ways, reverse=number % 2 == 1):
            found, processor, clock = timed(ways[way])
            kept[way].append((processor, clock, measure(found)))
    result = {}
    for way, rows in kept.items():
        processor, clock, measured = zip(*rows, strict=True)
        result[way] = {
            "processor_s": statistics.median(processor),
            "processor_s_range": [min(processor), max(processor)],
            "clock_s": statistics.median(clock),
            "clock_s_range": [min(clock), max(clock)],
            "robust_accuracy": statistics.median(measured),
            "robust_accuracy_range": [min(measured), max(measured)],
        }
    return result


def favoured(name: str, model: nn.Module, inputs: Tensor, targets: Tensor, epsilon: float) -> dict[str, object]:
    """Return the batch size and the layout that are fastest for a peer, and the seconds of all."""
    attack, tried = PEERS[name](2), []
    for _ in range(3):
        for size in BATCHES:
            for layout in LAYOUTS:
                work = in_batches(attack, size, layout)
                tried.append((size, layout, timed(lambda w=work: w(model, inputs, targets, epsilon))[1]))
    seconds = {
        (size, layout): min(s for a, b, s in tried if (a, b) == (size, layout))
        for size in BATCHES
        for layout in LAYOUTS
    }
    size, layout = min(seconds, key=seconds.__getitem__)
    every = [{"batch": a, "layout": b, "least_s_of_2_steps": s} for (a, b), s in seconds.items()]
    return {"batch": size, "layout": layout, "tried": every}


def accuracy(model: nn.Module, targets: Tensor) -> Callable[[Tensor], float]:
    """Return a function of inputs to the share that is answered rightly."""

    def share(inputs: Tensor) -> float:
        with torch.no_grad():
            answers = torch.cat([model(part).argmax(-1) for part in torch.split(inputs, 250)])
        return (answers == targets).float().mean().item()

    return share


def against_peers(name: str, study: Study, samples: int, rounds: int) -> list[dict[str, object]]:
    """Time PGD-50 on one network of a study at each budget."""
    model, evaluation = study.networks()[0], study.inputs()
    inputs, targets = evaluation.inputs, torch.from_numpy(evaluation.targets)
    few = max(BATCHES)
    chosen = {peer: favoured(peer, model, inputs[:few], targets[:few], BUDGETS[name][0]) for peer in PEERS}
    inputs, targets = inputs[:samples].contiguous(), targets[:samples]
    share, cases = accuracy(model, targets), []
    for epsilon in BUDGETS[name]:
        ways = {"reseed": lambda e=epsilon: ours(model, inputs, targets, e)}
        for peer, settings in chosen.items():
            attack = in_batches(PEERS[peer](STEPS), settings["batch"], settings["layout"])
            ways[peer] = lambda a=attack, e=epsilon: a(model, inputs, targets, e)
        found = in_turns(ways, rounds, share)
        fastest = min(PEERS, key=lambda peer: found[peer]["processor_s"])
        ratio = found[fastest]["processor_s"] / found["reseed"]["processor_s"]
        robust = ", ".join(f"{way} {each['robust_accuracy']:.1%}" for way, each in found.items())
        print(
            f"{name} cnn, epsilon {epsilon:.4g}: {ratio:.2f}x as fast as {fastest}; robust accuracy {robust}",
            flush=True,
        )
        facts = {"data": name, "epsilon": epsilon, "samples": samples, "clean_accuracy": share(inputs)}
        cases.append({**facts, "faster_peer": fastest, "ratio": ratio, "ways": found, "peers_settings": chosen})
    return cases


def together(name: str, networks: Networks, study: Study, samples: int, rounds: int) -> list[dict[str, object]]:
    """Time the attack on all networks of a study together, against one after the other."""
    evaluation, modules, cases = study.inputs(), list(networks), []
    inputs, targets = evaluation.inputs[:samples], torch.from_numpy(evaluation.targets[:samples])
    for epsilon in BUDGETS[name]:

        def at_once(e: float = epsilon) -> Tensor:
            return pgd(networks, inputs, targets, epsilon=e, steps=STEPS).success

        def one_by_one(e: float = epsilon) -> Tensor:
            return torch.stack([pgd(each, inputs, targets, epsilon=e, steps=STEPS).success for each in modules])

        ways = {"together": at_once, "loop": one_by_one}
        found = in_turns(ways, rounds, lambda success: 1 - success.float().mean().item())
        ratio = found["loop"]["processor_s"] / found["together"]["processor_s"]
        print(f"{len(networks)} {name} networks, epsilon {epsilon:.4g}: {ratio:.2f}x as fast together", flush=True)
        cases.append({"data": name, "networks": repr(networks), "epsilon": epsilon, "samples": len(inputs),
                      "ratio": ratio, "ways": found})  # fmt: skip
    return cases


def study_of(name: str, folder: Path) -> Study:
    """Train the networks of a data set, unless they are there."""
    recipe = default_recipe("mlp" if name == "digits" else "cnn", DataConfig(name))
    recipe = replace(recipe, epochs=EPOCHS.get(name, recipe.epochs))
    return train_study(
        recipe, str(folder / name), runs=RUNS[name], record=RecordConfig("final", level="labels"), probe=False
    )


def main() -> None:
    """Time all, and write the raw numbers."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=Path, required=True, help="where trained networks are kept")
    parser.add_argument("--samples", type=int, default=200, help="images that are attacked")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each way")
    parser.add_argument("--only", nargs="*", default=["mnist", "cifar10", "digits", "cnns"], help="which parts")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    cases: dict[str, object] = {}
    for name in ("mnist", "cifar10"):
        if name in options.only:
            cases[f"against_peers_{name}"] = against_peers(
                name, study_of(name, options.studies), options.samples, options.rounds
            )
    for part, name, samples in (("digits", "digits", 360), ("cnns", "mnist", options.samples // 2)):
        if part in options.only:
            study = study_of(name, options.studies)
            rounds = 2 * options.rounds if part == "digits" else options.rounds
            cases[f"together_{part}"] = together(name, study.networks(), study, samples, rounds)
    described = {"steps": STEPS, "step_size": "2.5 budgets / steps", "threads": 1, "rounds": options.rounds}
    described["fooled"] = "reseed: at any iterate; foolbox and torchattacks: at the last iterate alone"
    described["versions_of_peers"] = {name: version(name) for name in ("foolbox", "torchattacks", "eagerpy")}
    if set(options.only) == {"mnist", "cifar10", "digits", "cnns"}:
        write_result("attacks", {**described, **cases})
    else:
        print("not all parts: nothing is written", file=sys.stderr)


if __name__ == "__main__":
    main()
