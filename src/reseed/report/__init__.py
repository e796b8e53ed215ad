"""The HTML report: one self-contained, offline page about what changes when a model is trained again.

`ReportData` describes everything the page shows as plain data; `render` makes the page, `write` puts it on
disk.
"""

from reseed.report._comparison_page import render_comparison, write_comparison_page
from reseed.report._comparison_terminal import print_comparison
from reseed.report._data import ReportData
from reseed.report._from_study import report_data
from reseed.report._numbers import print_numbers
from reseed.report._page import render, write
from reseed.report._sources import print_sources
from reseed.report._terminal import print_stability, unstable_rows
from reseed.report._where import print_where

__all__ = [
    "ReportData",
    "print_comparison",
    "print_numbers",
    "print_sources",
    "print_stability",
    "print_where",
    "render",
    "render_comparison",
    "report_data",
    "unstable_rows",
    "write",
    "write_comparison_page",
]
