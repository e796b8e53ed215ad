"""`reseed export` of a trained network."""

import json

import pytest

import reseed


def test_a_model_is_exported(cli, measured, tmp_path):
    """The place is printed, and nothing else but the line before a training; the run is the one that was asked for."""
    for words, runs in ((("--run", "2"), [2]), (("--run", "ensemble"), [0, 1, 2])):
        ended = cli("export", measured, tmp_path / "m.safetensors", *words)
        assert (ended.status, ended.out) == (0, f"{tmp_path / 'm.safetensors'}\n")
        assert len(ended.err.splitlines()) <= 1
        assert json.loads((tmp_path / "m.safetensors.json").read_text())["runs"] == runs
    study = reseed.Study.open(measured)
    chosen = reseed.instability.medoid(study.final(), study.targets).medoid.run
    assert cli("export", measured, tmp_path / "m.safetensors").status == 0
    assert json.loads((tmp_path / "m.safetensors.json").read_text())["runs"] == [chosen]


@pytest.mark.parametrize(
    ("name", "run", "message"),
    [
        (
            "m.pt2",
            "9",
            "--run is 9, which is no complete run of the study; choose one of 0, 1, 2, 'medoid' or 'ensemble'.",
        ),
        ("m.pt2", "best", "run is 'best', which is no complete run"),
        ("a.csv", "1", "--run says which network to write; for"),
        ("m.pth", "1", ".hf, .zarr, .safetensors, .pt2, .onnx."),
    ],
)
def test_mistakes(cli, measured, tmp_path, name, run, message):
    """A run that is not there, and a choice of one where there is none to make, are refused and say what to do."""
    ended = cli("export", measured, tmp_path / name, "--run", run)
    assert ended.status == 2
    assert message in " ".join(ended.err.split())
    assert list(tmp_path.iterdir()) == []


def test_code_needs_leave(cli, here):
    """A study of somebody's code is exported with --trust-code only."""
    (here / "own_small_net.py").write_text(
        "from torch import nn\n\n\ndef net(shape, classes):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(64, classes))\n"
    )
    words = ("--model", "own_small_net:net", "--runs", "2", "--epochs", "1", "--engine", "serial", "--no-probe")
    assert cli("measure", "digits", *words, "--out", "study").status == 0
    ended = cli("export", "study", "m.safetensors")
    assert ended.status == 2
    assert "--trust-code" in ended.err
    assert cli("export", "study", "m.safetensors", "--trust-code").status == 0
    assert (here / "m.safetensors").exists()
