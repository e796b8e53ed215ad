"""Where runs train if nobody says so: on a GPU that computes, on the CPU otherwise, and where a study began."""

import pytest
import torch

from reseed import InputError
from reseed.engines import SerialEngine
from reseed.studies import _devices
from reseed.studies._devices import chosen_device, devices


@pytest.fixture
def gpu(monkeypatch):
    """A machine with a GPU, as torch would describe it."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA Abacus")
    monkeypatch.setattr(_devices, "_problem_of_gpu", lambda: None)


@pytest.fixture
def no_gpu(monkeypatch):
    """A machine without one."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def choice(engine, began=None):
    """Return the device that is chosen, and what is said of it."""
    said = []
    return chosen_device(engine, began, said.append), said


@pytest.mark.parametrize("engine", ["auto", "serial", "stacked", "processes", "cluster", SerialEngine()])
def test_without_a_gpu_nothing_is_said(no_gpu, engine):
    """There is no choice, so there is no word of it."""
    assert choice(engine) == ("cpu", [])
    assert choice(engine, "cpu") == ("cpu", [])


@pytest.mark.parametrize("engine", ["auto", "serial", "stacked"])
def test_a_gpu_is_taken_and_named(gpu, engine):
    """By engines that train in one process."""
    assert choice(engine) == ("cuda", ["device: cuda (NVIDIA Abacus)"])


@pytest.mark.parametrize(
    ("engine", "called"), [("processes", "processes"), ("cluster", "cluster"), (SerialEngine(), "serial")]
)
def test_engines_that_share_stay_on_the_cpu_and_say_so(gpu, engine, called):
    """Worker processes, a cluster, an engine of one's own: only where a GPU is asked for."""
    device, (said,) = choice(engine)
    assert device == "cpu"
    assert said.startswith(f"device: cpu; the engine {called!r} uses a GPU only where device='cuda' asks for it")


@pytest.mark.parametrize("began", ["cpu", "cuda"])
def test_a_study_goes_on_where_it_began(gpu, began):
    """Another device rounds otherwise; whoever has a GPU reads that the study does not use it."""
    for engine in ("auto", "processes"):
        assert choice(engine, began) == (began, [f"device: {began}, where the study began"])


def test_a_gpu_that_computes_nothing_is_left_alone(monkeypatch):
    """This torch has no CUDA, as another one may lack the kernels for an old GPU: a line says why."""
    if torch.version.cuda is not None:
        pytest.skip("this torch is built with CUDA")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    device, (said,) = choice("auto")
    assert device == "cpu"
    assert said.startswith("device: cpu; there is a GPU, but it cannot be used: Torch not compiled with CUDA")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("cudaa", "device 'cudaa' cannot be used here; there are cpu, cuda, mps, xpu and auto. Did you mean 'cuda'?"),
        ("meta", "device 'meta' cannot be used here; there are cpu, cuda, mps, xpu and auto."),
        ("cuda:x", "device 'cuda:x' cannot be used here: "),
    ],
)
def test_unusable_names(name, told):
    """Each is refused with what there is."""
    with pytest.raises(InputError) as refused:
        devices(name, "auto", lambda _: None)
    assert str(refused.value).startswith(told)


def test_a_study_keeps_its_device(train, monkeypatch):
    """What was begun on a CPU is extended there, on a machine that has a GPU by now, with a word; nothing changes."""
    first = train(runs=2)
    assert first.header.device == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    said = []
    longer = train(runs=3, announce=said.append)
    assert longer.header.device == "cpu"
    assert len(longer.manifests) == 3
    assert "device: cpu, where the study began" in said
    assert {manifest.environment["device"] for manifest in longer.manifests} == {"cpu"}


def test_the_library_and_the_command_line_agree():
    """Both leave the device open."""
    import inspect

    import reseed
    from reseed.cli._options import ExecutionOptions

    defaults = {
        inspect.signature(each).parameters["device"].default for each in (reseed.measure, reseed.studies.train_study)
    }
    assert defaults == {ExecutionOptions().device} == {"auto"}
