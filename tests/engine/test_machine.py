"""The machine: what its memory readings mean."""

import sys

import pytest
import torch

from engine.machine import forget_peak, memory_peak, memory_used

HOST = torch.device("cpu")
LARGE = 200 * 1024**2  # bytes


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forgets a peak")
def test_the_peak_of_an_earlier_run_is_forgotten():
    large = torch.ones(LARGE, dtype=torch.uint8)
    before = memory_used(HOST)
    del large
    assert memory_peak(HOST) > before - LARGE / 2  # the counters are rough
    forget_peak(HOST)
    assert memory_peak(HOST) < before - LARGE / 2
