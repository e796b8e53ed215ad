"""The HTML report: one self-contained, offline page about what changes when a model is trained again.

`ReportData` describes everything the page shows as plain data; `render` makes the page, `write` puts it on
disk.
"""

from reseed.report._charts import page_charts
from reseed.report._comparison_page import make_comparison_page, render_comparison, write_comparison_page
from reseed.report._comparison_terminal import print_comparison
from reseed.report._data import ReportData
from reseed.report._foretell_table import print_foretelling
from reseed.report._from_study import report_data
from reseed.report._gate import gate_junit, gate_markdown, print_gate
from reseed.report._medoid_table import print_medoid
from reseed.report._numbers import print_numbers
from reseed.report._one_run_table import print_one_run_table
from reseed.report._page import make_page, render, write
from reseed.report._randomization import print_randomization
from reseed.report._resampled import print_bootstrap, print_nested
from reseed.report._scores_rows import scores_listing, scores_tree
from reseed.report._scores_terminal import print_kept_scores, print_scores
from reseed.report._shell import Page
from reseed.report._sources import print_sources
from reseed.report._stabilisation import print_stabilisation
from reseed.report._terminal import print_stability, unstable_rows
from reseed.report._views import estimate_text, table_of
from reseed.report._where import print_where
from reseed.report.chart._drawn import figure_of
from reseed.report.chart._estimates import bars
from reseed.report.designs._attribution import attribution_charts, attribution_page
from reseed.report.designs._bootstrap import bootstrap_charts, bootstrap_page
from reseed.report.designs._gate import gate_charts, gate_page
from reseed.report.designs._nested import nested_charts, nested_page
from reseed.report.designs._page import DesignPage, make_design_page
from reseed.report.designs._randomization import randomization_page
from reseed.report.designs._stabilisation import stabilisation_page
from reseed.report.designs._tuning import Search, tuning_charts, tuning_page

__all__ = [
    "DesignPage",
    "Page",
    "ReportData",
    "Search",
    "attribution_charts",
    "attribution_page",
    "bars",
    "bootstrap_charts",
    "bootstrap_page",
    "estimate_text",
    "figure_of",
    "gate_charts",
    "gate_junit",
    "gate_markdown",
    "gate_page",
    "make_comparison_page",
    "make_design_page",
    "make_page",
    "nested_charts",
    "nested_page",
    "page_charts",
    "print_bootstrap",
    "print_comparison",
    "print_foretelling",
    "print_gate",
    "print_kept_scores",
    "print_medoid",
    "print_nested",
    "print_numbers",
    "print_one_run_table",
    "print_randomization",
    "print_scores",
    "print_sources",
    "print_stabilisation",
    "print_stability",
    "print_where",
    "randomization_page",
    "render",
    "render_comparison",
    "report_data",
    "scores_listing",
    "scores_tree",
    "stabilisation_page",
    "table_of",
    "tuning_charts",
    "tuning_page",
    "unstable_rows",
    "write",
    "write_comparison_page",
]
