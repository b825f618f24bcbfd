"""Layout: which weights share a block."""

import torch

from engine.curvature.layout import Layout


def live(text: str) -> torch.Tensor:
    return torch.tensor([letter == "x" for letter in text])


def test_a_dense_layer_is_cut_into_blocks_with_a_short_last_one():
    layout = Layout(live("xxxxxxx"), 3)
    assert layout.index.tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 7]]


def test_size_zero_and_sizes_beyond_the_layer_are_one_block():
    for size in (0, 5, 99):
        assert Layout(live("xxxxx"), size).index.tolist() == [[0, 1, 2, 3, 4]]


def test_only_live_weights_take_part_and_blocks_keep_their_borders():
    layout = Layout(live("x..xxx...x"), 3)
    assert layout.index.tolist() == [[0, 10, 10], [3, 4, 5], [10, 10, 10], [9, 10, 10]]


def test_gather_and_scatter_are_inverse_on_live_weights():
    mask = live("x..xxx...x")
    layout, values = Layout(mask, 3), torch.arange(1.0, 11)
    gathered = layout.gather(values, fill=-1)
    assert gathered[0].tolist() == [1, -1, -1]
    assert layout.scatter(gathered, fill=7).tolist() == [1, 7, 7, 4, 5, 6, 7, 7, 7, 10]


def test_rows_are_gathered_per_block_with_zeros_in_empty_slots():
    for text, size in (("xxxxxx", 3), ("xxxxxxx", 3), ("x..xxx...x", 3), ("x.xx", 0)):
        mask = live(text)
        layout, rows = Layout(mask, size), torch.randn(4, len(mask))
        found = layout.gather_rows(rows)
        for n in range(4):
            assert torch.equal(found[:, n], layout.gather(rows[n]))


def test_a_layer_without_live_weights_has_empty_slots_only():
    layout = Layout(live("...."), 3)
    assert layout.index.tolist() == [[4], [4]]
    assert layout.scatter(torch.ones(2, 1)).tolist() == [0, 0, 0, 0]
