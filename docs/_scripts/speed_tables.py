"""The tables of the pages on speed and arithmetic, from the raw numbers of the benchmarks that they name."""

from _figures import headed, read

DATA = {"realistic": "{:.0%} of samples agree in all runs", "worst": "uniformly random labels"}
CAPACITY = {"classifier": "like a classifier's", "dirichlet": "uniform Dirichlet"}


def start() -> list[str]:
    """Returns what commands that only print take, in seconds and in times of the import of torch."""
    lines = headed("command | processor time | in times of `import torch`")
    found = read("start").median_s
    for name, taken in found.items():
        lines.append(f"| {name} | {taken:.2f} s | {taken / found['import torch']:.2f}x |")
    return lines


def measures() -> list[str]:
    """Returns how much faster the measures are than two other ways."""
    lines = headed("data | reseed | faster than the loop | faster than one-hot | peak memory, in sizes of the input")
    for name, said in DATA.items():
        found = read("measures").data[name]
        data = said.format(found.agreeing_samples).replace("%", " %")
        faster = f"{found.ratio_to_loop:.0f}x | {found.ratio_to_one_hot:.0f}x"
        memory = f"{found.peak_with_input_over_input:.2f}x"
        lines.append(f"| {data} | {found.seconds_for_all_samples.reseed:.2f} s | {faster} | {memory} |")
    return lines


def capacity() -> list[str]:
    """Returns how much faster Rashomon capacity is than a loop."""
    lines = headed("data | reseed | faster than the loop")
    for name, said in CAPACITY.items():
        found = read("capacity").data[name]
        lines.append(f"| {said} | {found.seconds_for_all_samples.reseed:.2f} s | {found.ratio_to_loop:.0f}x |")
    return lines


def training_loop() -> list[str]:
    """Returns the time of reseed's loop in times of a hand-written one."""
    lines = headed("recipe | time, in times of the hand-written loop (median) | smallest to largest")
    for found in read("training_loop").cases:
        spread = f"{found.ratio_min:.2f} to {found.ratio_max:.2f}"
        lines.append(f"| {found.recipe} | {found.ratio_median:.2f} | {spread} |")
    return lines


def checkpoints() -> list[str]:
    """Returns what keeping runs that are under way costs."""
    lines = headed("case | runs | every second (median) | smallest to largest | one checkpoint | by default")
    for found in read("checkpoints").cases:
        spread = f"{found.lowest:.2f} to {found.highest:.2f}"
        one = f"{found.bytes / 1e6:.1f} MB, {found.one_s:.2f} s | {found.share_by_default:.2%}".replace("%", " %")
        lines.append(f"| {found.name} | {found.runs} | {found.ratio:.2f} | {spread} | {one} |")
    return lines


def subset_trainings() -> list[str]:
    """Returns how many times as long plain trainings on shares of the training set take as stacked ones."""
    lines = headed("network | tensors, two threads | one thread | `DataLoader`, two threads | one thread")
    for found in read("subset_trainings").cases:
        cells = [
            f"{found.medians[f'{way}, {threads}']:.1f}x ({min(each):.1f} to {max(each):.1f})"
            for way in ("tensors", "DataLoader")
            for threads in ("two threads", "one thread")
            for each in [found.times_as_long[f"{way}, {threads}"]]
        ]
        lines.append(f"| {found.case} | {' | '.join(cells)} |")
    return lines


def stacked() -> list[str]:
    """Returns how much faster one program of several runs is, and what arithmetic alone changes."""
    lines = headed(
        "case | over the plain loop | over serial | over one thread | study, processes | stacked | auto "
        "| churn between engines | churn between seeds"
    )
    for found in read("stacked").cases:
        ratios = (found.ratios.get(name) for name in ("plain", "serial", "stacked, one thread"))
        cells = [found.case.replace("same with", "same,"), *("-" if x is None else f"{x:.1f}x" for x in ratios)]
        if "studies" in found:
            cells += [f"{found.studies.seconds[engine]:.1f} s" for engine in ("processes", "stacked", "auto")]
            cells += [f"{found.studies.churn_between_engines:.5f}", f"{found.studies.churn_between_seeds:.3f}"]
        cells += ["-"] * (9 - len(cells))
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def auto() -> list[str]:
    """Returns what studies take in each way, and `auto` in times of the better one."""
    lines = headed("study | auto | in one process | worker processes | auto, in times of the better")
    for case in read("auto_engine").cases:
        inside = next(way for way in case.median_s if way not in ("auto", "processes"))
        seconds = (f"{case.median_s[way]:.1f} s" for way in ("auto", inside, "processes"))
        lines.append(f"| {case.case} | {' | '.join(seconds)} | {case.ratio:.2f}x |")
    return lines


def networks() -> list[str]:
    """Returns how much faster trained networks answer together."""
    lines = headed("asked | together | one after the other | faster")
    for case in read("networks").cases:
        samples = "sample" if case.samples == 1 else "samples"
        seconds = (f"{1e6 * case.median_s[way]:,.0f} µs" for way in ("together", "loop"))
        lines.append(f"| {case.work} of {case.samples} {samples} | {' | '.join(seconds)} | {case.ratio:.1f}x |")
    return lines


def ways() -> list[str]:
    """Returns what other arithmetic changes at equal seeds."""
    lines = headed("recipe | computed | churn at equal seeds | churn between seeds | accuracy | time")
    for case in read("arithmetic").cases:
        for way, found in case.ways.items():
            churn = f"{found.churn_mean:.5f} ({max(found.churn_per_run):.5f})"
            rest = f"{found.jitter:.4f} | {100 * found.accuracy:.2f} % | {found.time_ratio:.2f}x"
            lines.append(f"| {case.case} | {way} | {churn} | {rest} |")
    return lines
