"""Drawing one split from another."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data.splits import draw_test, stratified
from engine.errors import InputError


@settings(max_examples=40, deadline=None)
@given(
    labels=st.lists(st.integers(0, 5), max_size=60),
    share=st.floats(0, 0.99),
    seed=st.integers(0, 2**31),
)
def test_every_class_gives_its_share_and_keeps_an_image(labels, share, seed):
    labels = torch.tensor(labels, dtype=torch.int64)
    kept, drawn = stratified(labels, share, torch.Generator().manual_seed(seed))
    assert sorted([*kept.tolist(), *drawn.tolist()]) == list(range(len(labels)))
    for label in labels.unique():
        count = int((labels == label).sum())
        taken = int((labels[drawn] == label).sum())
        assert taken < count
        assert abs(taken - share * count) <= 1
        assert taken > 0 or share == 0 or count == 1


def test_the_seed_decides_who_is_drawn():
    labels = torch.arange(200) % 4

    def drawn(seed):
        return stratified(labels, 0.3, torch.Generator().manual_seed(seed))[1].tolist()

    assert drawn(1) == drawn(1) != drawn(2)


def test_too_few_images_for_a_test_set_are_refused():
    with pytest.raises(InputError, match="too few images"):
        draw_test(torch.tensor([0, 1, 2]), 0.5)
