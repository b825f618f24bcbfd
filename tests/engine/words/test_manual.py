"""The list of settings: what each may be."""

import pytest

from engine.recipe import setting_of
from engine.words.manual import allowed, manual


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("allocation.sparsity", "0 to below 1"),
        ("allocation.floor", "such as fc=0.5, layer3=0.9; 0 to 1 each"),
        ("allocation.exclude", "such as fc, conv1"),
        ("finetune.learning_rate", "above 0 to 100"),
        ("finetune.decay_factor", "above 0 to 1"),
        ("finetune.optimizer", "sgd, adamw"),
        ("finetune.mixed_precision", "true or false"),
        ("machine.threads", "0 to 1024; 0 is all"),
        ("machine.batch", "1 to 65536 images"),
        ("model.checkpoint", ""),
    ],
)
def test_what_a_setting_may_be(key, words):
    assert allowed(setting_of(*key.split("."))) == words


def test_every_line_can_be_given_again():
    lines = manual().splitlines()
    assert "  allocation.sparsity = 0.9 (0 to below 1)" in lines
    assert "  allocation.floor = '' (such as fc=0.5, layer3=0.9; 0 to 1 each)" in lines
    assert "  repair.weighted = false (true or false)" in lines
    assert "--set allocation.floor='fc=0.5, layer3=0.9'" in manual()
