"""What runs leave behind: the store, the study, and studies from models and predictions of one's own."""

from reseed.studies._again import data_for, with_kept_samples
from reseed.studies._answers import Answers, read_answers, same_contents
from reseed.studies._cost import Cost
from reseed.studies._cost_summary import cost_summary
from reseed.studies._data_file import DATA_FILE, link_data
from reseed.studies._equal_runs import EqualRuns, equal_rows, equal_runs
from reseed.studies._estimators import is_estimator
from reseed.studies._execution import ExecutionArguments
from reseed.studies._files import (
    bytes_writer,
    inside,
    is_partial,
    json_writer,
    remove_partials,
    replace_file,
    replace_files,
    replace_json,
    replace_table,
    replace_text,
    storing,
    table_writer,
    text_writer,
)
from reseed.studies._final import FinalArray
from reseed.studies._fit import fingerprint, run
from reseed.studies._header import Header, is_factory, read_header
from reseed.studies._import import from_predictions
from reseed.studies._import_files import import_predictions
from reseed.studies._import_logs import LogOptions
from reseed.studies._import_tables import ColumnNames
from reseed.studies._labels import LabelReading, as_array, class_names_of
from reseed.studies._manifest import Manifest
from reseed.studies._numbers_store import StoredRows, create_array, open_numbers
from reseed.studies._progress import ReadingProgress, WorkProgress, to_stderr
from reseed.studies._recorded_inputs import kept_inputs, shape_of_sample
from reseed.studies._recording import RunRecording, unfinished_runs
from reseed.studies._remote import local_folder
from reseed.studies._resampled import ResampledFit
from reseed.studies._samples import Evaluation, Samples, evaluation_data, pair
from reseed.studies._study import Study
from reseed.studies._study_inputs import StudyInputs
from reseed.studies._targets import Targets
from reseed.studies._tasks import only_writer
from reseed.studies._train import check_runs, train_study
from reseed.studies._train_run import is_out_of_memory

__all__ = [
    "DATA_FILE",
    "Answers",
    "ColumnNames",
    "Cost",
    "EqualRuns",
    "Evaluation",
    "ExecutionArguments",
    "FinalArray",
    "Header",
    "LabelReading",
    "LogOptions",
    "Manifest",
    "ReadingProgress",
    "ResampledFit",
    "RunRecording",
    "Samples",
    "StoredRows",
    "Study",
    "StudyInputs",
    "Targets",
    "WorkProgress",
    "as_array",
    "bytes_writer",
    "check_runs",
    "class_names_of",
    "cost_summary",
    "create_array",
    "data_for",
    "equal_rows",
    "equal_runs",
    "evaluation_data",
    "fingerprint",
    "from_predictions",
    "import_predictions",
    "inside",
    "is_estimator",
    "is_factory",
    "is_out_of_memory",
    "is_partial",
    "json_writer",
    "kept_inputs",
    "link_data",
    "local_folder",
    "only_writer",
    "open_numbers",
    "pair",
    "read_answers",
    "read_header",
    "remove_partials",
    "replace_file",
    "replace_files",
    "replace_json",
    "replace_table",
    "replace_text",
    "run",
    "same_contents",
    "shape_of_sample",
    "storing",
    "table_writer",
    "text_writer",
    "to_stderr",
    "train_study",
    "unfinished_runs",
    "with_kept_samples",
]
