"""The registry of designs: folders of several studies that answer one question, by the file that marks each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, final

from reseed._errors import StudyError
from reseed.instability import Comparison
from reseed.studies import Study, read_header
from reseed.workflows._attribute import ATTRIBUTION, ATTRIBUTION_PAGE, open_attribution
from reseed.workflows._bootstrap import BOOTSTRAP, BOOTSTRAP_PAGE, open_bootstrap
from reseed.workflows._compare import COMPARISON, PAGE
from reseed.workflows._memorize import SUSPECTS
from reseed.workflows._mitigate import open_mitigation, write_mitigation
from reseed.workflows._nested import NESTED, NESTED_PAGE, open_nested
from reseed.workflows._randomize import RANDOMIZATION, RANDOMIZATION_PAGE, open_randomization
from reseed.workflows._stabilise import STABILISATION, STABILISATION_PAGE, open_stabilisation
from reseed.workflows._tune import TUNING, TUNING_PAGE, open_tuning

_NAMED = 5  # studies of a folder that an error names


class DesignResult(Protocol):
    """What the commands that train a design return, and what is opened again."""

    @property
    def summary(self) -> dict[str, Any]:
        """JSON-ready numbers."""

    def report(self, width: int = ...) -> str:
        """Return what the command line prints of it."""

    def write(self) -> Path:
        """Write numbers and page, and return the page's path."""


@final
@dataclass(frozen=True)
class Design:
    """A kind of folder.

    Attributes:
        name: What it is called, with its article.
        command: The command that makes it.
        file: The file of numbers that marks it.
        page: What its page is called.
        open: Returns what the folder holds, from what is kept; nothing is trained.
    """

    name: str
    command: str
    file: str
    page: str
    open: Callable[[Path], DesignResult]


@final
@dataclass(frozen=True)
class KeptComparison:
    """A comparison of methods in the folder that `mitigate` made.

    Attributes:
        comparison: What was found.
        path: The folder.
    """

    comparison: Comparison
    path: Path

    @classmethod
    def open(cls, root: Path) -> KeptComparison:
        """Return what is in a folder; see `open_mitigation`."""
        return cls(open_mitigation(root), root)

    @property
    def summary(self) -> dict[str, Any]:
        """JSON-ready numbers."""
        return self.comparison.summary

    def report(self, width: int = 110) -> str:
        """Return what the command line prints of it."""
        return self.comparison.report(width)

    def write(self) -> Path:
        """Write numbers and page, and return the page's path."""
        return write_mitigation(self.comparison, self.path)


DESIGNS = (
    Design("an attribution", "reseed measure --attribute", ATTRIBUTION, ATTRIBUTION_PAGE, open_attribution),
    Design("a nested measurement", "reseed measure --nested", NESTED, NESTED_PAGE, open_nested),
    Design("a bootstrap measurement", "reseed measure --bootstrap", BOOTSTRAP, BOOTSTRAP_PAGE, open_bootstrap),
    Design("a randomisation test", "reseed randomize", RANDOMIZATION, RANDOMIZATION_PAGE, open_randomization),
    Design("a comparison of remedies", "reseed stabilise", STABILISATION, STABILISATION_PAGE, open_stabilisation),
    Design("a search", "reseed tune", TUNING, TUNING_PAGE, open_tuning),
    Design("a comparison of methods", "reseed mitigate", COMPARISON, PAGE, KeptComparison.open),
)
"""Every kind, a search before the comparison that it writes as well."""


@final
@dataclass(frozen=True)
class OpenedDesign:
    """A design that is there.

    Attributes:
        design: What kind of folder it is.
        path: The folder.
        result: What it holds, as the command that made it returned it.
    """

    design: Design
    path: Path
    result: DesignResult

    @property
    def studies(self) -> tuple[Path, ...]:
        """The studies below the folder, in the order of their names."""
        return studies_below(self.path)


def open_design(place: str | Path) -> OpenedDesign | None:
    """Open the folder of a design, from what is kept; nothing is trained.

    Args:
        place: The folder that `attribute`, `measure_nested`, `measure_bootstrap`, `bootstrap`, `randomize`, `tune`,
            `mitigate` or `stabilise` made.

    Returns:
        The design; None where the folder, or URL, is a study's or is none of any.

    Raises:
        StudyError: It holds a design that cannot be read.
        TrainingError: Too few of its runs are complete.
    """
    root = Path(place)
    if read_header(root) is not None:
        return None
    return next((OpenedDesign(design, root, design.open(root)) for design in _marked(root)), None)


def design_of_study(study: Study) -> OpenedDesign | None:
    """Return the design that lies in a study's own folder, which `bootstrap` of one's own training leaves there."""
    root = study.path
    return next((OpenedDesign(design, root, design.open(root)) for design in _marked(root)), None)


def open_study_or_design(place: str | Path) -> Study | OpenedDesign:
    """Open what a folder or URL holds.

    Raises:
        StudyError: It is none of both; the message lists what it could be, and the studies below it.
    """
    found = open_design(place) if Path(place).is_dir() else None
    if found is not None:
        return found
    try:
        return Study.open(place)
    except StudyError as error:
        root = Path(place)
        if not root.is_dir() or read_header(root) is not None:
            raise
        below = studies_below(root)
        names = ", ".join(path.relative_to(root).as_posix() for path in below[:_NAMED])
        there = f" Studies lie below it: {names}{', ...' if len(below) > _NAMED else ''}." if below else ""
        kinds = "; ".join(f"{design.file}: {design.name} ({design.command})" for design in DESIGNS)
        raise StudyError(f"{error}{there} Nor is it one of several studies, which has one of {kinds}.") from error


def studies_below(root: Path) -> tuple[Path, ...]:
    """Return the folders of studies one or two levels below a folder, in the order of their names."""
    found = (file.parent for pattern in ("*", "*/*") for file in root.glob(f"{pattern}/study.json"))
    return tuple(sorted(found))


def suspects_beside(study: Study) -> Path | None:
    """Return the table of suspicious labels that `memorize` left in a study's folder; None where there is none."""
    path = study.path / SUSPECTS
    return path if path.is_file() else None


def _marked(root: Path) -> Iterable[Design]:
    return (design for design in DESIGNS if (root / design.file).is_file())
