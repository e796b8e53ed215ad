"""The contract of all lenses: what a lens says of samples and runs, kept with a study and shown without knowing it.

A lens returns `Scores`: columns of samples and of single runs, numbers of runs, series along training, each described
by a `Column`, with a summary (`summarised`), notes and charts. `keep_scores` keeps them with a study, and `scores_for`
makes them anew where options or runs have changed; long work is done in pieces, each kept as a `Part`. Table, export,
terminal and page show whatever is kept.

`foretold` says how well a column of single runs ranks the samples that the other runs answer differently, by `auroc`,
`lift` and `kendall_tau`; `half_of_the_runs` is what many trainings achieve.
"""

from reseed.scores._chart import Chart, Kind, Passage, Picture, Series
from reseed.scores._columns import HIGHER, LOWER, NONE, Column, Direction, describe
from reseed.scores._foretell import Foretold, RunColumn, foretold, foretold_columns
from reseed.scores._foretelling import HALF, Foretelling, ForetoldColumn, ranked
from reseed.scores._halves import half_of_the_runs
from reseed.scores._kept import all_kept_scores, check_distinct, keep_scores, kept_lenses, kept_scores, scores_for
from reseed.scores._measured import measured_rows
from reseed.scores._part import Part, Told, read_part, write_part
from reseed.scores._ranks import auroc, kendall_tau, lift
from reseed.scores._readable import readable_scores, scores_of
from reseed.scores._scores import RunRows, Scores, Split, mean_over_runs
from reseed.scores._summarised import spread, summarised
from reseed.scores._targets import Targets

__all__ = [
    "HALF",
    "HIGHER",
    "LOWER",
    "NONE",
    "Chart",
    "Column",
    "Direction",
    "Foretelling",
    "Foretold",
    "ForetoldColumn",
    "Kind",
    "Part",
    "Passage",
    "Picture",
    "RunColumn",
    "RunRows",
    "Scores",
    "Series",
    "Split",
    "Targets",
    "Told",
    "all_kept_scores",
    "auroc",
    "check_distinct",
    "describe",
    "foretold",
    "foretold_columns",
    "half_of_the_runs",
    "keep_scores",
    "kendall_tau",
    "kept_lenses",
    "kept_scores",
    "lift",
    "mean_over_runs",
    "measured_rows",
    "ranked",
    "read_part",
    "readable_scores",
    "scores_for",
    "scores_of",
    "spread",
    "summarised",
    "write_part",
]
