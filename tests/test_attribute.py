"""`attribute`: which studies are trained, what is compared, and what is refused."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

import reseed
from reseed._errors import InputError, StudyError
from reseed.models import ModelConfig
from reseed.training import STREAMS, Recipe

RECIPE = Recipe(model=ModelConfig("mlp", hidden=(8,)), epochs=1, batch_size=64)


def _attribute(out, recipe=RECIPE, **options):
    """Attributes with few runs, in this process, and gives the result with the lines that were announced."""
    lines = []
    options = {"runs": 3, "engine": "serial", "threads": 1, "probe": False} | options
    return reseed.attribute(recipe=recipe, out=out, announce=lines.append, **options), lines


def _jitter(study):
    """Mean churn over all pairs of runs, pair by pair."""
    return np.mean([(a != b).mean() for a, b in itertools.combinations(study.final("labels"), 2)])


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """An attribution of a small network on digits; tests only read it."""
    return _attribute(tmp_path_factory.mktemp("attributed") / "digits")[0]


def test_two_sources_need_three_studies(found):
    """With two sources, fixing one is varying the other, which is trained once."""
    assert sorted(path.name for path in found.path.iterdir()) == [
        "attribution.html",
        "attribution.json",
        "vary-init",
        "vary-init-order",
        "vary-order",
    ]
    assert [effect.source for effect in sorted(found.effects.effects, key=lambda e: e.source)] == ["init", "order"]
    init, order = sorted(found.effects.effects, key=lambda effect: effect.source)
    assert (init.jitter, order.jitter) == (order.fixed_jitter, init.fixed_jitter)


def test_each_study_varies_what_its_name_says(found):
    """In every study the seeds of its own streams differ between runs, and the others keep those of run 0."""
    first = next(iter(found.studies.values())).manifests[0].seeds
    for streams, study in found.studies.items():
        assert study.path.name == "vary-" + "-".join(stream for stream in STREAMS if stream in streams)
        for manifest in study.manifests[1:]:
            assert {stream for stream in STREAMS if manifest.seeds[stream] != first[stream]} == streams


def test_numbers_are_those_of_the_studies(found):
    """Jitter, share and drop in the file follow from the labels that the studies recorded."""
    told = json.loads((found.path / "attribution.json").read_text())
    jitter = {name: _jitter(reseed.Study.open(found.path / folder)) for name, folder in told["studies"].items()}
    assert told["jitter"] == pytest.approx(jitter["init-order"])
    for source, other in (("init", "order"), ("order", "init")):
        effect = next(effect for effect in told["sources"] if effect["source"] == source)
        assert effect["jitter"] == pytest.approx(jitter[source])
        assert effect["share"] == pytest.approx(jitter[source] / jitter["init-order"])
        assert effect["drop"] == pytest.approx(1 - jitter[other] / jitter["init-order"])
        for name in ("jitter", "label_entropy_mean", "share", "fixed_jitter", "drop"):
            low, high = effect[f"{name}_ci95"]
            assert low <= effect[name] <= high
    assert (told["runs"], told["samples"], told["vary"], told["ci_method"]) == (3, 360, ["init", "order"], "two-way")
    assert told == json.loads(json.dumps(found.summary))


def test_more_runs_extend_every_study(tmp_path):
    """Called again with more runs, finished ones are kept and each study grows."""
    before, _ = _attribute(tmp_path / "grown", runs=2)
    kept = before.studies[frozenset({"init"})].manifests
    assert any("other samples only" in note for note in before.notes)
    after, lines = _attribute(tmp_path / "grown")
    assert {len(study.manifests) for study in after.studies.values()} == {3}
    assert after.studies[frozenset({"init"})].manifests[:2] == kept
    assert "3 studies of 3 runs: 9 trainings" in lines


def test_sources_that_matter_are_found_out(tmp_path):
    """Dropout is a source where the model has it; what is left out is announced, and three sources make 7 studies."""
    recipe = replace(RECIPE, model=ModelConfig("mlp", hidden=(8,), dropout=0.5))
    found, lines = _attribute(tmp_path / "dropped", recipe, runs=2)
    assert {effect.source for effect in found.effects.effects} == {"init", "order", "dropout"}
    assert len(found.studies) == 7
    assert "left out, since this recipe makes no use of it: augment" in lines


def test_data_is_a_source_when_it_is_asked_for(tmp_path):
    """A bootstrap of the training sample joins the sources only where `vary` names it."""
    found, _ = _attribute(tmp_path / "data", vary=("data", "init"), runs=2)
    assert {effect.source for effect in found.effects.effects} == {"data", "init"}
    assert any("about 63 % of the distinct samples" in note for note in found.notes)


def test_nothing_to_attribute_is_said(tmp_path):
    """Where all runs agree, a note says so, shares are null in the file, and no warning interrupts."""
    rows = [f"{side * (5 + row % 7)},{'left' if side < 0 else 'right'}" for row in range(20) for side in (-1, 1)]
    (tmp_path / "sides.csv").write_text("\n".join(["x,label", *rows]) + "\n")
    recipe = reseed.recipe_for(str(tmp_path / "sides.csv"), "mlp", changes={"epochs": 20, "batch_size": 8})
    found, _ = _attribute(tmp_path / "sides", recipe)
    assert "All runs gave identical labels: there is nothing to attribute." in found.notes
    told = json.loads((tmp_path / "sides" / "attribution.json").read_text())
    assert told["jitter"] == 0
    assert [effect["share"] for effect in told["sources"]] == [None, None]


def test_one_source_cannot_be_compared(tmp_path):
    """With fewer than two sources in use there is nothing to attribute, and nothing is trained."""
    text = "vary is order, dropout, of which this recipe makes use of order only; name two sources or more"
    with pytest.raises(InputError, match=text):
        _attribute(tmp_path / "one", vary=("order", "dropout"))
    assert not (tmp_path / "one").exists()


def test_another_folder_is_refused(tmp_path):
    """Files that are no attribution are never mixed with one, nor studies of another recipe."""
    (tmp_path / "notes.txt").touch()
    with pytest.raises(StudyError, match="exists and holds no attribution; choose another out"):
        _attribute(tmp_path)


def test_urls_are_refused():
    """The studies lie in a folder; a URL is refused before any work."""
    pytest.importorskip("obstore", reason="needs the extra `cluster`")
    with pytest.raises(InputError, match="is a URL; give a folder"):
        _attribute("s3://bucket/attribution")
