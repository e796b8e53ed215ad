"""Ensembles that abstain: where they do, against the same rules on arrays of labels, and what is recorded of it."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import binomtest
from tests.mitigations.conftest import MLP, PLAN

from reseed._errors import RecipeError, StudyError
from reseed.instability import evaluate, selective_ensemble, self_consistency_ensemble
from reseed.mitigations import PredictionEnsemble, SelectiveEnsembling, SelfConsistencyEnsembling
from reseed.models import architecture
from reseed.studies import train_study
from reseed.training import OptimizerConfig, Recipe, RecordConfig, StackedTraining, Training, mitigated
from reseed.training._seeds import seeds_of_peers

ABSTAIN = -1
CONTROL = Recipe(model=MLP, optimizer=OptimizerConfig("adam", lr=1e-2), epochs=2, batch_size=16)


def votes(members: int, *, samples: int = 300) -> torch.Tensor:
    """Labels [run, network, sample] of two runs, from unanimous to even."""
    generator = np.random.default_rng(members)
    favour = generator.uniform(0, 1, samples)
    chosen = generator.uniform(size=(2, members, samples)) < favour
    return torch.from_numpy(np.where(chosen, 3, generator.integers(0, 4, (2, members, samples))))


@pytest.mark.parametrize(("members", "alpha"), [(6, 0.05), (9, 0.05), (10, 0.2), (15, 0.01)])
def test_the_majority_is_tested(members, alpha):
    """A run answers exactly where the rule on arrays finds its networks' majority clear, whose label it then gives."""
    labels = votes(members)
    for run in range(2):
        rule = selective_ensemble(labels[run].numpy(), alpha=alpha)
        answers = torch.from_numpy(np.where(rule.labels == ABSTAIN, 0, rule.labels))
        found = SelectiveEnsembling(members, alpha).abstains(answers[None], labels[run : run + 1])[0]
        np.testing.assert_array_equal(found.numpy(), rule.labels == ABSTAIN)
        assert 0 < found.float().mean() < 1


def test_p_values_are_those_of_scipy():
    """Majorities of two labels are clear where the two-sided binomial test of scipy says so."""
    method = SelectiveEnsembling(12, 0.1)
    for count in range(13):
        labels = torch.tensor([0] * count + [1] * (12 - count)).view(1, 12, 1)
        answer = torch.tensor([[0 if count >= 6 else 1]])
        assert method.abstains(answer, labels).item() == (binomtest(count, 12).pvalue > 0.1)


def test_an_answer_that_is_not_the_majority_is_not_given():
    """Where the mean probability favours another label than the clear majority, the run abstains."""
    labels = torch.zeros(1, 8, 2, dtype=torch.long)
    assert SelectiveEnsembling(8).abstains(torch.tensor([[0, 2]]), labels).tolist() == [[False, True]]


@pytest.mark.parametrize("threshold", [0.0, 0.4, 2 / 3, 1.0])
def test_self_consistency_is_tested(threshold):
    """A run answers exactly where the rule on arrays says so, ends of the range and ties included."""
    labels = votes(6)
    for run in range(2):
        rule = self_consistency_ensemble(labels[run].numpy(), threshold=threshold)
        found = SelfConsistencyEnsembling(6, threshold).abstains(torch.zeros(1, 300), labels[run : run + 1])[0]
        np.testing.assert_array_equal(found.numpy(), rule.labels == ABSTAIN)


def test_runs_abstain_by_the_labels_of_their_networks(data):
    """In a stack each run's abstentions are those of networks trained alone; predictions are a plain ensemble's."""
    control = replace(CONTROL, model=replace(MLP, dropout=0.0), steps=40)
    recipe, build = mitigated(control, [SelfConsistencyEnsembling(3, 1.0)]), architecture(MLP)
    seeds = (PLAN.seeds(0), PLAN.seeds(1))
    training = StackedTraining(recipe, build, data, seeds)
    plain = StackedTraining(mitigated(control, [PredictionEnsemble(3)]), build, data, seeds)
    for one in (training, plain):
        list(one.blocks([40]))
    logits, silent = training.answers(data.inputs)
    assert torch.equal(logits, plain.predict(data.inputs))
    assert plain.answers(data.inputs)[1] is None
    for run, own in enumerate(seeds):
        labels = []
        for words in seeds_of_peers(own, recipe.peers):
            member = Training(control, build, data, words)
            list(member.steps())
            labels.append(member.predict(data.inputs)[0].argmax(-1))
        expected = (torch.stack(labels) != labels[0]).any(0)
        assert torch.equal(silent[run], expected)
        assert 0 < expected.float().mean() < 1


def test_studies_record_and_report_abstentions(tmp_path):
    """Zeros and ones at every checkpoint, coverage with an interval in the summary, and steadier answers."""
    recipe = mitigated(replace(CONTROL, epochs=2, batch_size=64), [SelectiveEnsembling(6)])
    study = train_study(recipe, tmp_path / "study", runs=3, engine="stacked", threads=1, record=RecordConfig("epoch"))
    abstains = study.recorded("abstains")
    assert abstains.dtype == np.uint8
    assert abstains.dims == ("run", "checkpoint", "sample")
    assert set(np.unique(abstains.values)) == {0, 1}
    summary = evaluate(study).summary
    assert json.dumps(summary, allow_nan=False)
    silent = study.final("abstains").astype(bool)
    assert summary["coverage_mean"] == pytest.approx(1 - silent.mean())
    low, high = summary["coverage_ci95"]
    assert low < summary["coverage_mean"] < high
    assert summary["answered_jitter"] < summary["jitter"]
    assert summary["answered_label_entropy_mean"] < summary["label_entropy_mean"]


def test_plain_ensembles_record_no_abstentions(tmp_path):
    """Runs that always answer have no such array, and no coverage."""
    recipe = mitigated(replace(CONTROL, epochs=1, batch_size=64), [PredictionEnsemble(2)])
    study = train_study(recipe, tmp_path / "study", runs=2, engine="serial", threads=1, record=RecordConfig("final"))
    assert "coverage_mean" not in evaluate(study).summary
    with pytest.raises(StudyError, match="did not record 'abstains'"):
        study.recorded("abstains")


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: SelectiveEnsembling(5), r"5 members cannot reach p <= 0.05 even where all agree; set members to 6"),
        (lambda: SelectiveEnsembling(0), "selective-ensemble: members must be 1 or more, got 0"),
        (lambda: SelectiveEnsembling(8, 1.0), r"selective-ensemble: alpha must be a number in \(0, 1\), got 1.0"),
        (lambda: SelfConsistencyEnsembling(0), "self-consistency-ensemble: members must be 1 or more, got 0"),
        (
            lambda: SelfConsistencyEnsembling(4, 1.5),
            r"self-consistency-ensemble: threshold must be a share in \[0, 1\], got 1.5",
        ),
    ],
)
def test_bad_options_are_refused(make, text):
    """Options that make no sense raise before anything is trained, and name method and field."""
    with pytest.raises(RecipeError, match=text):
        make()
