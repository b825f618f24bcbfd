"""A resumed run tells what its network has lost already."""

import pytest

import engine
from engine.events import ModelLoaded, Pruned, Restored
from engine.recipe import parse

RECIPE = parse(
    {
        "estimator": {"kind": "magnitude"},
        "finetune": {"epochs": 1},
        "machine": {"device": "cpu", "threads": 1},
    }
)


def test_a_resumed_run_tells_what_is_left(tmp_path):
    folder, control, heard = tmp_path / "run", engine.Control(), []

    def stop(event):
        if isinstance(event, Pruned):
            control.stop()

    engine.run(RECIPE, folder, stop, control)
    engine.resume(folder, heard.append)
    kinds = [type(event) for event in heard]
    (restored,) = [event for event in heard if isinstance(event, Restored)]
    assert kinds.index(Restored) > kinds.index(ModelLoaded)
    assert restored.sparsity == pytest.approx(sum_of_zeros(restored.layers), abs=1e-9)


def sum_of_zeros(layers) -> float:
    return sum(x.zeros for x in layers) / sum(x.weights for x in layers)
