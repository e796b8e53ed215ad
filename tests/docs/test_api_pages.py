"""The reference: each public function and class has one page, and stands in one table of its package."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

import reseed

DOCS = Path(__file__).parents[2] / "docs"
PACKAGES = [path.stem for path in (DOCS / "api").glob("*.md") if path.stem not in ("index", "reseed")]


@pytest.fixture
def written(tmp_path, monkeypatch):
    """The script, and the folder into which it has written."""
    monkeypatch.syspath_prepend(str(DOCS / "_scripts"))
    script = importlib.import_module("api_pages")
    monkeypatch.setattr(script, "FOLDER", tmp_path)
    script.write()
    return script, tmp_path


def described(module):
    """The functions and classes that a module offers."""
    things = {name: getattr(module, name) for name in module.__all__}
    return {name: thing for name, thing in things.items() if inspect.isclass(thing) or inspect.isfunction(thing)}


def test_every_object_has_one_page_and_one_row(written):
    """Whatever any package offers is described once, at a name by which it can be imported."""
    _, folder = written
    pages = [path.stem for path in folder.rglob("*.rst")]
    assert len(pages) == len(set(pages))
    found = []
    for page in pages:
        module, _, name = page.rpartition(".")
        found.append(getattr(importlib.import_module(module), name))
    rows = [
        row
        for path in folder.glob("*.txt")
        if path.name != "reseed.txt"
        for row in re.findall(r"^   ~(\S+)$", path.read_text(), re.MULTILINE)
    ]
    assert sorted(rows) == sorted(page for page in pages if page.count(".") > 1)
    for package in (reseed, *(importlib.import_module(f"reseed.{name}") for name in PACKAGES)):
        for name, thing in described(package).items():
            assert [each for each in found if each is thing] == [thing], name


def test_measure_comes_first(written):
    """The page of the main calls begins with `measure`, and has all that `import reseed` offers."""
    _, folder = written
    rows = re.findall(r"^   ~(\S+)$", (folder / "reseed.txt").read_text(), re.MULTILINE)
    assert rows[0] == "reseed.measure"
    assert sorted(row.rpartition(".")[2] for row in rows) == sorted(described(reseed))


def test_pages_that_say_the_same_are_left(written):
    """Written again, no page is newer, and those of names that are gone are gone."""
    script, folder = written
    (folder / "function" / "reseed.gone.rst").write_text("")
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.*") if "gone" not in path.name}
    script.write()
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.*")} == before


def test_a_name_without_a_topic_is_refused(written, monkeypatch):
    """Nothing is left out of the tables in silence."""
    script, _ = written
    topics = script.TOPICS["reseed.memorization"]
    monkeypatch.setitem(script.TOPICS, "reseed.memorization", {"Wrong labels": topics["Wrong labels"]})
    with pytest.raises(ValueError, match=r"belongs to no topic of reseed\.memorization; give it one in TOPICS"):
        script.write()


def test_every_package_has_its_page(written):
    """The pages of packages include the tables of all of them."""
    script, _ = written
    assert {f"reseed.{name}" for name in PACKAGES} | {"reseed"} == set(script.TOPICS)
    for package in script.TOPICS:
        page = (DOCS / "api" / f"{package.removeprefix('reseed.')}.md").read_text()
        assert f"```{{include}} generated/{package}.txt\n```" in page
