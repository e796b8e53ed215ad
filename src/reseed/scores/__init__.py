"""The contract of all lenses: what a lens says of samples and runs, kept with a study and shown without knowing it.

A lens returns `Scores`: columns of samples and of single runs, numbers of runs, series along training, each described
by a `Column`, with a summary, notes and charts. `keep_scores` keeps them with a study, `scores_for` makes them anew
where options or runs have changed. Table, export, terminal and page show whatever is kept.
"""

from reseed.scores._chart import Chart, Kind, Picture, Series
from reseed.scores._columns import HIGHER, LOWER, NONE, Column, Direction, describe
from reseed.scores._kept import all_kept_scores, check_distinct, keep_scores, kept_lenses, kept_scores, scores_for
from reseed.scores._measured import measured_rows
from reseed.scores._readable import readable_scores, scores_of
from reseed.scores._scores import RunRows, Scores, Split, mean_over_runs

__all__ = [
    "HIGHER",
    "LOWER",
    "NONE",
    "Chart",
    "Column",
    "Direction",
    "Kind",
    "Picture",
    "RunRows",
    "Scores",
    "Series",
    "Split",
    "all_kept_scores",
    "check_distinct",
    "describe",
    "keep_scores",
    "kept_lenses",
    "kept_scores",
    "mean_over_runs",
    "measured_rows",
    "readable_scores",
    "scores_for",
    "scores_of",
]
