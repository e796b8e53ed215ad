"""Scores of studies at a URL."""

from pathlib import Path

import numpy as np
import pytest

from reseed import Study
from reseed.scores import Column, Scores, all_kept_scores, keep_scores, kept_scores
from reseed.studies import train_study
from reseed.training import Recipe

pytest.importorskip("obstore.store", reason="needs the extra `cluster`")
pytestmark = pytest.mark.cluster


def test_what_is_kept_is_at_the_url(url: str, s3: Path, tmp_path: Path) -> None:
    """Another machine reads it; what replaces it is read as well."""
    study = train_study(Recipe(epochs=1), url, runs=2, engine="serial", probe=False)
    column = Column("norm", "higher_is_worse", "[0, inf]", "nats", "here")
    values = np.random.default_rng(0).random((2, len(study.samples)))

    def keep(power: int) -> None:
        keep_scores(
            study,
            Scores(
                lens="norms",
                ids=study.samples.ids,
                columns={"norm": column},
                by_run={"norm": values**power},
                runs=(0, 1),
                options={"power": power},
            ),
        )

    def read_elsewhere() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RESEED_CACHE", str(tmp_path / "another cache"))
            other = Study.open(url)
            found = kept_scores(other, "norms")
            assert found is not None
            np.testing.assert_array_equal(np.asarray(found.by_run["norm"]), values ** found.options["power"])
            assert [scores.options for scores in all_kept_scores(other)] == [{"power": power}]

    for power in (1, 2):
        keep(power)
        read_elsewhere()
    assert [path.name for path in (s3 / url.removeprefix("s3://") / "scores" / "norms").glob("*.json")] == [
        "evaluation.json"
    ]
