"""Threads and deterministic kernels, inside a block only."""

import os

import pytest
import torch

from reseed.training import arithmetic


def test_settings_hold_inside_and_return_after_an_error(monkeypatch):
    """Threads and determinism are set in the block and put back, whatever happens in it."""
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    try:
        with arithmetic(before[0] + 1, deterministic=True):
            inside = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
            raise KeyError
    except KeyError:
        pass
    assert inside == (before[0] + 1, True)
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("mode", ["default", "warn", "error"])
def test_what_the_user_asked_for_stays(mode, asked):
    """What was asked of kernels before, warnings too, holds in a block that does not ask, and after one that does."""
    torch.set_deterministic_debug_mode(mode)
    before = torch.get_deterministic_debug_mode()
    try:
        with arithmetic(1, deterministic=asked):
            assert torch.get_deterministic_debug_mode() == (2 if asked else before)
        assert torch.get_deterministic_debug_mode() == before
    finally:
        torch.set_deterministic_debug_mode("default")
