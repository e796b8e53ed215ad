"""What the page says to do next: commands that name the study, parse, and do what they say."""

import shlex

import numpy as np
import pytest
import tyro

import reseed
from reseed import Study
from reseed.cli import main
from reseed.cli._main import command_class
from reseed.instability import evaluate
from reseed.report import render, report_data
from reseed.report._next import training_command
from reseed.studies import train_study


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A study of three short runs in a folder whose name has a blank, recorded otherwise than by default."""
    recipe = reseed.recipe_for("digits", changes={"epochs": 2, "model.hidden": [4]})
    record = reseed.RecordConfig(every="1", level="full", burn_in=1)
    plan = reseed.SeedPlan(7, frozenset({"init"}))
    folder = tmp_path_factory.mktemp("next") / "my study"
    return train_study(recipe, folder, runs=3, plan=plan, record=record, engine="serial", probe=False)


def commands(data) -> list[list[str]]:
    """The words of each command after `reseed`, those of the footer included."""
    given = [step.command for step in data.next_steps] + [
        data.made.get("trained by", ""),
        data.made["page made again by"],
    ]
    return [shlex.split(command)[1:] for command in given if command]


def test_every_command_parses_and_names_the_study(trained):
    """Each is a command of reseed with options that exist."""
    data = report_data(trained, evaluate(trained))
    found = commands(data)
    assert {words[0] for words in found} >= {"measure", "mitigate", "export", "report"}
    for name, *arguments in found:
        tyro.cli(command_class(name), args=arguments, config=(tyro.conf.FlagCreatePairsOff,))
        assert any(str(trained.path) in word for word in arguments)


def test_the_command_for_more_runs_extends_the_study(trained, capsys):
    """What the page proposes goes on where the study ended, with its seeds and recordings."""
    words = shlex.split(training_command(trained, 4))[1:]
    with pytest.raises(SystemExit) as ended:
        main([*words, "--engine", "serial"])
    assert not ended.value.code
    capsys.readouterr()
    extended = Study.open(trained.path)
    assert len(extended.manifests) == 4
    assert extended.header.base_seed == 7
    assert np.array_equal(extended.final()[:3], trained.final())


def test_the_page_has_steps_words_and_its_origin(trained):
    """Next, the list of words and the lines at the foot are on the page, escaped."""
    page = render(report_data(trained, evaluate(trained)))
    for part in ('<section id="next"', '<section id="words"', "More runs?", "&#x27;", "page made again by"):
        assert part in page
    assert 'href="#term-jitter"' in page
    assert page.count('id="term-jitter"') == 1


def test_of_one_run_more_are_proposed(tmp_path):
    """What is estimated from a single run is counted with more of them."""
    recipe = reseed.recipe_for("digits", changes={"epochs": 2, "model.hidden": [4]})
    study = train_study(recipe, tmp_path / "one", runs=1, engine="serial", probe=False)
    data = report_data(study, evaluate(study))
    assert data.next_steps[0].command == training_command(study, 10)
    assert {words[0] for words in commands(data)} == {"measure", "export", "report"}
    assert '<section id="next"' in render(data)


def test_an_imported_study_is_not_told_to_train(tmp_path):
    """Where reseed did not train there is no command to train more, and labels that all runs contradict are named."""
    labels = np.zeros((3, 20), int)
    labels[0, :4] = 1
    targets = np.r_[np.zeros(18, int), 1, 1]
    study = Study.from_predictions(labels, tmp_path / "study", class_names=("a", "b"), targets=targets)
    data = report_data(study, evaluate(study))
    assert {words[0] for words in commands(data)} == {"export", "report"}
    (wrong,) = [step for step in data.next_steps if step.place]
    assert wrong.words.startswith("To 2 samples all runs give one label")
    assert "#samples?verdict=wrong&amp;high=0" in render(data)
