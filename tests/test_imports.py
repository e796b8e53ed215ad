"""Which files import which: nowhere in a circle, so that each one is understood from those below it."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[1] / "src"


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes but those in functions: what these import, they import when they are called."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from _outside_functions(child)


def imports_of(sources: Path) -> dict[str, set[str]]:
    """Return the modules below a folder, each with those that it imports, for its types alone included."""
    files = {}
    for path in sorted(sources.rglob("*.py")):
        parts = path.relative_to(sources).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    found = {}
    for module, path in files.items():
        package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
        names = set()
        for node in _outside_functions(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                base = package[: len(package) + 1 - node.level] if node.level else []
                source = ".".join([*base, *filter(None, [node.module])])
                names |= {each if (each := f"{source}.{alias.name}") in files else source for alias in node.names}
        found[module] = names & set(files)
    return found


def circle(imports: dict[str, set[str]]) -> list[str]:
    """Return the modules of a circle, the first of them once more at its end; nothing where there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_no_files_import_each_other():
    """Inside the packages either: what two files need is in a third one."""
    imports = imports_of(SOURCES)
    assert len(imports) > 300
    assert "reseed._errors" in imports["reseed"]
    assert circle(imports) == []


@pytest.mark.parametrize(
    "text",
    [
        "from package._two import two",
        "from package import _two",
        "import package._two",
        "from ._two import two",
        "from . import _two",
        "if TYPE_CHECKING:\n    from package._two import Two",
        "try:\n    import package._two\nexcept ImportError:\n    pass",
    ],
)
def test_a_circle_is_found(tmp_path, text):
    """However it is written, and where only types need it."""
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("from package._one import one\n")
    (tmp_path / "package" / "_one.py").write_text(text)
    (tmp_path / "package" / "_two.py").write_text("def two():\n    from package._one import one\n")
    assert circle(imports_of(tmp_path)) == []
    (tmp_path / "package" / "_two.py").write_text("from package._one import one\n")
    assert set(circle(imports_of(tmp_path))) == {"package._one", "package._two"}


def test_a_file_that_imports_its_own_package_is_in_a_circle(tmp_path):
    """The package's list of names imports the file."""
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("from package._one import one\n")
    (tmp_path / "package" / "_one.py").write_text("from package import other\n")
    assert set(circle(imports_of(tmp_path))) == {"package", "package._one"}
