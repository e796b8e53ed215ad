"""Where runs execute.

An engine promises one thing: call this function somewhere, at least once. Retry and resume are the ledger's, which
believes nothing but finished results.
"""

from reseed.engines._ledger import complete_runs
from reseed.engines._processes import ProcessesEngine
from reseed.engines._protocol import Engine, Group, RunReport, Task, WorkersLostError
from reseed.engines._registry import EngineName, engine_by_name, usable_cores
from reseed.engines._serial import SerialEngine

__all__ = [
    "Engine",
    "EngineName",
    "Group",
    "ProcessesEngine",
    "RunReport",
    "SerialEngine",
    "Task",
    "WorkersLostError",
    "complete_runs",
    "engine_by_name",
    "usable_cores",
]
