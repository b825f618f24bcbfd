"""What a branch changes, in the words of the form."""

import pytest

from app.forms.change_words import change_words
from engine.recipe import Recipe, with_changes


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"estimator.kind": "magnitude"},
            "Method: WoodFisher · Gradients (N) 400 → Magnitude",
        ),
        ({"finetune.optimizer": "adamw"}, "Fine-tuning, Optimiser: SGD → AdamW"),
        ({"allocation.exclude": ["fc"]}, "Target, Excluded layers: none → fc"),
        ({"machine.threads": 2}, "Machine, CPU threads: all → 2"),
        ({"repair.weighted": True}, "Repair, Weigh output channels: off → on"),
        ({"model.checkpoint": "/a/b.pth"}, "Model, Checkpoint: none → b.pth"),
    ],
)
def test_every_change_is_a_line(changes, line):
    assert line in change_words(Recipe(), with_changes(Recipe(), changes))
    assert change_words(Recipe(), Recipe()) == ()
