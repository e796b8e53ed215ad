"""Recording one of several processes that train together."""

import subprocess
import sys
import textwrap

import pytest
import torch

from reseed import Study

SCRIPT = textwrap.dedent(
    """
    import sys
    import torch
    from torch import distributed, nn
    from reseed import Recorder
    from reseed.integrations._driven import DrivenRecorder

    X, Y = torch.randn(16, 4, generator=torch.Generator().manual_seed(0)), [0, 1] * 8


    def train(rank, folder, name):
        distributed.init_process_group("gloo", init_method=f"file://{folder}/{name}-meeting", rank=rank, world_size=2)
        torch.manual_seed(0)
        inner = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 2))
        model = nn.parallel.DistributedDataParallel(inner)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        options = {"run": 0, "runs": 2, "data": (X, Y), "level": "full", "on_error": "raise"}
        recorder = None
        if name == "loop" and rank == 0:
            recorder = Recorder(f"{folder}/{name}", **options)
            recorder.check(model)
            recorder.begin()
        elif name == "driven":  # in every process, as trainers have their callbacks
            recorder = DrivenRecorder(f"{folder}/{name}", every="epoch", **options)
            recorder.begin(0, model, lambda: lambda model, batch: model(batch), is_main=rank == 0)
        for step in (1, 2, 3):
            rows = slice(rank, None, 2)
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(X[rows]), torch.tensor(Y[rows])).backward()
            optimizer.step()
            if recorder is not None:
                recorder.record(*((model, step) if name == "loop" else (step, model)))
        if recorder is not None:
            recorder.finish()
        if rank == 0:
            torch.save(inner.state_dict(), f"{folder}/{name}.pt")
        distributed.destroy_process_group()


    for name in ("loop", "driven", "plain"):
        torch.multiprocessing.start_processes(train, (sys.argv[1], name), nprocs=2, start_method="fork")
    """
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What two processes left that train together: recorded in a loop, by what the callbacks share, and not at all."""
    folder = tmp_path_factory.mktemp("distributed")
    script = folder / "script.py"
    script.write_text(SCRIPT)
    subprocess.run([sys.executable, "-W", "ignore", script, folder], check=True, timeout=300)
    return folder


@pytest.mark.parametrize("name", ["loop", "driven"])
def test_one_process_records_and_none_waits_for_it(folder, name):
    """The training ends in the weights of the unrecorded one, statistics of its batch normalisation included."""
    assert Study.open(folder / name).manifests[0].steps == (1, 2, 3)
    recorded, plain = (torch.load(folder / f"{which}.pt", weights_only=True) for which in (name, "plain"))
    assert all(torch.equal(recorded[key], plain[key]) for key in plain)
