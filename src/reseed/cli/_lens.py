"""What commands of lenses have in common: a study, or networks of one's own, evaluated, kept and printed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from tyro.conf import Positional, arg

import reseed
from reseed._errors import InputError
from reseed.cli._options import DataOptions, Maybe
from reseed.cli._output import console, open_page, print_json, print_notes

if TYPE_CHECKING:
    from reseed.data import Splits
    from reseed.models import Networks
    from reseed.scores import Scores

LensThreads = Annotated[
    Maybe[int],
    arg(
        metavar="INT",
        help_behavior_hint="",
        help="Threads of arithmetic. Default: one; for larger inputs all cores.",
    ),
]
TrustCode = Annotated[
    bool,
    arg(
        help="Import the code that the study's recipe names as its model (MODULE:FUNCTION). Give it where you trust "
        "whoever made the study."
    ),
]
LensModel = Annotated[Positional[str], arg(metavar="PATH|URL|MODULE:FUNCTION")]


class LensOptions(Protocol):
    """Options that every lens has."""

    @property
    def model(self) -> str:
        """A study, or a function that returns networks."""

    @property
    def data(self) -> str | None:
        """What networks of one's own are asked."""

    @property
    def json(self) -> bool:
        """Whether to print JSON."""

    @property
    def open(self) -> bool:
        """Whether to open the page."""

    @property
    def trust_code(self) -> bool:
        """Whether to import what a recipe names."""

    @property
    def columns(self) -> DataOptions:
        """How files of one's own are read."""


def evaluated(
    options: LensOptions,
    lens: str,
    asked: Mapping[str, Any],
    of_networks: Callable[[Networks, Splits], Scores],
    cost: Callable[[Mapping[str, float]], str],
) -> None:
    """Evaluate a study or networks of one's own, and print what was found.

    Args:
        options: What was said on the command line.
        lens: The lens, a module with ``evaluate``.
        asked: Options of that.
        of_networks: Evaluates networks on data.
        cost: Says what was done.
    """
    if options.data is not None:
        if options.open:
            raise InputError("--open is for studies: networks that --data asks get numbers alone, and no page.")
        _show(of_networks(*_own(options)), cost, as_json=options.json)
        return
    if any(value is not None for value in vars(options.columns).values()):
        raise InputError("options of files are for --data; a study knows its own data.")
    if ":" in options.model and "://" not in options.model and not Path(options.model).exists():
        raise InputError(f"{options.model!r} names code; say with --data on which data it is asked.")
    study = reseed.Study.open(options.model)
    _show(getattr(reseed, lens).evaluate(study, trust_code=options.trust_code, **asked), cost, as_json=options.json)
    found = reseed.inspect(study)
    page = found.write()
    if not options.json:
        print(f"scores: {study.url or study.path}/scores/{lens}")
        print(f"report: {page}")
    print_notes(found, sys.stderr)
    if options.open:
        open_page(page)


def _own(options: LensOptions) -> tuple[Networks, Splits]:
    networks = reseed.models.trained_networks(options.model)
    columns = {name: value for name, value in vars(options.columns).items() if value is not None}
    splits = reseed.load(reseed.DataConfig(str(options.data), **columns))
    if splits.evaluation.is_text:
        raise InputError(
            f"the data {options.data!r} holds texts, and a network of your own takes numbers; make a study of it "
            "(reseed measure), or call the lens's evaluate in Python with the inputs that it takes."
        )
    return networks, splits


def _show(scores: Scores, cost: Callable[[Mapping[str, float]], str], *, as_json: bool) -> None:
    if as_json:
        print_json(reseed.report.scores_tree(scores))
        return
    reseed.report.print_scores(scores, console())
    print(f"cost:   {cost(scores.cost)}, {scores.cost.get('wall_s', 0):.1f} s")
