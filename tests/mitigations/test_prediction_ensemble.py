"""Ensembles against their members, trained one by one."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.mitigations.conftest import CNN, MLP, PLAN

from reseed._errors import RecipeError
from reseed.mitigations import LabelSmoothing, PredictionEnsemble
from reseed.models import architecture
from reseed.studies import train_study
from reseed.training import OptimizerConfig, Recipe, RecordConfig, StackedTraining, Training, mitigated
from reseed.training._seeds import derived

CONTROL = Recipe(model=MLP, optimizer=OptimizerConfig("adam", lr=1e-2), epochs=3, batch_size=16)


@pytest.mark.parametrize("model", [MLP, CNN], ids=["mlp", "cnn"])
def test_a_run_predicts_the_mean_of_its_members(data, model):
    """In double precision: the mean probability of networks trained alone, the first with the run's own words."""
    control = mitigated(replace(CONTROL, model=model), [LabelSmoothing(0.1)])
    recipe, build = mitigated(control, [PredictionEnsemble(3)]), architecture(model)
    runs = (PLAN.seeds(0), PLAN.seeds(1))
    together = StackedTraining(recipe, build, data, runs)
    list(together.blocks([together.total_steps]))
    for own, found in zip(runs, together.predict(data.inputs).exp(), strict=True):
        mean = torch.zeros_like(found)
        for words in (own, derived(own, "peer", 1), derived(own, "peer", 2)):
            member = Training(control, build, data, words)
            list(member.steps())
            mean += member.predict(data.inputs)[0].softmax(-1) / 3
        torch.testing.assert_close(found, mean, rtol=1e-7, atol=1e-9)
        torch.testing.assert_close(found.sum(-1), torch.ones(len(found), dtype=found.dtype))


def test_engines_that_train_one_run_at_a_time(tmp_path):
    """A study in this process, one in worker processes and one in a stack hold the same runs, at the same cost."""
    recipe = mitigated(replace(CONTROL, epochs=1, batch_size=64), [PredictionEnsemble(2)])
    studies = [
        train_study(recipe, tmp_path / engine, runs=2, engine=engine, record=RecordConfig("final"), threads=1, jobs=2)
        for engine in ("serial", "processes", "stacked")
    ]
    for study in studies[1:]:
        np.testing.assert_allclose(study.final("confidence"), studies[0].final("confidence"), atol=1e-5)
    control = train_study(replace(recipe, mitigations=()), tmp_path / "control", runs=2, engine="serial", threads=1)
    assert {
        study.manifests[0].cost["samples_seen"] // control.manifests[0].cost["samples_seen"] for study in studies
    } == {2}


@pytest.mark.parametrize("members", [0, -1])
def test_no_members_are_refused(members):
    """An ensemble of nothing raises and names method and field."""
    with pytest.raises(RecipeError, match=f"prediction-ensemble: members must be 1 or more, got {members}"):
        PredictionEnsemble(members)
