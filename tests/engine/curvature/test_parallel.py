"""Side by side in threads of one core each, and nothing is left changed."""

import threading

import pytest
import torch

from engine.curvature.blocks import DualBlocks
from engine.curvature.parallel import in_parallel

CPU = torch.device("cpu")


@pytest.fixture
def three_cores():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("three_cores")
def test_each_thread_has_one_core_and_the_caller_all_of_them():
    meet = threading.Barrier(3)

    def work(item):
        meet.wait(10)  # all three at the same time, or this breaks
        return item, torch.get_num_threads()

    assert in_parallel(work, range(3), CPU) == [(0, 1), (1, 1), (2, 1)]
    assert torch.get_num_threads() == 3
    late = []
    thread = threading.Thread(target=lambda: late.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert late == [3]


@pytest.mark.usefixtures("three_cores")
@pytest.mark.parametrize(("items", "device"), [(2, "cpu"), (9, "meta")])
def test_few_items_and_other_devices_stay_in_this_thread(items, device):
    def work(item):
        return threading.get_ident()

    found = in_parallel(work, range(items), torch.device(device))
    assert found == [threading.get_ident()] * items


@pytest.mark.usefixtures("three_cores")
def test_an_error_is_raised_and_the_cores_come_back():
    def work(item):
        if item == 2:
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        in_parallel(work, range(5), CPU)
    assert torch.get_num_threads() == 3


def test_blocks_are_the_same_on_one_core_and_on_several(monkeypatch):
    monkeypatch.setattr("engine.curvature.blocks.BUDGET", 1)  # a block at a time
    torch.manual_seed(0)
    gradients, weights = torch.randn(7, 5, 12), torch.randn(7, 12).double()
    gone = torch.rand(7, 12) < 0.5
    before, found = torch.get_num_threads(), []
    for cores in (1, 3):
        torch.set_num_threads(cores)
        blocks = DualBlocks(gradients, 1e-3)
        found.append((blocks.diag, blocks.solve(weights), *blocks.joint(weights, gone)))
        assert blocks.squares == pytest.approx(gradients.square().sum().item() / 5)
    torch.set_num_threads(before)
    for one, several in zip(*found, strict=True):
        assert torch.equal(one, several)
