"""The notebook of the documentation runs in a real kernel, and shows what it promises."""

import os
import re
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="nbclient, which runs notebooks, is not installed")
nbclient = pytest.importorskip("nbclient", reason="nbclient, which runs notebooks, is not installed")
pytest.importorskip("ipykernel", reason="ipykernel, in which notebooks run, is not installed")

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebook.ipynb"
SOURCES = Path(__file__).parents[2] / "src"


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """The outputs of each cell with code, all of which ran without an error."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    folder = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(SOURCES), os.environ.get("PYTHONPATH", "")]))
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        nbclient.NotebookClient(
            notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
        ).execute()
    return [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]


def htmls(found):
    """What a cell shows as HTML."""
    return [output["data"]["text/html"] for output in found if "text/html" in output.get("data", {})]


def test_nothing_is_printed_that_is_no_output(outputs):
    """No warning, and no error."""
    assert not [output for cell in outputs for output in cell if output.get("name") == "stderr"]


def test_a_long_call_shows_a_bar_and_ends_with_a_link(outputs):
    """The bar stands at the end of its way."""
    bar, link = htmls(outputs[0])
    value, most = re.search(r'<progress value="(\d+)" max="(\d+)">', bar).groups()
    assert value == most
    assert "runs 6/6, accuracy 0." in bar
    assert '<a href="digits/report.html"' in link


def test_results_show_themselves(outputs):
    """HTML, figures and text."""
    (shown,) = htmls(outputs[1])
    assert "Measurement(" in shown
    assert shown.count("<img") == 10
    assert ["image/png" in cell[-1]["data"] for cell in (outputs[2], outputs[6])] == [True, True]
    assert "Most unstable samples" in outputs[4][0]["text"]
    assert "second control" in htmls(outputs[5])[-1]


def test_the_notebook_is_kept_without_outputs():
    """They are made anew where it is run."""
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    assert not [cell for cell in cells if cell.get("outputs")]
