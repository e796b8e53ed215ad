import re
import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent / "_scripts"))
import api_pages
import examples

project = "reseed"
author = "the reseed authors"
copyright = "the reseed authors"
release = version = installed_version("reseed")

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "_scripts", "jupyter_execute"]  # the last is what the notebook leaves beside _build
nb_execution_mode = "force"  # the notebook is kept without outputs
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_execution_in_temp = True
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "reseed"
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["cards.css"]

default_role = "py:obj"  # `name` in a docstring is a link where there is such a name, else code
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints_format = "fully-qualified"
autosummary_generate = False  # `api_pages` writes the pages
python_use_unqualified_type_names = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False


def setup(app: Any) -> None:
    """Writes the pages of the API and the examples, and reads docstrings as this project writes them."""
    api_pages.write()
    app.connect("autodoc-process-docstring", _as_written, priority=400)
    app.connect("build-finished", _examples)


def _examples(app: Any, exception: Exception | None) -> None:
    """Puts the example report and comparison beside the page that links them."""
    if exception is None and app.builder.name == "html":
        examples.write(Path(app.outdir) / "examples")


def _as_written(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    if what in ("attribute", "property"):
        lines[:0] = ["..", ""]  # types stand in annotations, so the words before a first colon are no type
        return
    shown: list[str] = []
    is_formula = False
    for before, line in zip(["", *lines], lines, strict=False):  # an indented paragraph is a formula
        starts = line.startswith("    ") and not before and not is_formula and not _in_section(shown)
        if starts:
            shown += ["::", ""]
        is_formula = (is_formula or starts) and (line.startswith("    ") or not line)
        shown.append(line)
    lines[:] = shown


def _in_section(lines: list[str]) -> bool:
    """Tells whether the last unindented line opens a section such as `Args:`."""
    last = next((line for line in reversed(lines) if line and not line.startswith(" ")), "")
    return re.fullmatch("[A-Z][a-z]+:", last) is not None
