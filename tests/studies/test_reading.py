"""A stranger's study: reading it opens nothing but itself, and what training it opens is asked for."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.studies.conftest import RECIPE
from tests.watched import unopened

import reseed
from reseed import DataError, ModelError, Recipe, StudyError
from reseed.training import load_recipe

ROOT = Path(__file__).parents[2]
SECRET = "hunter2-and-more"  # noqa: S105
CODE = "import pathlib\n\npathlib.Path('imported').touch()\n\n\ndef net(shape, classes):\n    raise SystemExit\n"


@pytest.fixture
def secret(tmp_path):
    """A table of passwords that is nobody's data."""
    path = tmp_path / "private" / "passwords.csv"
    path.parent.mkdir()
    rows = "\n".join(f"{SECRET}{row},{SECRET},{'ab'[row % 2]},train" for row in range(12))
    path.write_text(f"password,text,label,split\n{rows}\n")
    return path


@pytest.fixture
def strange(finished_study, tmp_path):
    """A finished study in whose recipe a test may write."""
    return Path(shutil.copytree(finished_study, tmp_path / "strange"))


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The current folder, with a module that leaves a mark when it is imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "wicked_code.py").write_text(CODE)
    yield tmp_path
    sys.modules.pop("wicked_code", None)


def recipes(folder: Path, secret: Path) -> list[Path]:
    """Write recipes that name a file of the reader's, a data set on the hub, code, and a study at a URL."""
    table = f'name = {str(secret)!r}\ntext = "text"\nsplit = "password"'
    anchor = '[[mitigations]]\nname = "distill"\nanchor = "s3://bucket/anchor"'
    texts = {
        "file": f'[data]\n{table}\n[model]\nname = "wicked_code:net"\n',
        "hub": f'[data]\nname = "hf:nobody/nothing"\n[model]\nname = "text-encoder"\nencoder = "no/ne"\n{anchor}\n',
    }
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text)
    return [folder / f"{name}.toml" for name in texts]


def test_reading_opens_nothing_outside_the_study(strange, secret, tmp_path):
    """No reader opens a file that the recipe names, imports its code, calls a host, or shows a value from elsewhere."""
    (tmp_path / "wicked_code.py").write_text(CODE)
    (tmp_path / "out").mkdir()
    paths = [str(ROOT / "src"), str(ROOT), str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "RESEED_TRACEBACK": "1"}
    environment.pop("RESEED_DATA", None)
    command = [sys.executable, "-m", "tests.studies.readers", strange, tmp_path / "out", *recipes(tmp_path, secret)]
    with unopened([secret, tmp_path / "wicked_code.py"]) as opened:
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["opened"] == []
    assert opened == []
    assert "wicked_code" not in found["modules"]
    assert not (tmp_path / "imported").exists()
    assert {command for command, status in found["statuses"].items() if status} == {"inspect STUDY --by length"}
    for file in (tmp_path / "out").rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file
    for file in strange.glob("*.*"):
        assert SECRET.encode() not in file.read_bytes(), file


def test_images_and_tables_are_clustered_from_the_study(strange):
    """The pictures that a study holds give the clusters that the data itself gives."""
    found = reseed.inspect(strange)
    assert "cluster" in found.groups.groupings
    assert (strange / "report.html").exists() is False


def test_code_that_a_file_names_is_not_imported(here, tmp_path):
    """A model of a recipe file is imported only where somebody said that it may, or named it himself."""
    path = tmp_path / "recipe.toml"
    path.write_text('epochs = 1\n[data]\nname = "digits"\n[model]\nname = "wicked_code:net"\n')
    for recipe in (reseed.recipe_for(file=path), load_recipe(path), Recipe.from_toml(path.read_text())):
        with pytest.raises(
            ModelError, match=r"names code to run as its model, 'wicked_code:net'.*trust_code=True .*with model"
        ):
            reseed.measure(recipe=recipe, runs=2, out=tmp_path / "study")
        assert Recipe.from_toml(recipe.to_toml()) == recipe
    assert not (here / "imported").exists()
    trusting = (
        reseed.recipe_for(file=path, trust_code=True),
        reseed.recipe_for(model="wicked_code:net", file=path),
        reseed.recipe_for(file=path, changes={"model.name": "wicked_code:net"}),
        load_recipe(path, trust_code=True),
        replace(Recipe(), model=reseed.ModelConfig("wicked_code:net")),
    )
    for recipe in trusting:
        (here / "imported").unlink(missing_ok=True)
        sys.modules.pop("wicked_code", None)
        with pytest.raises(ModelError, match="raised SystemExit"):
            reseed.measure(recipe=recipe, runs=2, out=tmp_path / "study")
        assert (here / "imported").exists()


def test_no_file_can_say_that_it_is_trusted(tmp_path):
    """Whether code may be imported is no field of a recipe."""
    with pytest.raises(reseed.RecipeError, match=r"unknown recipe field model\.is_trusted"):
        Recipe.from_toml('[model]\nname = "a:b"\nis_trusted = true\n')
    assert "is_trusted" not in Recipe().to_toml()


def test_a_study_goes_on_with_its_own_data_only(train, tmp_path):
    """A file that is another one now is refused before anything of it is shown, and so is one that cannot be read."""
    path = tmp_path / "data.csv"
    rows = [f"{row % 7}.5,{row % 5},{'ab'[row % 2]}" for row in range(60)]
    path.write_text("\n".join(["x,y,label", *rows]) + "\n")
    recipe = replace(RECIPE, data=reseed.DataConfig(str(path)), epochs=1)
    train("mine", recipe, runs=2)
    path.write_text("\n".join(["x,y,label", *(row.replace("b", SECRET) for row in rows)]) + "\n")
    with pytest.raises(StudyError, match=r"is other data than the study .* was made of") as other:
        train("mine", recipe)
    path.write_text(f"x,y,label\n{SECRET},1,a\n1,2,b\n")
    with pytest.raises(DataError, match="cannot be loaded any more as it was") as broken:
        train("mine", recipe)
    for error in (other, broken):
        assert SECRET not in str(error.value)
        assert error.value.__cause__ is None
    path.write_text("\n".join(["x,y,label", *rows]) + "\n")
    assert len(train("mine", recipe).manifests) == 3


@pytest.mark.parametrize("name", [".lock", "cache", "lessons"])
def test_training_writes_nothing_through_a_link(train, tmp_path, name):
    """A lock, cache or folder of lessons that leads elsewhere is refused, and what is there stays."""
    train("mine", runs=2)
    (tmp_path / "precious").write_text("mine")
    place = tmp_path / "mine" / name
    place.unlink(missing_ok=True)
    place.symlink_to(tmp_path / "precious")
    with pytest.raises(StudyError, match="tampered with"):
        train("mine", runs=3)
    assert (tmp_path / "precious").read_text() == "mine"
