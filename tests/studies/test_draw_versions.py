"""Studies know by which version of draws they began: old ones go on as they were, users meet no stream of new ones."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.naive_bayes import GaussianNB

import reseed
from reseed._errors import RecipeError
from reseed.mitigations import CoDistillation, EnsembleSoftLabels, Tgtss
from reseed.models import ModelConfig
from reseed.studies import ResampledFit, Study
from reseed.training import DRAWS, Recipe, SeedPlan, mitigated

RECIPE = Recipe(model=ModelConfig("mlp", hidden=(8,), dropout=0.2), epochs=1, batch_size=64)
OLD = SeedPlan(draws=1)
METHODS = {
    "nothing": (),
    "teachers of each run": (EnsembleSoftLabels(teachers=2),),
    "a shared teacher": (Tgtss(teacher="shared", every=5),),
    "a pilot": (Tgtss(find_transient=True, every=5),),
    "peers": (CoDistillation(),),
}


def same(one: Study, other: Study) -> bool:
    """Whether two studies recorded the same bits for the same seeds."""
    return [manifest.seeds for manifest in one.manifests] == [manifest.seeds for manifest in other.manifests] and (
        np.array_equal(one.final("confidence"), other.final("confidence"))
    )


@pytest.mark.parametrize("engine", ["serial", "processes", "stacked"])
@pytest.mark.parametrize("streams", [{"order"}, {"init", "data"}])
def test_an_old_study_goes_on_as_it_began(train, engine, streams):
    """A header that names no version means the first one: more runs are those that it would have had."""
    old, new = SeedPlan(vary=frozenset(streams), draws=1), SeedPlan(vary=frozenset(streams))
    options = {"recipe": RECIPE, "engine": engine} | ({"group": 2} if engine == "stacked" else {})
    begun = train("grown", plan=old, runs=2, **options)
    assert "draws" not in json.loads((begun.path / "study.json").read_text())
    grown, whole = train("grown", plan=new, runs=4, **options), train("whole", plan=old, runs=4, **options)
    assert same(grown, whole)
    assert grown.header == whole.header
    other = train("new", plan=new, runs=4, **options)
    assert json.loads((other.path / "study.json").read_text())["draws"] == DRAWS == 2
    assert not same(other, whole)


@pytest.mark.parametrize("name", METHODS)
def test_teachers_and_peers_draw_as_their_study_does(train, tmp_path, name):
    """What runs learn from follows the study's version, a lesson that several studies keep in one folder included."""
    options = {"recipe": mitigated(RECIPE, METHODS[name]), "lessons_folder": tmp_path / "lessons"}
    new = train("new", runs=2, **options)
    whole = train("whole", plan=OLD, runs=2, **options)
    train("grown", plan=OLD, runs=1, record=None, **options)
    assert same(train("grown", runs=2, **options), whole)
    assert not same(new, whole)


def test_a_user_never_draws_our_rows(tmp_path):
    """A fit that draws from generators of its seed gets none of the rows that it was fitted on."""
    inputs, targets = load_wine(return_X_y=True)
    inputs = np.concatenate([np.arange(len(inputs))[:, None], inputs], axis=1)
    seen = []

    def fit(given, wanted, seed):
        own = [seed, (seed, 0), [seed, 0, 0], (seed, 1), *np.random.SeedSequence(seed).spawn(3)]
        rows = given[:, 0].astype(int)
        seen.append(any(np.array_equal(rows, np.random.default_rng(one).integers(0, 178, 178)) for one in own))
        return GaussianNB().fit(given, wanted)

    options = {"train_data": (inputs, targets), "bootstraps": 5, "vary_seed": True, "engine": "serial"}
    found = reseed.bootstrap(fit, out=tmp_path / "new", **options)
    assert found.study.header.draws == DRAWS
    assert seen == [False] * 6


def test_an_old_bootstrap_goes_on_as_it_began(tmp_path):
    """Resamples that are added to a study of the first version are drawn by that, and those drawn again are counted."""
    x, y = np.arange(6.0)[:, None], np.array([0, 0, 0, 0, 0, 1])
    options = {"train_data": (x, y), "engine": "serial", "bootstraps": 4}

    def rows(study, draws):
        fit = ResampledFit(GaussianNB(), x, y, study.manifests[0].seeds["fit"], draws=draws)
        return [fit.resample(manifest.seeds["fit"]) for manifest in study.manifests[1:]]

    def means(study):
        return study.final("probabilities").mean((1, 2)).tolist()

    study = reseed.bootstrap(GaussianNB(), out=tmp_path / "new", **options).study
    header = json.loads((study.path / "study.json").read_text())
    assert header.pop("draws") == DRAWS
    # A study as the first version began it: its header names none.
    old = tmp_path / "old"
    (old / "runs").mkdir(parents=True)
    (old / "evaluation.parquet").write_bytes((study.path / "evaluation.parquet").read_bytes())
    (old / "study.json").write_text(json.dumps(header))
    found = reseed.bootstrap(GaussianNB(), out=old, **options)
    assert found.study.header == replace(study.header, draws=1)
    assert [drawn.tolist() for drawn, _ in rows(found.study, 1)] != [drawn.tolist() for drawn, _ in rows(study, 2)]
    for (drawn, _), predicted in zip(rows(found.study, 1), found.study.final("probabilities")[1:], strict=True):
        expected = GaussianNB().fit(x[drawn], y[drawn]).predict_proba(x)
        np.testing.assert_allclose(predicted, expected, atol=1e-6)
    redrawn = sum(attempts for _, attempts in rows(found.study, 1))
    assert any(note.startswith(f"{redrawn} resamples held one class only") for note in found.notes) == (redrawn > 0)


def test_the_studies_of_a_design_draw_alike(tmp_path):
    """A study that joins a design of the first version draws by that, since runs are crossed with samples."""
    options = {"recipe": RECIPE, "runs": 2, "engine": "serial", "threads": 1, "announce": lambda line: None}
    found = reseed.measure_nested(training_sets=2, out=tmp_path / "design", **options)
    assert [study.header.draws for study in found.studies] == [DRAWS, DRAWS]
    for study in found.studies:
        (study.path / "study.json").write_text(
            json.dumps({**json.loads((study.path / "study.json").read_text()), "draws": 1})
        )
    joined = reseed.measure_nested(training_sets=3, out=tmp_path / "design", **options)
    assert [study.header.draws for study in joined.studies] == [1, 1, 1]


def test_a_version_from_the_future_is_read_and_not_continued(train):
    """A study whose draws are not known opens, and more runs are refused with what to do."""
    study = train(runs=2, recipe=RECIPE)
    header = json.loads((study.path / "study.json").read_text())
    (study.path / "study.json").write_text(json.dumps({**header, "draws": 3}))
    assert Study.open(study.path).header.draws == 3
    with pytest.raises(RecipeError, match="draws is 3, but this version of reseed knows 1 and 2; go on with the vers"):
        train(runs=3, recipe=RECIPE)
