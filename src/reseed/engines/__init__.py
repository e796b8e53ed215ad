"""Where runs execute.

An engine promises one thing: call this function somewhere, at least once. Retry and resume are the ledger's, which
believes nothing but finished results.
"""

from reseed._choices import EngineName
from reseed.engines._cluster import ClusterEngine
from reseed.engines._cores import usable_cores
from reseed.engines._ledger import check_retries, complete_runs
from reseed.engines._processes import ProcessesEngine
from reseed.engines._protocol import Engine, Group, RunReport, Task, WorkersLostError
from reseed.engines._registry import as_engine
from reseed.engines._serial import SerialEngine

__all__ = [
    "ClusterEngine",
    "Engine",
    "EngineName",
    "Group",
    "ProcessesEngine",
    "RunReport",
    "SerialEngine",
    "Task",
    "WorkersLostError",
    "as_engine",
    "check_retries",
    "complete_runs",
    "usable_cores",
]
