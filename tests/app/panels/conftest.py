"""What panel tests share: a workspace, a bridge and a small run to send through it."""

import pytest

from app.bridge import Bridge
from app.workspace import Workspace
from engine.events import (
    EpochFinished,
    Evaluated,
    Histogram,
    LayerInfo,
    LayerState,
    LevelsPlanned,
    ModelLoaded,
    Pruned,
    RunStarted,
    Scored,
    Trained,
)
from engine.recipe import Recipe

LAYERS = (
    LayerInfo("conv1.weight", "Conv2d", (4, 1, 3, 3), 36, 2304, 0, "prunable"),
    LayerInfo("block.0.weight", "Conv2d", (8, 4, 3, 3), 288, 18432, 72, "prunable"),
    LayerInfo("block.1.weight", "Conv2d", (8, 8, 3, 3), 576, 36864, 0, "prunable"),
    LayerInfo("fc.weight", "Linear", (10, 8), 80, 80, 0, "prunable"),
    LayerInfo("emb.weight", "Embedding", (5, 4), 20, 0, 0, "unsupported", "No input."),
)


@pytest.fixture
def workspace(qtbot):
    return Workspace(Recipe())


@pytest.fixture
def bridge(qtbot):
    return Bridge()


@pytest.fixture
def send(qtbot, bridge):
    """Post events as the engine does and wait until the mailbox is empty."""

    def post(*events):
        with qtbot.waitSignal(bridge.drained, timeout=20_000):
            for event in events:
                bridge.post(event)

    return post


@pytest.fixture
def show(qtbot, workspace, bridge):
    """Build a panel and show it."""

    def build(panel_type):
        panel = panel_type(workspace, bridge)
        qtbot.addWidget(panel)
        panel.resize(640, 480)
        panel.show()
        qtbot.waitExposed(panel)
        return panel

    return build


@pytest.fixture
def model():
    return ModelLoaded("small", LAYERS, 1010, 57680, time=0.1)


def pruned(step: int, sparsity: float, epoch: float = 0.0, steps: int = 2) -> Pruned:
    states = tuple(
        LayerState(i.name, i.weights, int(i.weights * sparsity), sparsity, 1e-6)
        for i in LAYERS
        if i.status == "prunable"
    )
    zeros = sum(state.zeros for state in states)
    return Pruned(
        step, steps, epoch, sparsity, sparsity, zeros, states,
        final=step == steps, time=10.0 * step,
    )  # fmt: skip


def scored(step: int) -> Scored:
    return Scored(
        step,
        (
            Histogram("conv1.weight", -8, -4, (0, 3, 20, 5), (5, 2, 0, 0), 1, 0, -6.5),
            Histogram("fc.weight", -6, -2, (1, 2, 3, 4), (40, 5, 0, 0), 0, 25, -4.5),
        ),
        time=10.0 * step - 1,
    )


@pytest.fixture
def run(model):
    """A whole small run: two prunes, two epochs."""
    return (
        RunStarted("runs/one", "CPU", 0),
        model,
        LevelsPlanned((0.0, 1.0), (0.5, 0.8), 2),
        Evaluated("dense", "test", 0.0, 0.1, 98.5, 0.0, time=1),
        scored(1),
        pruned(1, 0.5),
        Evaluated("pruned", "test", 0.0, 0.9, 80.0, 0.5, time=11),
        Trained(0.5, 0.6, 0.01, time=12),
        EpochFinished(1, 2, 0.5, 0.4, 95.0, 100.0, True, time=13),
        scored(2),
        pruned(2, 0.8, epoch=1.0),
        Trained(1.5, 0.3, 0.005, time=22),
        EpochFinished(2, 2, 0.3, 0.2, 97.0, 100.0, True, time=23),
        Evaluated("final", "test", 2.0, 0.2, 97.5, 0.8, time=24),
    )
